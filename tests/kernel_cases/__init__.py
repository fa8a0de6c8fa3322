"""Arguments for every registered kernel: what `test_audit` and `test_no_float` run.

To cover the kernels of a package, put a module here with a table ``CASES``: qualified kernel name ->
builder. A builder takes a seeded generator and returns a list of argument tuples, scalars as np.int64;
outputs and state are arrays in those tuples and are compared after the call. Importing the module must
import the kernels' own module. Nothing else needs to change.
"""

import importlib
import pkgutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from fixedpoint._jit import registered_kernels

CASES: dict[str, Callable[[np.random.Generator], list[tuple]]] = {}
for info in pkgutil.iter_modules(__path__):
    CASES.update(importlib.import_module(f"{__name__}.{info.name}").CASES)


def arguments(name: str) -> list[tuple]:
    """Argument tuples of one kernel: the same in every process."""
    return CASES[name](np.random.default_rng(list(name.encode())))


def plain(value: Any) -> Any:
    """Nested lists of Python ints: what can be compared and stored whatever the execution."""
    if isinstance(value, np.ndarray):
        return np.asarray(value).tolist()
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return None if value is None else int(value)


def results(
    name: str,
    prepare: Callable[[tuple], tuple] = lambda args: args,
    context: Callable[[], AbstractContextManager] = nullcontext,
) -> list[Any]:
    """Per argument tuple: what the kernel returns, called within context, and its arguments after it."""
    function = registered_kernels()[name]
    out = []
    for args in map(prepare, arguments(name)):
        with context():
            returned = function(*args)
        out.append([plain(returned), plain(args)])
    return out
