"""C types of kernel arguments: scalars, arrays and NamedTuples, and what the translation learns of them."""

import inspect
from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np

from fixedpoint.errors import ConfigError

ELEMENTS = ("int8", "int16", "int32", "int64")
# Words that C99 keeps for itself, and the names of stdint.h that a kernel could choose.
RESERVED = frozenset(
    [
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "APART",
        "asr",
        "asr32",
        "int8_t",
        "int16_t",
        "int32_t",
        "int64_t",
    ]
)

_WIDTH = 110


class ScalarType(NamedTuple):
    """An integer: int64_t in C, since Numba computes with 64 bits whatever the width of the operands."""


class NoneType(NamedTuple):
    """None, the only value that `probes` takes in C, where it vanishes."""


class ArrayType(NamedTuple):
    """A contiguous array.

    element : "int8", "int16", "int32" or "int64"
    ndim : 1 or 2
    """

    element: str
    ndim: int


class StructType(NamedTuple):
    """A NamedTuple with the types of its fields.

    python : the class
    fields : type of each field
    """

    python: type
    fields: tuple["Type", ...]


Type = ScalarType | NoneType | ArrayType | StructType
SCALAR, NONE = ScalarType(), NoneType()


class Storage:
    """What the kernels do with an array: decides `const`, and which of its lengths C has to be told.

    Attributes
    ----------
    written : whether any kernel stores into it
    lengths : dimensions, 0 or 1, whose length is used
    """

    def __init__(self) -> None:
        self.written = False
        self.lengths: set[int] = set()


class ArrayRef(NamedTuple):
    """An array as a kernel sees it.

    text : C expression, "x" or "state->re"
    type : ArrayType
    storage : Storage, shared by all who see the array through the same argument or field
    shape : known lengths of a constant table; empty otherwise
    """

    text: str
    type: ArrayType
    storage: Storage
    shape: tuple[int, ...] = ()

    def length(self, dimension: int) -> str:
        """C expression of a length, int32_t."""
        if self.shape:
            return str(self.shape[dimension])
        self.storage.lengths.add(dimension)
        return self.text + length_suffix(self.type, dimension)


class Struct:
    """A C struct for a NamedTuple whose fields have these types."""

    def __init__(self, name: str, type: StructType, nested: dict[str, "Struct"]) -> None:
        self.name, self.type, self.nested = name, type, nested
        self.storage = {field: Storage() for field in type.python._fields}  # type: ignore[attr-defined]

    def fields(self) -> dict[str, Type]:
        """Type of each field, by name."""
        return dict(zip(self.storage, self.type.fields, strict=True))


class StructRef(NamedTuple):
    """A struct as a kernel sees it.

    text : C expression; struct : Struct; pointer : whether the expression is a pointer
    """

    text: str
    struct: Struct
    pointer: bool

    def member(self, field: str) -> str:
        return f"{self.text}{'->' if self.pointer else '.'}{field}"

    def address(self) -> str:
        return self.text if self.pointer else f"&{self.text}"


class Parameter(NamedTuple):
    """An argument of a C function.

    name : in Python and in C
    type : its Type
    ref : ArrayRef, StructRef, or None for a scalar
    """

    name: str
    type: Type
    ref: ArrayRef | StructRef | None


class CFunction(NamedTuple):
    """A kernel in C.

    name : in C
    python : the Python function
    parameters : without those that vanish
    outputs : names of the pointers through which a kernel that returns several values gives them
    returns : whether it returns one value
    writes : whether it stores into an array
    lines : its definition
    """

    name: str
    python: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    outputs: tuple[str, ...]
    returns: bool
    writes: bool
    lines: tuple[str, ...]

    def declaration(self) -> str:
        """Its prototype, without the semicolon."""
        parts = [part for parameter in self.parameters for part in declared(parameter)]
        parts += [f"int64_t *{name}" for name in self.outputs]
        kind = "int64_t" if self.returns else "void"
        whole = ", ".join(part.replace(" ", "\0") for part in parts) or "void"  # lines end between arguments
        rows = wrap(
            f"{kind}\0{self.name}({whole})",
            _WIDTH - len("static "),
            subsequent_indent="    ",
            break_long_words=False,
        )
        return "\n".join(rows).replace("\0", " ")


def length_suffix(type: ArrayType, dimension: int) -> str:
    """What names the length of an array: x_length, or x_rows and x_columns."""
    return "_length" if type.ndim == 1 else ("_rows", "_columns")[dimension]


def pointer_to(type: ArrayType, storage: Storage, name: str) -> str:
    """Declaration of a pointer to the first element."""
    return f"{'' if storage.written else 'const '}{type.element}_t *{name}"


def declared(parameter: Parameter) -> list[str]:
    """Declarations of an argument: an array is followed by those of its lengths that are used."""
    name, ref = parameter.name, parameter.ref
    if isinstance(ref, StructRef):
        return [f"const {ref.struct.name} *{name}"]
    if isinstance(ref, ArrayRef):
        lengths = [f"int32_t {name}{length_suffix(ref.type, d)}" for d in sorted(ref.storage.lengths)]
        return [pointer_to(ref.type, ref.storage, name), *lengths]
    return [f"int64_t {name}"]


def struct_lines(struct: Struct) -> list[str]:
    """Definition of a struct, with the first line of the NamedTuple's docstring."""
    lines = [comment(first_line(struct.type.python)), "typedef struct {"]
    for field, type in struct.fields().items():
        storage = struct.storage[field]
        if isinstance(type, ArrayType):
            lines.append(f"    {pointer_to(type, storage, field)};")
            lines += [f"    int32_t {field}{length_suffix(type, d)};" for d in sorted(storage.lengths)]
        elif isinstance(type, StructType):
            lines.append(f"    {struct.nested[field].name} {field};")
        else:
            lines.append(f"    int64_t {field};")
    return [*lines, f"}} {struct.name};"]


def first_line(documented: Any) -> str:
    """First line of a docstring, or nothing."""
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def comment(text: str) -> str:
    """A C comment of one line; nothing of nothing."""
    if not text:
        return ""
    return f"/* {text.replace('*/', '* /').replace('/*', '/ *')} */"


def type_of(value: Any, name: str) -> Type:
    """Type of an example argument.

    Raises
    ------
    ConfigError
        A float, an unsigned integer, an array that is not contiguous, or anything else outside the subset.
    """
    if value is None:
        return NONE
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.unsignedinteger)):
        return SCALAR
    if isinstance(value, np.ndarray):
        if value.dtype.name not in ELEMENTS or value.ndim not in (1, 2) or not value.flags.c_contiguous:
            found = f"{'' if value.flags.c_contiguous else 'strided '}{value.dtype} {value.shape}"
            raise ConfigError(
                f"{name}: {found} array found; C-contiguous {', '.join(ELEMENTS)} (n,) or (m, n) needed"
            )
        return ArrayType(value.dtype.name, value.ndim)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        empty = [f for f, v in zip(value._fields, value, strict=True) if v is None]
        if empty:
            raise ConfigError(f"{name}.{empty[0]}: None found; only `probes` may be None")
        fields = [type_of(v, f"{name}.{f}") for f, v in zip(value._fields, value, strict=True)]
        return StructType(type(value), tuple(fields))
    raise ConfigError(
        f"{name}: {type(value).__name__} found; integer, integer array or NamedTuple of these needed"
    )


def distinct(wanted: str, taken: Sequence[str] | set[str], *more: str) -> str:
    """A C name that nobody has: as wanted, or with the first of the suffixes or prefixes that helps."""
    for name in (wanted, *more):
        if name not in taken and name not in RESERVED:
            return name
    raise ConfigError(f"{wanted}: no C name left for it, {', '.join(more) or 'it'} taken")
