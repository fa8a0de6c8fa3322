"""Filters for signals that come in blocks: convolution, change of rate."""

from collections.abc import Iterable, Iterator

import numpy as np
import scipy  # its parts are loaded at their first use
import soxr


def convolved(blocks: Iterable[np.ndarray], h: np.ndarray) -> Iterator[np.ndarray]:
    """Blocks (n,) float64 of a signal, convolved with h and its tail of len(h) - 1 samples behind them.

    Overlap-add; a signal of one block comes out as `scipy.signal.oaconvolve` has it.
    """
    tail = np.zeros(0)
    for block in blocks:
        y = scipy.signal.oaconvolve(block, h)
        y[: len(tail)] += tail
        tail = y[len(block) :]
        yield y[: len(block)]
    yield tail


def resampled(
    blocks: Iterable[np.ndarray], from_hz: float, to_hz: float, channels: int | None = None
) -> Iterator[np.ndarray]:
    """Blocks (n,), or (n, channels), float64 at another rate (soxr VHQ), bit for bit as of the whole."""
    if from_hz == to_hz:
        yield from blocks
        return
    stream = soxr.ResampleStream(from_hz, to_hz, channels or 1, dtype="float64", quality="VHQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.empty(0 if channels is None else (0, channels)), last=True)
