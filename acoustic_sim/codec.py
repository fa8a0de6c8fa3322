"""Lossy codecs on the way to the loudspeaker: MP3, AAC, Opus, SBC by bit rate, through FFmpeg (PyAV)."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import scipy  # its parts are loaded at their first use
import soxr

from acoustic_sim.border.checks import as_signal, require_number
from acoustic_sim.programmes.excitation import synthesise
from fixedpoint.errors import BittrueError, ConfigError

NONE = "none"
CHANNELS = 2  # bit rates are known as those of stereo streams: mp3-128, sbc-345
_PROBE_SECONDS = 2.0
_MOST_EARLY, _MOST_LATE = 64, 8192  # samples; AAC is late by 1024, Opus is early by 2 at low rates


class _Format(NamedTuple):
    """encoder, decoder : names in FFmpeg;  sample : its sample format;  rates_hz : coded as they are, the
    others at the first;  kbps : accepted rates."""

    encoder: str
    decoder: str
    sample: str
    rates_hz: tuple[int, ...]
    kbps: range | tuple[int, ...]


_MP3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # MPEG-1 layer III
_FORMATS = {
    "mp3": _Format("libmp3lame", "mp3float", "fltp", (48000, 44100), _MP3_KBPS),
    "aac": _Format("aac", "aac", "fltp", (48000, 44100), range(16, 321)),
    "opus": _Format("libopus", "libopus", "flt", (48000,), range(6, 511)),
    "sbc": _Format("sbc", "sbc", "s16", (48000, 44100), range(64, 513)),
}


class Codec(NamedTuple):
    """name : "mp3", "aac", "opus" or "sbc";  kbps : of a stereo stream, kbit/s."""

    name: str
    kbps: int

    def __str__(self) -> str:
        return f"{self.name}-{self.kbps}"


class Transcoded(NamedTuple):
    """What comes out of the decoder.

    y : (n,) float64, full scale 1.0, in step with the input, at its rate
    kbps : bits that the stream really took, over its duration
    delay_samples : delay of the codec that was taken away, at the rate of the coding; negative is early
    residual_samples : what the measurement says is left, in samples at the rate of the coding
    """

    y: np.ndarray
    kbps: float
    delay_samples: int
    residual_samples: float


def codec_versions() -> tuple[str, str]:
    """Of PyAV and of FFmpeg's codecs, which decide what a codec gives."""
    av = _pyav()
    return av.__version__, str(av.library_versions.get("libavcodec"))


def available_codecs() -> tuple[str, ...]:
    """Names of the codecs whose encoder and decoder the installed FFmpeg has."""
    return tuple(
        name for name, known in _FORMATS.items() if _has(known.encoder, "w") and _has(known.decoder, "r")
    )


def parse_codec(text: str) -> Codec | None:
    """ "mp3-128" -> Codec("mp3", 128); None of "none".

    Raises
    ------
    ConfigError
        Another word, a codec that the installed FFmpeg lacks, a bit rate that it does not have; no PyAV.
    """
    if text == NONE:
        return None
    name, _, rate = str(text).partition("-")
    available = available_codecs()
    if name not in available:
        known = ", ".join(f"{each}-KBPS" for each in available)
        raise ConfigError(f"codec={text!r}: must be {NONE}, {known}")
    accepted = _FORMATS[name].kbps
    if not rate.isascii() or not rate.isdigit() or int(rate) not in accepted:
        rates = (
            f"{accepted[0]} to {accepted[-1]}"
            if isinstance(accepted, range)
            else ", ".join(map(str, accepted))
        )
        raise ConfigError(f"codec={text!r}: the rate of {name} must be {rates} kbit/s")
    return Codec(name, int(rate))


def transcode(x: np.ndarray, fs_hz: int, codec: Codec) -> Transcoded:
    """Encode and decode in memory, and take the codec's delay away.

    Parameters
    ----------
    x : (n,) float, full scale 1.0
    fs_hz : int, Hz; coded at 48 kHz unless the codec takes this rate (44.1 kHz, but for Opus)
    codec : Codec

    Raises
    ------
    AudioError, ConfigError
        `x` is empty, not one channel, or not finite; a codec that is not there.
    BittrueError
        The encoder gives nothing back.

    Notes
    -----
    Coded as stereo with both channels alike, as a player sends a mono programme to a headset, and the left
    one taken; all but the bit rate is as FFmpeg has it by default. Output beyond full scale is clipped, as a
    DAC would.
    Delay: that of the cross-correlation's peak for 2 s of synthesised music through the same codec at the
    same rate, to a whole sample. Measured on another programme, a voice, what is left is below 0.1 sample for
    MP3, SBC, AAC from 32 kbit/s and Opus from 64; 0.3 for AAC below, whose peak is flat. Opus below 64 kbit/s
    changes with the programme between two coders 2 samples apart: up to 2.4 samples, 0.05 ms, are left.
    """
    x = as_signal("x", x)
    require_number("fs_hz", fs_hz, 8000, 192000, "in [8000, 192000]")
    parse_codec(str(codec))
    rate_hz = fs_hz if fs_hz in _FORMATS[codec.name].rates_hz else _FORMATS[codec.name].rates_hz[0]
    wide = x if rate_hz == fs_hz else soxr.resample(x, fs_hz, rate_hz, "VHQ")
    delay, left = measure_codec_delay(codec, rate_hz)
    decoded, kbps = _round_trip(wide, rate_hz, codec, max(delay, 0))
    y = np.concatenate([np.zeros(max(-delay, 0)), decoded[max(delay, 0) :]])[: len(wide)]
    y = y if rate_hz == fs_hz else soxr.resample(y, rate_hz, fs_hz, "VHQ")
    y = np.clip(np.pad(y[: len(x)], (0, max(len(x) - len(y), 0))), -1.0, 1.0)
    return Transcoded(y, kbps, delay, left)


@lru_cache(maxsize=64)
def measure_codec_delay(codec: Codec, rate_hz: int) -> tuple[int, float]:
    """Whole samples that the decoder is late, and the fraction that is left, by cross-correlation."""
    x = 0.5 * synthesise("music", _PROBE_SECONDS, rate_hz, seed=1)
    y, _ = _round_trip(x, rate_hz, codec, _MOST_LATE)
    first = len(x) - 1 - _MOST_EARLY
    match = scipy.signal.correlate(y, x, method="fft")[first : first + _MOST_EARLY + _MOST_LATE]
    peak = int(np.argmax(match))
    before, top, after = match[peak - 1 : peak + 2]
    # vertex of the parabola through the peak and its neighbours
    return peak - _MOST_EARLY, float(0.5 * (before - after) / (before - 2 * top + after))


def _pyav() -> Any:
    """The module, loaded where a codec is asked for and not before: what goes without one needs it not.

    Raises
    ------
    ConfigError
        It cannot be loaded.
    """
    try:
        import av
    except ModuleNotFoundError as error:
        raise ConfigError("codec: av not installed; pip install av") from error
    except ImportError as error:
        raise ConfigError(f"codec: av cannot be loaded: {error}") from error
    return av


def _has(name: str, mode: str) -> bool:
    av = _pyav()
    with contextlib.suppress(av.error.FFmpegError, ValueError):
        av.Codec(name, mode)
        return True
    return False


def _round_trip(x: np.ndarray, rate_hz: int, codec: Codec, late: int) -> tuple[np.ndarray, float]:
    """At least len(x) + late samples out of the decoder, and the bit rate in kbit/s."""
    av, known = _pyav(), _FORMATS[codec.name]
    encoder: Any = av.CodecContext.create(known.encoder, "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate_hz, "stereo", known.sample
    encoder.bit_rate, encoder.time_base, encoder.thread_count = codec.kbps * 1000, Fraction(1, rate_hz), 1
    decoder: Any = av.CodecContext.create(known.decoder, "r")
    decoder.thread_count = 1
    pieces, bits = [], 0
    try:
        encoder.open()
        for packet in _packets(encoder, np.pad(x, (0, late)), rate_hz):
            if not decoder.is_open:
                decoder.extradata = encoder.extradata
                decoder.sample_rate, decoder.layout = rate_hz, "stereo"
            bits += 8 * packet.size
            pieces += [_left(frame) for frame in decoder.decode(packet)]
        pieces += [_left(frame) for frame in decoder.decode(None)]
    except av.error.FFmpegError as error:
        raise BittrueError(f"codec={str(codec)!r}: FFmpeg fails: {error.strerror}") from error
    y = np.concatenate([*pieces, np.zeros(0)])
    if not y.any() and x.any():
        raise BittrueError(f"codec={str(codec)!r}: silence came back from {known.decoder}")
    y = np.pad(y, (0, max(len(x) + late - len(y), 0)))
    return y, bits / ((len(x) + late) / rate_hz) / 1000


def _packets(encoder: Any, x: np.ndarray, rate_hz: int) -> Iterator[Any]:
    av, size = _pyav(), encoder.frame_size or 1024
    name = encoder.format.name
    x = np.pad(x, (0, -len(x) % size))
    samples = (
        np.clip(np.floor(x * 32768 + 0.5), -32768, 32767).astype(np.int16)
        if name == "s16"
        else x.astype(np.float32)
    )
    for start in range(0, len(samples), size):
        one = samples[start : start + size]
        both: Any = np.tile(one, (CHANNELS, 1)) if name.endswith("p") else np.repeat(one, CHANNELS)[None]
        frame = av.AudioFrame.from_ndarray(both, format=name, layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, encoder.time_base
        yield from encoder.encode(frame)
    yield from encoder.encode(None)


def _left(frame: Any) -> np.ndarray:
    """The first channel, (n,) float64."""
    values = frame.to_ndarray()
    left = values[0] if frame.format.is_planar else values.reshape(-1, CHANNELS)[:, 0]
    return left / 32768.0 if left.dtype == np.int16 else left.astype(np.float64)
