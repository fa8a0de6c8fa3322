"""What `calibrate` is given, looked at before the first hour of it is heard."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from firmware_model.cli.terminal.output import STDIO
from firmware_model.pcm_stream import AudioStream
from fixedpoint.errors import AudioError

_WHY = "the same audio again is no more audio, and lowers the threshold"


def check_files(paths: Sequence[str], fs_hz: int, hop: int, resample: bool) -> None:
    """Refuse files that cannot be heard, and audio that is given twice, under whatever name and format.

    Parameters
    ----------
    paths : files, pipes, or "-" for standard input; what can be read but once is left to be heard
    fs_hz, hop, resample : with which they will be heard

    Raises
    ------
    AudioError
        A header or a first second that `AudioStream` refuses; a name, a file, or samples at `fs_hz` twice.
    """
    names: set[str] = set()
    places: dict[tuple[int, int], str] = {}
    begins: dict[str, list[str]] = {}
    for path in paths:
        if path in names:
            raise AudioError(f"{path}: given twice; {_WHY}")
        names.add(path)
        if path == STDIO or Path(path).is_fifo():
            continue
        audio = AudioStream(path, fs_hz, 1, hop, resample)
        begins.setdefault(_digest(audio, whole=False), []).append(path)
        found = Path(path).stat()
        first = places.setdefault((found.st_dev, found.st_ino), path)
        if first != path:
            raise AudioError(f"{path}: the same file as {first}; {_WHY}")
    for alike in begins.values():  # few, if any: only these are decoded to their end
        _check_differ(alike, fs_hz, hop, resample)


def _check_differ(paths: Sequence[str], fs_hz: int, hop: int, resample: bool) -> None:
    known: dict[str, str] = {}
    for path in paths if len(paths) > 1 else ():
        first = known.setdefault(_digest(AudioStream(path, fs_hz, 1, hop, resample), whole=True), path)
        if first != path:
            raise AudioError(f"{path}: the same samples as {first}; {_WHY}")


def _digest(audio: AudioStream, whole: bool) -> str:
    """SHA-256 of what the detector hears of a file, or of its first second."""
    digest = hashlib.sha256()
    for frame in audio:
        digest.update(frame.tobytes())
        if not whole:
            break
    return digest.hexdigest()
