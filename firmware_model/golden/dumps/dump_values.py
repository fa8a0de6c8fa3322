"""Integers of one node of a dump, read where they lie, a stretch at a time.

A *row* is a channel, band or key; a *step* is one value of each row. Interleaved: all rows of a step, then
the next step, as I2S and WAV do it; planar: all steps of a row, then the next row.
"""

from typing import IO, NamedTuple, Protocol

import numpy as np

from fixedpoint.errors import AudioError

_BIG = "-be"
DTYPES = ("int8", "int16", "int32", "int64", "int16-be", "int32-be", "int64-be")  # be: big-endian
# Of 24 bits: three bytes each, or the lower three of a word of four, whatever the fourth holds.
WORDS_OF_24 = {"int24": 3, "int24-be": 3, "int24in32": 4, "int24in32-be": 4}
RAW_DTYPES = (*DTYPES, *WORDS_OF_24)
LAYOUTS = ("interleaved", "planar")


def dtype_of(name: str) -> np.dtype:
    """One of DTYPES, with its byte order."""
    return np.dtype(name.removesuffix(_BIG)).newbyteorder(">" if name.endswith(_BIG) else "<")


class Values(Protocol):
    """Integers of one node.

    steps : how many there are;  how : what the file holds, in words;  remainder : bytes after the last step
    guess : what was taken for granted to read it, in words; "" where the file says it all
    """

    @property
    def guess(self) -> str: ...

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
    guess : as in `Values`
    word_of_24 : bytes of a value of 24 bits; 0 of other widths
    shift : bits below the node's last one, which must be zero; negative: bits that the file lacks
    """

    file: IO[bytes]
    offset: int
    size: int
    dtype: np.dtype
    rows: int
    planar: bool
    raw: bool
    text: str = ""
    guess: str = ""
    word_of_24: int = 0
    shift: int = 0

    @property
    def width(self) -> int:
        """Bytes of a value."""
        return self.word_of_24 or self.dtype.itemsize

    @property
    def steps(self) -> int:
        return self.size // (self.rows * self.width)

    @property
    def remainder(self) -> int:
        return self.size % (self.rows * self.width)

    @property
    def how(self) -> str:
        if self.text:
            return self.text
        name = {0: self.dtype.name, 3: "packed int24", 4: "int24 in 32 bits"}[self.word_of_24]
        order = "big-endian" if self.dtype.str[0] == ">" else "little-endian"
        text = name if self.width == 1 else f"{name} {order}"
        return text if self.rows == 1 else f"{text} {LAYOUTS[self.planar]}"

    def read_as(self, dtype: str) -> "Stored":
        """The same file, its values taken for another one of RAW_DTYPES."""
        word = WORDS_OF_24.get(dtype, 0)
        name = f"int32{_BIG if dtype.endswith(_BIG) else ''}" if word else dtype
        return self._replace(dtype=dtype_of(name), word_of_24=word)

    def read(self, start: int, stop: int) -> np.ndarray:
        """See `Values`.

        Raises
        ------
        AudioError
            Bits below the node's last one are not zero.
        """
        start, stop = min(start, self.steps), min(stop, self.steps)
        if not self.planar:
            return self._values(start * self.rows, stop * self.rows).reshape(stop - start, self.rows).T
        return np.stack(
            [self._values(r * self.steps + start, r * self.steps + stop) for r in range(self.rows)]
        )

    def _values(self, first: int, last: int) -> np.ndarray:
        self.file.seek(self.offset + first * self.width)
        values = self._decoded(self.file.read((last - first) * self.width))
        if self.shift <= 0:
            return values.astype(np.int64) << -self.shift if self.shift else values
        if (spare := values & ((1 << self.shift) - 1)).any():
            k = int(np.argmax(spare != 0))
            raise AudioError(
                f"{values[k]} found at value {first + k}; whole LSB of the node are multiples of "
                f"{1 << self.shift} with these fraction bits"
            )
        return values >> self.shift

    def _decoded(self, content: bytes) -> np.ndarray:
        if self.word_of_24 == 3:
            parts = np.frombuffer(content, np.uint8).reshape(-1, 3)
            words = np.zeros((len(parts), 4), np.uint8)
            words[:, slice(0, 3) if self.dtype.str[0] == ">" else slice(1, 4)] = parts
            return words.view(self.dtype)[:, 0].astype(np.int32) >> 8
        values = np.frombuffer(content, self.dtype)
        return values.astype(np.int32) << 8 >> 8 if self.word_of_24 else values


class Held(NamedTuple):
    """Integers that are in memory: (rows, steps)."""

    array: np.ndarray
    guess: str = ""

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
