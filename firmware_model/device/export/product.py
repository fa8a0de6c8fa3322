"""A product as C99: one header and one source, with its coefficients and the memory that it needs."""

from typing import NamedTuple

import numpy as np

from firmware_model.case import Case
from firmware_model.device.export import configured, facts
from firmware_model.device.export import header as product_header
from firmware_model.device.export import source as product_source
from firmware_model.device.export.configured import Configured
from fixedpoint.c99.translator import translate


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


class CProduct(NamedTuple):
    """A product's C99 for one configuration.

    name : of the product; files and public names begin with `prefix`
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
        return facts.prefix(self.name)

    @property
    def memory_dtype(self) -> np.dtype:
        """The struct PREFIX_memory as NumPy's, for any C compiler that aligns integers to their size."""
        return np.dtype([(f.member, f.dtype, f.shape) for f in self.memory], align=True)


def product_of_case(case: Case) -> CProduct:
    """A golden case's product."""
    return product_of(configured.of_case(case))


def product_of(setup: Configured) -> CProduct:
    """The C99 of a product in this configuration."""
    own = facts.prefix(setup.name)
    module = translate([(setup.kernel, setup.arguments)], own, f"{own}_")
    return CProduct(
        name=setup.name,
        header=product_header.header(setup, module),
        source=product_source.source(setup, module),
        instance_type=own,
        init=f"{own}_init",
        process=f"{own}_process",
        memory=tuple(
            Field(each.path, each.values.dtype, each.values.shape)
            for each in setup.memory
            if each.values.size
        ),
        fs_hz=setup.fs_hz,
        channels=setup.channels,
        block=setup.block,
    )
