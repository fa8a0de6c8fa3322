"""Static curve of a band's compressor in float64: how much a level is reduced."""

import numpy as np
from numpy.typing import NDArray

from firmware_model.reference.dynamics_model import LOG2_PER_DB, BandModel

Array = NDArray[np.float64]


def reduction(level: Array, band: BandModel) -> Array:
    """Gain reduction of a level by the static curve.

    Parameters
    ----------
    level : float64 of any shape, L, log2 of amplitude
    band : BandModel

    Returns
    -------
    float64 of that shape, r = down - up, log2 of amplitude; negative where the level is raised

    Notes
    -----
    r counts without make-up: a steady level L leaves as L - r + makeup.
    """
    return downward(level, band) - upward(level, band)


def downward(level: Array, band: BandModel) -> Array:
    """Reduction above the threshold, >= 0, log2 of amplitude.

    With threshold T, knee width W, s = 1 - 1/R and u = L - T:
    0 for u <= -W/2;  s (u + W/2)^2 / (2 W) for |u| < W/2;  s u for u >= W/2.
    The parabola meets both lines with their values and slopes.
    Source: Giannoulis, Massberg, Reiss, JAES 60(6), 2012, soft knee, as the input less the output.
    """
    slope = 1 - 1 / band.ratio
    knee = band.knee_db * LOG2_PER_DB
    over = np.asarray(level) - band.threshold_dbfs * LOG2_PER_DB
    line = np.maximum(over, 0)
    if knee == 0:
        return slope * line
    return slope * np.where(np.abs(over) < knee / 2, (over + knee / 2) ** 2 / (2 * knee), line)


def upward(level: Array, band: BandModel) -> Array:
    """Gain below the upward threshold, in [0, M], log2 of amplitude.

    min(M, s_up max(0, T_up - L)), s_up = 1 - 1/R_up; the range M keeps noise and silence from being raised
    without end. Source: own design, the curve of `downward` mirrored, without a knee.
    """
    slope = 1 - 1 / band.upward_ratio
    under = np.maximum(band.upward_threshold_dbfs * LOG2_PER_DB - np.asarray(level), 0)
    return np.minimum(band.upward_range_db * LOG2_PER_DB, slope * under)
