"""A long signal in a temporary file, so that it can be gone through twice."""

import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType

import numpy as np

from fixedpoint.errors import AudioError

BLOCK = 1 << 18  # samples worked on at a time; a shorter signal comes out as in one piece
_IN_MEMORY = 1 << 22  # bytes; what is longer lies on disk


class Spool:
    """Samples of one channel, written one after the other and read in any order.

    Parameters
    ----------
    dtype : of the samples

    Attributes
    ----------
    energy : float, sum of the squares of all samples

    Raises
    ------
    AudioError
        The folder for temporary files is full.
    """

    def __init__(self, dtype: type = np.float64) -> None:
        self._dtype = np.dtype(dtype)
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        self._length = 0
        self.energy = 0.0

    def __len__(self) -> int:
        return self._length

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give up the file."""
        self._file.close()

    @property
    def power(self) -> float:
        """Mean square."""
        return self.energy / max(self._length, 1)

    def add(self, x: np.ndarray) -> None:
        """Append samples, (n,)."""
        self._write(self._length, x)
        self._length += len(x)
        self.energy += float(np.sum(x.astype(np.float64) ** 2))

    def read(self, start: int, stop: int) -> np.ndarray:
        """(stop - start,) samples, as far as there are."""
        start, stop = max(start, 0), min(stop, self._length)
        x = np.empty(max(stop - start, 0), self._dtype)
        view = memoryview(x.view(np.uint8))  # type: ignore[arg-type]
        self._file.seek(start * self._dtype.itemsize)
        done = 0
        while done < len(view):
            piece = self._file.read(len(view) - done)
            view[done : done + len(piece)] = piece
            done += len(piece)
        return x

    def blocks(self, size: int = BLOCK) -> Iterator[np.ndarray]:
        """All samples in order, `size` at a time."""
        for start in range(0, self._length, size):
            yield self.read(start, start + size)

    def clear(self) -> None:
        """Forget all samples."""
        self._length, self.energy = 0, 0.0

    def rewrite(self, blocks: Iterable[np.ndarray]) -> None:
        """Put other samples in the place of all, as they come; `energy` is theirs."""
        at, self.energy = 0, 0.0
        for x in blocks:
            self._write(at, x)
            at += len(x)
            self.energy += float(np.sum(x.astype(np.float64) ** 2))

    def _write(self, at: int, x: np.ndarray) -> None:
        try:
            self._file.seek(at * self._dtype.itemsize)
            self._file.write(np.ascontiguousarray(x, self._dtype).data)
        except OSError as error:
            raise AudioError(
                f"{tempfile.gettempdir()}: temporary file cannot be written: {error.strerror}; "
                "room is needed there, or another folder named by TMPDIR"
            ) from error


def in_blocks(pieces: Iterable[np.ndarray], size: int = BLOCK) -> Iterator[np.ndarray]:
    """Pieces of any length -> blocks of `size`, the last one shorter; along the first axis."""
    held: list[np.ndarray] = []
    count = 0
    for piece in pieces:
        while count + len(piece) >= size:
            yield np.concatenate([*held, piece[: size - count]])
            piece, held, count = piece[size - count :], [], 0
        if len(piece):
            held.append(piece)
            count += len(piece)
    if held:
        yield np.concatenate(held)


class Window:
    """What lies around the place at which a signal in blocks is worked on, (n, channels).

    blocks : taken as far as `read` needs them
    """

    def __init__(self, blocks: Iterable[np.ndarray]) -> None:
        self._source = iter(blocks)
        self._held: list[np.ndarray] = []
        self._first = self._end = 0  # sample of what is held, and behind it
        self._channels = 1

    def add(self, block: np.ndarray) -> None:
        """Append samples."""
        self._held.append(block)
        self._end += len(block)
        self._channels = block.shape[1]

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples from start to stop, 0 outside the signal; what is before `start` is forgotten."""
        while self._end < max(stop, 1) and (block := next(self._source, None)) is not None:
            self.add(block)
        while self._held and self._first + len(self._held[0]) <= start:
            self._first += len(self._held.pop(0))
        y, at = np.zeros((stop - start, self._channels)), self._first
        for block in self._held:
            low, high = max(start, at), min(stop, at + len(block))
            if low < high:
                y[low - start : high - start] = block[low - at : high - at]
            at += len(block)
        return y
