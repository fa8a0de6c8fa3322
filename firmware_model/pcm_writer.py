"""Audio files written at the border, whole or in blocks: WAV, RF64 beyond 4 GiB, and FLAC.

A 16-bit file that only passes through comes out bit for bit.
"""

import errno
import io
import os
import secrets
import select
import shutil
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from acoustic_sim.sound_files.opened import STDIO
from firmware_model.pcm_file import MAX_CHANNELS, check_rate, require_finite
from fixedpoint.errors import AudioError
from fixedpoint.qformat import Q15, Q31

_WRITE_FORMATS = {".wav": "WAV", ".flac": "FLAC"}
_INTEGER_BITS = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_WRITE_SUBTYPES = {
    "WAV": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
    "FLAC": ("PCM_S8", "PCM_16", "PCM_24"),
}
_BYTES = {"PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
_MOST_IN_WAV = (1 << 32) - 4096  # bytes of samples; room for the header, whose size counts as well
_NOT_KNOWN = 0xFFFF_FFFF  # length of a WAV that is piped, where it is not known or does not fit
_BLOCK_FRAMES = 1 << 16  # frames encoded at a time


class AudioWriter:
    """A sound file that is being written; see `open_writer`.

    Attributes
    ----------
    saturated : samples so far that were beyond [-1, 1 - 2^(1-bits)], or beyond [-1, 1] in a float format
    """

    def __init__(self, name: str, channels: int, subtype: str, sound: Any) -> None:
        self._name, self._channels, self._subtype, self._sound = name, channels, subtype, sound
        self.saturated = 0

    def write(self, samples: NDArray[Any]) -> None:
        """Append samples.

        samples : (n,) or (n, channels), n >= 0; float in [-1, 1], or int16 in Q1.15

        Raises
        ------
        AudioError
            Samples of another kind; not finite; the file cannot be written.
        """
        samples = _checked_for_writing(self._name, samples, self._channels)
        for start in range(0, len(samples), _BLOCK_FRAMES):
            block = samples[start : start + _BLOCK_FRAMES]
            x = Q15.to_float(block) if block.dtype == np.int16 else block.astype(np.float64)
            y, count = _to_file_samples(x, self._subtype)
            self._sound.write(y)
            self.saturated += count


@contextmanager
def open_writer(
    path: str | os.PathLike[str], fs_hz: int, channels: int, subtype: str = "PCM_16", *, frames: int
) -> Iterator[AudioWriter]:
    """A WAV or FLAC file to be written in blocks; an existing one is replaced whole, or left as it was.

    Parameters
    ----------
    path : name that ends in .wav or .flac, or "-" for standard output as WAV
    fs_hz : int in [2000, 655350]
    channels : 1 or 2
    subtype : sample format, libsndfile's name ("PCM_16", an `Audio.subtype`); 8 bits are PCM_U8 in WAV and
        PCM_S8 in FLAC, and either name serves for both
    frames : samples of each channel that will be written

    Raises
    ------
    AudioError
        Another suffix, a sample format that the file format cannot hold, a folder that is missing or cannot
        be written, a full disk; here, while it is written, or at the end.
    ConfigError
        `fs_hz` outside its range.

    Notes
    -----
    Written beside and renamed; a pipe, a device and standard output get the samples as they come. WAV beyond
    4 GiB is RF64, and in a pipe a WAV whose header says that the length is not known.
    Integer formats: RND, SAT. libsndfile's own conversion from float scales by 2^(b-1) - 1 and would change
    every sample of a file that only passes through; hence the integers are made here.
    """
    name = os.fspath(path)
    file_format, subtype = _file_format(name, subtype)
    check_rate(fs_hz)
    size = frames * channels * _BYTES.get(subtype, 0)
    try:
        if name == STDIO:
            if sys.stdout is None:
                raise AudioError(f"{name}: cannot be written: standard output is closed")
            piped = _Piped(sys.stdout.buffer, fs_hz, channels, subtype, size)
            yield AudioWriter(name, channels, subtype, piped)
            piped.close()
            return
        target = Path(name).resolve()  # through a symbolic link, as any writer would
        if target.exists() and not target.is_file():
            with open(target, "wb", buffering=0) as pipe:
                if file_format == "WAV":
                    piped = _Piped(pipe, fs_hz, channels, subtype, size)
                    yield AudioWriter(name, channels, subtype, piped)
                    piped.close()
                    return
                with tempfile.TemporaryFile() as file:
                    with _encoder(file, fs_hz, channels, subtype, file_format) as sound:
                        yield AudioWriter(name, channels, subtype, sound)
                    file.seek(0)
                    shutil.copyfileobj(file, pipe)
            return
        kind = "RF64" if file_format == "WAV" and size > _MOST_IN_WAV else file_format
        with replacing(target) as file:
            with _encoder(file, fs_hz, channels, subtype, kind) as sound:
                yield AudioWriter(name, channels, subtype, sound)
            if subtype in ("FLOAT", "DOUBLE"):
                _clear_time_stamp(file)
    except OSError as error:
        raise AudioError(f"{name}: cannot be written: {error.strerror or error}") from error
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{name}: cannot be encoded as {file_format} {subtype}: {error}") from error


def write_audio(
    path: str | os.PathLike[str], samples: NDArray[Any], fs_hz: int, subtype: str = "PCM_16"
) -> int:
    """Write a WAV or FLAC file at once; arguments and errors as of `open_writer`.

    samples : (n,) or (n, channels), n >= 1, channels 1 or 2; float in [-1, 1], or int16 in Q1.15

    Returns
    -------
    number of samples that saturated
    """
    name = os.fspath(path)
    _file_format(name, subtype)
    check_rate(fs_hz)
    x = _checked_for_writing(name, samples)
    with open_writer(path, fs_hz, x.shape[1], subtype, frames=len(x)) as writer:
        writer.write(x)
    return writer.saturated


class _Sink(io.RawIOBase):
    """A file that libsndfile writes to; an error is kept in `failed`: libsndfile cannot pass it on."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failed: OSError | None = None

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(buffer)  # type: ignore[attr-defined,no-any-return]

    def write(self, data: Any) -> int:
        if self.failed is None:
            try:
                self._file.write(data)
            except OSError as error:
                self.failed = error
        return len(data)

    def check(self) -> None:
        """Raise what went wrong."""
        if self.failed is not None:
            raise self.failed


class _Encoded:
    """A file that libsndfile encodes."""

    def __init__(self, sink: _Sink, sound: soundfile.SoundFile) -> None:
        self._sink, self._sound = sink, sound

    def write(self, y: NDArray[Any]) -> None:
        self._sound.write(y)
        self._sink.check()


@contextmanager
def _encoder(file: BinaryIO, fs_hz: int, channels: int, subtype: str, file_format: str) -> Iterator[_Encoded]:
    sink = _Sink(file)
    with soundfile.SoundFile(sink, "w", fs_hz, channels, subtype, format=file_format) as sound:
        yield _Encoded(sink, sound)
    sink.check()


class _Piped:
    """A WAV into what does not seek: its header first, then the samples as they come."""

    def __init__(self, pipe: BinaryIO, fs_hz: int, channels: int, subtype: str, size: int) -> None:
        self._pipe, self._fs_hz, self._subtype = pipe, fs_hz, subtype
        self._write(_wav_header(fs_hz, channels, subtype, size))

    def write(self, y: NDArray[Any]) -> None:
        raw = io.BytesIO()
        endian = "FILE" if self._subtype == "PCM_U8" else "LITTLE"
        soundfile.write(raw, y, self._fs_hz, self._subtype, endian, "RAW")
        self._write(raw.getbuffer())

    def close(self) -> None:
        """Raise BrokenPipeError where the reader has gone before it has everything."""
        self._pipe.flush()
        events: list[tuple[int, int]] = []
        with suppress(OSError, ValueError, AttributeError):  # no poll, or no real file
            poll = select.poll()
            poll.register(self._pipe.fileno(), 0)  # 0: errors alone
            events = poll.poll(0)
        if any(event & select.POLLERR for _, event in events):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    def _write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while len(view):
            view = view[self._pipe.write(view) or 0 :]
        self._pipe.flush()


def _wav_header(fs_hz: int, channels: int, subtype: str, size: int) -> bytes:
    """libsndfile's header of `size` bytes of samples, without the peak, which is not known."""
    empty = io.BytesIO()
    soundfile.SoundFile(empty, "w", fs_hz, channels, subtype, format="WAV").close()
    header = bytearray(empty.getvalue())
    at = header.find(b"PEAK")
    if at >= 0:
        del header[at : at + 8 + struct.unpack_from("<I", header, at + 4)[0]]
    known = size <= _MOST_IN_WAV
    struct.pack_into("<I", header, 4, len(header) - 8 + size + size % 2 if known else _NOT_KNOWN)
    struct.pack_into("<I", header, len(header) - 4, size if known else _NOT_KNOWN)
    at = header.find(b"fact")
    if at >= 0:
        struct.pack_into("<I", header, at + 8, size // (channels * _BYTES[subtype]) if known else _NOT_KNOWN)
    return bytes(header)


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


def _checked_for_writing(name: str, samples: NDArray[Any], channels: int | None = None) -> NDArray[Any]:
    """(n, channels) of int16 or finite float64; n >= 1 where the number of channels is not given."""
    x = np.asarray(samples)
    if x.dtype != np.int16 and x.dtype.kind != "f":
        raise AudioError(f"{name}: samples of dtype {x.dtype}; float in [-1, 1] or int16 needed")
    if x.ndim == 1:
        x = x[:, np.newaxis]
    if x.ndim != 2 or (channels is None and not len(x)) or not 1 <= x.shape[1] <= (channels or MAX_CHANNELS):
        raise AudioError(f"{name}: samples of shape {np.shape(samples)}; (n,) or (n, 1 or 2), n >= 1, needed")
    if x.dtype.kind == "f" and len(x):
        require_finite(name, x)
    return x


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


def _clear_time_stamp(file: BinaryIO) -> None:
    """Zero the time in the PEAK chunk of a float WAV: the same samples give the same bytes."""
    file.seek(0)
    at = file.read(256).find(b"PEAK")
    if at >= 0:
        file.seek(at + 12)  # after the chunk's name, length and version
        file.write(bytes(4))


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that is written beside `path` and takes its place, with its mode, when the block ends.

    On failure, an interrupt too, nothing is left behind.
    """
    beside = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(beside, "x+b") as file:
            yield file
        if path.exists():
            shutil.copymode(path, beside)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def replace_file(path: Path, content: bytes | memoryview) -> None:
    """Write beside and rename.

    A device or a pipe is written to: a rename would put a file in its place.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    with replacing(path) as file:
        file.write(content)
