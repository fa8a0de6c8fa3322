"""Level detectors: peaks and mean squares of control blocks in log2, against float64 and at both ends."""

import math

import numpy as np
import pytest

from firmware_model.dynamics.level import band_level, block_peak, block_power
from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import init_bank
from firmware_model.reference.level import level
from tests.firmware_model.dynamics.twin import Q24, RATES, model_of, programme, run

FLOOR_Q24 = -20 << 24


def one_band(fs_hz=48000, channels=1, **settings):
    return DynamicsConfig(fs_hz=fs_hz, channels=channels, bands=(BandConfig(**settings),))


def levels(config, x_q15):
    """(blocks,) log2 of amplitude, of the kernel."""
    return run(config, x_q15).nodes.level_q24[0] / Q24


def bank(config, samples_q27):
    params = quantise(config)
    state = init_bank(params)
    state.band_q27[:] = samples_q27
    return params, state


# --- by hand ---------------------------------------------------------------------------------


def test_block_peak_by_hand():
    x = np.array([[1, -5, 3], [4, 0, -6], [-(1 << 31), 2, 2]], np.int32)
    assert [block_peak(x, first, rows) for first, rows in ((0, 1), (0, 2), (1, 1), (1, 2))] == [
        5,
        6,
        6,
        1 << 31,
    ]
    assert block_peak(np.zeros((1, 3), np.int32), 0, 1) == 0


def test_block_power_by_hand():
    # 1, 1/2, -1/2, 0 twice over: squares add up to 3, in Q16.48; the louder channel counts
    params, state = bank(one_band(channels=2, detector="rms"), 0)
    state.band_q27[1] = np.array([4, 2, -2, 0] * 2, np.int32) << 25
    state.band_q27[0] = 1 << 25
    assert block_power(params, state, 0) == 3 << 48


def test_block_power_of_rails_is_16_times_256():
    params, state = bank(one_band(96000, detector="rms"), -(1 << 31))
    assert block_power(params, state, 0) == 1 << 60


@pytest.mark.parametrize("exponent", range(-20, 5))
def test_peak_is_exact_at_powers_of_two(exponent):
    params, state = bank(one_band(), 0)
    state.band_q27[0, 3] = -(1 << (27 + exponent))
    assert band_level(params, state, 0) == exponent << 24


@pytest.mark.parametrize("detector", ["peak", "rms"])
def test_silence_reads_the_floor(detector):
    params, state = bank(one_band(detector=detector), 0)
    assert band_level(params, state, 0) == FLOOR_Q24
    state.band_q27[:] = 127  # just below 2**-20
    assert band_level(params, state, 0) == FLOOR_Q24


def test_rms_of_a_constant_and_of_a_sine():
    # 1 - exp(-500 / 10) of the way after 0.5 s
    config = one_band(detector="rms", rms_ms=10)
    assert levels(config, np.full(24000, -16384, np.int16))[-1] == pytest.approx(-1, abs=2e-7)
    sine = np.round(16384 * np.sin(2 * np.pi * np.arange(48000) / 48)).astype(np.int16)
    assert levels(config, sine)[-1] == pytest.approx(-1.5, abs=0.01)  # the sine's ripple over 10 ms
    assert levels(one_band(), sine).max() == pytest.approx(-1, abs=1e-7)


def test_rms_time_constant():
    # The mean square of a constant reaches 1 - 1/e after rms_ms: log2(0.632) / 2 = -0.3309
    config = one_band(detector="rms", rms_ms=20)
    y = levels(config, np.full(9600, -32768, np.int16))
    assert y[120 - 1] == pytest.approx(math.log2(1 - math.exp(-1)) / 2, abs=2e-7)  # 120 blocks are 20 ms


# --- against float64 -------------------------------------------------------------------------


@pytest.mark.parametrize("fs_hz", RATES)
def test_peak_level_against_float64(fs_hz):
    """Of one band, which is the input itself, above the floor: log2 and its rounding alone."""
    x = programme("voice", 1, fs_hz, 2)
    config = one_band(fs_hz, 2)
    error = np.abs(levels(config, x) - level(x / 32768, model_of(config).bands[0], model_of(config))).max()
    assert error < 1.5e-7, f"measured {error:.3g} log2, largest 1.14e-7"


@pytest.mark.parametrize(
    ("rms_ms", "above_dbfs", "measured_db"),
    [(0.05, -80, 5.2e-7), (10, -40, 7.5e-7), (10, -80, 1.7e-6), (100, -80, 1.3e-5)],
)
def test_rms_level_against_float64(rms_ms, above_dbfs, measured_db):
    """In pauses of speech, where the mean square is rounded down: by up to 1/c LSB of 2**-48."""
    worst = 0.0
    for fs_hz in RATES:
        x = programme("voice", 1, fs_hz, 1)
        config = one_band(fs_hz, detector="rms", rms_ms=rms_ms)
        exact = level(x / 32768, model_of(config).bands[0], model_of(config))
        loud = 6.0206 * exact > above_dbfs
        worst = max(worst, 6.0206 * np.abs(levels(config, x) - exact)[loud].max())
    assert worst < 2 * measured_db, f"measured {worst:.2g} dB, was {measured_db}"


@pytest.mark.parametrize(("rms_ms", "measured_db"), [(10, 7e-6), (1000, 0.00069), (5000, 0.00345)])
def test_slow_rms_of_a_quiet_signal_reads_low(rms_ms, measured_db):
    """Its rounding: half of 1/c LSB, at -81 dBFS and 96 kHz, after 13 time constants."""
    y = np.tile(np.array([3, 3, -3, -3], np.int16), round(rms_ms * 96 * 13 / 16) * 4 + 400)
    low = 6.0206 * (math.log2(3 / 32768) - levels(one_band(96000, detector="rms", rms_ms=rms_ms), y)[-1])
    assert 0 <= low < 1.5 * measured_db, f"measured {low:.3g} dB, was {measured_db}"


def test_linked_channels_share_the_louder_level(rng):
    x = rng.integers(-3000, 3000, (2, 4800)).astype(np.int16)
    x[1] //= 4
    for detector in ("peak", "rms"):
        both = levels(one_band(channels=2, detector=detector), x)
        swapped = levels(one_band(channels=2, detector=detector), x[::-1])
        left = levels(one_band(detector=detector), x[0])
        np.testing.assert_array_equal(both, swapped)
        assert (both >= left).all()
