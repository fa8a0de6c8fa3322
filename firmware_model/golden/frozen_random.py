"""Chance that is the same bits on every machine and in every version of every library.

NumPy keeps the bits of its bit generators, not of its distributions; and a golden's argument must not depend
on the machine's mathematical functions. Here all is integer arithmetic modulo 2**64 and exact scaling.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

_STEP = 0x9E3779B97F4A7C15  # splitmix64's odd increment: the golden ratio times 2**64
_MIX_1, _MIX_2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MASK = (1 << 64) - 1

Size = int | tuple[int, ...] | None


class FrozenRandom:
    """A generator with the few of NumPy's methods that are needed here, under the same names.

    Parameters
    ----------
    seed : text; streams of different texts have nothing in common

    Notes
    -----
    splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): value i is
    a mix of seed + (i + 1) * step modulo 2**64. A number in [low, high) is low + value mod (high - low),
    whose bias is below (high - low) / 2**64.
    """

    def __init__(self, seed: str) -> None:
        self._state = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "little")

    def bits(self, count: int) -> np.ndarray:
        """(count,) uint64, all 64 bits random."""
        z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_STEP) + np.uint64(self._state)
        self._state = (self._state + count * _STEP) & _MASK
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
        return z ^ (z >> np.uint64(31))

    def integers(self, low: int, high: int | None = None, size: Size = None) -> Any:
        """int64 in [low, high), or in [0, low) without high; at most 2**62 of them. An int without size."""
        low, high = (0, low) if high is None else (low, high)
        values = (self._drawn(size) % np.uint64(high - low)).astype(np.int64) + low
        return int(values) if size is None else values

    def choice(self, values: Sequence[float] | np.ndarray, size: Size = None) -> Any:
        """Some of `values`, each as likely."""
        picked = np.asarray(values)[self.integers(0, len(values), size)]
        return picked.item() if size is None else picked

    def random(self, size: Size = None) -> Any:
        """float64 in [0, 1): 53 random bits, exact."""
        values = (self._drawn(size) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return float(values) if size is None else values

    def normal(self, size: int) -> np.ndarray:
        """(size,) float64, nearly normal, of variance 1 and at most 6: a sum of 12 uniform values, less 6."""
        return self.random((size, 12)).sum(axis=1) - 6.0

    def _drawn(self, size: Size) -> np.ndarray:
        shape = () if size is None else (size,) if isinstance(size, int) else size
        return self.bits(int(np.prod(shape, dtype=np.int64))).reshape(shape)
