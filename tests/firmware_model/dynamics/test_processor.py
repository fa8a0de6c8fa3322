"""The whole processor against its float64 twin, on programme and on real audio; linked stereo; silence."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig, LimiterConfig
from firmware_model.dynamics.settings.profiles import FOLDER, load_profile
from firmware_model.dynamics.state import state_bytes
from firmware_model.pcm import read_audio
from fixedpoint.filters.biquad import MAX_RATIO
from tests.firmware_model.dynamics.twin import (
    Q27,
    RATES,
    SETUPS,
    Difference,
    compare,
    flat,
    programme,
    run,
    to_q15,
)

FILES = (
    "music/macleod_outfoxing.flac",
    "music/brahms_hungarian5_strings.flac",
    "speech/librispeech_198-209-0000.flac",
)
PROFILES = sorted(path.stem for path in FOLDER.glob("*.toml"))
KINDS = ("music", "drums", "voice", "noise", "sweep")

# Largest of each node over all set-ups, rates and kinds of programme below, measured (see `Difference`).
MEASURED = Difference(
    lsb=1,
    within=1.0,
    snr_db=93.4,
    band=0.0166,
    level=1.34e-3,
    gain=1.5e-6,
    limited=0.0166,
    bus=0.024,
    band_attenuation=3.6e-7,
    attenuation=2.5e-7,
)


def assert_bit_true(found):
    """As near as is wanted, and as near as was measured: nodes within twice that."""
    assert found.lsb <= 2, found
    assert found.within >= 0.999, found
    assert found.snr_db >= 90, found
    for name in ("band", "level", "gain", "limited", "bus", "band_attenuation", "attenuation"):
        measured = getattr(MEASURED, name)
        assert getattr(found, name) <= 1.5 * measured, (
            f"{name}: {getattr(found, name):.3g}, was {measured:.3g}"
        )


# --- against float64 -------------------------------------------------------------------------


@pytest.mark.parametrize("fs_hz", RATES)
@pytest.mark.parametrize("setup", SETUPS)
def test_processor_against_float64(setup, fs_hz):
    for i, kind in enumerate(KINDS):
        channels = 1 + (i + len(setup)) % 2
        config = DynamicsConfig(fs_hz=fs_hz, channels=channels, **SETUPS[setup])
        assert_bit_true(compare(config, programme(kind, 0.8, fs_hz, channels)))


def random_config(rng):
    """Anything that is accepted, but for gains above 24 dB, which saturate."""

    def log_uniform(low, high):
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    def band():
        threshold = float(rng.uniform(-80, 0))
        return BandConfig(
            threshold_dbfs=threshold,
            ratio=float(rng.choice([1, 1.5, 4, 20, np.inf])),
            knee_db=float(rng.choice([0, 0.1, 1, 6, 24])),
            makeup_db=float(rng.uniform(-20, 6)),
            attack_ms=log_uniform(0.05, 5000),
            release_ms=log_uniform(0.05, 5000),
            detector=str(rng.choice(["rms", "peak"])),
            rms_ms=log_uniform(0.05, 5000),
            upward_threshold_dbfs=float(rng.uniform(-80, threshold)),
            upward_ratio=float(rng.choice([1, 1, 1.2, 3, np.inf])),
            upward_range_db=float(rng.uniform(0, 18)),
            limiter_threshold_dbfs=float(rng.uniform(-60, 0)) if rng.random() < 0.5 else None,
            limiter_release_ms=log_uniform(1, 5000),
        )

    fs_hz, edges = int(rng.choice(RATES)), int(rng.integers(6))
    return DynamicsConfig(
        fs_hz=fs_hz,
        channels=int(rng.integers(1, 3)),
        edges_hz=tuple(sorted(log_uniform(20, 0.45 * fs_hz) for _ in range(edges))),
        bands=tuple(band() for _ in range(edges + 1)),
        active=tuple(bool(on) for on in rng.random(edges) < 0.8),
        all_pass=bool(rng.random() < 0.7),
        band_look_ahead_ms=log_uniform(0.1, 10),
        limiter=LimiterConfig(float(rng.uniform(-40, 0)), log_uniform(0.1, 10), log_uniform(1, 5000)),
    )


@pytest.mark.parametrize("seed", range(4))
def test_random_settings_against_float64(seed):
    """Measured over 750: never more than 2 LSB. The noise is that of 16 bits, however quiet the output."""
    rng = np.random.default_rng(seed)
    for _ in range(20):
        config = random_config(rng)
        found = compare(config, programme(str(rng.choice(KINDS)), 0.3, config.fs_hz, config.channels))
        assert found.lsb <= 2, (config, found)
        assert found.within >= 0.999, (config, found)


def test_the_comparison_sees_a_gain_that_is_a_thousandth_of_a_decibel_off():
    x = programme("music", 0.5, 48000, 1)
    config = DynamicsConfig(**SETUPS["no band limiter"])
    off = replace(config, bands=tuple(replace(band, makeup_db=3.001) for band in config.bands))
    wanted, got = run(config, x), run(off, x)
    assert np.abs(got.nodes.gain_q27 / wanted.nodes.gain_q27 - 1).max() > 20 * MEASURED.gain
    assert np.mean(got.y_q15 != wanted.y_q15) > 0.1


@pytest.mark.real
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("setup", ["six bands", "inactive splits", *PROFILES])
def test_real_audio_against_float64(real_data, name, setup):
    audio = read_audio(str(real_data / name))
    x = audio.samples.T[:2, : 8 * audio.fs_hz]
    x = to_q15(x / np.abs(x).max() * 10 ** (-1 / 20))
    if setup in PROFILES:
        config = load_profile(setup, audio.fs_hz, len(x))
    else:
        config = DynamicsConfig(fs_hz=audio.fs_hz, channels=len(x), **SETUPS[setup])
    found = compare(config, x)
    assert found.lsb <= 2, found
    assert found.within >= 0.999, found
    assert found.snr_db >= 90, found


@pytest.mark.parametrize("setup", SETUPS)
def test_bands_add_up_to_the_bus(setup):
    """But for half an LSB of Q5.27 for each band, rounded down: more would cost SNR where it is quiet."""
    nodes = run(DynamicsConfig(**SETUPS[setup]), programme("music", 0.3, 48000, 1)).nodes
    low = nodes.limited_q27.astype(np.int64).sum(axis=0) - nodes.bus_q27[0]
    bands = len(nodes.limited_q27)
    assert low.min() >= 0
    assert low.max() <= bands, f"measured {low.max()} LSB"
    assert abs(low.mean() - bands / 2) < 0.05 * bands, f"measured {low.mean():.2f} LSB"


@pytest.mark.real
@pytest.mark.parametrize("profile", PROFILES)
def test_a_quiet_recording_keeps_its_snr(real_data, profile):
    """Most of it near silence: the least SNR of all recordings, from 1 LSB of 16 bits now and then."""
    audio = read_audio(str(next((real_data / "speech").rglob("214.flac"))))
    x = audio.samples.T[:1]
    x = to_q15(x / np.abs(x).max() * 10 ** (-1 / 20))
    found = compare(load_profile(profile, audio.fs_hz, 1), x)
    assert found.lsb <= 1, found
    assert found.snr_db >= 90, found


# --- linked stereo ---------------------------------------------------------------------------


@pytest.mark.parametrize("setup", SETUPS)
def test_equal_channels_give_what_one_gives(setup):
    x = programme("music", 0.3, 48000, 1)
    mono = run(DynamicsConfig(**SETUPS[setup]), x).y_q15
    stereo = run(DynamicsConfig(channels=2, **SETUPS[setup]), np.concatenate([x, x])).y_q15
    np.testing.assert_array_equal(stereo, np.concatenate([mono, mono]))


@pytest.mark.parametrize("setup", SETUPS)
def test_swapped_channels_swap_the_output(setup):
    x = programme("drums", 0.3, 48000, 2)
    config = DynamicsConfig(channels=2, **SETUPS[setup])
    np.testing.assert_array_equal(run(config, x[::-1]).y_q15, run(config, x).y_q15[::-1])


def test_a_silent_channel_stays_silent_and_the_other_is_as_alone():
    x = programme("music", 0.3, 48000, 1)
    config = DynamicsConfig(channels=2, **SETUPS["six bands"])
    y = run(config, np.concatenate([x, 0 * x])).y_q15
    assert not y[1].any()
    np.testing.assert_array_equal(y[:1], run(replace(config, channels=1), x).y_q15)


# --- silence ---------------------------------------------------------------------------------

UPWARD = BandConfig(-80, 1, 0, 0, 0.05, 1, "peak", 10, -80, float("inf"), 24)
MAKE_UP = BandConfig(makeup_db=24, limiter_threshold_dbfs=0, limiter_release_ms=5)


def loud(kind, n, rng):
    i = np.arange(n)
    return {
        "rails": rng.choice([-32768, 32767], n),
        "DC": np.full(n, -32768),
        "noise": rng.integers(-32768, 32768, n),
        "square": np.where(i // 240 % 2, 32767, -32768),
    }[kind].astype(np.int16)


@pytest.mark.parametrize("fs_hz", [16000, 48000, 96000])
@pytest.mark.parametrize("kind", ["rails", "DC", "noise", "square"])
@pytest.mark.parametrize("band", [UPWARD, MAKE_UP], ids=["up", "make-up"])
def test_silence_follows_loud_input(kind, fs_hz, band, rng):
    """At random edges to 0.3 fs: nothing is left of it in 16 bits, little in 32."""
    for count in range(6):
        edges = tuple(np.sort(np.exp(rng.uniform(np.log(20), np.log(0.3 * fs_hz), count))))
        config = DynamicsConfig(
            fs_hz=fs_hz, edges_hz=edges, bands=(band,) * (count + 1), limiter=LimiterConfig(0, 1.5, 5)
        )
        before = run(config, loud(kind, fs_hz // 10, rng))
        assert np.abs(before.y_q15.astype(int)).max() > 30000
        after = run(config, np.zeros(fs_hz, np.int16), before.state)
        assert not after.y_q15[:, fs_hz // 2 :].any()
        left = np.abs(after.nodes.band_q27[:, fs_hz // 2 :]).max()
        assert left <= 8, f"bands: {left} LSB of Q5.27 left, was 4"
        assert not after.state.limiter.released_q62.any()
        assert not after.state.bank.limiter.released_q62.any()


def test_silence_at_the_highest_edges(rng):
    """Sections at 0.45 fs enlarge their own rounding; with 24 dB of gain on each of six bands."""
    left_lsb = 0.0
    for i in range(60):
        edges = tuple(np.sort(rng.uniform((0.3, 0.42)[i % 2], 0.45, 5) * 16000))
        config = DynamicsConfig(fs_hz=16000, edges_hz=edges, bands=(UPWARD,) * 6)
        state = run(config, loud("noise", 2000, rng)).state
        after = run(config, np.zeros(8000, np.int16), state)
        assert np.abs(after.y_q15[:, 4000:].astype(int)).max() <= 1
        left_lsb = max(left_lsb, np.abs(after.nodes.bus_q27[:, 4000:]).max() / 4096)
    assert left_lsb < 0.5, (
        f"limit cycle on the bus: {left_lsb:.2f} LSB of 16 bits, 0.26 measured over 300 sets of edges"
    )


@pytest.mark.parametrize(
    ("low", "high", "bus_lsb"),
    [(0.002, 0.05, 0), (0.005, 0.3, 20), (0.3, MAX_RATIO, 64), (0.44, MAX_RATIO, 64)],
)
def test_limit_cycles_stay_below_16_bits(low, high, bus_lsb, rng):
    """A constant after noise: the same constant to the last bit, however its bands cycle.

    Largest on the bus over 3000 sets of five edges at 16, 48 and 96 kHz, in LSB of Q5.27: those that are
    given, of 2048 that would round to another value. In a band 0, 12, 28 and 40.
    """
    largest = 0
    for _ in range(40):
        edges = np.sort(np.exp(rng.uniform(np.log(low), np.log(high), 5))) * 48000
        value = int(rng.integers(-12000, 12000))
        x = np.concatenate([rng.integers(-3000, 3000, 800), np.full(12000 + int(5 / low), value)])
        after = run(flat(48000, edges), x.astype(np.int16))
        np.testing.assert_array_equal(after.y_q15[:, -400:], value)
        largest = max(largest, np.abs(after.nodes.bus_q27[:, -400:].astype(np.int64) - (value << 12)).max())
    assert largest <= 1.5 * bus_lsb, f"bus: {largest} LSB of Q5.27, was {bus_lsb}"


@pytest.mark.parametrize("high", [0.3, MAX_RATIO])
def test_limit_cycles_behind_24_db_move_the_rounding_alone(high, rng):
    """Before RND a constant is within a quarter of an LSB of 16 bits; after it 1 LSB off, beside a tie."""
    largest = 0.0
    for _ in range(40):
        edges = np.sort(np.exp(rng.uniform(np.log(high / 20), np.log(high), 5))) * 48000
        value = int(rng.integers(-1000, 1000))
        bands = (BandConfig(makeup_db=24),) * 6
        config = DynamicsConfig(edges_hz=tuple(map(float, edges)), bands=bands)
        x = np.concatenate([rng.integers(-300, 300, 800), np.full(12000, value)]).astype(np.int16)
        after = run(config, x)
        wanted = value * int(after.nodes.gain_q27[0, -1]) / Q27
        assert np.abs(after.y_q15[:, -400:] - np.floor(wanted + 0.5)).max() <= 1
        largest = max(largest, np.abs(after.nodes.bus_q27[:, -400:] / 4096 - wanted).max())
    assert largest < 0.3, f"bus: {largest:.2f} LSB of 16 bits off, 0.24 measured over 8000 sets of edges"


def test_silence_from_states_at_their_largest(rng):
    """Integrators left by the worst inputs, at the bound of all that can be reached."""
    edges = (900.0, 1500.0, 2500.0, 4000.0, 6000.0)
    config = DynamicsConfig(fs_hz=16000, edges_hz=edges, bands=(UPWARD,) * 6)
    impulse = np.eye(1, 400, dtype=np.int16)[0] * 16384
    responses = run(config, impulse).nodes.band_q27
    for response in responses:
        worst = np.where(response[::-1] >= 0, 32767, -32768).astype(np.int16)
        after = run(config, np.zeros(8000, np.int16), run(config, worst).state)
        assert not after.y_q15[:, 4000:].any()


def test_rest_is_the_state_of_the_start_but_for_its_rings():
    """No gain reduction and no energy are left, and what comes then is processed as at the start."""
    config = DynamicsConfig(**SETUPS["no band limiter"])
    state = run(config, programme("music", 0.3, 48000, 1)).state
    state = run(config, np.zeros(20 * 48000, np.int16), state).state
    assert not state.bank.power_q48.any()
    assert not state.bank.held_q55.any()
    assert not state.bank.reduction_q55.any()
    assert not state.limiter.attenuation_q31.any()
    assert np.abs(state.bank.split_q54).max() < 1 << 29, "integrators: below 4 LSB of Q5.27"
    x = programme("voice", 0.3, 48000, 1)
    error = run(config, x, state).y_q15.astype(int) - run(config, x).y_q15
    assert np.abs(error).max() <= 1


def test_ram_is_the_sum_of_the_arrays():
    # 1 band, mono, 8 samples, 9 blocks of look-ahead: bank 8 + 8 + 8 + 4 + 32 + 32 + its limiter's clock 8
    # = 100; bus 32; limiter: clock 8, ring 40, 4, 8, ring 36, sum 8, 4, delay 288.
    config = DynamicsConfig()
    assert state_bytes(run(config, np.zeros(8, np.int16)).state) == 100 + 32 + 396
