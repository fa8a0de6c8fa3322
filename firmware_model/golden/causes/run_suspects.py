"""Suspects that run the model's own kernels on other input, from another state, with other coefficients."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case, Run
from firmware_model.golden.dumps.dump_values import Values
from firmware_model.golden.dumps.evidence import leaves

_INDEX_TABLES = ("order", "size")  # not coefficients, and out of range when permuted
_MOST_COLUMNS = 8


class Suspect(NamedTuple):
    """A run that may be what the device did.

    kind, text : as in `suspects.Cause`
    start : a fresh run;  x : (channels, n) int16 that it is fed;  valid : samples whose output counts
    """

    kind: str
    text: str
    start: Callable[[], Run]
    x: np.ndarray
    valid: int


def suspects(case: Case, x: np.ndarray, whole: Values) -> Iterator[Suspect]:
    """All of them.

    x : (channels, n) int16, the stretch to reproduce, from the beginning;  whole : all input
    """
    for kind, text, other, valid in _inputs(case, x):
        yield Suspect(kind, text, case.start, np.ascontiguousarray(other), valid)
    for text, start in _states(case, whole):
        yield Suspect("state not cleared", text, start, x, x.shape[1])
    for text, params in _params(case.start()):
        yield Suspect("coefficient order", text, _with_params(case, params), x, x.shape[1])


def _inputs(case: Case, x: np.ndarray) -> Iterator[tuple[str, str, np.ndarray, int]]:
    """(kind, text, input, samples that count)."""
    n = x.shape[1]
    amounts = [(1, "one sample")] + (
        [(case.block, f"one block ({case.block} samples)")] if case.block > 1 else []
    )
    for lag, amount in amounts:
        if lag < n:
            silence = np.zeros((len(x), lag), x.dtype)
            yield "off by one", f"input {amount} late", np.hstack([silence, x[:, :-lag]]), n
            early = np.hstack([x[:, lag:], silence])
            yield "off by one", f"input {amount} early", early, (n - lag) // case.block * case.block
    if len(x) > 1:
        yield "channel swap", "channels of the input swapped", x[::-1], n
    yield "byte order of the input", "bytes of the input in the other order", x.byteswap(), n
    for shift in range(1, 16):
        wide = x.astype(np.int64) << shift
        bits = f"{shift} bit" if shift == 1 else f"{shift} bits"
        yield "Q format", f"input shifted right by {bits}", x >> shift, n
        yield (
            "Q format",
            f"input shifted left by {bits}, saturated",
            np.clip(wide, -32768, 32767).astype(np.int16),
            n,
        )
        yield "Q format", f"input shifted left by {bits}, wrapped", wide.astype(np.int16), n


def _states(case: Case, whole: Values) -> Iterator[tuple[str, Callable[[], Run]]]:
    """(text, start): the state after a run over the whole input, or a part of it."""
    used: Any = case.start()
    fresh: Any = case.start()
    if not hasattr(used, "state"):
        return
    length = case.fs_hz // case.block * case.block
    for first in range(0, whole.steps // case.block * case.block, length):
        last = min(first + length, whole.steps // case.block * case.block)
        used.push(np.array(whole.read(first, last), np.int16, order="C"))
    before = dict(leaves(fresh.state))
    kept = {path: array for path, array in leaves(used.state) if not np.array_equal(array, before[path])}
    parts = {path[:depth] for path in kept for depth in range(len(path) + 1)}
    seen: set[frozenset[tuple[str, ...]]] = set()
    for part in sorted(parts, key=lambda path: (len(path), path)):
        below = {path: array for path, array in kept.items() if path[: len(part)] == part}
        if frozenset(below) not in seen:
            seen.add(frozenset(below))
            what = ".".join(("state", *part)) if part else "all of the state"
            yield f"{what} as the same input had left it before", _with_state(case, below)


def _with_state(case: Case, arrays: dict[tuple[str, ...], np.ndarray]) -> Callable[[], Run]:
    def start() -> Run:
        run: Any = case.start()
        for path, array in leaves(run.state):
            if path in arrays:
                array[...] = arrays[path]
        return run

    return start


def _with_params(case: Case, params: Any) -> Callable[[], Run]:
    def start() -> Run:
        run: Any = case.start()
        run.params = params
        return run

    return start


def _params(run: Any) -> Iterator[tuple[str, Any]]:
    """(text, params) with coefficients in another order."""
    if not hasattr(run, "params"):
        return
    arrays = dict(leaves(run.params))
    for path, array in arrays.items():
        if path[-1] in _INDEX_TABLES:
            continue
        name = ".".join(path)
        for text, other in _orders(array):
            if not np.array_equal(other, array):
                yield f"{name}: {text}", _replaced(run.params, {path: np.ascontiguousarray(other)})
    for (a, x), (b, y) in combinations(arrays.items(), 2):
        same = a[:-1] == b[:-1] and x.shape == y.shape and _format(a) == _format(b) != ""
        if same and not np.array_equal(x, y):
            yield f"{'.'.join(a)} and {b[-1]} exchanged", _replaced(run.params, {a: y, b: x})


def _orders(array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if array.ndim == 2 and array.shape[1] <= _MOST_COLUMNS:
        for i, j in combinations(range(array.shape[1]), 2):
            other = array.copy()
            other[:, [i, j]] = array[:, [j, i]]
            yield f"columns {i} and {j} swapped", other
    if array.ndim == 2:
        yield "columns in the reverse order", array[:, ::-1]
    yield "rows in the reverse order", array[::-1]


def _format(path: tuple[str, ...]) -> str:
    """ "q31" of "release_q31"; empty where the name has none."""
    return path[-1].rpartition("_q")[2] if "_q" in path[-1] else ""


def _replaced(value: Any, arrays: dict[tuple[str, ...], np.ndarray], path: tuple[str, ...] = ()) -> Any:
    if path in arrays:
        return arrays[path]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_replaced(getattr(value, n), arrays, (*path, n)) for n in value._fields))
    return value
