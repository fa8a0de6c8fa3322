"""What the translation to C99 refuses, by its own inference of types; the only file here that asks it."""

import re
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from fixedpoint.c99.access import Value, literal
from fixedpoint.c99.statements import Kernel
from fixedpoint.c99.types import (
    ELEMENTS,
    NONE,
    ArrayRef,
    ArrayType,
    CFunction,
    Storage,
    Struct,
    StructType,
    Type,
    type_of,
)
from fixedpoint.errors import ConfigError
from fixedpoint.subset.finding import Finding, finding, said, shown
from fixedpoint.subset.names import is_kernel

_REASON = re.compile(r"^(.*):(\d+): (\w+): (.*)$", re.S)
Key = tuple[Callable[..., Any], tuple[Type, ...]]


def argument_faults(names: list[str], arguments: tuple) -> list[str]:
    """What is wrong with the types of example arguments: floats, lists, strided or unsigned arrays."""
    faults = []
    for name, argument in zip(names, arguments, strict=True):
        try:
            type_of(argument if name != "probes" else None, name)
        except ConfigError as error:
            what, _, rest = str(error).partition(": ")
            found, _, needed = rest.partition("; ")
            needed = needed.removesuffix(" needed") or "an integer, integer array or NamedTuple of these"
            found = f"{what}: {found.removesuffix(' found')}"
            faults.append(said(found, f"{needed} is", "C99 gets no other"))
    return faults


def refusals(python: Callable[..., Any], arguments: tuple) -> list[Finding]:
    """The first thing that the translation refuses in a kernel or its callees; empty where there is none."""
    names = python.__code__.co_varnames[: python.__code__.co_argcount]
    types = tuple(
        NONE if name == "probes" else type_of(argument, name)
        for name, argument in zip(names, arguments, strict=True)
    )
    try:
        _program.function(python, types)
    except ConfigError as error:
        _program.open.clear()
        match = _REASON.match(str(error))
        file, line, kernel, reason = match.groups() if match else ("", 0, "", str(error))
        says = said("what C99 export refuses", "only what it can translate is", reason)
        if not match:
            return [finding(python, python.__code__.co_firstlineno, says)]
        return [Finding(shown(file), int(line), kernel, says)]
    return []


class _Program:
    """All kernels that were asked about, each translated once for each list of types."""

    def __init__(self) -> None:
        self.functions: dict[Key, CFunction] = {}
        self.structs: dict[StructType, Struct] = {}
        self.open: list[Key] = []

    def callee(
        self, target: Any, types: tuple[Type, ...], refuse: Callable[[str], NoReturn]
    ) -> CFunction | None:
        """The C function of a kernel; None if it is no kernel."""
        python = getattr(target, "py_func", target)
        if not is_kernel(target) or python.__code__.co_argcount != len(types):
            return None
        if (python, types) in self.open:
            refuse(f"{python.__name__} calls itself, directly or not: no recursion on the device")
        return self.function(python, types)

    def function(self, python: Callable[..., Any], types: tuple[Type, ...]) -> CFunction:
        key = (python, types)
        if key not in self.functions:
            self.open.append(key)
            self.functions[key] = Kernel(python, types, python.__name__, self, self.struct).translate()
            self.open.pop()
        return self.functions[key]

    def struct(self, type: StructType) -> Struct:
        """The struct of a NamedTuple."""
        if type not in self.structs:
            fields = zip(type.python._fields, type.fields, strict=True)  # type: ignore[attr-defined]
            nested = {field: self.struct(kind) for field, kind in fields if isinstance(kind, StructType)}
            self.structs[type] = Struct(type.python.__name__, type, nested)
        return self.structs[type]

    def constant(self, module: str, name: str, value: int) -> Value:
        """A module's integer."""
        return Value(name, wide=literal(value).wide)

    def table(self, module: str, name: str, values: np.ndarray) -> ArrayRef:
        """A module's array."""
        if values.dtype.name not in ELEMENTS or values.ndim not in (1, 2):
            raise ConfigError(f"{module}.{name}: {values.dtype} {values.shape} array")
        return ArrayRef(name, ArrayType(values.dtype.name, values.ndim), Storage(), values.shape)


_program = _Program()
