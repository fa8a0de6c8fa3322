"""Multiband dynamics processor in float64, from its equations: what the integer one is held against."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_model.reference.compressor import compress
from firmware_model.reference.crossover import split
from firmware_model.reference.dynamics_model import BandModel, DynamicsModel
from firmware_model.reference.limiter import Limited, delay, limit

Array = NDArray[np.float64]


class Result(NamedTuple):
    """Output and internal signals of `process`, bands being those left without the inactive splits.

    y : (channels, n) float64, output, not rounded, latency_samples late
    band : (bands, channels, n) float64, of the crossover
    level : (bands, blocks) float64, compressor's level, log2 of amplitude
    gain : (bands, blocks) float64, compressor's gain at the end of every block, linear
    limited : (bands, channels, n) float64, after the band limiter or its delay
    band_attenuation : (bands, blocks) float64, 1 - gain of the band limiter at the end of every block, 0
        in a band without one
    bus : (channels, n) float64, sum of the bands
    attenuation : (blocks,) float64, 1 - gain of the full-band limiter at the end of every block
    """

    y: Array
    band: Array
    level: Array
    gain: Array
    limited: Array
    band_attenuation: Array
    bus: Array
    attenuation: Array


def process(x: np.ndarray, model: DynamicsModel) -> Result:
    """Process a whole recording.

    Parameters
    ----------
    x : (channels, n) or, of one channel, (n,) float, in [-1, 1) at model.fs_hz; n a multiple of H, above 0
    model : DynamicsModel

    Returns
    -------
    Result

    Raises
    ------
    ValueError
        x not as above.

    Notes
    -----
    Crossover, compressor and limiter per band, sum, full-band limiter.
    Source: Yang, Chhetri, Murgia, Hilmes, ICASSP 2019 (arXiv 1903.06392).
    """
    x = _checked_signal(x, model)
    band = split(x, model)
    settings = model.active_bands
    compressed = [compress(b, setting, model) for b, setting in zip(band, settings, strict=True)]
    limited = [_limit_band(c.y, setting, model) for c, setting in zip(compressed, settings, strict=True)]
    bus = np.sum([each.y for each in limited], axis=0)
    release_coefficient = model.smoothing(model.limiter.release_ms)
    y, attenuation = limit(
        bus, model.limiter.threshold, model.limiter_blocks, release_coefficient, model.control_samples
    )
    return Result(
        y=y,
        band=band,
        level=np.stack([each.level for each in compressed]),
        gain=np.stack([each.gain for each in compressed]),
        limited=np.stack([each.y for each in limited]),
        band_attenuation=np.stack([each.attenuation for each in limited]),
        bus=bus,
        attenuation=attenuation,
    )


def _limit_band(b: Array, band: BandModel, model: DynamicsModel) -> Limited:
    """Limit a band; without a limiter, delay it as much as those that have one."""
    h = model.control_samples
    if band.limiter_threshold_dbfs is None:
        return Limited(delay(b, model.band_blocks * h), np.zeros(b.shape[1] // h))
    threshold = 10 ** (band.limiter_threshold_dbfs / 20)
    return limit(b, threshold, model.band_blocks, model.smoothing(band.limiter_release_ms), h)


def _checked_signal(x: np.ndarray, model: DynamicsModel) -> Array:
    """(channels, n) float64."""
    x = np.asarray(x)
    if x.dtype.kind != "f":
        raise ValueError(f"x: {x.dtype} found, floats needed")
    if x.ndim == 1:
        x = x[None]
    if x.ndim != 2 or len(x) != model.channels:
        raise ValueError(f"x of shape {x.shape}: must be ({model.channels}, n)")
    if x.shape[1] == 0 or x.shape[1] % model.control_samples:
        raise ValueError(f"x: {x.shape[1]} samples found, a multiple of {model.control_samples} needed")
    if not np.isfinite(x).all():
        raise ValueError("x: samples that are not finite found")
    return x.astype(np.float64)
