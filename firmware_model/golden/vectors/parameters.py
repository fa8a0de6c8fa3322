"""The quantised parameters of a case as a flat list: name, integers, format, and the formula behind them."""

import inspect
import re
import sys
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case
from fixedpoint.arith import INT32_MAX, INT32_MIN

_FIELD = re.compile(r"(\w+(?:, \w+)*) : (.*)")
_TYPE = re.compile(r"(\([^)]*\) )?int\d*(, | |$)")
_FORMAT = re.compile(r"(Q\d+\.(\d+))([,;] |$)")
_COLUMNS = re.compile(r"columns of `([\w.]+)\.(\w+)`")
_AS_IN = re.compile(r"as in `(\w+)`")


class Parameter(NamedTuple):
    """One constant of the firmware.

    name : fields joined by ".": "curve.threshold_q24"
    values : integers of the type that the firmware stores; 0-d for a scalar
    fmt : "Q8.24", as the docstring of the parameters has it, else by the name's suffix and the type; "" for a
        plain integer
    frac_bits : its fractional bits
    about : from that docstring: units, formula; lines
    """

    name: str
    values: np.ndarray
    fmt: str
    frac_bits: int
    about: list[str]


def parameters(case: Case) -> list[Parameter]:
    """All that `quantise` made of the case's configuration, in order.

    A run keeps them as its `params`, a NamedTuple of integers, integer arrays and NamedTuples of those.
    """
    return _flatten(case.start().params, "")


def field_notes(kind: type) -> dict[str, str]:
    """What a class's docstring says of each field: "a, b : text", and indented lines that follow."""
    notes: dict[str, str] = {}
    names: list[str] = []
    for line in (inspect.getdoc(kind) or "").splitlines():
        head = _FIELD.fullmatch(line)
        if head is not None:
            names = head[1].split(", ")
            notes |= dict.fromkeys(names, head[2])
        elif line.startswith(" ") and names:
            notes |= {name: f"{notes[name]} {line.strip()}" for name in names}
        else:
            names = []
    return notes


def _flatten(params: Any, prefix: str) -> list[Parameter]:
    found, notes = [], field_notes(type(params))
    for field, value in zip(params._fields, params, strict=True):
        if isinstance(value, tuple):
            found += _flatten(value, f"{prefix}{field}.")
            continue
        values, about = _stored(value), _TYPE.sub("", notes.get(field, ""), count=1)
        fmt, frac_bits, about = _format(field, values, about)
        about = _configured(type(params), field, about)
        found.append(Parameter(prefix + field, values, fmt, frac_bits, _lines(about)))
    return found


def _stored(value: Any) -> np.ndarray:
    """An array as it is; a scalar as int32, or int64 where it needs it."""
    if isinstance(value, np.ndarray):
        return value
    return np.array(value, np.int32 if INT32_MIN <= value <= INT32_MAX else np.int64)


def _format(name: str, values: np.ndarray, about: str) -> tuple[str, int, str]:
    """Format, fractional bits, and what the note says besides."""
    suffix = re.search(r"_q(\d+)$", name)
    if suffix is None:
        return "", 0, about
    frac_bits = int(suffix[1])
    stated = _FORMAT.match(about)
    if stated is not None and int(stated[2]) == frac_bits:
        return stated[1], frac_bits, about[stated.end() :]
    return f"Q{8 * values.dtype.itemsize - frac_bits}.{frac_bits}", frac_bits, about


def _configured(kind: type, field: str, about: str) -> str:
    """Where the note refers to the configuration's field or property of this name, what that says."""
    named = _AS_IN.search(about)
    if named is None:
        return about
    config = getattr(sys.modules[kind.__module__], named[1])
    note = field_notes(config).get(field) or inspect.getdoc(getattr(config, field)) or ""
    return _TYPE.sub("", note, count=1)


def _lines(about: str) -> list[str]:
    """The note; where the columns are the fields of another NamedTuple, what its docstring says of those."""
    named = _COLUMNS.search(about)
    if named is None:
        return [about] if about else []
    kind = getattr(import_module(named[1]), named[2])
    first = (inspect.getdoc(kind) or "").splitlines()[0]
    notes = field_notes(kind)
    return [first, *(f"[{i}] {field}: {notes[field]}" for i, field in enumerate(kind._fields))]
