"""From units to integers: what the kernels of the dynamics processor are given."""

import math
from typing import NamedTuple

import numpy as np

from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig, LimiterConfig
from fixedpoint.filters.biquad import SIGNAL_FRAC_BITS, butterworth
from fixedpoint.qformat import Q2_30, Q8_24, Q15, Q31, QFormat

LOG2_PER_DB = math.log2(10) / 20
POWER_FRAC_BITS = 48  # sums of squares are int64 in Q16.48
SILENCE_Q24 = -20 << 24  # levels are no lower than -120 dBFS

_Q5_27 = QFormat(5, 27)


class CurveParams(NamedTuple):
    """Static curves and time constants of the band compressors, each field (bands,) int32.

    threshold_q24, makeup_q24, upward_threshold_q24, upward_range_q24 : Q8.24, log2 of amplitude
    slope_q30, upward_slope_q30 : Q2.30, 1 - 1/ratio
    knee_q24 : Q8.24, width of the knee
    bend_q24 : Q8.24, slope / (2 knee), 0 where there is no knee
    attack_q31, release_q31 : Q1.31, 1 - exp(-block / tau)
    rms_q31 : Q1.31, likewise, of the mean square; 0 selects the peak detector
    """

    threshold_q24: np.ndarray
    slope_q30: np.ndarray
    knee_q24: np.ndarray
    bend_q24: np.ndarray
    makeup_q24: np.ndarray
    upward_threshold_q24: np.ndarray
    upward_slope_q30: np.ndarray
    upward_range_q24: np.ndarray
    attack_q31: np.ndarray
    release_q31: np.ndarray
    rms_q31: np.ndarray


class LimiterParams(NamedTuple):
    """Limiters of equal look-ahead.

    blocks : int, look-ahead in control blocks; 0 is none of these limiters, and no delay
    inverse_q31 : int, 1 / blocks in Q1.31, rounded up
    threshold_q27 : (rows,) int32, Q5.27; 0 is a delay alone
    release_q31 : (rows,) int32, Q1.31
    """

    blocks: int
    inverse_q31: int
    threshold_q27: np.ndarray
    release_q31: np.ndarray


class DynamicsParams(NamedTuple):
    """`DynamicsConfig` as integers; constant, on the device it lives in flash.

    channels, bands : int
    control_shift : int, log2 of the samples in a control block
    ramp_q32 : int, one over these samples, Q.32
    all_pass : int, 1 or 0
    section : (bands - 1, 4) int32, columns of `fixedpoint.filters.biquad.Section`
    curve : CurveParams
    band_limiter : LimiterParams, a row for each band
    limiter : LimiterParams, one row

    For `fixedpoint.subset`, apart from what a manifest of vectors says: 0 <= control_shift <= 4.
    """

    channels: int
    bands: int
    control_shift: int
    ramp_q32: int
    all_pass: int
    section: np.ndarray
    curve: CurveParams
    band_limiter: LimiterParams
    limiter: LimiterParams


def quantise(config: DynamicsConfig) -> DynamicsParams:
    """Integers for the kernels."""
    bands = config.working_bands
    block_s = config.control_samples / config.fs_hz
    sections = [butterworth(edge, config.fs_hz) for edge in config.working_edges_hz]
    return DynamicsParams(
        channels=config.channels,
        bands=len(bands),
        control_shift=config.control_samples.bit_length() - 1,
        ramp_q32=(1 << 32) // config.control_samples,
        all_pass=int(config.all_pass),
        section=np.array(sections, np.int32).reshape(len(sections), 4),
        curve=_curves(bands, block_s),
        band_limiter=_band_limiters(bands, config.band_blocks, block_s),
        limiter=_limiter(config.limiter, config.limiter_blocks, block_s),
    )


def _curves(bands: tuple[BandConfig, ...], block_s: float) -> CurveParams:
    def each(name: str) -> np.ndarray:
        return np.array([getattr(band, name) for band in bands], np.float64)

    def log2_q24(name: str) -> np.ndarray:
        return Q8_24.quantise(each(name) * LOG2_PER_DB)

    slope, upward_slope = 1 - 1 / each("ratio"), 1 - 1 / each("upward_ratio")
    knee = each("knee_db") * LOG2_PER_DB
    bend = np.where(knee > 0, slope / (2 * np.where(knee > 0, knee, 1)), 0)
    rms = np.array([band.detector == "rms" for band in bands])
    return CurveParams(
        threshold_q24=log2_q24("threshold_dbfs"),
        slope_q30=Q2_30.quantise(slope),
        knee_q24=Q8_24.quantise(knee),
        bend_q24=Q8_24.quantise(bend),
        makeup_q24=log2_q24("makeup_db"),
        upward_threshold_q24=log2_q24("upward_threshold_dbfs"),
        upward_slope_q30=Q2_30.quantise(upward_slope),
        upward_range_q24=log2_q24("upward_range_db"),
        attack_q31=_smoothing_q31(each("attack_ms"), block_s),
        release_q31=_smoothing_q31(each("release_ms"), block_s),
        rms_q31=np.where(rms, _smoothing_q31(each("rms_ms"), block_s), 0).astype(np.int32),
    )


def _smoothing_q31(tau_ms: np.ndarray, block_s: float) -> np.ndarray:
    """1 - exp(-block / tau), Q1.31, at least 1 LSB."""
    return Q31.quantise(-np.expm1(-block_s / (tau_ms * 1e-3)))


def _band_limiters(bands: tuple[BandConfig, ...], blocks: int, block_s: float) -> LimiterParams:
    thresholds = [band.limiter_threshold_dbfs for band in bands]
    linear = np.array([0.0 if dbfs is None else 10 ** (dbfs / 20) for dbfs in thresholds])
    release_ms = np.array([band.limiter_release_ms for band in bands])
    return LimiterParams(
        blocks=blocks,
        inverse_q31=_inverse_q31(blocks),
        threshold_q27=_Q5_27.quantise(linear),
        release_q31=_smoothing_q31(release_ms, block_s),
    )


def _limiter(config: LimiterConfig, blocks: int, block_s: float) -> LimiterParams:
    threshold_q15 = threshold_to_q15(config.threshold_dbfs)
    return LimiterParams(
        blocks=blocks,
        inverse_q31=_inverse_q31(blocks),
        threshold_q27=np.array([threshold_q15 << (SIGNAL_FRAC_BITS - Q15.n)], np.int32),
        release_q31=_smoothing_q31(np.array([config.release_ms]), block_s),
    )


def threshold_to_q15(dbfs: float) -> int:
    """Largest 16-bit sample that is not above the level: floor(32768 * 10^(dBFS/20)), at most 32767."""
    return min(math.floor(10 ** (dbfs / 20) * 32768), 32767)


def _inverse_q31(blocks: int) -> int:
    """1/blocks in Q1.31, rounded up; 0 for none. 1/1 is 2**31, held in a 64-bit integer."""
    return -(-(1 << 31) // blocks) if blocks else 0
