"""Settings and time grid of the float64 dynamics reference."""

import dataclasses
import math

import pytest

from firmware_model.reference.dynamics_model import BandModel, DynamicsModel, LimiterModel

MODEL = DynamicsModel(
    fs_hz=48000,
    channels=1,
    edges_hz=(120.0, 500.0, 2000.0),
    bands=tuple(BandModel(threshold_dbfs=float(-i)) for i in range(4)),
    active=(True, True, True),
    all_pass=True,
    band_look_ahead_ms=3.0,
    limiter=LimiterModel(threshold_dbfs=-1.0, look_ahead_ms=5.0),
)
LIMITED = BandModel(limiter_threshold_dbfs=-6.0)


@pytest.mark.parametrize(("fs_hz", "samples"), [(16000, 4), (44100, 8), (48000, 8), (96000, 16)])
def test_control_block_of_every_rate(fs_hz, samples):
    model = dataclasses.replace(MODEL, fs_hz=fs_hz)
    assert model.control_samples == samples
    assert 160 < 1e6 * samples / fs_hz <= 250  # us


def test_look_ahead_by_hand_rounds_halves_up_and_is_at_least_one_block():
    """A block is 8 / 48 ms: 3 ms are 18 blocks, 5 ms 30, 1.25 ms 7.5 blocks hence 8, 0.4 ms 2.4 hence 2."""
    model = dataclasses.replace(MODEL, bands=(LIMITED,) * 4)
    assert (model.band_blocks, model.limiter_blocks, model.latency_samples) == (18, 30, 48 * 8)
    for look_ahead_ms, blocks in ((1.25, 8), (0.4, 2), (0.0, 1)):
        limiter = LimiterModel(look_ahead_ms=look_ahead_ms)
        assert dataclasses.replace(MODEL, limiter=limiter).limiter_blocks == blocks


def test_bands_are_delayed_where_any_band_active_or_not_has_a_limiter():
    assert MODEL.band_blocks == 0
    model = dataclasses.replace(MODEL, bands=(LIMITED, *MODEL.bands[1:]))
    assert model.band_blocks == 18
    assert dataclasses.replace(model, active=(False, True, True)).band_blocks == 18


def test_without_a_split_the_band_below_it_vanishes():
    model = dataclasses.replace(MODEL, active=(True, False, True))
    assert model.active_edges_hz == (120.0, 2000.0)
    assert [band.threshold_dbfs for band in model.active_bands] == [0, -2, -3]
    alone = dataclasses.replace(MODEL, active=(False,) * 3)
    assert alone.active_edges_hz == ()
    assert alone.active_bands == MODEL.bands[3:]


def test_smoothing_reaches_63_percent_after_its_time_constant():
    """20 ms are 120 blocks: what is left after 120 steps is 1/e."""
    left = (1 - MODEL.smoothing(20.0)) ** 120
    assert left == pytest.approx(math.exp(-1), abs=5.6e-16), "measured 2.8e-16"


def test_full_band_threshold_is_a_value_of_16_bits_at_or_below():
    """-1 dB of 32768 are 29204.6, and 0 dB would be 32768, one more than there is."""
    assert LimiterModel(threshold_dbfs=-1.0).threshold == 29204 / 32768
    assert LimiterModel(threshold_dbfs=0.0).threshold == 32767 / 32768
    assert LimiterModel(threshold_dbfs=-20.0).threshold == 3276 / 32768


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fs_hz": 22050}, "fs_hz=22050: must be one of 16000, 44100, 48000, 96000"),
        ({"channels": 3}, "channels=3: must be 1 or 2"),
        ({"edges_hz": (500.0, 120.0, 2000.0)}, "edges_hz=.*: must ascend between 0 and 24000"),
        ({"edges_hz": (120.0, 500.0, 24000.0)}, "edges_hz=.*: must ascend between 0 and 24000"),
        ({"edges_hz": (120.0, math.nan, 2000.0)}, "edges_hz=.*: must ascend between 0 and 24000"),
        ({"edges_hz": (120.0,)}, "edges_hz: 1 found, 3 needed"),
        ({"active": (True,) * 4}, "active: 4 found, 3 needed"),
    ],
)
def test_model_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(MODEL, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detector": "mean"}, 'detector="mean": must be "peak" or "rms"'),
        ({"attack_ms": 0.0}, "attack_ms=0.0: must be positive and finite"),
        ({"rms_ms": math.inf}, "rms_ms=inf: must be positive and finite"),
        ({"ratio": 0.9}, "ratio=0.9: must be at least 1"),
        ({"upward_range_db": math.nan}, "upward_range_db=nan: must be at least 0"),
    ],
)
def test_band_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        BandModel(**changes)


def test_limiter_refuses_no_release():
    with pytest.raises(ValueError, match="release_ms=-1: must be positive and finite"):
        LimiterModel(release_ms=-1)
