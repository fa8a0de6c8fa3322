"""Integers of one node of a dump, read where they lie, a stretch at a time.

A *row* is a channel, band or key; a *step* is one value of each row. Interleaved: all rows of a step, then
the next step, as I2S and WAV do it; planar: all steps of a row, then the next row.
"""

from typing import IO, NamedTuple, Protocol

import numpy as np
import soundfile

_BIG = "-be"
DTYPES = ("int8", "int16", "int32", "int64", "int16-be", "int32-be", "int64-be")  # be: big-endian
LAYOUTS = ("interleaved", "planar")


def dtype_of(name: str) -> np.dtype:
    """One of DTYPES, with its byte order."""
    return np.dtype(name.removesuffix(_BIG)).newbyteorder(">" if name.endswith(_BIG) else "<")


class Values(Protocol):
    """Integers of one node.

    steps : how many there are;  how : what the file holds, in words;  remainder : bytes after the last step
    """

    @property
    def steps(self) -> int: ...

    @property
    def how(self) -> str: ...

    @property
    def remainder(self) -> int: ...

    def read(self, start: int, stop: int) -> np.ndarray:
        """(rows, stop - start or as many as there are) integers."""
        ...


class Stored(NamedTuple):
    """Integers that lie in a file one after another.

    file : open, seekable;  offset : of the first byte;  size : bytes;  dtype : with byte order
    rows : of the node;  planar : row after row instead of interleaved
    raw : the file says nothing on dtype, order and layout: these were assumed
    text : what the file is, where dtype and order are not its own
    """

    file: IO[bytes]
    offset: int
    size: int
    dtype: np.dtype
    rows: int
    planar: bool
    raw: bool
    text: str = ""

    @property
    def steps(self) -> int:
        return self.size // (self.rows * self.dtype.itemsize)

    @property
    def remainder(self) -> int:
        return self.size % (self.rows * self.dtype.itemsize)

    @property
    def how(self) -> str:
        if self.text:
            return self.text
        order = "big-endian" if self.dtype.str[0] == ">" else "little-endian"
        text = self.dtype.name if self.dtype.itemsize == 1 else f"{self.dtype.name} {order}"
        return text if self.rows == 1 else f"{text} {LAYOUTS[self.planar]}"

    def read(self, start: int, stop: int) -> np.ndarray:
        """See `Values`."""
        start, stop = min(start, self.steps), min(stop, self.steps)
        if not self.planar:
            return self._values(start * self.rows, stop * self.rows).reshape(stop - start, self.rows).T
        return np.stack(
            [self._values(r * self.steps + start, r * self.steps + stop) for r in range(self.rows)]
        )

    def _values(self, first: int, last: int) -> np.ndarray:
        width = self.dtype.itemsize
        self.file.seek(self.offset + first * width)
        return np.frombuffer(self.file.read((last - first) * width), self.dtype)


class Sound(NamedTuple):
    """Samples of a WAV or FLAC file, `shift` bits to the left in libsndfile's 32."""

    file: soundfile.SoundFile
    shift: int

    @property
    def steps(self) -> int:
        return int(self.file.frames)

    @property
    def remainder(self) -> int:
        return 0

    @property
    def how(self) -> str:
        return f"{self.file.format} {self.file.subtype}"

    def read(self, start: int, stop: int) -> np.ndarray:
        """See `Values`."""
        start, stop = min(start, self.steps), min(stop, self.steps)
        self.file.seek(start)
        return self.file.read(stop - start, dtype="int32", always_2d=True).T >> self.shift


class Held(NamedTuple):
    """Integers that are in memory: (rows, steps)."""

    array: np.ndarray

    @property
    def steps(self) -> int:
        return self.array.shape[1]

    @property
    def remainder(self) -> int:
        return 0

    @property
    def how(self) -> str:
        return str(self.array.dtype)

    def read(self, start: int, stop: int) -> np.ndarray:
        """See `Values`."""
        return self.array[:, start:stop]
