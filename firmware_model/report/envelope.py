"""Long signals as the columns of a picture: smallest, largest and mean of each, collected block by block."""

import numpy as np


class Envelope:
    """Extremes and means of values that come in pieces: nothing between two columns is lost.

    Parameters
    ----------
    rows : signals side by side
    n : values of each, in all
    columns : of the picture, at most

    Attributes
    ----------
    edges : (m,) int, first value of each column
    low, high : (rows, m) float64, extremes of each column
    """

    def __init__(self, rows: int, n: int, columns: int) -> None:
        self.n = n
        self.edges = np.unique(np.linspace(0, n, min(columns, n) + 1).astype(int)[:-1])
        self.low = np.full((rows, len(self.edges)), np.inf)
        self.high = np.full((rows, len(self.edges)), -np.inf)
        self._sum = np.zeros((rows, len(self.edges)))
        self._taken = 0

    def push(self, x: np.ndarray) -> None:
        """Take the next values, (rows, k) of any kind."""
        start, self._taken = self._taken, self._taken + x.shape[1]
        if not x.shape[1]:
            return
        first, last = np.searchsorted(self.edges, [start, self._taken - 1], "right") - 1
        columns = slice(first, last + 1)
        at = np.maximum(self.edges[columns] - start, 0)
        np.minimum(self.low[:, columns], np.minimum.reduceat(x, at, axis=1), out=self.low[:, columns])
        np.maximum(self.high[:, columns], np.maximum.reduceat(x, at, axis=1), out=self.high[:, columns])
        self._sum[:, columns] += np.add.reduceat(x, at, axis=1, dtype=np.float64)

    @property
    def mean(self) -> np.ndarray:
        """(rows, m) float64."""
        return self._sum / np.diff([*self.edges, self.n])

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """The first row as a line, (place, value): through both extremes of a column of several values."""
        if len(self.edges) == self.n:
            return self.edges, self.low[0]
        return np.repeat(self.edges, 2), np.stack([self.low[0], self.high[0]], axis=1).ravel()
