"""Samples to features: by hand, at the extremes, against float64 node by node."""

import math

import numpy as np
import pytest

from firmware_model.reference import watermark as reference
from firmware_model.watermark.frontend import loud_band_q24, place_floor, process_frontend, quiet_band_q24
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import FLOOR_LOG2, WatermarkConfig, quantise
from firmware_model.watermark.state import CLOCK_FEATURE, init_probes, init_state

CONFIG = WatermarkConfig()


def run(pcm, config=CONFIG):
    """Levels and features of every hop, to float."""
    params = quantise(config, Key.from_hex("5eed").signs(config.max_marks, config.slots, config.bands)[None])
    state = init_state(params)
    probes = init_probes(params)
    levels, slots, features = [], [], []
    for start in range(0, len(pcm) // config.hop * config.hop, config.hop):
        process_frontend(params, state, pcm[start : start + config.hop], probes)
        levels.append(probes.band_level_q8 / 256.0)
        slots.append(probes.slot_sum_q8 / 256.0 / config.slot_hops)
        features.append(state.feature[state.clock[CLOCK_FEATURE], : config.bands] / 96.0)
        state.clock[CLOCK_FEATURE] = (state.clock[CLOCK_FEATURE] + 1) % config.mark_hops
    return np.array(levels), np.array(slots), np.array(features)


def programme(kind, seconds=4, rng=None):
    n = int(seconds * CONFIG.fs_hz)
    t = np.arange(n) / CONFIG.fs_hz
    rng = rng or np.random.default_rng(20261121)
    noise = rng.standard_normal(n)
    x = {
        "noise": 0.1 * noise,
        "full-scale noise": noise,
        "quiet noise": 0.001 * noise,
        "bursts": 0.3 * noise * (np.sin(2 * np.pi * 1.7 * t) > 0.5),
        "tones": 0.2 * sum(np.sin(2 * np.pi * f * t * (1 + 0.001 * t)) for f in (220, 331, 1234.5, 3000)),
        "square": np.where(np.arange(n) % 200 < 100, 1.0, -1.0),
        "dc": np.full(n, -1.0),
    }[kind]
    return np.clip(np.floor(x * 32768 + 0.5), -32768, 32767).astype(np.int16)


KINDS = ("noise", "full-scale noise", "quiet noise", "bursts", "tones", "square", "dc")


def log_power_q24(re, im, exponent):
    """log2(|Y|^2 + 64) of one bin, from mantissas and block exponent."""
    z = np.array([re, im], np.int32)
    drop, floor, offset = place_floor(np.int64(exponent))
    if drop > 0:
        return quiet_band_q24(z, np.int64(0), np.int64(1), floor, drop) + offset
    return loud_band_q24(z, np.int64(0), np.int64(1), floor) + offset


def test_log_power_by_hand():
    # Mantissa 2**28 at exponent -3, window and samples Q2.30: |Y| = 2**28 2**-3 2**-15 = 2**10 LSB
    # => |Y|^2 + 64 = 2**20 + 2**6
    expected = math.log2(2**20 + 2**6)
    assert log_power_q24(1 << 28, 0, -3) / 2**24 == pytest.approx(expected, abs=1e-7)
    # Parts add as squares: 3-4-5.
    found = log_power_q24(3 << 26, -4 << 26, 9) / 2**24
    assert found == pytest.approx(2 * math.log2(5 * 2.0 ** (26 + 9 - 15)), abs=1e-7)


@pytest.mark.parametrize("exponent", [-40, -30, -28, -3, 0, 12])
def test_silence_is_the_floor_at_every_exponent(exponent):
    assert log_power_q24(0, 0, exponent) == FLOOR_LOG2 << 24


def test_largest_mantissas_do_not_overflow():
    part = int((1 + math.sqrt(2)) * 2**29)
    found = log_power_q24(part, -part, 9) / 2**24
    assert found == pytest.approx(1 + 2 * math.log2(float(part)) + 18 - 30, abs=1e-6)


def test_silence_gives_zero_features():
    levels, _, features = run(np.zeros(16 * CONFIG.hop, np.int16))
    assert np.all(levels == FLOOR_LOG2)
    assert not features.any()


# Largest difference to float64 over KINDS; each bound is at most twice what was measured.
# A level is rounded to 1/256: half of that is 0.00195. A feature is rounded to 1/96: half is 0.0052.
NODE_BOUNDS = {"band_level": 0.0075, "slot_level": 0.004, "feature": 0.012}


@pytest.mark.parametrize("kind", KINDS)
def test_nodes_against_float64(kind):
    pcm = programme(kind)
    levels, slots, features = run(pcm)
    signs = np.empty((0, CONFIG.max_marks, CONFIG.slots, CONFIG.bands))
    nodes = reference.trace(pcm / 32768.0, signs)
    for name, found in (("band_level", levels), ("slot_level", slots), ("feature", features)):
        error = np.abs(found - getattr(nodes, name))
        assert error.max() <= NODE_BOUNDS[name], f"{kind}, {name}: {error.max():.5f}, rms {error.std():.6f}"


def test_features_do_not_depend_on_gain():
    pcm = programme("noise", 12) // 8
    _, _, soft = run(pcm)
    _, _, loud = run(8 * pcm)
    # The onset from the floor does depend on the level; the running mean forgets it by 1/e in 32 hops.
    difference = np.abs(soft - loud)[320:]
    assert difference.max() <= 2 / 96, f"{difference.max() * 96:.0f} LSB"
