"""Feed-forward compressor of one band in float64."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_model.reference.dynamics_model import LOG2_PER_DB, BandModel, DynamicsModel
from firmware_model.reference.gain_computer import reduction
from firmware_model.reference.level import apply_gain, level, release, smooth

Array = NDArray[np.float64]


class Compressed(NamedTuple):
    """Result of `compress`.

    y : (channels, n) float64
    level : (blocks,) float64, L, log2 of amplitude
    gain : (blocks,) float64, g, linear, at the end of every block
    """

    y: Array
    level: Array
    gain: Array


def compress(b: Array, band: BandModel, model: DynamicsModel) -> Compressed:
    """Compress a band, all channels by one gain.

    Parameters
    ----------
    b : (channels, n) float64, n a multiple of H
    band : BandModel
    model : DynamicsModel

    Returns
    -------
    Compressed

    Notes
    -----
    g[k] = 2^(makeup - y2[k]), g[-1] = 2^makeup, straight in between; y2 is the smoothed reduction.
    Source: Giannoulis, Massberg, Reiss, JAES 60(6), 2012: feed-forward, smoothing in the log domain.
    """
    levels = level(b, band, model)
    makeup = band.makeup_db * LOG2_PER_DB
    gain = np.exp2(makeup - smooth_reduction(reduction(levels, band), band, model))
    return Compressed(apply_gain(b, gain, 2**makeup, model.control_samples), levels, gain)


def smooth_reduction(r: Array, band: BandModel, model: DynamicsModel) -> Array:
    """y2, reduction after attack and release; r and y2 (blocks,) float64, log2 of amplitude.

    y1[k] = max(r[k], y1[k-1] + c(release) (r[k] - y1[k-1])),  y2[k] = y2[k-1] + c(attack) (y1[k] - y2[k-1]),
    both 0 before the start.
    Source: Giannoulis, Massberg, Reiss, JAES 60(6), 2012: smooth decoupled peak detector.
    """
    y1 = release(r, model.smoothing(band.release_ms))
    return smooth(y1, model.smoothing(band.attack_ms))
