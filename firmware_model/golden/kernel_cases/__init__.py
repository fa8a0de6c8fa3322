"""Arguments for every registered kernel: inputs of the goldens, of the audit and of the search for floats.

To cover the kernels of a package, put a module here with a table ``CASES``: qualified kernel name ->
builder. A builder takes a `FrozenRandom` and returns a list of argument tuples, scalars as np.int64; outputs
and state are arrays in those tuples and are compared after the call. Importing the module must import the
kernels' own module. Nothing else needs to change.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from firmware_model.golden.frozen_random import FrozenRandom
from fixedpoint._jit import registered_kernels

CASES: dict[str, Callable[[FrozenRandom], list[tuple]]] = {}
for info in pkgutil.iter_modules(__path__):
    CASES.update(importlib.import_module(f"{__name__}.{info.name}").CASES)


class Call(NamedTuple):
    """One call of a kernel.

    before : (m,) int64, the integers of the arguments in order, arrays and tuples flattened
    returned : (k,) int64, what it returned
    after : (m,) int64, the arguments after the call
    """

    before: np.ndarray
    returned: np.ndarray
    after: np.ndarray


def arguments(name: str) -> list[tuple]:
    """Argument tuples of one kernel: the same in every process and on every machine."""
    return CASES[name](FrozenRandom(name))


def calls(
    name: str,
    prepare: Callable[[tuple], tuple] = lambda args: args,
    context: Callable[[], AbstractContextManager] = nullcontext,
    built: list[tuple] | None = None,
) -> Iterator[Call]:
    """Call a kernel, within the context, with each of its argument tuples in turn; they may share a state.

    built : the argument tuples, where they are at hand
    """
    function = registered_kernels()[name]
    for args in map(prepare, arguments(name) if built is None else built):
        before = flat(args)
        with context():
            returned = function(*args)
        yield Call(before, flat(returned), flat(args))


def flat(value: Any) -> np.ndarray:
    """(n,) int64: the integers of a scalar, array, or tuple of them; None holds none."""
    parts = [part.ravel() for _, part in named_parts(value)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def named_parts(value: Any, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """(name, int64 array) of a scalar, an array, or each one in a tuple: "state.bank.level_q24"."""
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", tuple(map(str, range(len(value)))))
        for field, item in zip(fields, value, strict=True):
            yield from named_parts(item, f"{name}.{field}" if name else field)
    elif value is not None:
        yield name, np.asarray(value).astype(np.int64)
