"""Checks at the package's borders: one clear line each, naming argument, value found and what is accepted."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
import soxr

from acoustic_sim.sound_files.mixing import Mixing
from acoustic_sim.sound_files.opened import MORE_FORMATS, open_sound
from acoustic_sim.sound_files.samples import SoundError
from fixedpoint.errors import AudioError, ConfigError
from fixedpoint.remarks import remark


def require_number(name: str, value: object, low: float, high: float, accepted: str) -> None:
    """Raise ConfigError unless `value` is a finite real number (no bool) in [low, high]."""
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not low <= float(value) <= high:  # type: ignore[arg-type]  # NaN is in no range
        raise ConfigError(f"{name}={value!r}: must be {accepted}")


def require_integer(name: str, value: object, low: int, high: int) -> None:
    """Raise ConfigError unless `value` is an integer (no bool) in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ConfigError(f"{name}={value!r}: must be an integer in [{low}, {high}]")


def require_instance(name: str, value: object, *kinds: type) -> None:
    """Raise ConfigError unless `value` is an instance of one of `kinds`."""
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ConfigError(f"{name}={value!r}: must be a {wanted}")


def as_signal(name: str, x: object) -> np.ndarray:
    """`x` as (n,) float64, n >= 1; integer PCM is refused, since its scale is not known here.

    Raises
    ------
    AudioError
        Not one channel of real floating-point samples, empty, or not finite.
    """
    a = np.asarray(x)
    if a.dtype.kind != "f":
        raise AudioError(f"{name} of dtype {a.dtype}: must be floating point, full scale 1.0")
    if a.ndim != 1 or a.size == 0:
        raise AudioError(f"{name} of shape {a.shape}: must be one channel (n,) with n >= 1")
    a = a.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(a))
    if bad.size:
        raise AudioError(f"{name}[{bad[0]}]={a[bad[0]]} ({bad.size} of {a.size}): samples must be finite")
    return a


@contextmanager
def open_file(name: str, path: str | os.PathLike[str]) -> Iterator[soundfile.SoundFile]:
    """A sound file, held to its header; `name` is the argument to blame.

    Raises
    ------
    AudioError
        Here or while it is read: no such file, no sound, damaged, a length that the file contradicts.
    """
    blamed = f"{name}={str(path)!r}"
    if not Path(path).is_file():
        raise AudioError(f"{blamed}: no such file; a WAV or FLAC file is needed")
    try:
        with open_sound(path, lambda says: remark(f"{path}: {says}"), MORE_FORMATS) as sound:
            yield sound
    except SoundError as error:
        raise AudioError(f"{blamed}: {error}") from error


def read_mono(name: str, path: str | os.PathLike[str], fs_hz: float, *, mix: bool = False) -> np.ndarray:
    """A sound file as (n,) float64 at `fs_hz` (soxr VHQ); `name` is the argument to blame.

    mix : take the mean of several channels, which are refused otherwise
    """
    with open_file(name, path) as sound:
        x, file_fs_hz = sound.read(dtype="float64", always_2d=True), sound.samplerate
        if len(x) != sound.frames:
            raise SoundError(f"cut short: {len(x)} of {sound.frames} frames found")
        if mix:
            mixing = Mixing()
            mixing.add(x)
            mixing.check(lambda says: remark(f"{path}: {says}"))
    if x.shape[1] != 1 and not mix:
        raise AudioError(f"{name}={str(path)!r}: {x.shape[1]} channels found, 1 needed")
    y = as_signal(name, x.mean(axis=1))
    return y if file_fs_hz == fs_hz else soxr.resample(y, file_fs_hz, fs_hz, "VHQ")
