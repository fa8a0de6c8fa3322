"""The embedder: which cells move which way, what it leaves alone, and that the mark is found."""

import numpy as np
import pytest
import soxr

import firmware_model.watermark.embedding.embedder as embedder
import firmware_model.watermark.embedding.marker as marker
from acoustic_sim.programmes.excitation import synthesise
from firmware_model.pcm import to_mono, to_q15
from firmware_model.watermark.detector import detect
from firmware_model.watermark.embedding.embedder import embed
from firmware_model.watermark.headroom import CEILING
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import AudioError, ConfigError

FS_HZ = 16000
SLOT = 4096
MARK = 8 * SLOT  # 2.048 s
FRAME, HOP = 2048, 512
FIRST_BIN, BANDS = 20, 438  # 156.25 Hz, two bins of 7.8125 Hz each
KEY = Key.from_hex("5eed0fbe7a")
OTHER_KEY = Key.from_hex("0000")
MEASURED_RATE_ERROR_DB = -82.7  # mark made at 44.1 kHz against one made at 16 kHz; -109 dB at 48 kHz
MEASURED_OUTSIDE_DB = -61.7  # energy of the mark in music below 100 Hz and above 7.1 kHz


@pytest.fixture(scope="module")
def music():
    return synthesise("music", 9.0, FS_HZ, seed=3)


@pytest.fixture(scope="module")
def short_music(music):
    """Two marks and a little."""
    return music[: 2 * MARK + 3000]


@pytest.fixture
def noise(rng):
    return 0.1 * rng.uniform(-1, 1, 3 * MARK + 5000)


@pytest.fixture
def calls(monkeypatch):
    """(arguments, result) of every call of `steps_db` and `host_feature`, by name."""
    seen: dict[str, list] = {"steps_db": [], "host_feature": []}

    def spy(module, name):
        function = getattr(module, name)

        def wrapper(*arguments):
            result = function(*arguments)
            seen[name].append((arguments, result.copy()))
            return result

        monkeypatch.setattr(module, name, wrapper)

    spy(embedder, "steps_db")
    spy(marker, "host_feature")
    return seen


def key_signs() -> np.ndarray:
    """(4 patterns * 8 slots, bands): the slots of four consecutive marks."""
    return KEY.signs(4, 8, BANDS).reshape(32, BANDS).astype(np.float64)


def saturates(x: np.ndarray) -> np.ndarray:
    """True where to_q15 rounds beyond int16."""
    code = np.floor(x * 32768 + 0.5)
    return (code > 32767) | (code < -32768)


# What is embedded


def test_every_cell_moves_by_the_largest_step_with_the_sign_of_the_key(noise, calls, monkeypatch):
    # White noise, 12 dB above its mask: every cell would move by more than the 3 dB allowed here.
    monkeypatch.setattr(marker, "MAX_GAIN_DB", 3.0)
    monkeypatch.setattr(marker, "MAX_GAIN_SLOPE", 0.0)
    embed(noise, FS_HZ, KEY, mode="live", strength_db=12)
    ((_, centre, _, _), step) = calls["steps_db"][-1]
    in_marks = (centre >= 0) & (centre < 3 * MARK)
    assert np.array_equal(np.diff(centre), np.full(len(centre) - 1, HOP))
    assert not step[~in_marks].any()
    # Slot j is samples [4096 j, 4096 (j+1)), of 24 slots the j-th uses row j; bins 20, 21 are band 0.
    expected = np.repeat(key_signs()[centre[in_marks] // SLOT], 2, axis=1)
    np.testing.assert_array_equal(np.sign(step[in_marks]), expected)
    at_limit = np.mean(np.abs(step[in_marks]) == 3.0)
    assert at_limit > 0.98, f"measured {at_limit:.4f}"  # 0.9896; the rest are peaks of the noise


def test_levels_of_slots_follow_the_key(noise):
    # Level of band b in the middle of slot j, marked over unmarked, against the sign of the key
    e = embed(noise, FS_HZ, KEY, mode="live", strength_db=12)
    window = np.hanning(FRAME)
    found = np.empty((24, BANDS))
    for j in range(24):
        middle = slice(j * SLOT + FRAME // 2, j * SLOT + FRAME // 2 + FRAME)
        power = [np.abs(np.fft.rfft(window * s[middle])) ** 2 for s in (e.y, noise)]
        marked, plain = (p[FIRST_BIN : FIRST_BIN + 2 * BANDS].reshape(BANDS, 2).sum(axis=1) for p in power)
        found[j] = 10 * np.log10(marked / plain)
    agree = np.mean(np.sign(found) == key_signs()[:24])
    # Measured 0.87: the windows carry some of the opposite step of neighbour bands into a band.
    assert agree > 0.74, f"measured {agree:.3f}"


def test_host_feature_is_the_detectors_against_four_slots(noise, calls):
    x = noise * (1 + np.sin(np.arange(len(noise)) / 3000))
    embed(x, FS_HZ, KEY, mode="informed")
    (_, slot, spectrum), feature = calls["host_feature"][-1]

    def contrast(j):
        level = np.log2(np.abs(spectrum[slot == j]) ** 2).mean(axis=0)
        band = level[FIRST_BIN : FIRST_BIN + 2 * BANDS].reshape(BANDS, 2).mean(axis=1)
        i = np.arange(BANDS)
        return band - sum(band[np.clip(i + d, 0, BANDS - 1)] for d in (-2, -1, 1, 2)) / 4

    last = len(x) // SLOT - 1
    for j, others in ((10, (8, 9, 11, 12)), (0, (1, 2)), (1, (0, 2, 3)), (last, (last - 2, last - 1))):
        expected = contrast(j) - np.mean([contrast(k) for k in others], axis=0)
        assert np.ptp(feature[slot == j], axis=0).max() == 0
        np.testing.assert_allclose(feature[slot == j][0], expected, atol=1e-7)


def test_informed_spares_the_cells_that_already_agree(noise, calls):
    embed(noise, FS_HZ, KEY, mode="informed", strength_db=2)
    ((_, centre, _, _), step) = calls["steps_db"][-1]
    feature = np.repeat(calls["host_feature"][-1][1], 2, axis=1)
    agreement = (np.sign(step) * feature)[(centre >= 0) & (centre < 3 * MARK)]
    size = np.abs(step[(centre >= 0) & (centre < 3 * MARK)])
    assert size[agreement > 0.5].mean() < 0.8 * size[np.abs(agreement) < 0.1].mean()
    assert size[agreement < -0.5].mean() > 1.2 * size[np.abs(agreement) < 0.1].mean()


def test_marks_are_whole_and_back_to_back_and_the_rest_is_untouched(noise):
    e = embed(noise, FS_HZ, KEY)
    np.testing.assert_array_equal(e.marks_s, [0.0, 2.048, 4.096])
    assert e.mark_seconds == 2.048
    after = 3 * MARK + FRAME // 2
    np.testing.assert_array_equal(e.y[after:], noise[after:])
    assert (e.y[3 * MARK - SLOT : 3 * MARK] != noise[3 * MARK - SLOT : 3 * MARK]).all()


def test_wsr_and_nmr_by_definition(music):
    e = embed(music, FS_HZ, KEY)
    assert e.wsr_db == pytest.approx(10 * np.log10(np.sum((e.y - music) ** 2) / np.sum(music**2)), abs=1e-6)
    assert -30 < e.wsr_db < -10
    assert -12 < e.nmr_db < 2


def test_nmr_grows_with_strength_by_less_than_1_db_per_db(music):
    strengths = (-20, -10, 0, 6, 12)
    nmr = [embed(music, FS_HZ, KEY, mode="live", strength_db=s).nmr_db for s in strengths]
    slope = np.diff(nmr) / np.diff(strengths)
    assert (slope > 0.2).all(), slope
    assert (slope < 1.01).all(), slope


# That it is found


@pytest.mark.parametrize("mode", ["informed", "live"])
def test_every_mark_in_music_is_found_by_its_key_alone(music, mode):
    e = embed(music, FS_HZ, KEY, mode=mode)
    found = detect(to_q15(e.y), [KEY, OTHER_KEY]).detections
    assert [d.key for d in found] == [0] * 4
    np.testing.assert_allclose([d.time_s for d in found], e.marks_s, atol=1.5 * HOP / FS_HZ)
    assert min(d.score for d in found) > 7, f"{[d.score for d in found]}: at least 9.7 when written"


@pytest.mark.parametrize("fs_hz", [44100, 48000, 96000])
def test_other_rates_carry_the_same_mark(fs_hz):
    x = synthesise("music", 5.0, fs_hz, seed=1)
    e = embed(x, fs_hz, KEY, mode="live")
    assert e.y.shape == x.shape
    assert len(e.marks_s) == 2
    at_16k = embed(soxr.resample(x, fs_hz, FS_HZ, quality="VHQ"), FS_HZ, KEY, mode="live")
    w = soxr.resample(e.y - x, fs_hz, FS_HZ, quality="VHQ")
    expected = at_16k.y - soxr.resample(x, fs_hz, FS_HZ, quality="VHQ")
    error_db = 10 * np.log10(np.sum((w - expected) ** 2) / np.sum(expected**2))
    assert error_db < MEASURED_RATE_ERROR_DB + 6, f"measured {error_db:.1f} dB"
    spectrum = np.abs(np.fft.rfft((e.y - x) * np.hanning(len(x)))) ** 2
    f_hz = np.fft.rfftfreq(len(x), 1 / fs_hz)
    outside = spectrum[f_hz > 7100].sum() + spectrum[f_hz < 100].sum()
    outside_db = 10 * np.log10(outside / spectrum.sum())
    assert outside_db < MEASURED_OUTSIDE_DB + 3, f"measured {outside_db:.1f} dB"


def test_another_layout(rng):
    # Half the frame, hop and slot: marks of 1.024 s in bands of 15.6 Hz
    config = WatermarkConfig(fft_size=1024, hop=256, band_bins=1)
    x = synthesise("music", 5.0, FS_HZ, seed=2)
    e = embed(x, FS_HZ, KEY, config=config)
    np.testing.assert_allclose(e.marks_s, 1.024 * np.arange(4))
    found = detect(to_q15(e.y), [KEY], config).detections
    np.testing.assert_allclose([d.time_s for d in found], e.marks_s, atol=1.5 * 256 / FS_HZ)


# Channels


def test_equal_channels_get_the_mono_mark(short_music):
    x = short_music
    mono = embed(x, FS_HZ, KEY)
    stereo = embed(np.column_stack([x, x]), FS_HZ, KEY)
    np.testing.assert_array_equal(stereo.y, np.column_stack([mono.y, mono.y]))
    assert embed(x[:, None], FS_HZ, KEY).y.shape == (len(x), 1)


def test_each_channel_is_scaled_and_none_leaks_into_the_other(short_music):
    x = short_music
    e = embed(np.column_stack([x, np.zeros_like(x)]), FS_HZ, KEY)
    assert not e.y[:, 1].any()
    assert e.wsr_db > -30
    louder = embed(np.column_stack([x, x / 4]), FS_HZ, KEY).y
    np.testing.assert_allclose(louder[:, 1], louder[:, 0] / 4, atol=1e-12)


def test_channels_that_cancel_stay_as_they_are(short_music):
    # There is no mean of the channels that could be measured or marked.
    x = np.column_stack([short_music, -short_music])
    e = embed(x, FS_HZ, KEY)
    np.testing.assert_array_equal(e.y, x)
    assert e.wsr_db is None
    assert e.nmr_db is None


# What it never does


@pytest.mark.parametrize("fs_hz", [FS_HZ, 44100])
@pytest.mark.parametrize("kind", ["square", "dc", "noise", "clipped music"])
def test_nothing_clips_that_did_not(kind, fs_hz, rng):
    if kind == "noise":
        x = rng.uniform(-1, 1, 3 * fs_hz)
    elif kind == "clipped music":
        x = np.clip(4 * synthesise("music", 3.0, fs_hz, seed=1), -1, 1)
    else:
        x = synthesise(kind, 3.0, fs_hz)
    y = embed(x, fs_hz, KEY, strength_db=12).y
    assert (np.abs(y) <= np.maximum(CEILING, np.abs(x))).all()
    assert not (saturates(y) & ~saturates(x)).any()
    if kind != "dc":  # which has nothing in the band
        assert (y != x).any()


@pytest.mark.parametrize("fs_hz", [FS_HZ, 44100])
def test_silence_stays_silence(fs_hz):
    e = embed(np.zeros((3 * fs_hz, 2)), fs_hz, KEY)
    assert not e.y.any()
    assert e.wsr_db is None
    assert e.nmr_db is None


def test_digital_silence_around_a_sound_stays_silent_but_for_a_frame(noise):
    x = np.zeros(2 * MARK)
    x[MARK : MARK + SLOT] = noise[:SLOT]
    y = embed(x, FS_HZ, KEY).y
    assert not y[: MARK - FRAME].any()
    assert not y[MARK + SLOT + FRAME :].any()


@pytest.mark.parametrize(
    # The envelope of the limiter reaches 2 ms; a double conversion by soxr VHQ falls to 1e-7 in 10 ms.
    ("fs_hz", "tolerance", "reach_s"),
    [(FS_HZ, 0.0, 0.128 + 0.002), (44100, 1e-7, 0.128 + 0.002 + 0.020)],
)
def test_live_does_not_look_past_its_frame(fs_hz, tolerance, reach_s):
    x = synthesise("music", 5.0, fs_hz, seed=4)
    changed = x.copy()
    at = round(2.3 * fs_hz)
    changed[at:] = synthesise("voice", 5.0, fs_hz, seed=4)[at:]
    before = slice(0, at - round(reach_s * fs_hz))
    live = [embed(s, fs_hz, KEY, mode="live").y for s in (x, changed)]
    assert np.abs(live[0] - live[1])[before].max() <= tolerance
    assert np.abs(live[0] - live[1])[at - round(0.1 * fs_hz) : at].max() > 1e-4  # the frame itself does
    informed = [embed(s, fs_hz, KEY, mode="informed").y for s in (x, changed)]
    assert np.abs(informed[0] - informed[1])[before].max() > 1e-4


def test_the_same_in_gives_the_same_out_and_leaves_the_input_alone(short_music):
    x = short_music.copy()
    first, second = (embed(x, FS_HZ, KEY) for _ in range(2))
    np.testing.assert_array_equal(first.y, second.y)
    np.testing.assert_array_equal(x, short_music)
    assert not np.array_equal(embed(x, FS_HZ, OTHER_KEY).y, first.y)


@pytest.mark.parametrize("fs_hz", [FS_HZ, 44100])
def test_blocks_do_not_show(fs_hz, monkeypatch):
    x = np.column_stack([synthesise("music", 5.0, fs_hz, seed=s) for s in (3, 4)])
    whole = embed(x, fs_hz, KEY)
    monkeypatch.setattr(embedder, "BLOCK_SAMPLES", 3 * SLOT)
    parts = embed(x, fs_hz, KEY)
    error = np.abs(parts.y - whole.y).max()
    assert error <= 1e-12, f"measured {error:.1e}"
    assert parts.nmr_db == pytest.approx(whole.nmr_db, abs=1e-9)


# What it refuses

LONG_ENOUGH = np.zeros(MARK)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"x": np.zeros(MARK - 1)}, AudioError, r"\(32767 samples\) found; a mark needs 2\.048 s \(32768\)"),
        ({"x": np.zeros(FS_HZ)}, AudioError, r"1\.000 s of audio \(16000 samples\) found; a mark needs 2"),
        ({"x": np.zeros(0)}, AudioError, r"shape \(0,\): must be \(n,\)"),
        ({"x": np.zeros((MARK, 3))}, AudioError, r"shape \(32768, 3\)"),
        ({"x": np.zeros(MARK, np.int16)}, AudioError, "dtype int16: must be floating point"),
        ({"x": np.r_[LONG_ENOUGH, np.nan]}, AudioError, "nan found at sample 32768, channel 0"),
        ({"x": np.r_[LONG_ENOUGH, -np.inf]}, AudioError, "-inf found at sample 32768"),
        (
            {"x": np.r_[1.5, LONG_ENOUGH]},
            AudioError,
            r"1\.5 found at sample 0, channel 0: must be in \[-1, 1\]",
        ),
        ({"fs_hz": 8000}, AudioError, "8000 Hz audio found; at least 16000 Hz needed"),
        ({"fs_hz": 44100.0}, ConfigError, r"fs_hz=44100\.0: must be an integer"),
        ({"mode": "blind"}, ConfigError, "mode='blind': must be one of informed, live"),
        ({"strength_db": 12.1}, ConfigError, r"strength_db=12\.1: must be from -20 to 12"),
        ({"strength_db": float("nan")}, ConfigError, "strength_db=nan"),
        ({"strength_db": "2"}, ConfigError, "strength_db='2'"),
        (
            {"config": WatermarkConfig(slot_hops=1)},
            ConfigError,
            r"hop \* slot_hops=512: a slot must have 2048 samples or more to embed bands of 15\.625 Hz",
        ),
    ],
)
def test_bad_arguments_are_named(change, error, says):
    arguments = {"x": LONG_ENOUGH, "fs_hz": FS_HZ, "key": KEY, **change}
    x, fs_hz, key = (arguments.pop(name) for name in ("x", "fs_hz", "key"))
    with pytest.raises(error, match=says) as caught:
        embed(x, fs_hz, key, **arguments)
    assert "\n" not in str(caught.value)


def test_a_mark_of_exactly_the_length_is_enough():
    assert len(embed(LONG_ENOUGH, FS_HZ, KEY).marks_s) == 1


def test_stereo_of_different_channels_is_found_in_the_mean():
    left, right = (synthesise("music", 5.0, FS_HZ, seed=s) for s in (5, 6))
    e = embed(np.column_stack([left, right]), FS_HZ, KEY)
    found = detect(to_q15(to_mono(e.y)), [KEY]).detections
    np.testing.assert_allclose([d.time_s for d in found], e.marks_s, atol=1.5 * HOP / FS_HZ)
