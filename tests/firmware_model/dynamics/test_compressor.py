"""Band compressor: attack and release, the gain's ramp, steady states in closed form, float64, saturation."""

import math

import numpy as np
import pytest

from firmware_model.dynamics.compressor import apply_gain, smooth_reduction
from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import init_bank
from fixedpoint.arith import INT32_MAX, INT32_MIN
from tests.firmware_model.dynamics.twin import Q24, Q27, RATES, compare, programme, run


def one_band(fs_hz=48000, channels=1, **settings):
    return DynamicsConfig(fs_hz=fs_hz, channels=channels, bands=(BandConfig(**settings),))


def gains_db(config, x_q15):
    """(blocks,) gain at the end of each block."""
    return 20 * np.log10(run(config, x_q15).nodes.gain_q27[0] / Q27)


# --- attack and release ----------------------------------------------------------------------


def smoothed(wanted, **settings):
    """Reductions in log2 of a series of wanted ones, a control block of 1/6 ms each."""
    params = quantise(one_band(**settings))
    state = init_bank(params)
    return np.array([smooth_reduction(params, state, 0, np.int64(w)) for w in wanted]) / Q24


def test_attack_by_hand():
    # 0.24 ms: 1 - exp(-1/1.44) = 0.5006481; held is at once what is wanted: 1/2, 3/4, 7/8 of it, about
    c = 1 - math.exp(-1 / 1.44)
    y = smoothed([1 << 24] * 3, attack_ms=0.24)
    np.testing.assert_allclose(y, [c, c + (1 - c) * c, 1 - (1 - c) ** 3], atol=2**-24)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("attack_ms", [1, 10, 200])
def test_attack_takes_its_time_constant(attack_ms, sign):
    """From 0, a reduction reaches 63 % after attack_ms; for a rising gain release at its shortest."""
    blocks = 6 * attack_ms
    y = smoothed([sign << 24] * blocks, attack_ms=attack_ms, release_ms=0.05)
    late = 0.05 / attack_ms if sign < 0 else 0  # that release comes first
    assert abs(y[-1]) == pytest.approx(1 - math.exp(-1), abs=2 * late + 1e-6)


@pytest.mark.parametrize("release_ms", [10, 100, 1000])
def test_release_takes_its_time_constant(release_ms):
    blocks = 6 * release_ms
    y = smoothed([1 << 24] * 60 + [0] * blocks, attack_ms=0.05, release_ms=release_ms)
    assert y[59] == pytest.approx(1, abs=1e-7)
    assert y[-1] == pytest.approx(math.exp(-1), abs=0.0003 + 0.02 / release_ms)


def test_reduction_returns_to_nothing():
    y = smoothed([18 << 24] * 100 + [0] * 20000, attack_ms=1, release_ms=20)
    assert y.max() < 18
    assert y[-1] == 0


# --- the ramp of the gain --------------------------------------------------------------------


def ramped(x_q27, start_q27, end_q27):
    params = quantise(one_band())
    state = init_bank(params)
    state.band_q27[0] = x_q27
    apply_gain(params, state, 0, np.int64(start_q27), np.int64(end_q27))
    return state.band_q27[0].tolist()


def test_gain_runs_straight_to_its_end():
    # From 1 to 2 in eighths; 8 * 9/8 = 9, ..., 8 * 2 = 16
    assert ramped(8, 1 << 27, 2 << 27) == [9, 10, 11, 12, 13, 14, 15, 16]
    assert ramped(8, 2 << 27, 1 << 27) == [15, 14, 13, 12, 11, 10, 9, 8]


def test_products_saturate_at_16():
    # The upper word saturates; bits 27 to 31 of the product follow it. (2**31 - 1)**2 + 2**26 ends in
    # 0x04000001: 0. -2**31 (2**31 - 1) + 2**26 ends in 0x84000000: 16.
    assert ramped(INT32_MAX, INT32_MAX, INT32_MAX) == [INT32_MAX - 31] * 8
    assert ramped(INT32_MIN, INT32_MAX, INT32_MAX) == [INT32_MIN + 16] * 8
    assert ramped(INT32_MIN, 0, 0) == [0] * 8


def test_unit_gain_is_exact(rng):
    x = rng.integers(INT32_MIN, INT32_MAX, 8)
    assert ramped(x, 1 << 27, 1 << 27) == x.tolist()


def test_gain_ends_at_24_db():
    """Make-up and upward compression together reach 24 dB, and no further."""
    config = one_band(
        makeup_db=12, upward_threshold_dbfs=0, upward_ratio=math.inf, upward_range_db=12, release_ms=1
    )
    nodes = run(config, np.ones(4800, np.int16)).nodes
    assert nodes.gain_q27.max() < INT32_MAX
    assert nodes.gain_q27.max() > 15.8 * Q27


def test_settings_that_are_accepted_get_their_gain():
    config = one_band(makeup_db=12, upward_threshold_dbfs=-20, upward_ratio=4, upward_range_db=12)
    error = compare(config, np.full((1, 4800), 3, np.int16)).gain
    assert error < 1e-5, f"{error:.0%} off the float64 reference"


# --- steady states ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "dbfs", "wanted_db"),
    [
        ({"threshold_dbfs": -20, "ratio": 4, "makeup_db": 6}, -8, 6 - 9),
        ({"threshold_dbfs": -20, "ratio": math.inf}, -8, -12),
        ({"threshold_dbfs": -20, "ratio": 4, "knee_db": 12}, -20, -1.125),
        ({"makeup_db": -20}, -30, -20),
        ({"upward_threshold_dbfs": -20, "upward_ratio": 2, "upward_range_db": 24}, -40, 10),
        ({"upward_threshold_dbfs": -20, "upward_ratio": 2, "upward_range_db": 6}, -40, 6),
    ],
)
@pytest.mark.parametrize("detector", ["peak", "rms"])
def test_steady_gain_of_a_constant(settings, dbfs, wanted_db, detector):
    value = round(32768 * 10 ** (dbfs / 20))
    config = one_band(detector=detector, attack_ms=1, release_ms=5, **settings)
    y = gains_db(config, np.full(9600, value, np.int16))
    rounding_db = abs(20 * math.log10(value / 32768) - dbfs)
    assert y[-1] == pytest.approx(wanted_db, abs=rounding_db + 2e-5)


def test_transparent_settings_change_nothing(rng):
    x = rng.integers(-32768, 32768, 4800).astype(np.int16)
    nodes = run(one_band(), x).nodes
    assert (nodes.gain_q27 == 1 << 27).all()
    np.testing.assert_array_equal(nodes.limited_q27[0], x.astype(np.int32) << 12)


# --- against float64 -------------------------------------------------------------------------


def random_settings(rng):
    def log_uniform(low, high):
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    threshold = float(rng.uniform(-60, 0))
    return {
        "threshold_dbfs": threshold,
        "ratio": float(rng.choice([1, 1.5, 4, 20, math.inf])),
        "knee_db": float(rng.choice([0, 0.1, 1, 6, 12])),
        "makeup_db": float(rng.uniform(-10, 10)),
        "attack_ms": log_uniform(0.05, 100),
        "release_ms": log_uniform(1, 1000),
        "detector": str(rng.choice(["rms", "peak"])),
        "rms_ms": log_uniform(1, 50),
        "upward_threshold_dbfs": max(-80.0, threshold - float(rng.uniform(0, 40))),
        "upward_ratio": float(rng.choice([1, 1.2, 3])),
        "upward_range_db": float(rng.uniform(0, 12)),
    }


@pytest.mark.parametrize("kind", ["music", "noise", "voice"])
@pytest.mark.parametrize("fs_hz", RATES)
def test_gain_against_float64(kind, fs_hz, rng):
    """At random settings, of one band, which is the input itself."""
    x = programme(kind, 0.5, fs_hz, 2)
    worst = 0.0
    for _ in range(8):
        worst = max(worst, compare(one_band(fs_hz, 2, **random_settings(rng)), x).gain)
    assert worst < 1.1e-6, f"relative error {worst:.2g}, largest measured 7.0e-7 (noise)"
