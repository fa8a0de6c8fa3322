"""Suspects that give the model's kernels other coefficients: in another order, narrower, of another set."""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from firmware_model.case import Case, Run

ORDER, WORD, OTHER, MISTAKEN = (
    "coefficient order",
    "16-bit coefficients",
    "coefficients of another configuration",
    "one coefficient for another",
)
_INDEX_TABLES = ("order", "size", "place")  # not coefficients, and out of range when permuted
_MOST_COLUMNS = 8
_MOST_PAIRS = 10  # of fields of one tuple and format
_HALF_WORD = 16
Path = tuple[str, ...]
Values = Mapping[Path, Any]


def coefficients(case: Case) -> Iterator[tuple[str, str, Callable[[], Run]]]:
    """(kind, text, start) of runs with other parameters; those with the same as another are left out."""
    run: Any = case.start()
    if not hasattr(run, "params"):
        return
    own = {path: value for path, value in fields(run.params) if path[-1] not in _INDEX_TABLES}
    seen = {_digest({}, own)}
    for kind, text, other in (*_orders(own), *_mistaken(own), *_words(own), *_of_others(case, own)):
        digest = _digest(other, own)
        if digest not in seen:
            seen.add(digest)
            yield kind, text, _with_params(case, other)


def fields(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """(path of field names, array or integer) of all of them in nested NamedTuples."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        for name in value._fields:
            yield from fields(getattr(value, name), (*path, name))
    elif isinstance(value, (int, np.integer, np.ndarray)):
        yield path, value


def replaced(value: Any, others: Values, path: Path = ()) -> Any:
    """Nested NamedTuples with other values at some paths."""
    if path in others:
        return others[path]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(replaced(getattr(value, n), others, (*path, n)) for n in value._fields))
    return value


def _digest(other: Values, own: Values) -> bytes:
    return b"".join(np.asarray(other.get(path, value)).tobytes() for path, value in own.items())


def _with_params(case: Case, other: Values) -> Callable[[], Run]:
    def start() -> Run:
        run: Any = case.start()
        run.params = replaced(run.params, other)
        return run

    return start


def _orders(own: Values) -> Iterator[tuple[str, str, Values]]:
    for path, values in own.items():
        if isinstance(values, np.ndarray):
            for text, other in _permuted(values):
                yield ORDER, f"{'.'.join(path)}: {text}", {path: np.ascontiguousarray(other)}
    for a, b in _pairs(own):
        yield ORDER, f"{'.'.join(a)} and {b[-1]} exchanged", {a: own[b], b: own[a]}


def _permuted(array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if array.ndim == 2 and array.shape[1] <= _MOST_COLUMNS:
        for i, j in combinations(range(array.shape[1]), 2):
            other = array.copy()
            other[:, [i, j]] = array[:, [j, i]]
            yield f"columns {i} and {j} swapped", other
    if array.ndim == 2:
        yield "columns in the reverse order", array[:, ::-1]
    yield "rows in the reverse order", array[::-1]
    if 2 < len(array) <= _MOST_COLUMNS:
        for i, j in combinations(range(len(array)), 2):
            other = array.copy()
            other[[i, j]] = array[[j, i]]
            yield f"rows {i} and {j} swapped", other
    for shift in (1, -1):
        where = "before" if shift > 0 else "after"
        yield f"of each row, that of the row {where} it", np.roll(array, shift, axis=0)
    if len(array) <= _MOST_COLUMNS:
        for i in range(len(array)):
            yield f"row {i} in place of all", np.broadcast_to(array[i], array.shape)


def _mistaken(own: Values) -> Iterator[tuple[str, str, Values]]:
    for a, b in _pairs(own):
        for here, there in ((a, b), (b, a)):
            yield MISTAKEN, f"{there[-1]} in place of {'.'.join(here)}", {here: own[there]}


def _pairs(own: Values) -> Iterator[tuple[Path, Path]]:
    """Fields of the same tuple, shape and format."""
    for a, b in combinations(own, 2):
        same = a[:-1] == b[:-1] and np.shape(own[a]) == np.shape(own[b])
        if same and _format(a) == _format(b) != "":
            yield a, b


def _format(path: Path) -> str:
    """ "q31" of "release_q31"; empty where the name has none."""
    return path[-1].rpartition("_q")[2] if "_q" in path[-1] else ""


def _words(own: Values) -> Iterator[tuple[str, str, Values]]:
    """Words of 32 bits of which the upper half is kept."""
    wide = {path: value for path, value in own.items() if _is_wide(value)}
    for how, half in (("rounded", 1 << (_HALF_WORD - 1)), ("truncated", 0)):
        narrow = {path: _halved(value, half) for path, value in wide.items()}
        for text, paths in _groups(wide):
            yield WORD, f"{text}: {how} to 16 bits", {path: narrow[path] for path in paths}
        for path, value in wide.items():
            if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] <= _MOST_COLUMNS:
                for column in range(value.shape[1]):
                    other = value.copy()
                    other[:, column] = narrow[path][:, column]
                    yield WORD, f"{'.'.join(path)}, column {column}: {how} to 16 bits", {path: other}


def _is_wide(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return bool(
            value.dtype == np.int32 and value.size and np.abs(value.astype(np.int64)).max() >> _HALF_WORD
        )
    return abs(int(value)) >> _HALF_WORD > 0 and abs(int(value)) < 1 << 32


def _halved(value: Any, half: int) -> Any:
    most = (1 << (_HALF_WORD - 1)) - 1
    cut = np.minimum((np.asarray(value, np.int64) + half) >> _HALF_WORD, most) << _HALF_WORD
    return cut.astype(value.dtype) if isinstance(value, np.ndarray) else int(cut)


def _groups(own: Values) -> Iterator[tuple[str, tuple[Path, ...]]]:
    """Fields that one slip may befall at once, with their names, the fewest first."""
    for path in own:
        yield ".".join(path), (path,)
    tuples = list(dict.fromkeys(path[:-1] for path in own))
    for above in tuples:
        inside = tuple(path for path in own if path[:-1] == above)
        name = ".".join(above) or "the parameters"
        for form in dict.fromkeys(map(_format, inside)):
            alike = [path for path in inside if _format(path) == form]
            pairs = list(combinations(alike, 2))
            for a, b in pairs if len(pairs) <= _MOST_PAIRS else ():
                yield f"{'.'.join(a)} and {b[-1]}", (a, b)
            if form and len(alike) > 2:
                yield f"all of {name} in {form}", tuple(alike)
        if len(inside) > 1:
            yield f"all of {name}", inside
    yield "all coefficients", tuple(own)


def _of_others(case: Case, own: Values) -> Iterator[tuple[str, str, Values]]:
    """Those of the product's other cases, and of what it declares to be mistaken for this one."""
    others = [*case.alternatives()]
    if case.product is not None:
        others += [(other.name, other.start) for other in case.product.cases if other.name != case.name]
    for name, start in others:
        run: Any = start()
        found = {path: value for path, value in fields(run.params) if path in own}
        fitting = {path: value for path, value in found.items() if np.shape(value) == np.shape(own[path])}
        different = {path: v for path, v in fitting.items() if not np.array_equal(v, own[path])}
        coefficient = {path: v for path, v in different.items() if np.ndim(v) or _format(path)}
        for text, paths in _groups(coefficient):
            yield OTHER, f"{text}: those of {name}", {path: coefficient[path] for path in paths}
