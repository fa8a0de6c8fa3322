"""Multiband dynamics processor in float64, from its equations: what the integer one is held against."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_model.reference.compressor import Compressor
from firmware_model.reference.crossover import Splitter
from firmware_model.reference.dynamics_model import BandModel, DynamicsModel
from firmware_model.reference.limiter import Delay, Limited, Limiter

Array = NDArray[np.float64]
RAIL = 16.0  # 24 dB above full scale: what bands, and their sum, saturate at


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
    Crossover, compressor and limiter per band, sum, full-band limiter. Compressed bands and their sum, as it
    grows, are held within +-RAIL.
    Source: Yang, Chhetri, Murgia, Hilmes, ICASSP 2019 (arXiv 1903.06392).
    """
    return Processor(model).push(x)


class Processor:
    """`process` of a recording that comes in pieces, each a multiple of H long."""

    def __init__(self, model: DynamicsModel) -> None:
        self._model = model
        self._splitter = Splitter(model)
        self._compressors = [Compressor(band, model) for band in model.active_bands]
        self._limiters = [_band_limiter(band, model) for band in model.active_bands]
        self._limiter = Limiter(
            model.limiter.threshold,
            model.limiter_blocks,
            model.smoothing(model.limiter.release_ms),
            model.control_samples,
        )

    def push(self, x: np.ndarray) -> Result:
        """The next samples; as `process`."""
        x = _checked_signal(x, self._model)
        band = self._splitter.push(x)
        compressed = [each.push(b) for each, b in zip(self._compressors, band, strict=True)]
        limited = [self._limited(i, np.clip(c.y, -RAIL, RAIL)) for i, c in enumerate(compressed)]
        bus = np.zeros_like(x)
        for each in limited:
            bus = np.clip(bus + each.y, -RAIL, RAIL)  # band by band, from the lowest
        y, attenuation = self._limiter.push(bus)
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

    def _limited(self, index: int, b: Array) -> Limited:
        limiter = self._limiters[index]
        if isinstance(limiter, Delay):
            return Limited(limiter.push(b), np.zeros(b.shape[1] // self._model.control_samples))
        return limiter.push(b)


def _band_limiter(band: BandModel, model: DynamicsModel) -> Limiter | Delay:
    """Of a band; without a limiter, a delay as long as those that have one."""
    h = model.control_samples
    if band.limiter_threshold_dbfs is None:
        return Delay(model.band_blocks * h)
    threshold = 10 ** (band.limiter_threshold_dbfs / 20)
    return Limiter(threshold, model.band_blocks, model.smoothing(band.limiter_release_ms), h)


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
