"""Kernels to C99: readable, self-contained, and the same integers to the last bit.

What C gets
    ``stdint.h`` alone; no allocation, no float, no recursion. Every integer is an int64_t as in the model,
    and arrays keep their width: a store casts, an operand is widened. Right shifts go through a helper that
    does not ask how the compiler shifts negatives; left shifts are of values that cannot be negative.
What becomes of
    NamedTuples: structs whose arrays are pointers, since the same kernel serves every configuration, tables
    can stay in flash, and states in memory that the firmware chose. 2-D arrays: a pointer to the first
    element, rows one after the other, and their length beside it. A length that no kernel uses is left out.
    Several return values: pointers, last among the arguments. `probes`: vanish, and what only they need.
    Integers of a module: defines; integer arrays of a module: ``static const``.
What is trusted
    What the kernels' contract states and the audit holds: nothing overflows, every store and narrowing keeps
    the value, indices and loop bounds fit in 31 bits.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple, NoReturn

import numpy as np

from fixedpoint._jit import registered_kernels
from fixedpoint.c99.access import Value, literal
from fixedpoint.c99.lines import within_width
from fixedpoint.c99.names import c_names, remark, section
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
    comment,
    distinct,
    first_line,
    struct_lines,
    type_of,
)
from fixedpoint.errors import ConfigError

_STDINT = {
    f"INT{n}_{end}": sign * (1 << (n - 1)) - (sign > 0)
    for n in (8, 16, 32, 64)
    for end, sign in (("MIN", -1), ("MAX", 1))
}
_SHIFT = """/* x * 2**-n rounded down, 0 <= n <= 63; compilers make it one arithmetic shift. */
static inline int64_t asr(int64_t x, int64_t n)
{
    return (x >= 0) ? (x >> n) : ~(~x >> n);
}

/* The same of a word, 0 <= n <= 31. */
static inline int32_t asr32(int32_t x, int32_t n)
{
    return (x >= 0) ? (x >> n) : ~(~x >> n);
}"""
# Compilers inline whatever has one caller; loops that do not nest then compete for the same registers.
_APART = """#ifdef __GNUC__
#define APART __attribute__((noinline))
#else
#define APART
#endif"""
# Kernels that are one instruction where the compiler is told so: the body to use under GCC and Clang.
_INTRINSICS = {
    ("fixedpoint.arith", "clz32"): "return ((uint32_t)x == 0U) ? 32 : __builtin_clz((uint32_t)x);",
    ("fixedpoint.arith", "neg32"): "return -(int32_t)x;",
}
Key = tuple[Callable[..., Any], tuple[Type, ...]]


class Module(NamedTuple):
    """Kernels in C.

    header : text of NAME.h: structs and prototypes
    source : text of NAME.c
    functions : the kernels asked for, in the order asked for
    """

    header: str
    source: str
    functions: tuple[CFunction, ...]


def translate(kernels: Iterable[tuple[Callable[..., Any], tuple]], name: str, prefix: str = "") -> Module:
    """Kernels and all that they call, in C99.

    Parameters
    ----------
    kernels : kernel and example arguments, which give the types; a kernel may come with several types
    name : of the header
    prefix : of the names that the header shows: structs, and the kernels asked for

    Raises
    ------
    ConfigError
        Something outside the kernel subset: file, line and reason.
    """
    wanted = []
    for kernel, arguments in kernels:
        python = getattr(kernel, "py_func", kernel)
        names = list(inspect.signature(python).parameters)
        if len(names) != len(arguments):
            raise ConfigError(f"{python.__name__}: takes {len(names)} arguments, {len(arguments)} given")
        types = [
            NONE if n == "probes" else type_of(a, f"{python.__name__}: {n}")
            for n, a in zip(names, arguments, strict=True)
        ]
        wanted.append((python, tuple(types)))
    trial = _Translation(wanted, {}, {}, set())
    functions = c_names(list(trial.functions))
    functions |= {key: prefix + functions[key] for key in wanted}
    structs = c_names([(s.python, s.fields) for s in trial.structs], prefix)
    words = {*trial.words, *functions.values(), *structs.values()}
    return _Translation(wanted, functions, structs, words).module(name)


class _Translation:
    """Kernels on their way to C; done twice, since only the first pass shows which names clash."""

    def __init__(
        self, wanted: list[Key], names: dict[Key, str], struct_names: dict[tuple, str], avoid: set[str]
    ) -> None:
        self.wanted, self.names, self.struct_names, self.avoid = wanted, names, struct_names, avoid
        self.words: set[str] = set()  # of kernels' variables and structs' fields; a define would replace them
        registered = (getattr(kernel, "py_func", kernel) for kernel in registered_kernels().values())
        self.allowed = {*registered, *(python for python, _ in wanted)}
        self.functions: dict[Key, CFunction] = {}
        self.structs: dict[StructType, Struct] = {}
        self.constants: dict[str, tuple[int, str]] = {}
        self.tables: dict[str, tuple[np.ndarray, ArrayRef]] = {}
        self.open: list[Key] = []
        for python, types in dict.fromkeys(wanted):
            self._function(python, types)

    # --- what kernels refer to ---------------------------------------------------------------

    def callee(
        self, target: Any, types: tuple[Type, ...], refuse: Callable[[str], NoReturn]
    ) -> CFunction | None:
        """The C function of a kernel for these types of arguments; None if it is not a kernel."""
        python = getattr(target, "py_func", target)
        if (
            not callable(python)
            or python not in self.allowed
            or len(inspect.signature(python).parameters) != len(types)
        ):
            return None
        if (python, types) in self.open:
            refuse(f"{python.__name__} calls itself, directly or not: no recursion on the device")
        return self._function(python, types)

    def _function(self, python: Callable[..., Any], types: tuple[Type, ...]) -> CFunction:
        key = (python, types)
        if key not in self.functions:
            self.open.append(key)
            name = self.names.get(key, python.__name__)
            kernel = Kernel(python, types, name, self, self.struct)
            self.functions[key] = kernel.translate()
            self.words |= kernel.local
            self.open.pop()
        return self.functions[key]

    def struct(self, type: StructType) -> Struct:
        """The struct of a NamedTuple."""
        if type not in self.structs:
            fields = zip(type.python._fields, type.fields, strict=True)  # type: ignore[attr-defined]
            nested = {field: self.struct(kind) for field, kind in fields if isinstance(kind, StructType)}
            name = self.struct_names.get((type.python, type.fields), type.python.__name__)
            self.structs[type] = Struct(name, type, nested)
            self.words |= set(self.structs[type].storage)
        return self.structs[type]

    def constant(self, module: str, name: str, value: int) -> Value:
        """A module's integer, by name."""
        if _STDINT.get(name) == value:
            return Value(name, wide=name.startswith("INT64"))
        taken = {n for n, (v, _) in self.constants.items() if v != value} | set(_STDINT) | set(self.tables)
        c_name = self._file_scope(module, name, taken)
        self.constants.setdefault(c_name, (value, remark(module, name)))
        return Value(c_name, wide=literal(value).wide)

    def table(self, module: str, name: str, values: np.ndarray) -> ArrayRef:
        """A module's array, by name."""
        if values.dtype.name not in ELEMENTS or values.ndim not in (1, 2) or not values.size:
            found = f"{values.dtype} {values.shape}"
            raise ConfigError(f"{module}.{name}: {found} array found; {', '.join(ELEMENTS)} is accepted")
        taken = {n for n, (v, _) in self.tables.items() if v is not values} | set(self.constants)
        c_name = self._file_scope(module, name, taken)
        ref = ArrayRef(c_name, ArrayType(values.dtype.name, values.ndim), Storage(), values.shape)
        return self.tables.setdefault(c_name, (values, ref))[1]

    def _file_scope(self, module: str, name: str, taken: set[str]) -> str:
        """A C name for a module's constant; Python's leading underscore is the compiler's own in C."""
        plain = name.lstrip("_")
        return distinct(plain, taken | self.avoid, f"{module.rpartition('.')[2].upper()}_{plain}")

    # --- text --------------------------------------------------------------------------------

    def module(self, name: str) -> Module:
        """Header and source."""
        return Module(
            self._header(name), self._source(name), tuple(self.functions[key] for key in self.wanted)
        )

    def _header(self, name: str) -> str:
        guard = f"{re.sub('[^A-Za-z0-9]', '_', name)}_h"
        blocks = [[f"#ifndef {guard}", f"#define {guard}"], ["#include <stdint.h>"]]
        blocks += [struct_lines(struct) for struct in self.structs.values()]
        for function in (self.functions[key] for key in dict.fromkeys(self.wanted)):
            blocks.append([comment(first_line(function.python)), f"{function.declaration()};"])
        return _text([*blocks, [f"#endif /* {guard} */"]])

    def _source(self, name: str) -> str:
        blocks = [[f'#include "{name}.h"'], _SHIFT.split("\n")]
        if self.constants:
            blocks.append([_define(n, value, said) for n, (value, said) in self.constants.items()])
        blocks += [_table_lines(n, values) for n, (values, _) in self.tables.items()]
        made = self.functions.values()
        apart = _apart({f.name: _called(f) for f in made}, {f.name: list(f.lines) for f in made})
        apart -= {self.functions[key].name for key in self.wanted}
        if apart:
            blocks.insert(1, _APART.split("\n"))
        shown = ("", "")
        for key in self._order():
            function = self.functions[key]
            here = (function.python.__module__, section(function.python))
            if here[0] != shown[0]:
                blocks.append([comment(f"==== {here[0]}: {first_line(sys.modules[here[0]])}")])
            if here[1] and here != shown:
                blocks.append([comment(f"---- {here[1]}")])
            shown = here
            note, head, *body = function.lines
            known = _INTRINSICS.get((function.python.__module__, function.python.__name__))
            if known:
                body = [body[0], "#ifdef __GNUC__", f"    {known}", "#else", *body[1:-1], "#endif", body[-1]]
            mark = "APART" if function.name in apart else ""
            blocks.append([note, mark, head if key in self.wanted else f"static {head}", *body])
        return _text(blocks)

    def _order(self) -> list[Key]:
        """Callees before callers; module by module and in the order of their files, where that allows it."""
        keys = {function.name: key for key, function in self.functions.items()}
        calls = {name: _called(self.functions[key]) & set(keys) for name, key in keys.items()}
        home = {name: key[0].__module__ for name, key in keys.items()}
        below: dict[str, set[str]] = {module: set() for module in sorted(home.values(), key=_by_own_name)}
        for name in sorted(keys):
            below[home[name]] |= {home[callee] for callee in sorted(calls[name])} - {home[name]}
        made = list(self.functions)  # callees came first
        try:
            sorter = TopologicalSorter({m: sorted(b, key=_by_own_name) for m, b in below.items()})
            modules = list(sorter.static_order())
        except CycleError:
            return made
        ordered = sorted(keys, key=lambda n: (modules.index(home[n]), keys[n][0].__code__.co_firstlineno, n))
        place = {name: i for i, name in enumerate(ordered)}
        if any(place[callee] > place[name] for name in keys for callee in calls[name]):
            return made
        return [keys[name] for name in ordered]


def _by_own_name(module: str) -> tuple[str, str, str]:
    """Sorts modules; the folders that they are in do not change the order of the C."""
    return module.partition(".")[0], module.rpartition(".")[2], module


def _called(function: CFunction) -> set[str]:
    return set(re.findall(r"(\w+)\(", "\n".join(function.lines[2:])))


def _apart(calls: dict[str, set[str]], functions: dict[str, list[str]]) -> set[str]:
    """Functions with a loop that none calls in a loop of its own: these stay functions in machine code."""
    looping, nested = set(), set()
    for name, lines in functions.items():
        loops: list[int] = []  # indents of the loops that are open
        for line in lines[2:]:
            indent = len(line) - len(line.lstrip())
            while loops and indent <= loops[-1]:
                loops.pop()
            if loops:
                nested |= set(re.findall(r"(\w+)\(", line)) & set(functions)
            if line.lstrip().startswith("for ("):
                looping.add(name)
                loops.append(indent)
    reached = list(nested)
    while reached:
        fresh = calls[reached.pop()] & set(functions) - nested
        nested |= fresh
        reached += fresh
    return looping - nested


def _define(name: str, value: int, said: str) -> str:
    number = literal(value) if value != -(1 << 63) else Value("(-INT64_C(9223372036854775807) - 1)")
    text = f"({number.text})" if value < 0 and number.level else number.text
    return f"#define {name} {text}{f'  {comment(said)}' if said else ''}"


def _table_lines(name: str, values: np.ndarray) -> list[str]:
    size = " * ".join(map(str, values.shape))
    rows = [
        ", ".join(literal(int(v)).text for v in part)
        for part in np.array_split(values.ravel(), -(-values.size // 8))
    ]
    return [f"static const {values.dtype.name}_t {name}[{size}] = {{", *(f"    {row}," for row in rows), "};"]


def _text(blocks: list[list[str]]) -> str:
    return within_width("\n\n".join("\n".join(line for line in block if line) for block in blocks)) + "\n"
