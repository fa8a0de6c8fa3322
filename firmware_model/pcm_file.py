"""Open audio files: WAV and FLAC, held to their headers, every sample checked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from acoustic_sim.sound_files.mixing import Mixing
from acoustic_sim.sound_files.opened import open_sound
from acoustic_sim.sound_files.samples import SoundError
from fixedpoint.errors import AudioError, ConfigError
from fixedpoint.remarks import remark

MAX_CHANNELS = 2
MIN_FS_HZ, MAX_FS_HZ = 2_000, 655_350  # FLAC holds no higher rate
MAX_GAIN_DB = 200.0  # float32 holds 770 dB above full scale; no recording does

_BLOCK_FRAMES = 1 << 16
_input_gain_db: ContextVar[float] = ContextVar("input_gain_db", default=0.0)


@contextmanager
def input_gain(gain_db: float) -> Iterator[None]:
    """Within it, audio is opened with this gain where none is given: that of a command's inputs.

    Raises
    ------
    ConfigError
        Out of [-200, 200].
    """
    _check_gain(gain_db)
    before = _input_gain_db.set(gain_db)
    try:
        yield
    finally:
        _input_gain_db.reset(before)


def _check_gain(gain_db: float) -> None:
    if not -MAX_GAIN_DB <= gain_db <= MAX_GAIN_DB:
        raise ConfigError(f"gain_db={gain_db!r}: must be in [-{MAX_GAIN_DB:g}, {MAX_GAIN_DB:g}]")


class AudioFile:
    """An open sound file, read in order; every sample is checked.

    Attributes
    ----------
    fs_hz, channels, frames, subtype : of the file
    """

    def __init__(self, name: str, sound: soundfile.SoundFile, gain_db: float, mixed: bool) -> None:
        self._name, self._sound, self._gain = name, sound, 10.0 ** (gain_db / 20)
        self._mixing = Mixing() if mixed else None
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
            if self._mixing is not None:
                self._mixing.add(x)
        self._found += len(x)
        if len(x) < frames and self._found != self.frames:
            raise AudioError(f"{self._name}: cut short: {self._found} of {self.frames} frames found")
        if self._found == self.frames and self._mixing is not None:
            self._mixing.check(lambda says: remark(f"{self._name}: {says}"))
        return x

    def rewind(self) -> None:
        """Back to the first sample."""
        self._sound.seek(0)
        self._found = 0
        self._mixing = None if self._mixing is None else Mixing()

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
def open_pcm(path: str | os.PathLike[str]) -> Iterator[soundfile.SoundFile]:
    """A WAV or FLAC file, held to its header, for who reads its integers.

    Raises
    ------
    AudioError
        Here or within: unreadable, not WAV or FLAC, damaged, a length that the file contradicts.
    """
    name = os.fspath(path)
    try:
        with open_sound(name, lambda says: remark(f"{name}: {says}")) as sound:
            yield sound
    except SoundError as error:
        raise AudioError(f"{name}: {error}") from error


@contextmanager
def open_audio(
    path: str | os.PathLike[str],
    *,
    fs_hz: int | None = None,
    resample: bool = False,
    gain_db: float | None = None,
    mixed: bool = False,
) -> Iterator[AudioFile]:
    """A WAV or FLAC file, a pipe, or "-" for standard input, to be read in frames.

    Parameters
    ----------
    fs_hz : wanted sample rate; None takes the file's own
    resample : whether the caller converts another rate than `fs_hz`
    gain_db : float in [-200, 200]; of the samples, before they are held to full scale; None: see `input_gain`
    mixed : whether the caller takes the mean of the channels, which must not cancel each other

    Raises
    ------
    AudioError
        Here or while it is read: as `read_audio`.
    ConfigError
        `fs_hz` or `gain_db` out of range.
    """
    name = os.fspath(path)
    if fs_hz is not None:
        check_rate(fs_hz)
    gain_db = _input_gain_db.get() if gain_db is None else gain_db
    _check_gain(gain_db)
    with open_pcm(name) as sound:
        check_header(name, sound, fs_hz, resample)
        yield AudioFile(name, sound, gain_db, mixed)


def check_rate(fs_hz: int) -> None:
    """Raise ConfigError for a rate that files do not have."""
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
