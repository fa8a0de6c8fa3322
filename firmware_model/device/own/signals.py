"""Integers of a case as they lie in a device's memory: type, byte order, layout, binary point."""

from typing import NamedTuple

import numpy as np

from firmware_model.case import Node
from fixedpoint.errors import AudioError


class Signal(NamedTuple):
    """What a buffer holds of a node in one call.

    node : of the case, or its input
    dtype : with byte order;  planar : row after row instead of interleaved
    fraction_bits : of the device's integers
    steps : values of each row in one call
    """

    node: Node
    dtype: np.dtype
    planar: bool
    fraction_bits: int
    steps: int

    @property
    def size(self) -> int:
        """Bytes that one call takes."""
        return len(self.node.rows) * self.steps * self.dtype.itemsize

    def in_words(self) -> str:
        """ "48 steps of 2 rows of int16"."""
        rows = len(self.node.rows)
        of_rows = f" of {rows} rows" if rows > 1 else ""
        return f"{self.steps} steps{of_rows} of {self.dtype.name}"

    def pack(self, values: np.ndarray) -> bytes:
        """Bytes of (rows, steps) integers of the node; those that need fraction bits fewer are shifted up."""
        held = values.astype(np.int64) << (self.fraction_bits - self.node.fmt.n)
        return np.ascontiguousarray(held if self.planar else held.T).astype(self.dtype).tobytes()

    def unpack(self, content: bytes, first: int) -> np.ndarray:
        """(rows, steps) int64, in LSB of the node, from the bytes of one call.

        first : step of the whole run at which the call begins, for the message

        Raises
        ------
        AudioError
            Fraction bits beyond those of the node are not zero: no integer of the node is this value.
        """
        held = np.frombuffer(content, self.dtype).astype(np.int64)
        rows = len(self.node.rows)
        values = held.reshape(rows, self.steps) if self.planar else held.reshape(self.steps, rows).T
        spare = self.fraction_bits - self.node.fmt.n
        if spare <= 0:
            return values << -spare
        if (values & ((1 << spare) - 1)).any():
            row, at = (int(found[0]) for found in np.nonzero(values & ((1 << spare) - 1)))
            raise AudioError(
                f"{self.node.name}: {values[row, at]} found at {self.node.rows[row]}, step {first + at}; "
                f"with fraction_bits={self.fraction_bits} whole LSB of {self.node.fmt} are "
                f"multiples of {1 << spare}"
            )
        return values >> spare
