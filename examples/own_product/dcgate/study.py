"""What a row of a sweep computes: a programme at a volume through the gate, at a threshold."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import soxr

from acoustic_sim.programmes.programme import excerpt
from acoustic_sim.sweep.axes import ARITHMETIC, VOLUME, number
from acoustic_sim.sweep.design import Condition
from dcgate import reference
from dcgate.kernels import process_frame
from dcgate.params import BLOCK, CHANNELS, FS_HZ, GateConfig, quantise
from dcgate.state import init_probes, init_state
from firmware_model.golden.stimuli import to_q15
from fixedpoint.errors import BittrueError, ConfigError

AXES = (number("open_dbfs", -50.0, -80, 0, "dBFS"), VOLUME, ARITHMETIC)
# Name and type of each part of an outcome; any of them may be None.
OUTCOME: dict[str, type] = {
    "open_share": float,  # of the time
    "level_db": float,  # of the output over the input, None of silence
    "offset_lsb": float,  # mean of the output, the larger of both channels
    "max_error_lsb": int,  # of the output against exact Q15; None in exact Q15
}
# For the report: words, unit, what it is.
MEASURES = {
    "open_share": ("open", "share", "time for which the gate is more than half open"),
    "level_db": ("level", "dB", "of the output over the input"),
    "offset_lsb": ("offset", "LSB", "mean of the output"),
}
BETTER = {"offset_lsb": "less"}  # the rest only rises or falls
_OFFSET = 0.01  # of full scale, added to the programme


def check_arithmetic(text: str) -> None:
    """Only the firmware's integers and the twin: ConfigError."""
    if text not in ("q15", "float"):
        raise ConfigError(f"arithmetic={text!r}: must be q15 or float for this product")


CHECKS = {"arithmetic": check_arithmetic}


def group_key(condition: Condition) -> tuple[Any, ...]:
    """Rows that share it share the programme."""
    return condition.programme, condition.seconds, condition.seed


def evaluate(conditions: Sequence[Condition]) -> Iterator[tuple[Condition, dict[str, Any] | str]]:
    """Each row's outcome, or in one line why there is none."""
    for condition in conditions:
        try:
            yield condition, _outcome(condition)
        except BittrueError as error:
            yield condition, condition.in_plans_names(str(error))


def heard(condition: Condition) -> tuple[np.ndarray, int]:
    """The left channel of the output, (n,) int16, Q1.15, and its rate in Hz."""
    return _processed(condition, _input(condition))[0][0], FS_HZ


def _input(condition: Condition) -> np.ndarray:
    """(2, n) int16: the programme and its copy 6 dB down, an offset on both, whole blocks."""
    x, fs_hz = excerpt(condition.programme, condition.seconds, condition.seed)
    if fs_hz != FS_HZ:
        x = soxr.resample(x, fs_hz, FS_HZ, "VHQ")
    x = x[: len(x) // BLOCK * BLOCK] * 10 ** (condition.values["volume_db"] / 20)
    return to_q15(np.stack([x, x / 2]) + _OFFSET)


def _config(condition: Condition) -> GateConfig:
    opens = condition.values["open_dbfs"]
    return GateConfig(open_dbfs=opens, close_dbfs=max(opens - 6.0, -80.0))


def _processed(
    condition: Condition, x_q15: np.ndarray, arithmetic: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """(2, n) int16 out, and the gain of each block."""
    config = _config(condition)
    if (arithmetic or condition.values["arithmetic"]) == "float":
        nodes = reference.process(config, x_q15 / 32768.0)
        return to_q15(nodes["output"]), nodes["gain"][0]
    params = quantise(config)
    probes, y_q15 = init_probes(params, x_q15.shape[1]), np.empty_like(x_q15)
    process_frame(params, init_state(params), x_q15, y_q15, probes)
    return y_q15, probes.gain_q31[0] / 2.0**31


def _outcome(condition: Condition) -> dict[str, Any]:
    x_q15 = _input(condition)
    y_q15, gain = _processed(condition, x_q15)
    error_lsb = None
    if condition.values["arithmetic"] != "q15":
        exact, _ = _processed(condition, x_q15, "q15")
        error_lsb = int(np.abs(y_q15.astype(int) - exact).max())
    power = [float(np.mean(each.astype(np.float64) ** 2)) for each in (y_q15, x_q15)]
    assert x_q15.shape[0] == CHANNELS
    return {
        "open_share": float(np.mean(gain > 0.5)),
        "level_db": 10 * np.log10(power[0] / power[1]) if min(power) > 0 else None,
        "offset_lsb": float(np.abs(y_q15.mean(axis=1)).max()),
        "max_error_lsb": error_lsb,
    }
