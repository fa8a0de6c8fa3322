"""Arguments for the dynamics processor's kernels that take rows of samples: rails, ties, all gains."""

from collections.abc import Callable

import numpy as np

from firmware_model.golden.frozen_random import FrozenRandom
from fixedpoint.arith import INT32_MAX, INT32_MIN


def _ints(*values: int) -> tuple[np.int64, ...]:
    return tuple(np.int64(value) for value in values)


def _peaks(rng: FrozenRandom) -> list[tuple]:
    x = rng.choice([INT32_MIN, INT32_MAX, 0, 1, -1], (4, 8)).astype(np.int32)
    zero = np.zeros((4, 8), np.int32)
    low, high = (
        np.arange(-9, 23).reshape(4, 8).astype(np.int32),
        np.arange(1, 33).reshape(4, 8).astype(np.int32),
    )
    return [(a, *_ints(first, rows)) for a in (x, zero, low, high) for first, rows in ((0, 4), (2, 1))]


def _ramps(rng: FrozenRandom) -> list[tuple]:
    ends = (0, 1, 5, 1 << 27, INT32_MAX)
    return [_ints(a, b, 1 << 32 - shift) for a in ends for b in ends for shift in (2, 3, 4)]


def _scaled(rng: FrozenRandom) -> list[tuple]:
    x = rng.choice([INT32_MIN, INT32_MAX, 0, 1, -1, 1 << 27, -(1 << 27)], (3, 8)).astype(np.int32)
    slopes = ((0, 0), (INT32_MAX, 0), (0, 1 << 28 - 1), (INT32_MAX, -(1 << 28 - 1)), (1 << 27, -3), (5, 1))
    return [(x.copy(), *_ints(row, gain, step)) for gain, step in slopes for row in range(3)]


def _exchanged(rng: FrozenRandom) -> list[tuple]:
    slopes = ((1 << 30, 0), (0, 1 << 27), (1 << 30, -(1 << 27)), (0, 0), (12345, 678))
    delayed = rng.choice([INT32_MIN, INT32_MAX, 0, 1, -1], (2, 16)).astype(np.int32)
    x = rng.integers(INT32_MIN, INT32_MAX, (2, 8)).astype(np.int32)
    return [(x, delayed, *_ints(row, first, *each)) for each in slopes for row in (0, 1) for first in (0, 8)]


def _added(rng: FrozenRandom) -> list[tuple]:
    """Six rows at their rails, one after the other."""
    x = rng.choice([INT32_MIN, INT32_MAX, 0, -1, 7, 8], (6, 8)).astype(np.int32)
    x[:, 0], x[:, 1] = INT32_MIN, INT32_MAX
    total = np.zeros((2, 8), np.int32)
    return [(x, np.int64(row), total, np.int64(1)) for row in range(6)]


def _taken(rng: FrozenRandom) -> list[tuple]:
    rail = 1 << 30
    total = rng.choice([-rail, 1 - rail, rail - 1, 0, 1, -1], (2, 8)).astype(np.int32)
    above, below = ([[sign * n for n in range(-2, 6)]] for sign in (1, -1))  # the largest on one side of 0
    rows = [(total, row) for row in (0, 1, 1)] + [(np.array(ramp, np.int32), 0) for ramp in (above, below)]
    return [(source, np.int64(row), np.zeros((2, 8), np.int32)) for source, row in rows]


def _to_q15(rng: FrozenRandom) -> list[tuple]:
    ties = [2047, 2048, -2048, -2049, (32767 << 12) + 2047, (32767 << 12) + 2048, INT32_MIN, INT32_MAX]
    x = np.array([ties, rng.integers(-(1 << 27), 1 << 27, 8)], np.int32)
    return [(x, np.int64(row), np.zeros((2, 16), np.int16), np.int64(8 * row)) for row in (0, 1)]


def _squares(rng: FrozenRandom) -> list[tuple]:
    x = rng.choice([INT32_MIN, INT32_MAX, 7, 8, -8], (2, 16)).astype(np.int32)
    x[1] = INT32_MIN
    return [(x, np.int64(row)) for row in (0, 1)]


def _extremes(rng: FrozenRandom) -> list[tuple]:
    return [_ints(a, b) for a in (0, 1, INT32_MAX) for b in (0, -1, -INT32_MAX, INT32_MIN)]


_NAME = "firmware_model.dynamics"
CASES: dict[str, Callable[[FrozenRandom], list[tuple]]] = {
    f"{_NAME}.level.magnitude": _extremes,
    f"{_NAME}.level.block_peak": _peaks,
    f"{_NAME}.level.sum_of_squares": _squares,
    f"{_NAME}.compressor.ramp_step": _ramps,
    f"{_NAME}.compressor.scale_row": _scaled,
    f"{_NAME}.limiter.exchange_row": _exchanged,
    f"{_NAME}.processor.add_row": _added,
    f"{_NAME}.processor.take_sum": _taken,
    f"{_NAME}.processor.to_q15": _to_q15,
}
