"""Goldens of the kernels: what each returns and leaves in its arguments, for the inputs in `kernel_cases`.

Frozen are hashes of arguments and results, and, to find the first difference, what each call changes.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from firmware_model.golden.kernel_cases import Call, arguments, calls, find_kernel, flat, named_parts
from firmware_model.golden.store import Frozen, Shipped, Store, digest, facts_of

FILE = "kernels.npz"


class Difference(NamedTuple):
    """The first integer that differs from the golden.

    node : name of a signal, of a kernel's argument, or "returned"
    row : its label, or the index in an array
    step : value of a signal, counted from 0; call of a kernel
    expected, got : None where it is not known
    """

    node: str
    row: str
    step: int
    expected: int | None
    got: int | None


def freeze(name: str) -> Frozen:
    """The golden of one kernel."""
    built = arguments(name)
    given = digest(flat(tuple(built)))  # before any call: calls may share a state
    made = list(calls(name, built=built))
    changes = _changes(made)
    facts = facts_of(_results(made), _signature(name), {"calls": len(made)})
    key = f"kernel:{name}"
    return Frozen(key, FILE, {key: changes}, {**facts, "arguments_sha256": given})


def first_difference(name: str, store: Store | Shipped) -> Difference | None:
    """Run a kernel and hold it against its golden; None where all bits are equal.

    Raises
    ------
    ConfigError
        No golden of this name.
    GoldenError
        The store is not as it was written.
    """
    entry = store.entry(f"kernel:{name}")
    built = arguments(name)
    if digest(flat(tuple(built))) != entry["arguments_sha256"]:
        return Difference("arguments", "", 0, None, None)
    made = list(calls(name, built=built))
    if digest(_results(made)) == entry["sha256"]:
        return None
    got, wanted = _changes(made), store.array(f"kernel:{name}")
    if len(got) != len(wanted):
        return Difference("returned", "", 0, None, None)  # another number of values
    place = int(np.flatnonzero(got != wanted)[0])
    return _locate(name, made, place, int(wanted[place]))


def _locate(name: str, made: list[Call], place: int, change: int) -> Difference:
    """Name what stands at a place in the changes."""
    for step, (call, args) in enumerate(zip(made, arguments(name), strict=True)):
        if place < len(call.returned):
            return Difference("returned", str(place), step, change, int(call.returned[place]))
        place -= len(call.returned)
        if place < len(call.after):
            before, after = int(call.before[place]), int(call.after[place])
            return Difference(*_argument_at(name, args, place), step, before + change, after)
        place -= len(call.after)
    raise AssertionError("a place beyond the last call")


def _argument_at(name: str, args: tuple, place: int) -> tuple[str, str]:
    """("state.level_q24", "2,0"): which integer of the arguments, flattened, stands at a place."""
    names = list(inspect.signature(_python(name)).parameters)
    for argument, value in zip(names, args, strict=True):
        for part, values in named_parts(value, argument):
            if place < values.size:
                return part, ",".join(str(i) for i in np.unravel_index(place, values.shape))
            place -= values.size
    raise AssertionError("a place beyond the last argument")


def _python(name: str) -> Callable[..., Any]:
    function: Any = find_kernel(name)
    return getattr(function, "py_func", function)


def _signature(name: str) -> str:
    """Its arguments: the suffixes of their names, and of their fields', are the formats."""
    return f"({', '.join(inspect.signature(_python(name)).parameters)})"


def _results(made: list[Call]) -> np.ndarray:
    return np.concatenate([part for call in made for part in (call.returned, call.after)])


def _changes(made: list[Call]) -> np.ndarray:
    """What was returned, and what the arguments changed by, modulo 2**64; mostly zeros."""
    parts = [(call.returned, call.after - call.before) for call in made]
    return np.concatenate([part for pair in parts for part in pair])
