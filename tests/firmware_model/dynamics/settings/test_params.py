"""Settings: what is accepted, what is refused and how it says so, and the integers that they become."""

import math
from dataclasses import replace

import numpy as np
import pytest

from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig, LimiterConfig
from firmware_model.dynamics.settings.tuning import quantise, threshold_to_q15
from fixedpoint.errors import ConfigError

# field: lowest, highest accepted
BAND_LIMITS = {
    "threshold_dbfs": (-80, 0),
    "ratio": (1, math.inf),
    "knee_db": (0, 24),
    "makeup_db": (-80, 24),
    "attack_ms": (0.05, 5000),
    "release_ms": (0.05, 5000),
    "rms_ms": (0.05, 5000),
    "upward_threshold_dbfs": (-80, 0),
    "upward_ratio": (1, math.inf),
    "upward_range_db": (0, 24),
    "limiter_threshold_dbfs": (-60, 0),
    "limiter_release_ms": (1, 5000),
}
LIMITER_LIMITS = {"threshold_dbfs": (-60, 0), "look_ahead_ms": (0.1, 10), "release_ms": (1, 5000)}
FIELDS = [(BandConfig, name, *limits) for name, limits in BAND_LIMITS.items()] + [
    (LimiterConfig, name, *limits) for name, limits in LIMITER_LIMITS.items()
]
NOT_NUMBERS = (math.nan, -math.inf, True, False, "1", b"1", [1], None, 1j)


def message(make):
    """The one line of a ConfigError."""
    with pytest.raises(ConfigError) as error:
        make()
    text = str(error.value)
    assert "\n" not in text
    return text


# --- each field ------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name", "low", "high"), FIELDS)
def test_limits_are_accepted(kind, name, low, high):
    for value in (low, high):
        assert getattr(kind(**{name: value}), name) == value


@pytest.mark.parametrize(("kind", "name", "low", "high"), FIELDS)
def test_beyond_the_limits_is_refused(kind, name, low, high):
    accepted = f"{low:g} or more" if high == math.inf else f"from {low:g} to {high:g}"
    beyond = [math.nextafter(low, -math.inf), -1e300]
    if high < math.inf:
        beyond += [math.nextafter(high, math.inf), math.inf]
    for value in beyond:
        assert message(lambda v=value: kind(**{name: v})) == f"{name}={value!r}: must be {accepted}"


@pytest.mark.parametrize(("kind", "name"), [field[:2] for field in FIELDS])
@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
def test_what_is_no_number_is_refused(kind, name, value):
    if name == "limiter_threshold_dbfs" and value is None:
        assert kind(**{name: None}).limiter_threshold_dbfs is None
        return
    assert message(lambda: kind(**{name: value})).startswith(f"{name}={value!r}: must be ")


def test_a_knee_is_none_or_wide_enough():
    assert BandConfig(knee_db=0.1).knee_db == 0.1
    assert message(lambda: BandConfig(knee_db=0.099)) == "knee_db=0.099: must be 0 or from 0.1 to 24"


def test_upward_threshold_is_at_most_the_threshold():
    assert BandConfig(threshold_dbfs=-40, upward_threshold_dbfs=-40).upward_threshold_dbfs == -40
    text = message(lambda: BandConfig(threshold_dbfs=-40, upward_threshold_dbfs=-39))
    assert text == "upward_threshold_dbfs=-39: must be at most threshold_dbfs=-40"


@pytest.mark.parametrize("value", ["RMS", "", "mean", 1, None, True, math.nan])
def test_detector_is_one_of_two(value):
    assert message(lambda: BandConfig(detector=value)) == f"detector={value!r}: must be one of peak, rms"


def test_every_bad_value_is_named_in_one_line():
    bad = {
        "threshold_dbfs": 1,
        "ratio": 0.5,
        "attack_ms": 0,
        "detector": "x",
        "limiter_threshold_dbfs": math.nan,
    }
    text = message(lambda: BandConfig(**bad))
    assert [part.split("=")[0] for part in text.split("; ")] == list(bad)


def test_a_bad_knee_is_named_beside_other_bad_values():
    text = message(lambda: BandConfig(knee_db=0.05, ratio=0.5))
    assert "knee_db" in text
    assert "ratio" in text


# --- the whole -------------------------------------------------------------------------------


def four(**settings):
    return DynamicsConfig(**({"edges_hz": (100.0, 1000.0, 5000.0), "bands": (BandConfig(),) * 4} | settings))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"fs_hz": 22050}, "fs_hz=22050: must be one of 16000, 44100, 48000, 96000"),
        ({"fs_hz": 48000.0}, "fs_hz=48000.0: must be one of 16000, 44100, 48000, 96000"),
        ({"fs_hz": math.nan}, "fs_hz=nan: must be one of 16000, 44100, 48000, 96000"),
        ({"channels": 3}, "channels=3: must be one of 1, 2"),
        ({"channels": True}, "channels=True: must be one of 1, 2"),
        ({"all_pass": 1}, "all_pass=1: must be one of True, False"),
        ({"band_look_ahead_ms": 0.09}, "band_look_ahead_ms=0.09: must be from 0.1 to 10"),
        ({"band_look_ahead_ms": math.nan}, "band_look_ahead_ms=nan: must be from 0.1 to 10"),
        ({"bands": (BandConfig(),) * 3}, "bands: 3 found; 4 needed, one more than edges_hz"),
        ({"bands": ()}, "bands: 0 found; 4 needed, one more than edges_hz"),
        ({"active": (True,)}, "active=[True]: must be true or false for each of edges_hz"),
        ({"active": (True, False, 1)}, "active=[True, False, 1]: must be true or false for each of edges_hz"),
        ({"edges_hz": (100.0, 100.0, 200.0)}, "edges_hz: 100.0 after 100.0 found; must rise"),
        ({"edges_hz": (100.0, 90.0, 80.0)}, "90.0 after 100.0 found; must rise; edges_hz: 80.0 after 90.0"),
        ({"edges_hz": (19.9, 100.0, 200.0)}, "edges_hz: 19.9 found; at 48000 Hz must be from 20 to"),
        ({"edges_hz": (100.0, 200.0, math.nan)}, "edges_hz: nan found; at 48000 Hz must be from 20 to"),
        ({"edges_hz": (100.0, 200.0, math.inf)}, "edges_hz: inf found; at 48000 Hz must be from 20 to"),
        ({"edges_hz": (100.0, "200", True)}, "edges_hz: '200' found; at 48000 Hz must be from 20 to"),
        ({"edges_hz": (100.0, 200.0, 24000.0)}, "edges_hz: 24000.0 found; at 48000 Hz must be from 20 to"),
        ({"fs_hz": 16000, "edges_hz": (100.0, 7800.0, 9e9)}, "7800.0 found; at 16000 Hz must be from 20 to"),
        ({"edges_hz": tuple(range(100, 700, 100))}, "edges_hz: 6 found; at most 5 accepted, for 6 bands"),
    ],
)  # fmt: skip
def test_settings_of_the_whole_are_refused(settings, text):
    assert text in message(lambda: four(**settings))


def test_five_edges_are_accepted():
    assert len(DynamicsConfig(edges_hz=(20, 40, 80, 160, 320), bands=(BandConfig(),) * 6).working_bands) == 6


@pytest.mark.parametrize(
    ("fs_hz", "control", "latency"),
    [(16000, 4, 16 + 24), (44100, 8, 48 + 64), (48000, 8, 48 + 72), (96000, 16, 96 + 144)],
)
def test_time_grid(fs_hz, control, latency):
    # Look-ahead in blocks: 1 ms is 4, 5.5 -> 6 (44.1 kHz: 5.51), 6, 6; 1.5 ms is 6, 8.27 -> 8, 9, 9.
    config = four(fs_hz=fs_hz, bands=(*(BandConfig(),) * 3, BandConfig(limiter_threshold_dbfs=-1)))
    assert config.control_samples == control
    assert config.latency_samples == latency
    assert replace(config, bands=(BandConfig(),) * 4).latency_samples == config.limiter_blocks * control


def test_a_look_ahead_is_at_least_a_block_and_halves_round_up():
    def blocks(ms):
        return DynamicsConfig(fs_hz=16000, limiter=LimiterConfig(look_ahead_ms=ms)).limiter_blocks

    assert [blocks(ms) for ms in (0.1, 0.25, 0.374, 0.375, 0.5, 10)] == [1, 1, 1, 2, 2, 40]


def test_band_below_an_inactive_edge_vanishes():
    bands = tuple(BandConfig(makeup_db=i) for i in range(4))
    config = four(bands=bands, active=(True, False, True))
    assert config.working_edges_hz == (100.0, 5000.0)
    assert [band.makeup_db for band in config.working_bands] == [0, 2, 3]
    assert quantise(config).bands == 3


def test_ranges_of_the_bands():
    assert four().ranges_hz == [(0, 100), (100, 1000), (1000, 5000), (5000, 24000)]
    assert four(active=(False, True, False), fs_hz=16000).ranges_hz == [(0, 1000), (1000, 8000)]
    assert DynamicsConfig().ranges_hz == [(0, 24000)]


def test_an_inactive_band_counts_for_the_latency():
    bands = (BandConfig(limiter_threshold_dbfs=-3), *(BandConfig(),) * 3)
    assert four(bands=bands, active=(False, True, True)).latency_samples == four(bands=bands).latency_samples


# --- integers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dbfs", "q15"),
    [
        (0, 32767),
        (-0.0001, 32767),
        (-0.001, 32764),
        (-20 * math.log10(2), 16384),
        (-6, 16422),
        (-20, 3276),
        (-60, 32),
    ],
)
def test_full_band_threshold_is_rounded_down(dbfs, q15):
    # 32768 * 10^(-0.001/20) = 32764.2; -6 dB 16422.7; -20 dB 3276.8; -60 dB 32.77
    assert threshold_to_q15(dbfs) == q15
    assert quantise(DynamicsConfig(limiter=LimiterConfig(dbfs))).limiter.threshold_q27.tolist() == [q15 << 12]


def test_curves_by_hand():
    band = BandConfig(
        -20, ratio=4, knee_db=12, makeup_db=4, attack_ms=1, release_ms=100, detector="rms", rms_ms=10,
        upward_threshold_dbfs=-60, upward_ratio=math.inf, upward_range_db=20,
    )  # fmt: skip
    curve = quantise(DynamicsConfig(bands=(band,))).curve
    db = math.log2(10) / 20  # 0.1660964
    # -20 dB is -log2(10) = -3.3219281 -> * 2**24 = -55732705.2
    assert curve.threshold_q24.tolist() == [-55732705]
    assert curve.slope_q30.tolist() == [3 << 28]  # 1 - 1/4
    assert curve.knee_q24.tolist() == [round(12 * db * 2**24)]
    assert curve.bend_q24.tolist() == [round(0.75 / (24 * db) * 2**24)]
    assert curve.makeup_q24.tolist() == [11146541]  # 0.6643856 * 2**24 = 11146541.0
    assert curve.upward_threshold_q24.tolist() == [-167198116]  # -9.9657843 * 2**24 = -167198115.7
    assert curve.upward_slope_q30.tolist() == [1 << 30]
    assert curve.upward_range_q24.tolist() == [55732705]
    # block 1/6000 s: 1 - exp(-1/6) = 0.15351828 -> * 2**31 = 329677985.3
    assert curve.attack_q31.tolist() == [329677985]
    assert curve.release_q31.tolist() == [3576158]  # 1 - exp(-1/600) = 0.001665278549
    assert curve.rms_q31.tolist() == [35494783]  # 1 - exp(-1/60) = 0.016528546178


def test_peak_detector_no_knee_and_no_upward_compression_are_zeros():
    curve = quantise(DynamicsConfig()).curve
    for name in ("rms_q31", "knee_q24", "bend_q24", "slope_q30", "upward_slope_q30", "upward_range_q24"):
        assert getattr(curve, name).tolist() == [0], name


def test_band_limiters_by_hand():
    bands = (BandConfig(limiter_threshold_dbfs=-6, limiter_release_ms=10), BandConfig())
    limiter = quantise(DynamicsConfig(edges_hz=(100,), bands=bands)).band_limiter
    assert limiter.threshold_q27.tolist() == [67268212, 0]  # 0.50118723 * 2**27 = 67268211.7
    assert limiter.blocks == 6
    assert limiter.inverse_q31 == 357913942  # 2**31 / 6 = 357913941.3, rounded up
    assert limiter.release_q31[0] == 35494783  # 1 - exp(-1/60)
    none = quantise(DynamicsConfig()).band_limiter
    assert (none.blocks, none.inverse_q31) == (0, 0)


def test_inverse_of_one_block():
    params = quantise(DynamicsConfig(fs_hz=16000, limiter=LimiterConfig(look_ahead_ms=0.1))).limiter
    assert (params.blocks, params.inverse_q31) == (1, 1 << 31)


def test_extremes_keep_their_formats():
    """Settings at both ends of all their ranges at once: coefficients positive, nothing saturates."""
    ends = [
        BandConfig(**{name: limits[end] for name, limits in BAND_LIMITS.items()} | extra, detector="rms")
        for end, extra in ((0, {}), (1, {"upward_range_db": 0}))  # with make-up at most 24 dB
    ]
    for fs_hz in (16000, 96000):
        params = quantise(DynamicsConfig(fs_hz=fs_hz, edges_hz=(20,), bands=tuple(ends)))
        for field in params.curve:
            assert field.dtype == np.int32
            assert (np.abs(field.astype(np.int64)) < (1 << 31) - 1).all()
        for name in ("attack_q31", "release_q31", "rms_q31"):
            assert (getattr(params.curve, name) > 1000).all()
    np.testing.assert_array_equal(params.curve.slope_q30, [0, 1 << 30])


def test_smallest_knee_keeps_its_bend():
    # 1 / (2 * 0.0166096) = 30.1 of 128
    curve = quantise(DynamicsConfig(bands=(BandConfig(ratio=math.inf, knee_db=0.1),))).curve
    assert curve.bend_q24[0] / 2**24 == pytest.approx(30.103, abs=1e-3)


def test_an_integer_that_no_float_holds_is_refused():
    assert message(lambda: BandConfig(ratio=10**400)).startswith("ratio=1000")


def test_arrays_and_lists_serve_as_edges():
    np.testing.assert_array_equal(
        quantise(four(edges_hz=[100.0, 1000.0, 5000.0])).section, quantise(four()).section
    )
