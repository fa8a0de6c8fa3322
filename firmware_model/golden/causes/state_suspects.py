"""Suspects that run the model's kernels with another state: at the start, or mixed up before every block."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case, Run
from firmware_model.golden.causes.coefficient_suspects import replaced
from firmware_model.golden.dumps.dump_values import Values
from firmware_model.golden.dumps.evidence import leaves

NOT_CLEARED, INITIAL, SWAPPED, KEPT = (
    "state not cleared",
    "wrong initial state",
    "swapped states",
    "state not kept",
)
_MOST_ROWS = 8
_MOST_LATE = 1 << 16  # values of an array of which the last block's are kept as well
Path = tuple[str, ...]
Before = Callable[[dict[Path, np.ndarray]], None]  # what happens to the state before a block


class Mixed(NamedTuple):
    """A run whose state is changed before every block.

    run : the model's;  arrays : of its state;  before : what happens to them;  block : samples
    """

    run: Any
    arrays: dict[Path, np.ndarray]
    before: Before
    block: int

    def push(self, x_q15: np.ndarray) -> dict[str, np.ndarray]:
        """See `case.Run`."""
        parts = []
        for start in range(0, x_q15.shape[1], self.block):
            self.before(self.arrays)
            parts.append(self.run.push(np.ascontiguousarray(x_q15[:, start : start + self.block])))
        return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}


def states(case: Case, whole: Values) -> Iterator[tuple[str, str, Callable[[], Run]]]:
    """(kind, text, start) of runs that start from another state."""
    fresh: Any = case.start()
    if not hasattr(fresh, "state"):
        return
    arrays = dict(leaves(fresh.state))
    used = _used(case, whole)
    for text, start in _not_cleared(case, used):
        yield NOT_CLEARED, text, start
    begun = {path: array for path, array in arrays.items() if array.any()}
    for text, paths in _parts(begun):
        zeros = {path: np.zeros_like(begun[path]) for path in paths}
        yield INITIAL, f"{text}: zeros at the start", _with_state(case, zeros)
    for a, b in _alike(_signals(used)):
        if np.array_equal(arrays[a], arrays[b]):
            yield SWAPPED, f"state.{'.'.join(a)} and state.{'.'.join(b)} are one array", _shared(case, a, b)


def mixed_states(case: Case, whole: Values) -> Iterator[tuple[str, str, Callable[[], Run]]]:
    """(kind, text, start) of runs whose state is mixed up before every block."""
    fresh: Any = case.start()
    if not hasattr(fresh, "state"):
        return
    arrays, signals = dict(leaves(fresh.state)), _signals(_used(case, whole))
    for a, b in _alike(signals):
        text = f"state.{'.'.join(a)} and state.{'.'.join(b)} exchanged where they are read"
        yield SWAPPED, text, _mixed(case, _exchange(a, b))
    for path, array in arrays.items():
        name = f"state.{'.'.join(path)}"
        for axis in range(array.ndim if path in signals else 0):
            what = "columns" if axis == 1 else "rows" if array.ndim == 2 else "values"
            if 1 < array.shape[axis] <= _MOST_ROWS:
                for i, j in combinations(range(array.shape[axis]), 2):
                    text = f"{name}: {what} {i} and {j} exchanged where they are read"
                    yield SWAPPED, text, _mixed(case, _swap(path, axis, i, j))
            for how, order in _orders(array.shape[axis]) if path in signals else ():
                text = f"{name}: {what} {how} where they are read"
                yield SWAPPED, text, _mixed(case, _reorder(path, axis, order))
        yield KEPT, f"{name} begins anew with every block", _mixed(case, _reset(path, array.copy()))
        if array.size <= _MOST_LATE:
            yield KEPT, f"{name} is read one block late", _late(case, path)


def _not_cleared(case: Case, used: dict[Path, np.ndarray]) -> Iterator[tuple[str, Callable[[], Run]]]:
    """(text, start): the state after a run over the whole input, or a part of it."""
    fresh: Any = case.start()
    before = dict(leaves(fresh.state))
    kept = {path: array for path, array in used.items() if not np.array_equal(array, before[path])}
    for text, paths in _parts(kept):
        yield (
            f"{text} as the same input had left it before",
            _with_state(case, {path: kept[path] for path in paths}),
        )


def _used(case: Case, whole: Values) -> dict[Path, np.ndarray]:
    """The state after a run over the whole input."""
    used: Any = case.start()
    length = case.fs_hz // case.block * case.block
    for first in range(0, whole.steps // case.block * case.block, length):
        last = min(first + length, whole.steps // case.block * case.block)
        used.push(np.array(whole.read(first, last), np.int16, order="C"))
    return dict(leaves(used.state))


def _signals(used: dict[Path, np.ndarray]) -> dict[Path, np.ndarray]:
    """Arrays that hold no positions in others: mixed up, those would reach beyond them."""
    longest = max((max(array.shape, default=0) for array in used.values()), default=0)
    return {path: a for path, a in used.items() if a.size and (a.min() < 0 or a.max() > longest)}


def _parts(arrays: dict[Path, np.ndarray]) -> Iterator[tuple[str, tuple[Path, ...]]]:
    """(name, paths) of all of the state, of each tuple in it, and of each array."""
    parts = {path[:depth] for path in arrays for depth in range(len(path) + 1)}
    seen: set[tuple[Path, ...]] = set()
    for part in sorted(parts, key=lambda path: (len(path), path)):
        below = tuple(path for path in arrays if path[: len(part)] == part)
        if below not in seen:
            seen.add(below)
            yield ".".join(("state", *part)) if part else "all of the state", below


def _alike(arrays: dict[Path, np.ndarray]) -> Iterator[tuple[Path, Path]]:
    """Arrays of the same tuple, shape and type, that hold something."""
    for (a, x), (b, y) in combinations(arrays.items(), 2):
        if a[:-1] == b[:-1] and (x.shape, x.dtype) == (y.shape, y.dtype) and x.size:
            yield a, b


def _with_state(case: Case, arrays: dict[Path, np.ndarray]) -> Callable[[], Run]:
    def start() -> Run:
        run: Any = case.start()
        for path, array in leaves(run.state):
            if path in arrays:
                array[...] = arrays[path]
        return run

    return start


def _shared(case: Case, a: Path, b: Path) -> Callable[[], Run]:
    def start() -> Run:
        run: Any = case.start()
        run.state = replaced(run.state, {b: dict(leaves(run.state))[a]})
        return run

    return start


def _mixed(case: Case, before: Before) -> Callable[[], Run]:
    def start() -> Run:
        run: Any = case.start()
        mixed: Any = Mixed(run, dict(leaves(run.state)), before, case.block)
        return mixed  # type: ignore[no-any-return]

    return start


def _exchange(a: Path, b: Path) -> Before:
    def before(arrays: dict[Path, np.ndarray]) -> None:
        kept = arrays[a].copy()
        arrays[a][...] = arrays[b]
        arrays[b][...] = kept

    return before


def _swap(path: Path, axis: int, i: int, j: int) -> Before:
    def before(arrays: dict[Path, np.ndarray]) -> None:
        rows = np.swapaxes(arrays[path], 0, axis)
        rows[[i, j]] = rows[[j, i]]

    return before


def _orders(n: int) -> Iterator[tuple[str, np.ndarray]]:
    places = np.arange(n)
    if n > 2:
        yield "one before", np.roll(places, 1)
        yield "one after", np.roll(places, -1)
    if n > 2 and n % 2 == 0:
        yield "exchanged in pairs", places ^ 1


def _reorder(path: Path, axis: int, order: np.ndarray) -> Before:
    def before(arrays: dict[Path, np.ndarray]) -> None:
        arrays[path][...] = np.take(arrays[path], order, axis)

    return before


def _reset(path: Path, array: np.ndarray) -> Before:
    def before(arrays: dict[Path, np.ndarray]) -> None:
        arrays[path][...] = array

    return before


def _late(case: Case, path: Path) -> Callable[[], Run]:
    def start() -> Run:
        run: Any = case.start()
        arrays = dict(leaves(run.state))
        held = [arrays[path].copy()]

        def before(found: dict[Path, np.ndarray]) -> None:
            now = found[path].copy()
            found[path][...] = held[0]
            held[0] = now

        mixed: Any = Mixed(run, arrays, before, case.block)
        return mixed  # type: ignore[no-any-return]

    return start
