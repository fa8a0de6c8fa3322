"""Inputs of the vectors that go with an exported product: short, and through every stage of it."""

import numpy as np

from firmware_model.golden.frozen_random import FrozenRandom
from fixedpoint.arith import INT16_MAX, INT16_MIN

_PART_SECONDS = 0.06
_QUIET, _LOUD = 164, 16384  # largest sample of noise: -46 and -6 dBFS
_PERIODS = (2, 7, 32, 96, 960)  # of squares, samples


def levels(fs_hz: int, channels: int, block: int) -> np.ndarray:
    """For a product that gives samples: 0.36 s of noise, squares and constants, from silence to full scale.

    Parameters
    ----------
    fs_hz : int, hertz
    channels : int
    block : int, samples, of which the result is a whole multiple

    Returns
    -------
    (channels, n) int16, Q1.15; the same bits on every machine
    """
    n = round(fs_hz * _PART_SECONDS) // block * block
    quiet, loud = (_noise(amplitude, channels, n) for amplitude in (_QUIET, _LOUD))
    rails = np.tile(squares(n), (channels, 1))
    rails[1:] = -1 - rails[1:]  # a second channel in opposition
    lowest, silence = np.full((channels, n), INT16_MIN), np.zeros((channels, n))
    # Noise is last: every state then holds something, and says so if it is wrong.
    return np.concatenate([quiet, loud, rails, silence, lowest, loud // 8], axis=1).astype(np.int16)


def _noise(amplitude: int, channels: int, n: int) -> np.ndarray:
    drawn = FrozenRandom(f"export-{amplitude}").integers(-amplitude, amplitude + 1, (channels, n))
    return np.asarray(drawn)


def squares(n: int) -> np.ndarray:
    """From rail to rail, the period rising, as long each."""
    at = np.arange(n)
    period = np.take(_PERIODS, at * len(_PERIODS) // n)
    return np.where(at % period < period // 2, INT16_MAX, INT16_MIN)
