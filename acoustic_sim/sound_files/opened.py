"""Sound files at the border: opened by what they hold, not by their names, and held to their own headers."""

import io
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import soundfile

from acoustic_sim.sound_files.flac_length import flac_length
from acoustic_sim.sound_files.samples import SoundError
from acoustic_sim.sound_files.wav_length import wav_samples

STDIO = "-"  # as a path: standard input, or standard output as WAV
FORMATS = ("WAV", "WAVEX", "RF64", "FLAC")  # WAVEX, RF64: the extensible and the > 4 GB form of WAV
MORE_FORMATS = (*FORMATS, "AIFF", "CAF", "OGG", "MP3")
_NO_LENGTH = 1 << 62  # frames: libsndfile's sign for it
_IN_MEMORY = 1 << 24  # bytes of a pipe; what is longer lies in a temporary file
_BARE = (".raw", ".pcm", ".bin", ".s16", ".s32")  # names of files that hold samples alone


class _Source(io.RawIOBase):
    """What libsndfile reads: a file from `start` to `stop`, behind a header of our own.

    It has no name: soundfile takes "x.raw" for a file without a header. An error within is kept in `failed`:
    libsndfile cannot pass it on.
    """

    def __init__(self, file: BinaryIO, header: bytes, start: int, stop: int) -> None:
        self._file, self._header, self._start = file, header, start
        self._size = len(header) + stop - start
        self._at = 0
        self.failed: OSError | None = None

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: max(0, self._size - self._at)]
        done = len(self._header[self._at : self._at + len(view)])
        view[:done] = self._header[self._at : self._at + done]
        try:
            if done < len(view):
                self._file.seek(self._start + self._at + done - len(self._header))
            while done < len(view) and (count := self._file.readinto(view[done:])):  # type: ignore[attr-defined]
                done += count
        except OSError as error:
            self.failed = error
        self._at += done
        return done


@contextmanager
def open_sound(
    path: str | os.PathLike[str], remark: Callable[[str], None], formats: tuple[str, ...] = FORMATS
) -> Iterator[soundfile.SoundFile]:
    """A sound file, a pipe, or "-" for standard input, whose `frames` are what it holds.

    A length that a WAV or FLAC header does not know, as streams leave it, is found from the file.

    Parameters
    ----------
    remark : called with what the user should know of the file, such as that its length was found
    formats : accepted, by libsndfile's names

    Raises
    ------
    SoundError
        Unreadable, no sound, damaged, now or while it is read; a length that the file contradicts.
    """
    with ExitStack() as files:
        try:
            file, size = _seekable(os.fspath(path), files)
            header, start, stop = _held_to_header(file, size, remark)
        except OSError as error:
            raise _unreadable(error) from error
        source = _Source(file, header, start, stop)
        try:
            with soundfile.SoundFile(source) as sound:
                _check(sound, formats)
                yield sound
        except soundfile.LibsndfileError as error:
            if source.failed is not None:
                raise _unreadable(source.failed) from error
            bare = " (samples without a header need one)" if Path(path).suffix.lower() in _BARE else ""
            raise SoundError(f"not audio, or damaged; a WAV or FLAC file is needed{bare}") from error
        if source.failed is not None:
            raise _unreadable(source.failed)


def _unreadable(error: OSError) -> SoundError:
    return SoundError(f"cannot be read: {error.strerror or error}")


def _seekable(path: str, files: ExitStack) -> tuple[BinaryIO, int]:
    """(file, its bytes); all of a pipe, in memory or in a temporary file: libsndfile seeks."""
    if path != STDIO:
        file: BinaryIO = files.enter_context(open(path, "rb"))  # noqa: SIM115
    elif sys.stdin is None:
        raise SoundError("cannot be read: standard input is closed")
    else:
        file = sys.stdin.buffer
    if path == STDIO or not file.seekable():
        spool: Any = files.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115
        while block := file.read(1 << 20):
            spool.write(block)
        file = spool
    return file, file.seek(0, os.SEEK_END)


def _held_to_header(file: BinaryIO, size: int, remark: Callable[[str], None]) -> tuple[bytes, int, int]:
    """(header in place of the file's, first byte behind it, end)."""
    found = wav_samples(file, size) or flac_length(file, size)
    if found is None:
        return b"", 0, size
    if found.remark:
        remark(found.remark)
    return (found.header, found.start, found.stop) if found.header else (b"", 0, size)


def _check(sound: soundfile.SoundFile, formats: tuple[str, ...]) -> None:
    """Refuse other formats, and those that were cut: libsndfile shortens them and says so only in its log."""
    if sound.format not in formats:
        raise SoundError(f"{sound.format} audio found; WAV or FLAC needed")
    if sound.frames >= _NO_LENGTH:
        raise SoundError(f"{sound.format} without a length in its header found; convert it to WAV")
    cut = re.search(r"^\s*(?:data|SSND)\s*: (\d+) \(should be (\d+)\)", sound.extra_info, re.MULTILINE)
    if cut and sound.format not in FORMATS and int(cut[2]) < int(cut[1]):
        raise SoundError(f"cut short: {cut[2]} of {cut[1]} bytes of audio found")
