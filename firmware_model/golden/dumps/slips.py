"""Where a dump slipped in time, or fell silent: found by its own values, without trying each delay."""

import numpy as np

from firmware_model.case import Case
from firmware_model.golden.dumps.evidence import Evidence

MOST_LAG_S = 0.1
_MARK_STEPS = 64  # of a stretch that is looked for in the model
_MARKS = 3  # stretches, of which at least one should lie after the slip and clear of another fault
_MOST_LAGS = 64  # of a steady signal, which fits everywhere, the shortest are enough
_SHORTEST_HOLE = 4  # zeros in a row; fewer may be chance


def lags(evidence: Evidence, case: Case) -> list[int]:
    """Samples by which the first diverging node may be late (> 0) or early, the shortest first.

    Three stretches of the dump, each the liveliest of its third, are looked for in the model's values up to
    `MOST_LAG_S` either way. That they fit is necessary, not enough: hold the whole against each lag.
    """
    step = next(node.step for node in case.nodes if node.name == evidence.target)
    got = evidence.got[evidence.target]
    most = round(MOST_LAG_S * case.fs_hz) // step
    region = got.shape[1] - evidence.first_step
    length = max(1, min(_MARK_STEPS, region // (2 * _MARKS)))
    found: set[int] = set()
    for third in range(_MARKS):
        first = evidence.first_step + region * third // _MARKS
        stop = evidence.first_step + region * (third + 1) // _MARKS
        found |= _fitting(evidence, _liveliest(got, first, stop, length), length, most)
    ordered = sorted(found - {0}, key=lambda lag: (abs(lag), -lag))
    return [lag * step for lag in ordered[:_MOST_LAGS]]


def _liveliest(got: np.ndarray, first: int, stop: int, length: int) -> int:
    """Where the stretch of so many steps begins in which the values change most."""
    change = np.abs(np.diff(got[:, first:stop].astype(np.float64), axis=1)).sum(axis=0)
    starts = range(0, max(1, stop - first - length + 1), length)
    return first + max(starts, key=lambda start: float(change[start : start + length - 1].sum()))


def _fitting(evidence: Evidence, mark: int, length: int, most: int) -> set[int]:
    """Lags in steps at which the model has the dump's values of a stretch."""
    model, got = evidence.expected[evidence.target], evidence.got[evidence.target]
    earliest, latest = max(0, mark - most), min(model.shape[1] - length, mark + most)
    starts = np.arange(earliest, latest + 1)
    for k in range(min(length, got.shape[1] - mark)):
        starts = starts[(model[:, starts + k] == got[:, mark + k, None]).all(axis=0)]
    return {int(mark - start) for start in starts}


def runs_of_zeros(expected: np.ndarray, got: np.ndarray) -> list[tuple[int, int]]:
    """(first, stop) steps of the runs of zeros that are all that is wrong; none where anything else is.

    A run ends at its last wrong value, or at the dump's end if it is zero to there.

    expected, got : (rows, steps) integers
    """
    wrong, silent = (expected != got).any(axis=0), (got == 0).all(axis=0)
    if not wrong.any() or (wrong & ~silent).any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[0], silent.astype(np.int8), [0]])))
    runs = []
    for first, stop in edges.reshape(-1, 2):
        at = np.flatnonzero(wrong[first:stop])
        if len(at):
            end = stop if stop == got.shape[1] else first + at[-1] + 1
            runs.append((int(first + at[0]), int(end)))
    return runs if all(stop - first >= _SHORTEST_HOLE for first, stop in runs) else []
