"""Static curve: points by hand, both ends, the float64 curve at random settings, no step and no turn."""

import math

import numpy as np
import pytest

from firmware_model.dynamics.gain_computer import downward_q24, reduction_q24, upward_q24
from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.reference.gain_computer import reduction
from tests.firmware_model.dynamics.twin import Q24, model_of

DB_Q24 = math.log2(10) / 20 * 2**24


def curve_of(**settings):
    return quantise(DynamicsConfig(bands=(BandConfig(**settings),))).curve


def at(kernel, curve, dbfs):
    """The kernel at a level, in dB."""
    return kernel(curve, np.int64(0), np.int64(round(dbfs * DB_Q24))) / DB_Q24


@pytest.mark.parametrize(
    ("dbfs", "wanted_db"),
    [(-120, 0), (-26, 0), (-23, 0.28125), (-20, 1.125), (-17, 2.53125), (-14, 4.5), (0, 15), (24, 33)],
)
def test_soft_knee_by_hand(dbfs, wanted_db):
    # T -20, R 4 (s 3/4), W 12. -23: 0.75 * 3**2 / 24 = 0.28125; -20: 0.75 * 6**2 / 24 = 1.125; -17: 2.53125.
    curve = curve_of(threshold_dbfs=-20, ratio=4, knee_db=12)
    assert at(downward_q24, curve, dbfs) == pytest.approx(wanted_db, abs=2e-6)
    assert at(reduction_q24, curve, dbfs) == at(downward_q24, curve, dbfs)


@pytest.mark.parametrize(
    ("dbfs", "wanted_db"), [(-120, 0), (-20.01, 0), (-20, 0), (-19, 1), (0, 20), (24, 44)]
)
def test_hard_knee_at_infinite_ratio(dbfs, wanted_db):
    curve = curve_of(threshold_dbfs=-20, ratio=math.inf)
    assert at(downward_q24, curve, dbfs) == pytest.approx(wanted_db, abs=1e-6)


@pytest.mark.parametrize(("dbfs", "wanted_db"), [(0, 0), (-40, 0), (-42, 1), (-50, 5), (-60, 9), (-120, 9)])
def test_upward_compression_by_hand(dbfs, wanted_db):
    # Ratio 2: half of what is missing to -40 dBFS, up to 9 dB.
    curve = curve_of(upward_threshold_dbfs=-40, upward_ratio=2, upward_range_db=9)
    assert at(upward_q24, curve, dbfs) == pytest.approx(wanted_db, abs=1e-6)
    assert at(reduction_q24, curve, dbfs) == -at(upward_q24, curve, dbfs)


def test_one_lsb_around_a_hard_knee():
    curve = curve_of(threshold_dbfs=-20, ratio=math.inf)
    t = int(curve.threshold_q24[0])
    assert [int(downward_q24(curve, 0, np.int64(t + d))) for d in (-1, 0, 1, 2)] == [0, 0, 1, 2]


def test_defaults_ask_for_nothing():
    curve = curve_of()
    for dbfs in range(-120, 25):
        assert at(reduction_q24, curve, dbfs) == 0


def test_ends_of_the_range():
    """-4 to 18 in log2: all of 24 dB upwards, all of 104 dB downwards."""
    hard = curve_of(threshold_dbfs=-80, ratio=math.inf)
    assert 17 < reduction_q24(hard, 0, np.int64(4 << 24)) / Q24 < 18
    up = curve_of(upward_threshold_dbfs=0, upward_ratio=math.inf, upward_range_db=24)
    assert -4 < reduction_q24(up, 0, np.int64(-20 << 24)) / Q24 < -3.98


def random_band(rng, knee_db):
    threshold = rng.uniform(-80, 0)
    return BandConfig(
        threshold_dbfs=threshold,
        ratio=rng.choice([1, 1.5, 4, 20, math.inf]),
        knee_db=knee_db,
        upward_threshold_dbfs=rng.uniform(-80, threshold),
        upward_ratio=rng.choice([1, 1.2, 3, math.inf]),
        upward_range_db=rng.uniform(0, 24),
    )


@pytest.mark.parametrize(
    ("knee_db", "measured_lsb"), [(0, 0.9), (0.1, 1.0), (1, 1.4), (6, 1.5), (12, 2.7), (24, 8.8)]
)
def test_curve_against_float64(knee_db, measured_lsb, rng):
    worst = 0.0
    for _ in range(60):
        config = DynamicsConfig(bands=(random_band(rng, knee_db),))
        curve = quantise(config).curve
        t, half = int(curve.threshold_q24[0]), int(curve.knee_q24[0]) // 2
        x = np.concatenate(
            [rng.integers(-20 << 24, 4 << 24, 200), [t - half, t - half + 1, t, t + half - 1, t + half]]
        )
        x = np.clip(x, -20 << 24, 4 << 24)
        y = np.array([reduction_q24(curve, np.int64(0), v) for v in x])
        worst = max(worst, np.abs(y - reduction(x / Q24, model_of(config).bands[0]) * Q24).max())
    assert worst < 1.5 * measured_lsb, f"measured {worst:.2f} LSB of Q8.24, was {measured_lsb}"


@pytest.mark.parametrize(("knee_db", "step_lsb"), [(0, 1), (0.1, 1), (3, 1), (12, 3), (24, 5)])
def test_curve_has_no_step(knee_db, step_lsb):
    """Where knee and line meet, and around: from one level to the next by a few LSB, 5 are 1.8e-6 dB."""
    curve = curve_of(threshold_dbfs=-30, ratio=20, knee_db=knee_db)
    t, half = int(curve.threshold_q24[0]), int(curve.knee_q24[0]) // 2
    for centre in (t - half, t, t + half):
        y = [int(downward_q24(curve, 0, np.int64(centre + d))) for d in range(-300, 300)]
        largest = np.abs(np.diff(y)).max()
        assert largest <= step_lsb, f"measured {largest}"
