"""What is played: an excerpt of a synthesised programme or of a sound file, drawn by a seed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy

from acoustic_sim.border.array_store import cached, content_key, source_key
from acoustic_sim.border.checks import open_file, read_mono, require_number
from acoustic_sim.programmes import excitation, synth_music, synth_voice
from acoustic_sim.programmes.excitation import KINDS, MAX_SECONDS, synthesise
from fixedpoint.errors import AudioError, ConfigError

SYNTHESIS_FS_HZ = 48000  # what players and codecs run at


class Extent(NamedTuple):
    """How much of a programme is played: samples at fs_hz, Hz."""

    fs_hz: int
    samples: int


def extent(programme: str, seconds: float) -> Extent:
    """That of an excerpt, by the header of a file.

    Raises
    ------
    AudioError
        A file that cannot be read.
    """
    fs_hz = SYNTHESIS_FS_HZ if programme in KINDS else rate_of(programme)
    return Extent(fs_hz, max(1, round(seconds * fs_hz)))


def excerpt(programme: str, seconds: float, seed: int) -> tuple[np.ndarray, int]:
    """An excerpt, one channel.

    Parameters
    ----------
    programme : one of `excitation.KINDS`, synthesised once for all processes, or a sound file, whose channels
        are averaged; it is played from a place drawn by the seed, and from its start again after its end
    seconds : float in [1e-5, 3600]
    seed : int >= 0

    Returns
    -------
    x : (n,) float64, full scale 1.0;  fs_hz : int, the file's own rate, or 48000

    Raises
    ------
    AudioError, ConfigError
        A file that cannot be read; an argument out of range.
    """
    require_number("seconds", seconds, 1e-5, MAX_SECONDS, f"in [1e-5, {MAX_SECONDS}]")
    if programme in KINDS:
        return _synthesised(programme, seconds, seed), SYNTHESIS_FS_HZ
    fs_hz, n = extent(programme, seconds)
    x = _read(programme, fs_hz)
    # a file that is long enough is not played across its end
    places = len(x) - n + 1 if len(x) >= n else len(x)
    first = int(np.random.default_rng(seed).integers(places))
    return np.take(x, np.arange(first, first + n), mode="wrap"), fs_hz


def excerpt_key(programme: str, seconds: float, seed: int) -> str:
    """What decides an excerpt's samples, 64 hex digits: a file counts by its content.

    Raises
    ------
    AudioError
        A file that cannot be read.
    """
    if programme in KINDS:
        facts: tuple[object, ...] = (
            programme,
            SYNTHESIS_FS_HZ,
            source_key(excitation, synth_music, synth_voice),
            np.__version__,
            scipy.__version__,
        )
    else:
        try:
            facts = (_content_of(programme, Path(programme).stat().st_mtime_ns),)
        except OSError as error:
            raise _unreadable(programme) from error
    return content_key("excerpt", float(seconds), seed, *facts)


@contextmanager
def blamed(programme: str) -> Iterator[None]:
    """Errors within that name nothing, or a rate, are said of the programme.

    Raises
    ------
    AudioError, ConfigError
    """
    try:
        yield
    except (AudioError, ConfigError) as error:
        line, of_a_rate = re.subn(r"^fs_hz=(\d+)", r"\1 Hz", str(error))
        if not of_a_rate and (isinstance(error, ConfigError) or re.match(r"\w+=", line)):
            raise
        raise AudioError(f"programme={programme!r}: {line}") from error


def _synthesised(kind: str, seconds: float, seed: int) -> np.ndarray:
    """Reading it takes a thirtieth of the time that music takes to synthesise."""

    def build() -> dict[str, np.ndarray]:
        return {"x": synthesise(kind, seconds, SYNTHESIS_FS_HZ, seed)}

    return cached("excerpt", excerpt_key(kind, seconds, seed), build)["x"]


def _read(path: str, fs_hz: int) -> np.ndarray:
    with blamed(path):
        try:
            return read_mono("samples", path, fs_hz, mix=True)
        except AudioError as error:
            if str(error).startswith("samples="):  # the file as such; the rest is about what is in it
                raise _unreadable(path) from error
            raise


def rate_of(path: str) -> int:
    """Of a sound file, Hz, by its header.

    Raises
    ------
    AudioError
        It cannot be read.
    """
    try:
        with open_file("programme", path) as sound:
            return int(sound.samplerate)
    except AudioError as error:
        raise _unreadable(path) from error


def _unreadable(path: str) -> AudioError:
    return AudioError(f"programme={path!r}: cannot be read; a WAV or FLAC file is needed")


@lru_cache(maxsize=256)
def _content_of(path: str, changed_ns: int) -> str:
    return content_key(Path(path).read_bytes())
