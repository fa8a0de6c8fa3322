"""Cases small enough to be worked out by hand."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from firmware_model.case import Case, Node
from fixedpoint.qformat import QFormat

Q3_5 = QFormat(3, 5)


class FixedRun:
    """Gives the input's samples, one row for each channel, as the node's integers."""

    def push(self, x_q15: np.ndarray) -> dict[str, np.ndarray]:
        return {"y": x_q15.astype(np.int32)}


class FirRun(NamedTuple):
    """No firmware behind it: only the reference of such a case is of use."""

    def push(self, x_q15: np.ndarray) -> dict[str, np.ndarray]:
        raise NotImplementedError


def copying_case(reference: Callable[[np.ndarray], np.ndarray], rows: int = 1, block: int = 4) -> Case:
    """Integers of the node "y", Q3.5, are those of the input; its float64 twin is what is given."""
    return Case(
        name="toy",
        summary="a toy",
        fs_hz=100,
        channels=rows,
        block=block,
        stimulus="none",
        nodes=(Node("y", Q3_5, tuple(f"row {row}" for row in range(rows)), 1),),
        start=FixedRun,
        plain=lambda x: x,
        reference=lambda x: {"y": reference(x)},
    )


def filtering_case(taps: list[list[float]], channels: int, gain: float = 1.0) -> Case:
    """A linear node "y" with a row of FIR filters for each list of taps, all channels added up.

    gain : the reference's unit is this many times the format's
    """

    def reference(x: np.ndarray) -> dict[str, np.ndarray]:
        mixed = x.sum(axis=0)
        return {"y": gain * np.stack([np.convolve(mixed, h)[: len(mixed)] for h in taps])}

    rows = tuple(f"row {row}" for row in range(len(taps)))
    node = Node("y", Q3_5, rows, 1, scale=gain, linear=True)
    return Case("toy", "a toy", 100, channels, 4, "none", (node,), FirRun, lambda x: x, reference)
