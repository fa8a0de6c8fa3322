"""Static curve of the float64 dynamics reference, in dB by hand."""

import math

import numpy as np
import pytest

from firmware_model.reference.dynamics_model import LOG2_PER_DB, BandModel
from firmware_model.reference.gain_computer import downward, reduction, upward

UPWARD = BandModel(threshold_dbfs=-20, ratio=4, upward_threshold_dbfs=-40, upward_ratio=2, upward_range_db=6)


def in_db(curve, level_dbfs, band):
    return curve(np.asarray(level_dbfs, dtype=float) * LOG2_PER_DB, band) / LOG2_PER_DB


def test_hard_knee_by_hand():
    """12 dB over the threshold leave 3 dB at 4:1, 6 dB at 2:1 and 0 dB at inf:1."""
    for ratio, taken_db in ((1, 0), (2, 6), (4, 9), (math.inf, 12)):
        band = BandModel(threshold_dbfs=-20, ratio=ratio)
        assert in_db(downward, [-120, -20, -8], band) == pytest.approx([0, 0, taken_db], abs=1e-14)


def test_soft_knee_by_hand():
    """W = 10 dB, 4:1: 3/4 of u^2 / 20, u counted from -25 dBFS, 2.5 dB over it 0.234, 5 dB 0.9375."""
    band = BandModel(threshold_dbfs=-20, ratio=4, knee_db=10)
    levels = [-26, -25, -22.5, -20, -17.5, -15, -8]
    expected = [0, 0, 0.234375, 0.9375, 2.109375, 3.75, 9]
    assert in_db(downward, levels, band) == pytest.approx(expected, abs=1e-14)


def test_knee_meets_both_lines_with_their_slopes():
    band = BandModel(threshold_dbfs=-20, ratio=4, knee_db=10)
    step = 1e-4
    for corner, slope in ((-25, 0), (-15, 0.75)):
        before, at, after = in_db(downward, [corner - step, corner, corner + step], band)
        assert (at - before) / step == pytest.approx(slope, abs=8e-6), "slope inside bends by 0.075 / dB"
        assert (after - at) / step == pytest.approx(slope, abs=8e-6)


def test_upward_range_by_hand():
    """2:1 below -40 dBFS: 4 dB under raise by 2, 12 dB by 6, and 6 dB is the most."""
    levels = [-39, -40, -44, -52, -60, -120.4]
    assert in_db(upward, levels, UPWARD) == pytest.approx([0, 0, 2, 6, 6, 6], abs=1e-14)
    full = BandModel(upward_threshold_dbfs=-40, upward_ratio=math.inf, upward_range_db=6)
    assert in_db(upward, [-44, -46, -50], full) == pytest.approx([4, 6, 6], abs=1e-14)


def test_reduction_is_downward_less_upward():
    assert in_db(reduction, [-8, -30, -44, -70], UPWARD) == pytest.approx([9, 0, -2, -6], abs=1e-14)


def test_defaults_leave_every_level_alone():
    assert not reduction(np.linspace(-20, 4, 1001), BandModel()).any()


@pytest.mark.parametrize("ratio", [1, 1.5, 20, math.inf])
@pytest.mark.parametrize("knee_db", [0, 1e-9, 6, 40])
def test_louder_in_is_never_softer_out(ratio, knee_db):
    band = BandModel(
        threshold_dbfs=-18,
        ratio=ratio,
        knee_db=knee_db,
        upward_threshold_dbfs=-50,
        upward_ratio=ratio,
        upward_range_db=12,
    )
    levels = np.linspace(-20, 4, 10001)
    out = levels - reduction(levels, band)
    assert np.diff(out).min() >= -1e-15, "flat parts are level to float rounding, measured 4e-16"
