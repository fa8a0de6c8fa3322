"""Signals and control blocks in float64: levels of blocks, release, and gains ramped over blocks."""

import numpy as np
import scipy  # its parts are loaded at their first use
from numpy.typing import NDArray

from firmware_model.reference.dynamics_model import BandModel, DynamicsModel

LEVEL_FLOOR = -20.0  # log2 of amplitude, -120.4 dBFS

Array = NDArray[np.float64]


def level(b: Array, band: BandModel, model: DynamicsModel) -> Array:
    """Level of a band in every control block, the same for all channels.

    Parameters
    ----------
    b : (channels, n) float64, n a multiple of H
    band : BandModel, whose detector and rms_ms count
    model : DynamicsModel

    Returns
    -------
    (n / H,) float64, L, log2 of amplitude, at least -20

    Notes
    -----
    peak: L[k] = max(log2 p[k], -20), p of `block_peak`.
    rms: q[k] = max over channels of the mean of b^2 over block k; P[k] = P[k-1] + c (q[k] - P[k-1]) with
    c of rms_ms and P[-1] = 0; L[k] = max(log2(P[k]) / 2, -20).
    The louder channel counts, so that a pair keeps its balance.
    """
    if band.detector == "peak":
        return level_of_peak(block_peak(b, model.control_samples))
    return level_of_power(smoothed_power(b, band, model))


def smoothed_power(b: Array, band: BandModel, model: DynamicsModel, before: float = 0.0) -> Array:
    """(n / H,) float64, P[k] of `level`; `before` is P[-1]."""
    mean_square = (in_blocks(b, model.control_samples) ** 2).mean(axis=2).max(axis=0)
    return smooth(mean_square, model.smoothing(band.rms_ms), before)


def level_of_peak(peak: Array) -> Array:
    """L, log2 of amplitude, of p."""
    return np.log2(np.maximum(peak, 2**LEVEL_FLOOR))


def level_of_power(power: Array) -> Array:
    """L, log2 of amplitude, of P."""
    return np.log2(np.maximum(power, 2 ** (2 * LEVEL_FLOOR))) / 2


def in_blocks(x: Array, control_samples: int) -> Array:
    """(channels, n / H, H) view of x (channels, n)."""
    return x.reshape(len(x), x.shape[1] // control_samples, control_samples)


def block_peak(x: Array, control_samples: int) -> Array:
    """(n / H,) float64, p[k]: max over channels and samples of block k of |x|; x (channels, n)."""
    return np.abs(in_blocks(x, control_samples)).max(axis=(0, 2))


def smooth(x: Array, coefficient: float, before: float = 0.0) -> Array:
    """y[k] = y[k-1] + c (x[k] - y[k-1]), y[-1] = before; x and y (blocks,) float64, c in (0, 1]."""
    state = [(1 - coefficient) * before]
    return scipy.signal.lfilter([coefficient], [1, coefficient - 1], x, zi=state)[0]


def release(x: Array, coefficient: float, before: float = 0.0) -> Array:
    """y[k] = max(x[k], y[k-1] + c (x[k] - y[k-1])), y[-1] = before: rises at once, falls with c.

    x and y are (blocks,) float64, c is in (0, 1].
    """
    y = np.empty(len(x))
    last = before
    for k, value in enumerate(x.tolist()):
        last = max(value, last + coefficient * (value - last))
        y[k] = last
    return y


def apply_gain(x: Array, gain: Array, before: float, control_samples: int) -> Array:
    """Scale by a gain that runs straight from block end to block end.

    Parameters
    ----------
    x : (channels, n) float64
    gain : (n / H,) float64, g[k], linear, reached with the last sample of block k
    before : float, g[-1]
    control_samples : int, H

    Returns
    -------
    (channels, n) float64; sample i of block k is x (g[k-1] + (g[k] - g[k-1]) (i + 1) / H)
    """
    last = np.concatenate([[before], gain])[:-1]
    position = np.arange(1, control_samples + 1) / control_samples
    ramp = last[:, None] + (gain - last)[:, None] * position
    return x * ramp.ravel()
