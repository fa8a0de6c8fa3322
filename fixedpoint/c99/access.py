"""C99 for what a kernel reads by name: literals, variables, constants, fields, elements and lengths."""

import ast
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn, Protocol

import numpy as np

from fixedpoint.c99.types import NONE, SCALAR, ArrayRef, CFunction, StructRef, Type
from fixedpoint.errors import ConfigError

# How tightly a C expression binds; bit operations and comparisons are always put in parentheses.
PRIMARY, UNARY, PRODUCT, SUM, BITS, TRUTH = range(6)
CASTS = ("int8", "int16", "int32", "int64")
_INT32_MAX = (1 << 31) - 1


class Value(NamedTuple):
    """A C expression.

    text : the expression
    level : how tightly it binds
    wide : int64_t; otherwise narrower, and widened before arithmetic
    truth : a comparison's result
    element : type of the array that it is loaded from, or that it is cast to
    """

    text: str
    level: int = PRIMARY
    wide: bool = True
    truth: bool = False
    element: str = ""

    def within(self, level: int) -> str:
        """The expression as an operand of an operator that takes operands up to this level."""
        return self.text if self.level <= level else f"({self.text})"


class Program(Protocol):
    """What a kernel can refer to beyond its own names."""

    def callee(
        self, target: Any, types: tuple[Type, ...], refuse: Callable[[str], NoReturn]
    ) -> CFunction | None: ...
    def constant(self, module: str, name: str, value: int) -> Value: ...
    def table(self, module: str, name: str, values: np.ndarray) -> ArrayRef: ...


class Access:
    """Names of one kernel, and what they give in C.

    Attributes
    ----------
    refs : arrays and structs by their Python names
    scalars, truths, loops : names of integers, of results of comparisons, of the loops' variables in force
    narrow : locals that fit 32 bits, int32_t in C
    rising : loop variables that start at 0 or above
    local : every name that the kernel sets
    writes : whether a store or a callee that stores was met
    """

    def __init__(
        self, function: Callable[..., Any], program: Program, refuse: Callable[..., NoReturn]
    ) -> None:
        self.module: dict[str, Any] = function.__globals__
        self.program, self.refuse = program, refuse
        self.refs: dict[str, ArrayRef | StructRef] = {}
        self.scalars: set[str] = set()
        self.truths: set[str] = set()
        self.narrow: set[str] = set()
        self.loops: set[str] = set()
        self.rising: set[str] = set()
        self.local: set[str] = set()
        self.writes = False

    def value(self, node: ast.expr, alone: bool = False) -> Value:
        """An integer or the result of a comparison."""
        raise NotImplementedError

    def integer(self, node: ast.expr, alone: bool = False) -> Value:
        """An integer, not a truth value.

        alone : nothing else is evaluated with it, so that it may be a call that stores
        """
        value = self.value(node, alone)
        if value.truth:
            self.refuse(node, "a comparison's result used as a number")
        return value

    # --- names -------------------------------------------------------------------------------

    def _literal(self, node: ast.Constant) -> Value:
        if isinstance(node.value, bool) or not isinstance(node.value, int):
            self.refuse(node, f"{node.value!r} is not an integer")
        return literal(node.value, hexadecimal=node.value > 255 and node.value & (node.value + 1) == 0)

    def _name(self, node: ast.Name) -> Value:
        name = node.id
        if name in self.loops:
            return Value(name, wide=False)
        if name in self.truths:
            return Value(name, wide=False, truth=True)
        if name in self.scalars:
            narrow = name in self.narrow
            return Value(name, wide=not narrow, element="int32" if narrow else "")
        if name in self.refs:
            self.refuse(node, f"{name} is an array or a NamedTuple, not a number")
        if name in self.local:
            self.refuse(node, f"{name} is read outside the loop that counts it, or before it is set")
        found = self.module.get(name)
        if isinstance(found, (int, np.signedinteger)) and not isinstance(found, bool):
            return self.program.constant(self.module["__name__"], name, int(found))
        self.refuse(
            node, f"{name} is {'unknown' if found is None else 'a ' + type(found).__name__}, not an integer"
        )

    def _load(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Subscript) and _is_shape(node.value):
            return self._length(node)
        if isinstance(node, ast.Subscript):
            ref, text = self.element(node)
            return Value(text, wide=ref.type.element == "int64", element=ref.type.element)
        assert isinstance(node, ast.Attribute)
        owner = self.reference(node.value)
        if not isinstance(owner, StructRef):
            self.refuse(
                node, f".{node.attr} of an array is outside the kernel subset, except .shape[0] and .shape[1]"
            )
        kind = owner.struct.fields().get(node.attr)
        if kind != SCALAR:
            self.refuse(node, f"{node.attr} of {owner.struct.type.python.__name__} is not an integer")
        return Value(owner.member(node.attr))

    def _length(self, node: ast.Subscript) -> Value:
        assert isinstance(node.value, ast.Attribute)
        ref = self.array(node.value.value)
        dimension = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if not isinstance(dimension, int) or dimension not in range(ref.type.ndim):
            self.refuse(
                node, f"shape of a {ref.type.ndim}-D array: index must be a literal below {ref.type.ndim}"
            )
        return Value(ref.length(dimension), wide=False)

    # --- arrays and structs ------------------------------------------------------------------

    def reference(self, node: ast.expr) -> ArrayRef | StructRef:
        """An array or a NamedTuple."""
        if isinstance(node, ast.Name):
            if node.id in self.refs:
                return self.refs[node.id]
            found = None if node.id in self.local else self.module.get(node.id)
            if isinstance(found, np.ndarray):
                return self.program.table(self.module["__name__"], node.id, found)
            self.refuse(node, f"{node.id} is not an array or a NamedTuple")
        if not isinstance(node, ast.Attribute):
            self.refuse(node, f"{type(node).__name__} in place of an array is outside the kernel subset")
        owner = self.reference(node.value)
        if not isinstance(owner, StructRef) or node.attr not in owner.struct.storage:
            self.refuse(node, f"there is no field {node.attr}")
        kind, text = owner.struct.fields()[node.attr], owner.member(node.attr)
        if node.attr in owner.struct.nested:
            return StructRef(text, owner.struct.nested[node.attr], False)
        if kind in (SCALAR, NONE):
            self.refuse(node, f"{node.attr} is not an array or a NamedTuple")
        return ArrayRef(text, kind, owner.struct.storage[node.attr])  # type: ignore[arg-type]

    def array(self, node: ast.expr) -> ArrayRef:
        ref = self.reference(node)
        if not isinstance(ref, ArrayRef):
            self.refuse(node, f"{ast.unparse(node)} is a NamedTuple, not an array")
        return ref

    def element(self, node: ast.Subscript) -> tuple[ArrayRef, str]:
        """The array and the C text of one of its elements."""
        ref = self.array(node.value)
        places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if len(places) != ref.type.ndim:
            self.refuse(node, f"{len(places)} indices on a {ref.type.ndim}-D array: it takes {ref.type.ndim}")
        for place in places:
            if isinstance(place, ast.UnaryOp) and isinstance(place.operand, ast.Constant):
                self.refuse(
                    node, "a negative index counts from the end in Python and reads before the array in C"
                )
        texts = [self.index(place) for place in places]
        if len(texts) == 2:
            row, column = texts
            return ref, f"{ref.text}[{row.within(UNARY)} * {ref.length(1)} + {column.within(PRODUCT)}]"
        return ref, f"{ref.text}[{texts[0].text}]"

    def index(self, node: ast.expr) -> Value:
        """An index or a count in int32_t: enough for any array of firmware, one register on the target."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)):
            left, right = self.index(node.left), self.index(node.right)
            sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}[type(node.op)]
            level = PRODUCT if sign == "*" else SUM
            return Value(f"{left.within(level)} {sign} {right.within(level - 1)}", level, wide=False)
        if isinstance(node, ast.Slice):
            self.refuse(node, "a slice is outside the kernel subset: one element at a time")
        if isinstance(node, ast.Call) and numpy_type(node, self.module) == "int64" and len(node.args) == 1:
            return self.index(node.args[0])
        value = self.integer(node)
        return Value(f"(int32_t){value.within(PRIMARY)}", UNARY, wide=False) if value.wide else value


def literal(value: int, hexadecimal: bool = False) -> Value:
    """An integer literal; those beyond 32 bits by INT64_C."""
    text = hex(value).upper().replace("X", "x") if hexadecimal else str(value)
    if -_INT32_MAX <= value <= _INT32_MAX:
        return Value(text, PRIMARY if value >= 0 else UNARY, wide=False)
    if not -(1 << 63) < value < 1 << 63:
        raise ConfigError(f"{value}: must be within 64 bits")
    return Value(f"INT64_C({text})" if value >= 0 else f"(-INT64_C({-value}))")


def widened(value: Value) -> Value:
    """As int64_t."""
    if value.wide:
        return value
    if value.text.isdigit() or value.text.startswith("0x"):
        return Value(f"INT64_C({value.text})")
    return Value(f"(int64_t){value.within(PRIMARY)}", UNARY)


def _is_shape(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "shape"


def numpy_type(node: ast.Call, module: dict[str, Any]) -> str:
    """ "int32" where the call is np.int32(x), nothing otherwise."""
    f = node.func
    if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and module.get(f.value.id) is np:
        return f.attr if f.attr in CASTS else ""
    return ""
