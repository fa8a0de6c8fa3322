"""Compressor of the float64 dynamics reference: steady states and time constants in closed form."""

import dataclasses
import math

import numpy as np
import pytest

from firmware_model.reference.compressor import compress, smooth_reduction
from firmware_model.reference.dynamics_model import BandModel
from tests.firmware_model.reference.test_crossover import RATES_HZ, crossover_model

MODEL = crossover_model(())  # 48 kHz, blocks of 8
BAND = BandModel(threshold_dbfs=-20, ratio=4, knee_db=6, makeup_db=3, attack_ms=5, release_ms=50)


def block_cosine(amplitude, blocks, model):
    """A period a block, its top on a sample: every block peaks at the amplitude."""
    h = model.control_samples
    return amplitude * np.cos(2 * np.pi * np.arange(blocks * h) / h)[None]


@pytest.mark.parametrize("fs_hz", RATES_HZ)
@pytest.mark.parametrize(("in_dbfs", "out_dbfs"), [(-8, -14), (-20, -17.5625), (-30, -27)])
def test_steady_sine_by_hand(fs_hz, in_dbfs, out_dbfs):
    """T + (in - T) / 4 + 3 = -14; at T the knee takes 0.75 * 3^2 / 12 = 0.5625 dB; below it is make-up."""
    model = crossover_model((), fs_hz=fs_hz)
    blocks = round(0.2 * fs_hz / model.control_samples)  # 40 time constants of the attack
    y = compress(block_cosine(10 ** (in_dbfs / 20), blocks, model), BAND, model).y
    last = np.abs(y[0, -model.control_samples :]).max()
    assert 20 * math.log10(last) == pytest.approx(out_dbfs, abs=4.2e-14), "measured 2.1e-14"


def test_steady_silence_is_raised_by_range_and_make_up():
    band = dataclasses.replace(BAND, upward_threshold_dbfs=-50, upward_ratio=2, upward_range_db=6)
    gain = compress(np.zeros((1, 480000)), band, MODEL).gain
    assert 20 * math.log10(gain[-1]) == pytest.approx(9, abs=2e-13), "measured 1.0e-13"


def test_attack_takes_63_percent_of_the_reduction_within_its_time_constant():
    """9 dB at -8 dBFS; 5 ms are 30 blocks."""
    gain = compress(block_cosine(10 ** (-8 / 20), 300, MODEL), BAND, MODEL).gain
    expected = 3 - 9 * (1 - np.exp(-np.arange(1, 301) / 30))
    assert 20 * np.log10(gain) == pytest.approx(expected, abs=3.2e-14), "measured 1.6e-14"
    assert 3 - 20 * math.log10(gain[29]) == pytest.approx(9 * (1 - math.exp(-1)), abs=3.2e-14)


def test_release_follows_the_closed_form_of_both_stages():
    """From r = 1 to 0: y1 = d^j, d = e^(-1/300) (50 ms), then a pole b = e^(-1/30) (5 ms) after it.

    y2[j] = b y2[j-1] + (1-b) d^j from y2[0] = 1 => y2[j] = b^j + (1-b) d (d^j - b^j) / (d - b).
    """
    r = np.concatenate([np.ones(1200), np.zeros(900)])
    y2 = smooth_reduction(r, BAND, MODEL)
    assert y2[1199] == pytest.approx(1, abs=3e-15), "measured 1.7e-15"
    j = np.arange(1, 901)
    b, d = math.exp(-1 / 30), math.exp(-1 / 300)
    assert y2[1200:] == pytest.approx(b**j + (1 - b) * d * (d**j - b**j) / (d - b), abs=1e-14), (
        "measured 5.2e-15"
    )


def test_release_reaches_63_percent_within_its_time_constant_where_the_attack_is_short():
    band = dataclasses.replace(BAND, attack_ms=0.01)
    y2 = smooth_reduction(np.concatenate([np.ones(10), np.zeros(300)]), band, MODEL)
    assert y2[9 + 300] == pytest.approx(math.exp(-1), abs=1.4e-10), "measured 7.1e-11: 0.01 ms is 0.06 blocks"


def test_a_gain_that_rises_above_make_up_rises_with_the_release():
    """Upward: r = -1 is approached with both time constants, never passed."""
    y2 = smooth_reduction(np.full(6000, -1.0), BAND, MODEL)
    assert np.all(np.diff(y2) <= 0)
    assert y2[-1] == pytest.approx(-1, abs=4.6e-9), "measured 2.3e-9, 20 time constants"


def test_gain_starts_at_make_up():
    """First sample: from 2^makeup an eighth of the way to g[0]."""
    x = block_cosine(0.5, 4, MODEL)
    result = compress(x, BAND, MODEL)
    makeup = 10 ** (3 / 20)
    assert result.gain[0] < makeup
    assert result.y[0, 0] == pytest.approx(0.5 * (makeup + (result.gain[0] - makeup) / 8), abs=1e-15)


def test_both_channels_get_the_gain_of_the_louder():
    rng = np.random.default_rng(0)
    loud = rng.uniform(-1, 1, 4000)
    x = np.stack([0.1 * rng.uniform(-1, 1, 4000), loud])
    stereo = compress(x, BAND, crossover_model((), channels=2))
    alone = compress(loud[None], BAND, MODEL)
    assert np.array_equal(stereo.gain, alone.gain)
    assert np.array_equal(stereo.y[1], alone.y[0])
    assert stereo.y[0] / x[0] == pytest.approx(stereo.y[1] / x[1], abs=4.4e-16), "measured 2.2e-16"


def test_detectors_differ_by_the_crest_factor():
    """A steady sine: rms is 3.01 dB lower, at 4:1 3/4 of it less reduction."""
    x = block_cosine(0.5, 3000, MODEL)
    hard = dataclasses.replace(BAND, knee_db=0)
    peak, rms = (
        compress(x, dataclasses.replace(hard, detector=name), MODEL).gain[-1] for name in ("peak", "rms")
    )
    assert math.log2(rms / peak) == pytest.approx(0.75 * 0.5, abs=4.4e-14), "measured 2.2e-14"
