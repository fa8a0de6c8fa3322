"""Feed-forward compressor of one band in float64."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_model.reference.dynamics_model import LOG2_PER_DB, BandModel, DynamicsModel
from firmware_model.reference.gain_computer import reduction
from firmware_model.reference.level import (
    apply_gain,
    block_peak,
    level_of_peak,
    level_of_power,
    release,
    smooth,
    smoothed_power,
)

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
    return Compressor(band, model).push(b)


class Compressor:
    """`compress` of a signal that comes in pieces, each a multiple of H long."""

    def __init__(self, band: BandModel, model: DynamicsModel) -> None:
        self._band, self._model = band, model
        self._makeup = band.makeup_db * LOG2_PER_DB
        self._power = self._y1 = self._y2 = 0.0
        self._gain = 2**self._makeup

    def push(self, b: Array) -> Compressed:
        """The next samples, (channels, n) float64, n > 0."""
        band, model = self._band, self._model
        if band.detector == "peak":
            levels = level_of_peak(block_peak(b, model.control_samples))
        else:
            power = smoothed_power(b, band, model, self._power)
            self._power = float(power[-1])
            levels = level_of_power(power)
        y1, y2 = _smoothed(reduction(levels, band), band, model, self._y1, self._y2)
        self._y1, self._y2 = float(y1[-1]), float(y2[-1])
        gain = np.exp2(self._makeup - y2)
        before, self._gain = self._gain, float(gain[-1])
        return Compressed(apply_gain(b, gain, before, model.control_samples), levels, gain)


def smooth_reduction(r: Array, band: BandModel, model: DynamicsModel) -> Array:
    """y2, reduction after attack and release; r and y2 (blocks,) float64, log2 of amplitude.

    y1[k] = max(r[k], y1[k-1] + c(release) (r[k] - y1[k-1])),  y2[k] = y2[k-1] + c(attack) (y1[k] - y2[k-1]),
    both 0 before the start.
    Source: Giannoulis, Massberg, Reiss, JAES 60(6), 2012: smooth decoupled peak detector.
    """
    return _smoothed(r, band, model, 0.0, 0.0)[1]


def _smoothed(r: Array, band: BandModel, model: DynamicsModel, y1: float, y2: float) -> tuple[Array, Array]:
    """y1 and y2 of `smooth_reduction` after those given."""
    released = release(r, model.smoothing(band.release_ms), y1)
    return released, smooth(released, model.smoothing(band.attack_ms), y2)
