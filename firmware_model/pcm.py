"""Audio files at the border: WAV and FLAC in and out, float64 inside, Q1.15 towards the firmware.

Firmware sees int16; files hold 8 to 32 bits, integer or float, at any rate. A 16-bit file at the right rate
passes through bit for bit, in both directions.
"""

import io
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from acoustic_sim.sound_files.opened import STDIO, open_sound
from acoustic_sim.sound_files.samples import SoundError
from fixedpoint.errors import AudioError, ConfigError
from fixedpoint.qformat import Q15, Q31
from fixedpoint.remarks import remark

MAX_CHANNELS = 2
MIN_FS_HZ, MAX_FS_HZ = 2_000, 655_350  # FLAC holds no higher rate
MAX_GAIN_DB = 200.0  # float32 holds 770 dB above full scale; no recording does

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


class AudioFile:
    """An open sound file, read in order; every sample is checked.

    Attributes
    ----------
    fs_hz, channels, frames, subtype : of the file
    """

    def __init__(self, name: str, sound: soundfile.SoundFile, gain_db: float) -> None:
        self._name, self._sound, self._gain = name, sound, 10.0 ** (gain_db / 20)
        self.fs_hz, self.channels, self.frames = sound.samplerate, sound.channels, sound.frames
        self.subtype = sound.subtype
        self._found = 0

    def read(self, frames: int) -> NDArray[np.float64]:
        """The next samples: (n, channels) float64 in [-1, 1], n < `frames` at the end of the file, then 0.

        Raises
        ------
        AudioError
            Damaged, or fewer samples than the header says; NaN or infinite; beyond 1.0 after the gain.
        """
        try:
            x = self._sound.read(frames, dtype="float64", always_2d=True)
        except MemoryError as error:
            raise AudioError(f"{self._name}: too long for this machine's memory") from error
        except ValueError as error:  # NumPy's, of more samples than any memory holds
            raise AudioError(f"{self._name}: {self.frames} frames declared; none holds as many") from error
        if len(x):
            require_finite(self._name, x, self._found)
            if self._gain != 1.0:
                x *= self._gain
            if (peak := _peak(x)) > 1.0:
                raise self._too_loud(peak)
        self._found += len(x)
        if len(x) < frames and self._found != self.frames:
            raise AudioError(f"{self._name}: cut short: {self._found} of {self.frames} frames found")
        return x

    def _too_loud(self, peak: float) -> AudioError:
        """Of the whole file, so that the gain that is offered fits it."""
        while len(x := self._sound.read(_BLOCK_FRAMES, dtype="float64", always_2d=True)):
            peak = max(peak, _peak(np.nan_to_num(x)) * self._gain)
        over_db = 20 * np.log10(peak)
        fits_db = np.floor((20 * np.log10(self._gain) - over_db) * 100) / 100
        return AudioError(
            f"{self._name}: peak {peak:.8g} ({over_db:+.2f} dBFS) found; at most 1.0 (0 dBFS) accepted; "
            f"a gain of {fits_db:.2f} dB fits (--gain {fits_db:.2f})"
        )


@contextmanager
def open_audio(
    path: str | os.PathLike[str], *, fs_hz: int | None = None, resample: bool = False, gain_db: float = 0.0
) -> Iterator[AudioFile]:
    """A WAV or FLAC file, a pipe, or "-" for standard input, to be read in frames.

    Parameters
    ----------
    fs_hz : wanted sample rate; None takes the file's own
    resample : whether the caller converts another rate than `fs_hz`
    gain_db : float in [-200, 200]; of the samples, before they are held to full scale

    Raises
    ------
    AudioError
        Here or while it is read: as `read_audio`.
    ConfigError
        `fs_hz` or `gain_db` out of range.
    """
    name = os.fspath(path)
    if fs_hz is not None:
        _check_rate(fs_hz)
    if not -MAX_GAIN_DB <= gain_db <= MAX_GAIN_DB:
        raise ConfigError(f"gain_db={gain_db!r}: must be in [-{MAX_GAIN_DB:g}, {MAX_GAIN_DB:g}]")
    try:
        with open_sound(name, lambda says: remark(f"{name}: {says}")) as sound:
            check_header(name, sound, fs_hz, resample)
            yield AudioFile(name, sound, gain_db)
    except SoundError as error:
        raise AudioError(f"{name}: {error}") from error


def read_audio(
    path: str | os.PathLike[str], *, fs_hz: int | None = None, resample: bool = False, gain_db: float = 0.0
) -> Audio:
    """Read a WAV or FLAC file of any sample format, or standard input.

    Parameters
    ----------
    path : file, pipe, or "-" for standard input; what it holds decides, not its name
    fs_hz : wanted sample rate; None takes the file's own
    resample : allow conversion to `fs_hz` (soxr, VHQ: 28 bit); resampled overshoots are clipped and counted
    gain_db : float in [-200, 200]; of the samples, before they are held to full scale

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
    with open_audio(name, fs_hz=fs_hz, resample=resample, gain_db=gain_db) as file:
        native_hz, subtype = file.fs_hz, file.subtype
        x = file.read(file.frames)
    clipped = 0
    if fs_hz is not None and fs_hz != native_hz:
        x, clipped = _resample(name, x, native_hz, fs_hz)
        native_hz = fs_hz
    return Audio(x, native_hz, name, subtype, clipped)


def _check_rate(fs_hz: int) -> None:
    if not isinstance(fs_hz, (int, np.integer)) or not MIN_FS_HZ <= fs_hz <= MAX_FS_HZ:
        raise ConfigError(f"fs_hz={fs_hz!r}: must be an integer in [{MIN_FS_HZ}, {MAX_FS_HZ}]")


def check_header(name: str, sound: soundfile.SoundFile, fs_hz: int | None, resample: bool) -> None:
    """Refuse, before any sample is decoded, what the header already shows."""
    if sound.channels > MAX_CHANNELS:
        raise AudioError(f"{name}: {sound.channels} channels found; mono or stereo needed")
    if not MIN_FS_HZ <= sound.samplerate <= MAX_FS_HZ:
        raise AudioError(f"{name}: {sound.samplerate} Hz found; {MIN_FS_HZ} to {MAX_FS_HZ} Hz accepted")
    if fs_hz is not None and sound.samplerate != fs_hz and not resample:
        raise AudioError(f"{name}: {sound.samplerate} Hz found, {fs_hz} Hz needed; add --resample")
    if sound.frames == 0:
        raise AudioError(f"{name}: no samples found; at least 1 needed")


def require_finite(name: str, x: NDArray[np.float64], first: int = 0) -> None:
    """Refuse NaN and infinities; min and max carry both, without a copy."""
    if not (np.isfinite(x.min()) and np.isfinite(x.max())):
        index = np.argwhere(~np.isfinite(x))[0]
        channel = f", channel {index[1]}" if x.ndim == 2 else ""
        found = x[tuple(index)]
        raise AudioError(
            f"{name}: {found} found at sample {first + index[0]}{channel}; finite samples needed"
        )


def _peak(x: NDArray[np.float64]) -> float:
    return float(max(-x.min(), x.max()))


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
    _check_rate(fs_hz)
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
