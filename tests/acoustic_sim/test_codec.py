"""Codecs: what is accepted, that what comes back is in step, and what rate it took."""

import sys

import numpy as np
import pytest
from scipy import signal

from acoustic_sim import codec
from acoustic_sim.codec import (
    Codec,
    available_codecs,
    codec_versions,
    measure_codec_delay,
    parse_codec,
    transcode,
)
from acoustic_sim.programmes.excitation import synthesise
from fixedpoint.errors import AudioError, BittrueError, ConfigError

FS_HZ = 48000
VOICE = 0.5 * synthesise("voice", 3.0, FS_HZ, seed=2)


def lag(x, y):
    """Samples by which y is late, with a fraction: vertex of the parabola over the correlation's peak."""
    match = signal.correlate(y, x, method="fft")
    peak = int(np.argmax(match))
    before, top, after = match[peak - 1 : peak + 2]
    return peak - (len(x) - 1) + 0.5 * (before - after) / (before - 2 * top + after)


def snr_db(x, y):
    return 10 * np.log10(x @ x / ((y - x) @ (y - x)))


def test_names_and_rates():
    assert parse_codec("none") is None
    assert parse_codec("mp3-128") == Codec("mp3", 128)
    assert str(Codec("sbc", 345)) == "sbc-345"
    assert available_codecs() == ("mp3", "aac", "opus", "sbc")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("vorbis-96", "codec='vorbis-96': must be none, mp3-KBPS, aac-KBPS, opus-KBPS, sbc-KBPS"),
        (
            "mp3",
            "the rate of mp3 must be 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 kbit/s",
        ),
        ("mp3-100", "the rate of mp3 must be 32, 40"),
        ("aac-8", "the rate of aac must be 16 to 320 kbit/s"),
        ("opus-1000", "the rate of opus must be 6 to 510 kbit/s"),
        ("sbc-2O0", "the rate of sbc must be 64 to 512 kbit/s"),
        ("sbc-³²⁸", "the rate of sbc must be 64 to 512 kbit/s"),
        ("", "must be none, mp3-KBPS"),
    ],
)
def test_what_is_not_a_codec_is_named_with_what_is(text, says):
    with pytest.raises(ConfigError, match=r"^codec=") as error:
        parse_codec(text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_codec_that_this_ffmpeg_lacks_is_refused_with_those_it_has(monkeypatch):
    monkeypatch.setitem(codec._FORMATS, "mp3", codec._FORMATS["mp3"]._replace(encoder="liblc3"))
    with pytest.raises(ConfigError, match="must be none, aac-KBPS, opus-KBPS, sbc-KBPS"):
        parse_codec("mp3-128")
    with pytest.raises(ConfigError, match="must be none, aac-KBPS"):
        transcode(VOICE, FS_HZ, Codec("mp3", 128))


def test_without_pyav_a_codec_is_refused_and_no_codec_is_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    assert parse_codec("none") is None
    for asked in (lambda: parse_codec("mp3-128"), available_codecs, codec_versions):
        with pytest.raises(ConfigError, match=r"^codec: av not installed; pip install av$"):
            asked()


# Largest lag over 48, 44.1 and 16 kHz as measured, samples, and SNR at 48 kHz, dB.
MEASURED = {
    "mp3-32": (0.027, 17.0),
    "mp3-128": (0.002, 25.5),
    "aac-16": (0.276, 6.1),
    "aac-96": (0.004, 28.0),
    "opus-6": (1.235, 8.1),
    "opus-32": (2.165, 12.5),
    "opus-96": (0.033, 25.2),
    "sbc-64": (0.018, 16.3),
    "sbc-345": (0.0005, 43.2),
    "sbc-450": (0.0005, 61.3),
}


@pytest.mark.parametrize("fs_hz", [48000, 44100, 16000])
@pytest.mark.parametrize("text", MEASURED)
def test_a_voice_comes_back_in_step_and_as_long(text, fs_hz):
    late, _ = MEASURED[text]
    x = VOICE if fs_hz == FS_HZ else 0.5 * synthesise("voice", 3.0, fs_hz, seed=2)
    y = transcode(x, fs_hz, parse_codec(text)).y
    assert y.shape == x.shape
    assert abs(lag(x, y)) <= 2 * late, f"{lag(x, y):.4f} samples late, {late} at most when written"


@pytest.mark.parametrize("text", MEASURED)
def test_quality_and_rate_are_those_of_the_codec(text):
    _, least_db = MEASURED[text]
    wanted = parse_codec(text)
    done = transcode(VOICE, FS_HZ, wanted)
    assert snr_db(VOICE, done.y) >= least_db - 3
    assert done.kbps == pytest.approx(wanted.kbps, rel=0.3), f"{done.kbps:.1f} kbit/s; Opus and AAC vary"


@pytest.mark.parametrize("text", MEASURED)
def test_the_probe_finds_less_than_half_a_sample_left(text):
    delay, left = measure_codec_delay(parse_codec(text), FS_HZ)
    assert abs(left) <= 0.5
    assert delay in {"mp3": (0,), "aac": (1024,), "opus": (0, 3), "sbc": (73, 37)}[text.partition("-")[0]]


def test_a_delay_of_either_sign_is_taken_away(monkeypatch):
    """A decoder that drops the first two samples, one that prepends three."""
    plain = codec._round_trip

    def moved(by):
        def round_trip(x, rate_hz, wanted, late):
            y, kbps = plain(x, rate_hz, wanted, late)
            return np.concatenate([np.zeros(max(by, 0)), y[max(-by, 0) :]]), kbps

        return round_trip

    for by in (-2, 3):
        measure_codec_delay.cache_clear()
        monkeypatch.setattr(codec, "_round_trip", moved(by))
        done = transcode(VOICE, FS_HZ, Codec("mp3", 128))
        assert done.delay_samples == by
        assert abs(lag(VOICE, done.y)) <= 0.004
        assert done.y.shape == VOICE.shape
    measure_codec_delay.cache_clear()


def test_same_bits_every_time_and_no_state_from_one_to_the_next():
    wanted = Codec("aac", 64)
    first = transcode(VOICE, FS_HZ, wanted).y
    transcode(-VOICE[::-1], FS_HZ, wanted)
    assert np.array_equal(first, transcode(VOICE, FS_HZ, wanted).y)


@pytest.mark.parametrize("name", ["mp3", "aac", "opus", "sbc"])
def test_short_silent_and_loud_programmes(name):
    wanted = Codec(name, 128)
    assert transcode(np.array([0.5]), FS_HZ, wanted).y.shape == (1,)
    assert np.abs(transcode(np.zeros(5000), FS_HZ, wanted).y).max() <= 2.0**-15
    square = np.where(np.arange(5000) // 40 % 2, 1.0, -1.0)
    loud = transcode(square, FS_HZ, wanted).y
    assert 0.9 <= np.abs(loud).max() <= 1.0, "the decoder's overshoot is clipped"


@pytest.mark.parametrize("wrong", [{"sample": "flt"}, {"decoder": "flac"}])
def test_what_ffmpeg_refuses_is_one_line(monkeypatch, wrong):
    """A sample format that the encoder does not take; a decoder of another codec."""
    monkeypatch.setitem(codec._FORMATS, "sbc", codec._FORMATS["sbc"]._replace(**wrong))
    measure_codec_delay.cache_clear()
    with pytest.raises(BittrueError, match=r"^codec='sbc-128': ") as error:
        transcode(VOICE, FS_HZ, Codec("sbc", 128))
    assert "\n" not in str(error.value)


def test_bad_samples_are_named():
    with pytest.raises(AudioError, match=r"x\[0\]=nan"):
        transcode(np.array([np.nan]), FS_HZ, Codec("mp3", 128))
