"""C99 expressions for the expressions of kernels: 64 bits wide, in parentheses where C would read otherwise."""

import ast
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn, Protocol

import numpy as np

from fixedpoint.cgen_types import NONE, SCALAR, ArrayRef, CFunction, StructRef, Type
from fixedpoint.errors import ConfigError

# How tightly a C expression binds; bit operations and comparisons are always put in parentheses.
PRIMARY, UNARY, PRODUCT, SUM, BITS, TRUTH = range(6)
_CASTS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}
_BITS = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"}
_COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
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


class Expressions:
    """Expressions of one kernel.

    Attributes
    ----------
    refs : arrays and structs by their Python names
    scalars, truths, loops : names of integers, of results of comparisons, of the loops' variables in force
    rising : loop variables that start at 0 or above
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
        self.loops: set[str] = set()
        self.rising: set[str] = set()
        self.local: set[str] = set()
        self.writes = False

    # --- values ------------------------------------------------------------------------------

    def value(self, node: ast.expr, alone: bool = False) -> Value:
        """An integer or the result of a comparison.

        alone : nothing else is evaluated with it, so that it may be a call that stores
        """
        match node:
            case ast.Constant():
                return self._literal(node)
            case ast.Name():
                return self._name(node)
            case ast.Attribute() | ast.Subscript():
                return self._load(node)
            case ast.BinOp():
                return self._binary(
                    node, node.op, self.integer(node.left), self.integer(node.right), node.right
                )
            case ast.UnaryOp():
                return self._unary(node)
            case ast.Compare() | ast.BoolOp():
                return self._truth(node)
            case ast.IfExp():
                yes, no = self.integer(node.body), self.integer(node.orelse)
                text = f"({self.condition(node.test)} ? {yes.within(SUM)} : {no.within(SUM)})"
                return Value(text, wide=yes.wide or no.wide)
            case ast.Call():
                return self._call(node, alone)
        self.refuse(node, f"{type(node).__name__} is outside the kernel subset")

    def integer(self, node: ast.expr, alone: bool = False) -> Value:
        """An integer, not a truth value."""
        value = self.value(node, alone)
        if value.truth:
            self.refuse(node, "a comparison's result used as a number")
        return value

    def condition(self, node: ast.expr) -> str:
        """A truth value; of an integer whether it differs from 0."""
        value = self.value(node)
        return value.text if value.truth else f"{value.within(SUM)} != 0"

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
            return Value(name)
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
        if dimension not in range(ref.type.ndim):
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
        """An index or a count in int32_t, enough for any array of firmware, and one register on the target."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)):
            left, right = self.index(node.left), self.index(node.right)
            sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}[type(node.op)]
            level = PRODUCT if sign == "*" else SUM
            return Value(f"{left.within(level)} {sign} {right.within(level - 1)}", level, wide=False)
        if isinstance(node, ast.Slice):
            self.refuse(node, "a slice is outside the kernel subset: one element at a time")
        if isinstance(node, ast.Call) and _numpy_type(node, self.module) == "int64" and len(node.args) == 1:
            return self.index(node.args[0])
        value = self.integer(node)
        return Value(f"(int32_t){value.within(PRIMARY)}", UNARY, wide=False) if value.wide else value

    # --- operators ---------------------------------------------------------------------------

    def _binary(self, node: ast.AST, op: ast.operator, left: Value, right: Value, count: ast.expr) -> Value:
        if isinstance(op, (ast.LShift, ast.RShift)) and not 0 <= _known(count, 0) <= 63:
            self.refuse(node, "a shift count must be from 0 to 63")
        if isinstance(op, ast.RShift):
            return Value(f"asr({left.text}, {right.text})")
        if not left.wide and not right.wide:
            left = widened(left)
        if isinstance(op, ast.LShift):
            if not isinstance(node, ast.BinOp) or not self._nonnegative(node.left):
                self.refuse(node, "<< of a value that may be negative is undefined in C: use arith.shl")
            return Value(f"{widened(left).within(UNARY)} << {right.within(UNARY)}", BITS)
        if isinstance(op, ast.Mult):
            return Value(f"{left.within(PRODUCT)} * {right.within(UNARY)}", PRODUCT)
        if isinstance(op, (ast.Add, ast.Sub)):
            sign = "+" if isinstance(op, ast.Add) else "-"
            return Value(f"{left.within(SUM)} {sign} {right.within(PRODUCT)}", SUM)
        if type(op) in _BITS:
            return Value(f"{left.within(UNARY)} {_BITS[type(op)]} {right.within(UNARY)}", BITS)
        hint = "; shift instead" if isinstance(op, (ast.Div, ast.FloorDiv, ast.Mod)) else ""
        self.refuse(node, f"{type(op).__name__} is outside the kernel subset{hint}")

    def augmented(self, node: ast.AugAssign, left: Value) -> Value:
        """The right side of ``left op= value``."""
        return self._binary(node, node.op, left, self.integer(node.value, alone=True), node.value)

    def _unary(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return Value(f"!({self.condition(node.operand)})", UNARY, wide=False, truth=True)
        if isinstance(node.op, ast.UAdd):
            return self.integer(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            inner = self._literal(node.operand)
            return Value(f"-{inner.text}", UNARY, wide=inner.wide)
        operand = widened(self.integer(node.operand))
        return Value(f"{'-' if isinstance(node.op, ast.USub) else '~'}{operand.within(PRIMARY)}", UNARY)

    def _truth(self, node: ast.Compare | ast.BoolOp) -> Value:
        if isinstance(node, ast.BoolOp):
            sign = " && " if isinstance(node.op, ast.And) else " || "
            values = [self.value(operand) for operand in node.values]
            if not all(value.truth for value in values):
                self.refuse(
                    node, "and, or of integers give one of them in Python and 0 or 1 in C: compare with 0"
                )
            return Value(sign.join(v.within(PRIMARY) for v in values), TRUTH, wide=False, truth=True)
        if len(node.ops) > 1 or type(node.ops[0]) not in _COMPARE:
            self.refuse(node, f"{ast.unparse(node)}: one of < <= > >= == != between two integers is needed")
        left, right = self.integer(node.left), self.integer(node.comparators[0])
        text = f"{left.within(SUM)} {_COMPARE[type(node.ops[0])]} {right.within(SUM)}"
        return Value(text, TRUTH, wide=False, truth=True)

    def _nonnegative(self, node: ast.expr) -> bool:
        """Whether the source shows that it is 0 or more."""
        if isinstance(node, ast.Call) and _numpy_type(node, self.module) == "int64":
            return self._nonnegative(node.args[0])
        if isinstance(node, ast.Name) and node.id not in self.local:
            return isinstance(self.module.get(node.id), int) and self.module[node.id] >= 0
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Sub):
            return self._nonnegative(node.left) and self._nonnegative(node.right)
        return node.id in self.rising if isinstance(node, ast.Name) else _known(node, -1) >= 0

    # --- calls -------------------------------------------------------------------------------

    def _call(self, node: ast.Call, alone: bool) -> Value:
        cast = _numpy_type(node, self.module)
        if cast:
            if len(node.args) != 1 or node.keywords:
                self.refuse(node, f"np.{cast} takes one argument")
            value = self.integer(node.args[0], alone)
            if cast == "int64":
                return value._replace(element="") if value.wide or not value.element else widened(value)
            return Value(f"({cast}_t){value.within(PRIMARY)}", UNARY, wide=False, element=cast)
        function, arguments = self.call(node, alone)
        if not function.returns:
            self.refuse(node, f"{function.name} does not return one value")
        return Value(f"{function.name}({', '.join(arguments)})")

    def call(self, node: ast.Call, alone: bool) -> tuple[CFunction, list[str]]:
        """The kernel that is called and its arguments in C."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            self.refuse(node, "a call takes its arguments by position in the kernel subset")
        values = [self._argument(argument) for argument in node.args]
        types = tuple(_type_of(value) for value in values)
        target = None if not name or name in self.local else self.module.get(name)
        function = self.program.callee(target, types, lambda reason: self.refuse(node, reason))
        if function is None:
            self.refuse(
                node, f"{ast.unparse(node.func)} is not a registered kernel of {len(values)} arguments"
            )
        if function.writes and not alone:
            self.refuse(node, f"{name} stores into arrays, so that the order in which C evaluates would count: "
                        "assign what it returns first")  # fmt: skip
        self.writes |= function.writes
        texts: list[str] = []
        passed = [value for value in values if value is not None]
        for value, parameter in zip(passed, function.parameters, strict=True):
            if isinstance(value, Value):
                texts.append(value.text)
            elif isinstance(value, StructRef):
                texts.append(value.address())
            else:
                self._pass_array(node, value, parameter.ref, texts)  # type: ignore[arg-type]
        return function, texts

    def _pass_array(self, node: ast.Call, ref: ArrayRef, seen: ArrayRef, texts: list[str]) -> None:
        if seen.storage.written:
            if ref.shape:
                self.refuse(node, f"{ref.text} is a constant table, the callee stores into it")
            ref.storage.written = True
        texts += [ref.text, *(ref.length(d) for d in sorted(seen.storage.lengths))]

    def _argument(self, node: ast.expr) -> Value | ArrayRef | StructRef | None:
        if isinstance(node, ast.Constant) and node.value is None:
            return None
        if isinstance(node, ast.Name) and node.id == "probes":
            return None
        if isinstance(node, ast.Name) and isinstance(self.module.get(node.id), np.ndarray):
            return self.reference(node)
        if isinstance(node, ast.Name) and node.id in self.refs:
            return self.refs[node.id]
        if isinstance(node, ast.Attribute):
            owner = self.reference(node.value)
            if isinstance(owner, StructRef) and owner.struct.fields().get(node.attr) != SCALAR:
                return self.reference(node)
        return self.integer(node)


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


def _known(node: ast.expr, otherwise: int) -> int:
    """The value of a literal, or something else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_known(node.operand, -otherwise)
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else otherwise


def _numpy_type(node: ast.Call, module: dict[str, Any]) -> str:
    """ "int32" where the call is np.int32(x), nothing otherwise."""
    f = node.func
    if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and module.get(f.value.id) is np:
        return f.attr if f.attr in _CASTS else ""
    return ""


def _type_of(value: Value | ArrayRef | StructRef | None) -> Type:
    if value is None:
        return NONE
    if isinstance(value, Value):
        return SCALAR
    return value.type if isinstance(value, ArrayRef) else value.struct.type
