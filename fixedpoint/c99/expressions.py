"""C99 for the expressions of a kernel: 64 bits wide, in parentheses where C would group otherwise."""

import ast

import numpy as np

from fixedpoint.c99.access import (
    BITS,
    PRIMARY,
    PRODUCT,
    SUM,
    TRUTH,
    UNARY,
    Access,
    Value,
    numpy_type,
    widened,
)
from fixedpoint.c99.types import NONE, SCALAR, ArrayRef, CFunction, StructRef, Type

_BITS = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"}
_COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


class Expressions(Access):
    """Expressions of one kernel."""

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

    def condition(self, node: ast.expr) -> str:
        """A truth value; of an integer whether it differs from 0."""
        value = self.value(node)
        return value.text if value.truth else f"{value.within(SUM)} != 0"

    # --- operators ---------------------------------------------------------------------------

    def _binary(self, node: ast.AST, op: ast.operator, left: Value, right: Value, count: ast.expr) -> Value:
        if isinstance(op, (ast.LShift, ast.RShift)) and not 0 <= _known(count, 0) <= 63:
            self.refuse(node, "a shift count must be from 0 to 63")
        if isinstance(op, ast.RShift):
            if not left.wide and _below_32(count):
                return Value(
                    f"asr32({left.text}, (int32_t){right.within(UNARY)})", wide=False, element="int32"
                )
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
        if isinstance(node, ast.Call) and numpy_type(node, self.module) == "int64":
            return self._nonnegative(node.args[0])
        if isinstance(node, ast.Name) and node.id not in self.local:
            return isinstance(self.module.get(node.id), int) and self.module[node.id] >= 0
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Sub):
            return self._nonnegative(node.left) and self._nonnegative(node.right)
        return node.id in self.rising if isinstance(node, ast.Name) else _known(node, -1) >= 0

    # --- calls -------------------------------------------------------------------------------

    def _call(self, node: ast.Call, alone: bool) -> Value:
        cast = numpy_type(node, self.module)
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
        if not name:
            self.refuse(node, f"{ast.unparse(node.func)} is not a registered kernel")
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
            self.refuse(
                node, f"{name} stores into arrays and C fixes no order here: assign what it returns first"
            )
        if function.name in self.local:
            self.refuse(node, f"{function.name} names a function in C and a variable here")
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
        if isinstance(node, ast.Name):
            table = node.id not in self.local and isinstance(self.module.get(node.id), np.ndarray)
            return self.reference(node) if table or node.id in self.refs else self.integer(node)
        if isinstance(node, ast.Attribute):
            owner = self.reference(node.value)
            if isinstance(owner, StructRef) and owner.struct.fields().get(node.attr) != SCALAR:
                return self.reference(node)
        return self.integer(node)


def _known(node: ast.expr, otherwise: int) -> int:
    """The value of a literal, or something else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_known(node.operand, -otherwise)
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else otherwise


def _below_32(count: ast.expr) -> bool:
    """Whether the source shows that a shift count is at most 31."""
    match count:
        case ast.BinOp(_, ast.BitAnd(), ast.Constant(31)):
            return True
    return 0 <= _known(count, -1) <= 31


def _type_of(value: Value | ArrayRef | StructRef | None) -> Type:
    if value is None:
        return NONE
    if isinstance(value, Value):
        return SCALAR
    return value.type if isinstance(value, ArrayRef) else value.struct.type
