"""Levels of blocks, release and gain ramps of the float64 dynamics reference."""

import dataclasses
import math

import numpy as np
import pytest

from firmware_model.reference.dynamics_model import BandModel
from firmware_model.reference.level import apply_gain, block_peak, level, release, smooth
from tests.firmware_model.reference.test_crossover import crossover_model

MODEL = crossover_model((), fs_hz=16000)  # blocks of 4
STEREO = dataclasses.replace(MODEL, channels=2)
PEAK = BandModel(detector="peak")
RMS = BandModel(detector="rms", rms_ms=10.0)


def test_peak_level_by_hand_takes_the_louder_channel_and_either_sign():
    x = np.array([[0.1, 0.25, 0, 0, 0, 0, 0.125, 0], [0, 0, -0.5, 0, 0, 0, 0, 0.0625]])
    assert block_peak(x, 4).tolist() == [0.5, 0.125]
    assert level(x, PEAK, STEREO).tolist() == [-1, -3]


def test_levels_end_at_the_floor():
    """2^-20 is -120.4 dBFS; the mean square reaches it at 2^-40."""
    x = np.zeros((1, 12))
    x[0, 4] = 2.0**-21
    x[0, 8] = 2.0**-19
    assert level(x, PEAK, MODEL).tolist() == [-20, -20, -19]
    assert level(x[:, :8], RMS, MODEL).tolist() == [-20, -20]


def test_rms_level_by_hand():
    """Mean squares 0.25 and 0.5, the louder channel's, then 0: P = 0.25 c, 0.25 c (1 - c) + 0.5 c, ..."""
    x = np.zeros((2, 12))
    x[0, 0], x[1, :4] = 0.5, -0.5
    x[0, 4], x[0, 5], x[1, 4] = 1, -1, 1
    c = -math.expm1(-4 / (16000 * 0.010))
    p0 = 0.25 * c
    p1 = p0 + c * (0.5 - p0)
    p2 = p1 - c * p1
    expected = [math.log2(p) / 2 for p in (p0, p1, p2)]
    assert level(x, RMS, STEREO) == pytest.approx(expected, abs=1e-15)


def test_rms_level_of_a_sine_is_half_a_unit_below_its_peak():
    """A period of 4 samples fills a block: mean square A^2 / 2. After 40 time constants it has settled."""
    x = 0.5 * np.sin(2 * np.pi * np.arange(6400) / 4 + 0.3)[None]
    assert level(x, RMS, MODEL)[-1] == pytest.approx(-1.5, abs=5e-14), "measured 2.5e-14"


def test_mean_square_reaches_63_percent_after_its_time_constant():
    """10 ms are 40 blocks."""
    power = 2 ** (2 * level(np.full((1, 400), 0.5), RMS, MODEL))
    assert power[39] == pytest.approx(0.25 * (1 - math.exp(-1)), abs=5e-17), "one ulp; measured 0"


def test_smooth_by_hand():
    assert smooth(np.array([1.0, 1, 0]), 0.5).tolist() == [0.5, 0.75, 0.375]


def test_release_by_hand_rises_at_once_and_falls_slowly():
    x = np.array([0.5, 1, 0, 0, 0.75, -1])
    assert release(x, 0.5).tolist() == [0.5, 1, 0.5, 0.25, 0.75, -0.125]
    assert release(np.array([-1.0, -1]), 0.5).tolist() == [-0.5, -0.75]


def test_release_never_falls_below_its_input_and_has_its_time_constant():
    x = np.random.default_rng(0).uniform(-1, 1, 1000)
    assert np.all(release(x, 0.3) >= x)
    step = np.concatenate([[1.0], np.zeros(40)])
    assert release(step, MODEL.smoothing(10.0))[40] == pytest.approx(math.exp(-1), abs=4.4e-16), (
        "measured 2.2e-16"
    )


def test_apply_gain_by_hand_reaches_the_gain_with_the_last_sample():
    y = apply_gain(np.array([[1.0] * 8, [-2.0] * 8]), np.array([0.0, 0.5]), 1.0, 4)
    assert y[0].tolist() == [0.75, 0.5, 0.25, 0, 0.125, 0.25, 0.375, 0.5]
    assert np.array_equal(y[1], -2 * y[0])
