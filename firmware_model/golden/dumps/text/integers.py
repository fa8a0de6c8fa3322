"""Integers as text: decimal, hexadecimal, zero-padded; unsigned ones of a signed node."""

import re
import tempfile
from contextlib import ExitStack
from typing import IO, NamedTuple

import numpy as np

from firmware_model.case import Node
from firmware_model.golden.dumps.dump_values import Stored
from fixedpoint.errors import AudioError

_DECIMAL = re.compile(r"[+-]?[0-9]+")
_PREFIXED = re.compile(r"[+-]?0[xX][0-9a-fA-F]+")
_HEX_WORD = re.compile(r"[0-9a-fA-F]{2}(?:[0-9a-fA-F]{2}){0,7}")
_WORDS = (8, 16, 32, 64)
_HELD = 1 << 16  # integers, before they are written


class Text(NamedTuple):
    """How integers are written.

    hexadecimal : without a prefix, in words of `digits` digits
    """

    hexadecimal: bool = False
    digits: int = 0

    def value(self, cell: str) -> int | None:
        """The integer; None where the cell is none."""
        if self.hexadecimal:
            return int(cell, 16) if len(cell) == self.digits and _HEX_WORD.fullmatch(cell) else None
        if _DECIMAL.fullmatch(cell):
            return int(cell) if len(cell) <= 40 else None
        return int(cell, 16) if len(cell) <= 40 and _PREFIXED.fullmatch(cell) else None


def as_hex_words(cell: str) -> Text | None:
    """How a cell is written that may be a word of hexadecimal digits; None where it can be none."""
    return Text(True, len(cell)) if _HEX_WORD.fullmatch(cell) else None


class Gathered:
    """Integers of a node as they are read, in a temporary file; `stored` ends it.

    Parameters
    ----------
    path : for messages;  files : closes the temporary file
    bits : of the words, where the text says so; 0 where it does not
    """

    def __init__(self, path: object, files: ExitStack, bits: int = 0) -> None:
        self._path, self._bits = path, bits
        self._file: IO[bytes] = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        self._held: list[int] = []
        self._low = self._high = 0
        self.count = 0

    def add(self, values: list[int]) -> None:
        """Take integers of consecutive steps, interleaved."""
        self._held += values
        self.count += len(values)
        if len(self._held) >= _HELD:
            self._write()

    def _write(self) -> None:
        if not self._held:
            return
        low, high = min(self._held), max(self._held)
        self._low, self._high = min(self._low, low), max(self._high, high)
        if self._low < -(1 << 63) or self._high >= 1 << (63 if self._low < 0 else 64):
            raise AudioError(f"{self._path}: an integer beyond 64 bits found")
        self._file.write(np.array([v & ((1 << 64) - 1) for v in self._held], "<u8").tobytes())
        self._held = []

    def of_bytes(self, dtype: np.dtype) -> bool:
        """Take the integers for the bytes of others, if they can be that; whether they can.

        Raises
        ------
        AudioError
            Bytes after the last whole integer.
        """
        self._write()
        if self._low < 0 or self._high > 255:
            return False
        self._file.seek(0)
        content = np.frombuffer(self._file.read(8 * self.count), "<i8").astype(np.uint8).tobytes()
        if len(content) % dtype.itemsize:
            raise AudioError(
                f"{self._path}: {len(content)} bytes found; a multiple of {dtype.itemsize} needed"
            )
        values = [int(value) for value in np.frombuffer(content, dtype)]
        self._file.seek(0)
        self._file.truncate()
        self.count = self._low = self._high = 0
        self.add(values)
        return True

    @property
    def are_bytes(self) -> bool:
        """Whether all of them could be bytes."""
        self._write()
        return self._low >= 0 and self._high <= 255

    def stored(self, node: Node, planar: bool, text: str, guess: str) -> Stored:
        """All of them; what can only be unsigned is taken for two's complement, and that is said."""
        self._write()
        bits = self._bits or next(
            word for word in (node.fmt.bits, *_WORDS, 65) if word >= node.fmt.bits and self._high < 1 << word
        )
        unsigned = self._low >= 0 and self._high > node.fmt.max_int and self._high >= 1 << (bits - 1)
        if unsigned and bits <= 64:
            said = f"unsigned integers are two's complement of {bits} bits"
            guess = f"{guess}; {said}" if guess else said
            self._wrap(bits)
        size = 8 * self.count
        return Stored(self._file, 0, size, np.dtype("<i8"), len(node.rows), planar, False, text, guess)

    def _wrap(self, bits: int) -> None:
        """Take the sign from the highest bit, in place."""
        spare = np.int64(64 - bits)
        for first in range(0, self.count, _HELD):
            self._file.seek(8 * first)
            values = np.frombuffer(self._file.read(8 * _HELD), "<i8")
            self._file.seek(8 * first)
            self._file.write((values << spare >> spare).tobytes())
