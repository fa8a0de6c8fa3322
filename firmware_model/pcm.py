"""Audio files at the border: WAV and FLAC in and out, float64 inside, Q1.15 towards the firmware.

Firmware sees int16; files hold 8 to 32 bits, integer or float, at any rate. A 16-bit file at the right rate
passes through bit for bit, in both directions.
"""

import io
import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from acoustic_sim.sound_files.opened import STDIO
from firmware_model.pcm_file import MAX_CHANNELS, check_rate, open_audio, require_finite
from fixedpoint.errors import AudioError
from fixedpoint.qformat import Q15, Q31

_WRITE_FORMATS = {".wav": "WAV", ".flac": "FLAC"}
_INTEGER_BITS = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_WRITE_SUBTYPES = {
    "WAV": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
    "FLAC": ("PCM_S8", "PCM_16", "PCM_24"),
}
_BLOCK_FRAMES = 1 << 16  # frames quantised at a time: an hour needs no further float copy


class Audio(NamedTuple):
    """Decoded audio.

    samples : (n, channels) float64 in [-1, 1], n >= 1, 1 or 2 channels; b-bit PCM x is x / 2^(b-1), exactly
    fs_hz : sample rate, after resampling if there was any
    path : where it came from, for messages
    subtype : how the file held it, in libsndfile's words ("PCM_16"); `write_audio` takes it back
    clipped : samples that the resampler pushed past full scale, now at -1 or 1
    """

    samples: NDArray[np.float64]
    fs_hz: int
    path: str
    subtype: str
    clipped: int = 0


def read_audio(
    path: str | os.PathLike[str],
    *,
    fs_hz: int | None = None,
    resample: bool = False,
    gain_db: float | None = None,
    mixed: bool = False,
) -> Audio:
    """Read a WAV or FLAC file of any sample format, or standard input.

    Parameters
    ----------
    path : file, pipe, or "-" for standard input; what it holds decides, not its name
    fs_hz : wanted sample rate; None takes the file's own
    resample : allow conversion to `fs_hz` (soxr, VHQ: 28 bit); resampled overshoots are clipped and counted
    gain_db : see `open_audio`
    mixed : whether the caller takes the mean of the channels, which must not cancel each other

    Raises
    ------
    AudioError
        Unreadable, not WAV or FLAC, damaged or cut short, a length that the file contradicts (see
        `acoustic_sim.sound_files`), no samples, more than 2 channels, a rate other than `fs_hz` without
        `resample`, NaN or infinite samples, float samples beyond 1.0 (1.0 is accepted).
    ConfigError
        `fs_hz` outside [2000, 655350]; `gain_db` out of range.
    """
    name = os.fspath(path)
    with open_audio(name, fs_hz=fs_hz, resample=resample, gain_db=gain_db, mixed=mixed) as file:
        native_hz, subtype = file.fs_hz, file.subtype
        x = file.read(file.frames)
    clipped = 0
    if fs_hz is not None and fs_hz != native_hz:
        x, clipped = _resample(name, x, native_hz, fs_hz)
        native_hz = fs_hz
    return Audio(x, native_hz, name, subtype, clipped)


def _resample(name: str, x: NDArray[np.float64], from_hz: int, to_hz: int) -> tuple[NDArray[np.float64], int]:
    """Convert the rate; a band-limited step overshoots, so count and clip as a converter would."""
    y = soxr.resample(x, from_hz, to_hz, quality="VHQ")
    if len(y) == 0:
        raise AudioError(f"{name}: {len(x)} frames at {from_hz} Hz found; too short for {to_hz} Hz")
    clipped = int(np.count_nonzero(np.abs(y) > 1.0))
    return np.clip(y, -1.0, 1.0, out=y), clipped


def to_mono(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the channels: (n, channels) or (n,) -> (n,); equal channels come back as they were, exactly."""
    if samples.ndim == 1:
        return samples
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)


def to_q15(samples: NDArray[np.float64]) -> NDArray[np.int16]:
    """Q1.15 of samples in [-1, 1]: RND, SAT; +1.0 becomes 32767. What came from 16 bits comes back the same.

    Parameters
    ----------
    samples : (n,) or (n, channels) float64

    Raises
    ------
    AudioError
        A sample is NaN or infinite.
    """
    y_q15 = np.empty(samples.shape, np.int16)
    for start in range(0, len(samples), _BLOCK_FRAMES):
        block = samples[start : start + _BLOCK_FRAMES]
        require_finite("samples", block, start)
        y_q15[start : start + _BLOCK_FRAMES] = Q15.quantise(block)
    return y_q15


def write_audio(
    path: str | os.PathLike[str], samples: NDArray[Any], fs_hz: int, subtype: str = "PCM_16"
) -> int:
    """Write a WAV or FLAC file, by suffix; an existing file is replaced whole, or left as it was.

    Parameters
    ----------
    path : name that ends in .wav or .flac, or "-" for standard output as WAV
    samples : (n,) or (n, channels), n >= 1, channels 1 or 2; float in [-1, 1], or int16 in Q1.15
    fs_hz : int in [2000, 655350]
    subtype : sample format, libsndfile's name ("PCM_16", an `Audio.subtype`); 8 bits are PCM_U8 in WAV and
        PCM_S8 in FLAC, and either name serves for both

    Returns
    -------
    number of samples that saturated: beyond [-1, 1 - 2^(1-bits)], or beyond [-1, 1] in a float format

    Raises
    ------
    AudioError
        Another suffix, a sample format that the file format cannot hold, samples of another kind, a folder
        that is missing or cannot be written, a full disk.
    ConfigError
        `fs_hz` outside its range.

    Notes
    -----
    Integer formats: RND, SAT. libsndfile's own conversion from float scales by 2^(b-1) - 1 and would change
    every sample of a file that only passes through; hence the integers are made here.
    """
    name = os.fspath(path)
    file_format, subtype = _file_format(name, subtype)
    check_rate(fs_hz)
    samples = _checked_for_writing(name, samples)
    encoded, saturated = _encode(name, samples, fs_hz, file_format, subtype)
    try:
        if name == STDIO:
            if sys.stdout is None:
                raise AudioError(f"{name}: cannot be written: standard output is closed")
            sys.stdout.buffer.write(encoded.getbuffer())
            sys.stdout.buffer.flush()
        else:
            # Through a symbolic link, as any writer would.
            replace_file(Path(name).resolve(), encoded.getbuffer())
    except OSError as error:
        raise AudioError(f"{name}: cannot be written: {error.strerror or error}") from error
    return saturated


def _file_format(name: str, subtype: str) -> tuple[str, str]:
    """File format by suffix, and the subtype by the name it has there."""
    suffix = ".wav" if name == STDIO else Path(name).suffix.lower()
    if suffix not in _WRITE_FORMATS:
        raise AudioError(f"{name}: suffix {suffix!r} found; .wav or .flac needed")
    file_format = _WRITE_FORMATS[suffix]
    accepted = _WRITE_SUBTYPES[file_format]
    if subtype in ("PCM_U8", "PCM_S8"):
        subtype = accepted[0]
    if subtype not in accepted:
        raise AudioError(f"{name}: sample format {subtype} found; {file_format} takes {', '.join(accepted)}")
    return file_format, subtype


def _checked_for_writing(name: str, samples: NDArray[Any]) -> NDArray[Any]:
    """(n, channels) of int16 or finite float64."""
    x = np.asarray(samples)
    if x.dtype != np.int16 and x.dtype.kind != "f":
        raise AudioError(f"{name}: samples of dtype {x.dtype}; float in [-1, 1] or int16 needed")
    if x.ndim == 1:
        x = x[:, np.newaxis]
    if x.ndim != 2 or x.shape[0] == 0 or not 1 <= x.shape[1] <= MAX_CHANNELS:
        raise AudioError(f"{name}: samples of shape {np.shape(samples)}; (n,) or (n, 1 or 2), n >= 1, needed")
    if x.dtype.kind == "f":
        require_finite(name, x)
    return x


def _encode(
    name: str, samples: NDArray[Any], fs_hz: int, file_format: str, subtype: str
) -> tuple[io.BytesIO, int]:
    """The file's bytes, made in memory: what fails here has touched no file."""
    buffer, saturated = io.BytesIO(), 0
    try:
        with soundfile.SoundFile(buffer, "w", fs_hz, samples.shape[1], subtype, format=file_format) as sound:
            for start in range(0, len(samples), _BLOCK_FRAMES):
                block = samples[start : start + _BLOCK_FRAMES]
                x = Q15.to_float(block) if block.dtype == np.int16 else block.astype(np.float64)
                y, count = _to_file_samples(x, subtype)
                sound.write(y)
                saturated += count
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{name}: cannot be encoded as {file_format} {subtype}: {error}") from error
    if file_format == "WAV" and subtype in ("FLOAT", "DOUBLE"):
        _clear_time_stamp(buffer)
    return buffer, saturated


def _to_file_samples(x: NDArray[np.float64], subtype: str) -> tuple[NDArray[Any], int]:
    """Samples as libsndfile stores them without a further change, and how many saturated."""
    if subtype not in _INTEGER_BITS:
        return np.clip(x, -1.0, 1.0), int(np.count_nonzero(np.abs(x) > 1.0))
    frac_bits = _INTEGER_BITS[subtype] - 1
    scaled = np.floor(np.ldexp(x, frac_bits) + 0.5)  # RND to the bits of the file
    limit = 1 << frac_bits
    saturated = int(np.count_nonzero((scaled < -limit) | (scaled >= limit)))
    # libsndfile takes the top bits of an int32; those of Q31's largest value are the file's largest value.
    return Q31.quantise(np.ldexp(scaled, -frac_bits)), saturated


def _clear_time_stamp(buffer: io.BytesIO) -> None:
    """Zero the time in the PEAK chunk of a float WAV: the same samples give the same bytes."""
    view = buffer.getbuffer()
    at = bytes(view[:128]).find(b"PEAK")
    if at >= 0:
        view[at + 12 : at + 16] = bytes(4)  # after the chunk's name, length and version


def replace_file(path: Path, content: bytes | memoryview) -> None:
    """Write beside and rename, keeping the mode; on failure, an interrupt too, nothing is left behind.

    A device or a pipe is written to: a rename would put a file in its place.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    beside = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(beside, "xb") as file:
            file.write(content)
        if path.exists():
            shutil.copymode(path, beside)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
