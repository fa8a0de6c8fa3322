"""The static curve of a compressor: how many decibels to take away at a level."""

import numpy as np

from firmware_model.dynamics.settings.tuning import CurveParams
from fixedpoint._jit import kernel
from fixedpoint.arith import mul_rnd, rnd_shift


@kernel
def downward_q24(curve: CurveParams, band, level_q24):
    """Reduction above the threshold, with a soft knee: Q8.24, log2, 0 or more.

    u = level - threshold, W the knee, s = 1 - 1/ratio:
    0 for u <= -W/2;  s (u + W/2)^2 / (2 W) within the knee;  s u above it.
    """
    over_q24 = level_q24 - np.int64(curve.threshold_q24[band])
    knee_q24 = np.int64(curve.knee_q24[band])
    if 2 * over_q24 >= knee_q24 and over_q24 > 0:
        return mul_rnd(curve.slope_q30[band], over_q24, 30)
    if 2 * over_q24 <= -knee_q24:
        return np.int64(0)
    into_q24 = over_q24 + rnd_shift(knee_q24, 1)
    slope_q24 = mul_rnd(curve.bend_q24[band], into_q24, 24)  # up to s/2
    return mul_rnd(slope_q24, into_q24, 24)


@kernel
def upward_q24(curve: CurveParams, band, level_q24):
    """Gain below the upward threshold, up to the range: Q8.24, log2, 0 or more."""
    under_q24 = np.int64(curve.upward_threshold_q24[band]) - level_q24
    if under_q24 <= 0:
        return np.int64(0)
    gain_q24 = mul_rnd(curve.upward_slope_q30[band], under_q24, 30)
    if gain_q24 > curve.upward_range_q24[band]:
        return np.int64(curve.upward_range_q24[band])
    return gain_q24


@kernel
def reduction_q24(curve: CurveParams, band, level_q24):
    """Gain reduction wanted at a level, make-up not counted.

    Parameters
    ----------
    level_q24 : Q8.24, -20 to 4, log2 of amplitude re full scale

    Returns
    -------
    Q8.24, log2, -4 (upward compression) to 18

    Notes
    -----
    Arithmetic: products of 32-bit values, RND; nothing saturates.
    Error: 1 LSB of Q8.24; with a knee up to 9 (3e-6 dB), at its upper end of 24 dB.
    Source: Giannoulis, Massberg, Reiss, JAES 60 (2012); the upward part own design.
    """
    return downward_q24(curve, band, level_q24) - upward_q24(curve, band, level_q24)
