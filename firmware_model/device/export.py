"""A product as C99: one header and one source, with its coefficients and the memory that it needs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from firmware_model.device import configured, product_header, product_source
from firmware_model.device.configured import Configured
from firmware_model.dynamics.params import DynamicsConfig
from firmware_model.golden.case import Case
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.cgen import translate


class Field(NamedTuple):
    """An array in the memory of an instance.

    path : in the model: "state.bank.split_q54", "output.report"
    dtype : of its integers
    shape : in the model; in C it is flat, rows one after the other
    """

    path: str
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def member(self) -> str:
        """Its name in C."""
        return product_header.member(self.path)


class Product(NamedTuple):
    """A product's C99 for one configuration.

    name : "watermark" or "mbdp"; files and public names begin with `prefix`
    header, source : text of PREFIX.h and PREFIX.c
    instance_type, init, process : names in C
    memory : arrays of the struct PREFIX_memory in order, the member `memory` of an instance. Arrays of no
        element, which C does not have, are left out
    fs_hz, channels : of its input
    block : samples; it takes its input in whole blocks
    """

    name: str
    header: str
    source: str
    instance_type: str
    init: str
    process: str
    memory: tuple[Field, ...]
    fs_hz: int
    channels: int
    block: int

    @property
    def prefix(self) -> str:
        """What files and public names begin with."""
        return product_header.prefix(self.name)

    @property
    def memory_dtype(self) -> np.dtype:
        """The struct PREFIX_memory as NumPy's, for any C compiler that aligns integers to their size."""
        return np.dtype([(f.member, f.dtype, f.shape) for f in self.memory], align=True)


def product_of_case(case: Case) -> Product:
    """A golden case's product."""
    return product_of(configured.of_case(case))


def product_of_dynamics(config: DynamicsConfig, label: str) -> Product:
    """The dynamics processor.

    Parameters
    ----------
    config : DynamicsConfig
    label : of the configuration, one line for the header
    """
    return product_of(configured.of_dynamics(config, label))


def product_of_watermark(config: WatermarkConfig, keys: Sequence[str]) -> Product:
    """The watermark detector.

    Parameters
    ----------
    config : WatermarkConfig
    keys : hexadecimal, see `Key.from_hex`

    Raises
    ------
    ConfigError
    """
    return product_of(configured.of_watermark(config, keys))


def product_of(setup: Configured) -> Product:
    """The C99 of a product in this configuration."""
    prefix = product_header.prefix(setup.name)
    module = translate([(setup.kernel, setup.arguments)], prefix, f"{prefix}_")
    return Product(
        name=setup.name,
        header=product_header.header(setup, module),
        source=product_source.source(setup, module),
        instance_type=prefix,
        init=f"{prefix}_init",
        process=f"{prefix}_process",
        memory=tuple(
            Field(each.path, each.values.dtype, each.values.shape)
            for each in setup.memory
            if each.values.size
        ),
        fs_hz=setup.fs_hz,
        channels=setup.channels,
        block=setup.block,
    )
