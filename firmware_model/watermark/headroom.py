"""Adds a small signal to a programme without a sample that saturates more than the programme's own."""

from collections.abc import Callable

import numpy as np
import scipy  # its parts are loaded at their first use
from numpy.typing import NDArray

Real = NDArray[np.float64]

CEILING = 32767 / 32768  # largest value of Q1.15
BLOCK_SAMPLES = 1 << 19  # worked on at a time


def add_within_headroom(x: Real, w: Real, reach: int) -> tuple[float, float]:
    """Attenuate w where it would exceed the headroom, and add x to it, in place.

    Parameters
    ----------
    x : (n, channels) float64, programme
    w : (n, channels) float64; becomes y = x + envelope * w
    reach : int >= 1, samples that the envelope looks ahead, and back

    Returns
    -------
    energy of envelope * w, energy of x

    Notes
    -----
    |y(n)| <= max(CEILING, |x(n)|) at every sample and channel, for every input.
    r(n) = largest share of w(n), 0 to 1, that stays within the bound;
    m(n) = min r(n - reach .. n);  envelope(n) = mean m(n .. n + reach).
    => every m in the mean has r(n) in its minimum, hence envelope <= r.
    """
    energy_w = energy_x = 0.0
    step = max(BLOCK_SAMPLES, reach)
    past = np.ones((reach, w.shape[1]))  # r before the block: there w is already overwritten
    for start in range(0, len(w), step):
        ahead = slice(start, start + step + reach)
        fits = _share_that_fits(x[ahead], w[ahead])
        x_block, w_block = x[start : start + step], w[start : start + step]
        n = len(x_block)
        share = np.concatenate([past, fits, np.ones((n + reach - len(fits), w.shape[1]))])
        past = share[n : n + reach]
        if share.min() < 1.0:
            lowest = _sliding(scipy.ndimage.minimum_filter1d, share, reach + 1)
            envelope = _sliding(scipy.ndimage.uniform_filter1d, lowest, reach + 1)
            # The running sum rounds: the bound must not.
            w_block *= np.clip(envelope, 0.0, share[reach : reach + n])
        energy_w += float(np.sum(np.square(w_block)))
        energy_x += float(np.sum(np.square(x_block)))
        bound = np.maximum(np.abs(x_block), CEILING)
        np.clip(x_block + w_block, -bound, bound, out=w_block)  # takes off the last bit, no more
    return energy_w, energy_x


def _share_that_fits(x: Real, w: Real) -> Real:
    """Largest share of w, 0 to 1, for which |x + share w| <= max(CEILING, |x|)."""
    room = np.maximum(np.abs(x), CEILING) - np.where(w > 0.0, x, -x)
    size = np.abs(w)
    return np.divide(room, size, out=np.ones_like(w), where=size > room)


def _sliding(filter1d: Callable[..., Real], x: Real, width: int) -> Real:
    """Filter of every run of `width` rows that lies within x: (n, channels) -> (n - width + 1, channels)."""
    return filter1d(x, width, axis=0)[width // 2 : width // 2 + len(x) - width + 1]
