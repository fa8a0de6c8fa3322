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
    peak = block_peak(x, control_samples)
    # max(p, T) for p: where p <= T, 0 included, the attenuation is 0
    wanted = 1 - threshold / np.maximum(peak, threshold)
    held = sliding_window_view(np.concatenate([np.zeros(blocks), wanted]), blocks + 1).max(axis=1)
    envelope = release(held, coefficient)
    attenuation = sliding_window_view(np.concatenate([np.zeros(blocks - 1), envelope]), blocks).mean(axis=1)
    late = delay(x, blocks * control_samples)
    return Limited(apply_gain(late, 1 - attenuation, 1.0, control_samples), attenuation)


def delay(x: Array, samples: int) -> Array:
    """(channels, n) float64: x that many samples later, zeros before."""
    return np.pad(x, ((0, 0), (samples, 0)))[:, : x.shape[1]]
