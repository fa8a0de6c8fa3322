"""Look-ahead limiter in float64, of a band and of the full band."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from firmware_model.reference.level import apply_gain, block_peak, release

Array = NDArray[np.float64]


class Limited(NamedTuple):
    """Result of `limit`.

    y : (channels, n) float64, |y| <= threshold, look-ahead late
    attenuation : (blocks,) float64, A[k] = 1 - gain at the end of step k, in [0, 1)
    """

    y: Array
    attenuation: Array


def limit(x: Array, threshold: float, blocks: int, coefficient: float, control_samples: int) -> Limited:
    """Limit all channels by one gain, which has come down when a peak leaves the delay.

    Parameters
    ----------
    x : (channels, n) float64, n a multiple of control_samples
    threshold : float > 0, T, amplitude
    blocks : int >= 1, L, look-ahead in control blocks
    coefficient : float in (0, 1], c, of the release
    control_samples : int, H

    Returns
    -------
    Limited

    Notes
    -----
    p[k] = max over channels and block k of |x|;  a[k] = max(0, 1 - T / p[k]), 0 where p is 0
    m[k] = max(a[k-L] ... a[k]);  e[k] = max(m[k], e[k-1] + c (m[k] - e[k-1]))
    A[k] = mean(e[k-L+1] ... e[k]);  G[k] = 1 - A[k];  a, e and A are 0 before the start
    At step k block k-L leaves times a gain straight from G[k-1] to G[k].
    => m[i] >= a[k-L] for i = k-L ... k, hence e[i] too, hence A[k-1], A[k] >= a[k-L] = 1 - T / p[k-L]
    => G <= T / p over all of block k-L => |y| <= T for every input, up to float rounding.
    Source: own design after the usual hold, release and moving average.
    """
    return Limiter(threshold, blocks, coefficient, control_samples).push(x)


class Limiter:
    """`limit` of a signal that comes in pieces, each a multiple of control_samples long."""

    def __init__(self, threshold: float, blocks: int, coefficient: float, control_samples: int) -> None:
        self._threshold, self._blocks = threshold, blocks
        self._coefficient, self._control_samples = coefficient, control_samples
        self._wanted = np.zeros(blocks)  # a[k-L] to a[k-1]
        self._envelope = np.zeros(blocks)  # e[k-L] to e[k-1]
        self._gain = 1.0
        self._delay = Delay(blocks * control_samples)

    def push(self, x: Array) -> Limited:
        """The next samples, (channels, n) float64, n > 0."""
        blocks = self._blocks
        peak = block_peak(x, self._control_samples)
        # max(p, T) for p: where p <= T, 0 included, the attenuation is 0
        wanted = np.concatenate([self._wanted, 1 - self._threshold / np.maximum(peak, self._threshold)])
        held = sliding_window_view(wanted, blocks + 1).max(axis=1)
        envelope = release(held, self._coefficient, float(self._envelope[-1]))
        envelope = np.concatenate([self._envelope, envelope])
        attenuation = sliding_window_view(envelope[1:], blocks).mean(axis=1)
        self._wanted, self._envelope = wanted[-blocks:], envelope[-blocks:]
        gain = 1 - attenuation
        before, self._gain = self._gain, float(gain[-1])
        y = apply_gain(self._delay.push(x), gain, before, self._control_samples)
        return Limited(y, attenuation)


class Delay:
    """A signal that many samples later, zeros before."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._held: Array | None = None

    def push(self, x: Array) -> Array:
        """The next samples, (channels, n) float64."""
        held = np.zeros((len(x), self._samples)) if self._held is None else self._held
        line = np.concatenate([held, x], axis=1)
        self._held = line[:, x.shape[1] :]
        return line[:, : x.shape[1]]
