"""A product in one configuration: the kernel, and all the integers that it starts from."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from firmware_model.device import stimuli
from firmware_model.dynamics import processor
from firmware_model.dynamics.params import DynamicsConfig
from firmware_model.golden import stimuli as frozen
from firmware_model.golden.case import Case
from firmware_model.golden.dynamics_cases import DynamicsRun
from firmware_model.golden.watermark_cases import DetectorRun
from firmware_model.watermark import detector
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import ConfigError

MBDP, WATERMARK = "mbdp", "watermark"
MAX_KEYS = 1024  # as `detector.Detector`


class Array(NamedTuple):
    """An array of a state or an output, and its place: "state.bank.gain_q27".

    kind : NamedTuple that has it as a field
    """

    path: str
    values: np.ndarray
    kind: type


class Configured(NamedTuple):
    """A product in one configuration.

    name : "mbdp" or "watermark"
    label : of the configuration, one line
    fs_hz, channels : of its input
    block : samples; it takes its input in whole blocks: a control block, a hop
    params : of the kernel
    state, output : as at the start; the dynamics processor's output is its samples, and None here
    stimulus : makes (channels, n) int16, Q1.15, whole blocks, that exercise it
    """

    name: str
    label: str
    fs_hz: int
    channels: int
    block: int
    params: Any
    state: Any
    output: Any
    stimulus: Callable[[], np.ndarray]

    @property
    def kernel(self) -> Callable[..., Any]:
        """What processes a frame."""
        return processor.process_frame if self.output is None else detector.process_frame

    @property
    def arguments(self) -> tuple[Any, ...]:
        """An example of each of the kernel's arguments."""
        x_q15 = np.zeros((self.channels, self.block), np.int16)
        signals = (x_q15, x_q15) if self.output is None else (x_q15[0], self.output)
        return (self.params, self.state, *signals, None)

    @property
    def memory(self) -> list[Array]:
        """Arrays that firmware holds in RAM, as at the start, in order; those of the output are the last."""
        output = () if self.output is None else arrays(self.output, "output.")
        return [*arrays(self.state, "state."), *output]

    @property
    def state_bytes(self) -> int:
        """RAM of the state's arrays."""
        return sum(each.values.nbytes for each in arrays(self.state, "state."))

    @property
    def table_bytes(self) -> int:
        """Flash of the arrays among the parameters: coefficients and tables."""
        return sum(each.values.nbytes for each in arrays(self.params, ""))

    @property
    def latency_samples(self) -> int:
        """Delay of the dynamics processor's output; the detector has none, what it reports holds its time."""
        if self.name == WATERMARK:
            return 0
        return int((self.params.band_limiter.blocks + self.params.limiter.blocks) * self.block)


def arrays(values: Any, prefix: str) -> Iterator[Array]:
    """Arrays of a NamedTuple and of those within."""
    for field, value in zip(values._fields, values, strict=True):
        if isinstance(value, tuple):
            yield from arrays(value, f"{prefix}{field}.")
        elif isinstance(value, np.ndarray):
            yield Array(prefix + field, value, type(values))


def of_case(case: Case) -> Configured:
    """A golden case's product."""
    run = case.start()
    output = getattr(run, "output", None)
    return Configured(
        name=MBDP if output is None else WATERMARK,
        label=f"{case.name}: {case.summary}",
        fs_hz=case.fs_hz,
        channels=case.channels,
        block=case.block,
        params=run.params,
        state=run.state,
        output=output,
        stimulus=lambda: case.whole_blocks(frozen.load(case.stimulus)),
    )


def of_dynamics(config: DynamicsConfig, label: str) -> Configured:
    """The dynamics processor."""
    run = DynamicsRun(config)
    return Configured(
        name=MBDP,
        label=label,
        fs_hz=config.fs_hz,
        channels=config.channels,
        block=config.control_samples,
        params=run.params,
        state=run.state,
        output=None,
        stimulus=partial(stimuli.levels, config.fs_hz, config.channels, config.control_samples),
    )


def of_watermark(config: WatermarkConfig, keys: Sequence[str]) -> Configured:
    """The watermark detector.

    Parameters
    ----------
    config : WatermarkConfig
    keys : 1 to 1024, hexadecimal, see `Key.from_hex`

    Raises
    ------
    ConfigError
    """
    if not 1 <= len(keys) <= MAX_KEYS:
        raise ConfigError(f"keys: {len(keys)} found, 1 to {MAX_KEYS} are accepted")
    run = DetectorRun(config, tuple(keys))
    return Configured(
        name=WATERMARK,
        label=f"watermark detector, {len(keys)} key{'s' if len(keys) > 1 else ''}, {config.fs_hz} Hz",
        fs_hz=config.fs_hz,
        channels=1,
        block=config.hop,
        params=run.params,
        state=run.state,
        output=run.output,
        stimulus=partial(stimuli.marked, config, Key.from_hex(keys[0])),
    )
