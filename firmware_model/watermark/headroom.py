"""Adds a small signal to a programme without a sample that saturates more than the programme's own."""

from collections.abc import Callable, Iterator

import numpy as np
import scipy  # its parts are loaded at their first use
from numpy.typing import NDArray

Real = NDArray[np.float64]

CEILING = 32767 / 32768  # largest value of Q1.15
BLOCK_SAMPLES = 1 << 16  # worked on at a time


class Headroom:
    """Attenuates w where it would exceed the headroom, and adds x to it; both come in pieces.

    Parameters
    ----------
    reach : int >= 1, samples that the envelope looks ahead, and back
    channels : int

    Attributes
    ----------
    energy_w, energy_x : of envelope * w and of x, so far

    Notes
    -----
    y = x + envelope * w;  |y(n)| <= max(CEILING, |x(n)|) at every sample and channel, for every input.
    r(n) = largest share of w(n), 0 to 1, that stays within the bound;
    m(n) = min r(n - reach .. n);  envelope(n) = mean m(n .. n + reach).
    => every m in the mean has r(n) in its minimum, hence envelope <= r.
    """

    def __init__(self, reach: int, channels: int) -> None:
        self._reach, self._step = reach, max(BLOCK_SAMPLES, reach)
        self._past = np.ones((reach, channels))  # r before what is held
        self._x, self._w = np.empty((0, channels)), np.empty((0, channels))
        self.energy_w = self.energy_x = 0.0

    def push(self, x: Real, w: Real) -> Iterator[Real]:
        """Take programme and mark, (n, channels) float64 each; yield what became certain of y."""
        self._x, self._w = np.concatenate([self._x, x]), np.concatenate([self._w, w])
        while len(self._x) >= self._step + self._reach:
            yield self._block()

    def finish(self) -> Iterator[Real]:
        """The rest."""
        while len(self._x):
            yield self._block()

    def _block(self) -> Real:
        reach, ahead = self._reach, self._step + self._reach
        fits = _share_that_fits(self._x[:ahead], self._w[:ahead])
        x, w = self._x[: self._step], self._w[: self._step]
        self._x, self._w = self._x[self._step :], self._w[self._step :]
        n = len(x)
        share = np.concatenate([self._past, fits, np.ones((n + reach - len(fits), w.shape[1]))])
        self._past = share[n : n + reach]
        if share.min() < 1.0:
            lowest = _sliding(scipy.ndimage.minimum_filter1d, share, reach + 1)
            envelope = _sliding(scipy.ndimage.uniform_filter1d, lowest, reach + 1)
            # The running sum rounds: the bound must not.
            w = w * np.clip(envelope, 0.0, share[reach : reach + n])
        self.energy_w += float(np.sum(np.square(w)))
        self.energy_x += float(np.sum(np.square(x)))
        bound = np.maximum(np.abs(x), CEILING)
        return np.clip(x + w, -bound, bound)  # takes off the last bit, no more


def _share_that_fits(x: Real, w: Real) -> Real:
    """Largest share of w, 0 to 1, for which |x + share w| <= max(CEILING, |x|)."""
    room = np.maximum(np.abs(x), CEILING) - np.where(w > 0.0, x, -x)
    size = np.abs(w)
    return np.divide(room, size, out=np.ones_like(w), where=size > room)


def _sliding(filter1d: Callable[..., Real], x: Real, width: int) -> Real:
    """Filter of every run of `width` rows that lies within x: (n, channels) -> (n - width + 1, channels)."""
    return filter1d(x, width, axis=0)[width // 2 : width // 2 + len(x) - width + 1]
