"""Expressions of a kernel in types and ranges; what interpreter and machine compute apart is refused."""

import ast
from collections.abc import Callable
from typing import Any, Protocol

from fixedpoint.subset.finding import said
from fixedpoint.subset.names import NARROW, cast_of
from fixedpoint.subset.text import Text
from fixedpoint.subset.typed.arguments import constant
from fixedpoint.subset.typed.conditions import Conditions, Env
from fixedpoint.subset.typed.values import (
    LIMITS,
    LONGEST,
    NONE,
    UNKNOWN,
    Abstract,
    Array,
    Scalar,
    Several,
    Struct,
    any_of,
    computed,
    joined,
    promoted,
)

_SIGN = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&"}
_SIGN |= {ast.BitOr: "|", ast.BitXor: "^"}
_COUNT_WHY = "C99 leaves other counts undefined, a processor takes their low bits, NumPy gives 0 or -1"
_FAR = 1 << 20  # ends beyond it are not worth telling


class Calls(Protocol):
    """How a call of a kernel is evaluated."""

    def called(self, node: ast.Call, target: Any, arguments: tuple[Abstract, ...]) -> Abstract: ...


class Expressions(Conditions):
    """Expressions of one kernel.

    Attributes
    ----------
    env : what is known of its locals at this point
    found : line and words of what was refused
    """

    def __init__(
        self, python: Callable[..., Any], text: Text, ranges: dict[str, tuple[int, int]], calls: Calls
    ) -> None:
        self.module: dict[str, Any] = python.__globals__
        self.local = frozenset(python.__code__.co_varnames)
        self.tree, self.ranges, self.calls = text.tree, ranges, calls
        self.env: Env = {}
        self.found: dict[tuple[int, str], None] = {}

    def refuse(self, node: ast.AST, found: str, accepted: str, why: str) -> None:
        self.found[getattr(node, "lineno", self.tree.lineno), said(found, accepted, why)] = None

    def value(self, node: ast.expr) -> Abstract:
        """What is known of an expression."""
        match node:
            case ast.Constant(int(value)):
                return Scalar("int", int(value), int(value))
            case ast.Constant(None):
                return NONE
            case ast.Name(name):
                return self.env.get(name, UNKNOWN) if name in self.local else constant(self.module.get(name))
            case ast.Attribute(owner, field):
                return self._field(node, owner, field)
            case ast.Subscript():
                return self._element(node)
            case ast.BinOp(left, op, right):
                return self._binary(node, left, op, right)
            case ast.UnaryOp(op, operand):
                return self._unary(node, op, operand)
            case ast.Call():
                return self._call(node)
            case ast.IfExp(test, yes, no):
                return self._either(test, yes, no)
            case ast.Tuple(parts):
                return Several(tuple(self.value(part) for part in parts))
            case ast.Compare(left, _, others):
                for part in (left, *others):
                    self._number(part, self.value(part), "compared")
                return Scalar("int", 0, 1)
            case ast.BoolOp(op, parts):
                return self._chain(op, parts)
        return UNKNOWN

    def scalar(self, node: ast.expr, use: str) -> Scalar:
        """An integer; any, where it is none, which is refused."""
        return self._number(node, self.value(node), use)

    def _number(self, node: ast.expr, value: Abstract, use: str) -> Scalar:
        if isinstance(value, Scalar):
            return value
        if isinstance(value, (Array, Struct)):
            what = "array" if isinstance(value, Array) else "NamedTuple"
            self.refuse(
                node,
                f"the {what} {ast.unparse(node)} {use} as a whole",
                "one element at a time, in a loop, is",
                "C99 has no whole-array expressions",
            )
        return any_of("int64")

    # --- names, fields, elements -------------------------------------------------------------

    def _field(self, node: ast.expr, owner: ast.expr, field: str) -> Abstract:
        struct = self.value(owner)
        if isinstance(struct, Struct) and field in struct.python._fields:  # type: ignore[attr-defined]
            return struct.fields[struct.python._fields.index(field)]  # type: ignore[attr-defined]
        if struct != UNKNOWN:
            what = (
                "array"
                if isinstance(struct, Array)
                else "NamedTuple"
                if isinstance(struct, Struct)
                else "number"
            )
            self.refuse(
                node,
                f".{field} of the {what} {ast.unparse(owner)}",
                "a field of a NamedTuple, or .shape[k] of an array, is",
                "C99 has structs and lengths only",
            )
        return UNKNOWN

    def _element(self, node: ast.Subscript) -> Abstract:
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            return Scalar("int", 0, LONGEST)
        array = self.value(node.value)
        places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for place in places:
            self.scalar(place, "used as an index")
        if not isinstance(array, Array):
            if array != UNKNOWN:
                what = "NamedTuple" if isinstance(array, Struct) else "number"
                self.refuse(
                    node,
                    f"an index on the {what} {ast.unparse(node.value)}",
                    "an array is",
                    "C99 indexes arrays",
                )
            return UNKNOWN
        if len(places) != array.ndim:
            self.refuse(
                node,
                f"{len(places)} indices on the {array.ndim}-D array {ast.unparse(node.value)}",
                f"{array.ndim} are" if array.ndim > 1 else "one is",
                "a row would be an array of its own, which C99 has not",
            )
        return Scalar(array.element, array.low, array.high)

    # --- operators ---------------------------------------------------------------------------

    def augmented(self, node: ast.AST, target: ast.expr, op: ast.operator, right: ast.expr) -> Abstract:
        """``target op= right``: an element of an array wraps at its own width, wherever it is computed."""
        return self._binary(node, target, op, right, stored=isinstance(target, ast.Subscript))

    def _binary(
        self, node: ast.AST, left: ast.expr, op: ast.operator, right: ast.expr, stored: bool = False
    ) -> Abstract:
        a, b = self.scalar(left, "computed with"), self.scalar(right, "computed with")
        sign = _SIGN.get(type(op), "?")
        if isinstance(op, (ast.LShift, ast.RShift)):
            self.within(right, b, 0, 63, f"a shift by {ast.unparse(right)}", "", _COUNT_WHY)
        kind = promoted(a, b)
        if kind in NARROW:
            if isinstance(op, (ast.Add, ast.Sub, ast.Mult, ast.LShift)) and not stored:
                self.refuse(
                    node,
                    f"{sign} on {_either_kind(a, b)} that were not widened, {ast.unparse(node)}",
                    "np.int64(...) of each, on load, is",
                    f"interpreted it wraps at {kind[3:]} bits, Numba and C99 compute with 64",
                )
            elif not isinstance(op, ast.RShift) and any(
                side.kind == "int" and not side.lies_in(*LIMITS[kind]) for side in (a, b)
            ):
                self.refuse(
                    node,
                    f"{sign} of {kind} and an integer that may not fit {kind[3:]} bits, {ast.unparse(node)}",
                    "np.int64(...) of each, on load, is",
                    "interpreted NumPy raises OverflowError, Numba and C99 compute with 64 bits",
                )
        return computed(op, a, b)

    def within(
        self, node: ast.expr, value: Scalar, low: int, high: int, found: str, states: str, why: str
    ) -> None:
        """Refuse a value that may lie outside a range."""
        if value.lies_in(low, high):
            return
        seen = f" ({value.low} to {value.high})" if value.lies_in(-_FAR, _FAR) else ""
        self.refuse(
            node,
            f"{found}{seen}",
            f'{low} to {high}{states}, seen (a literal, mask or bound) or stated ("{low} <= NAME <= {high}" '
            "in the docstring or a comment), is",
            why,
        )

    def _unary(self, node: ast.UnaryOp, op: ast.unaryop, operand: ast.expr) -> Abstract:
        if isinstance(op, ast.Not):
            self.value(operand)
            return Scalar("int", 0, 1)
        x = self.scalar(operand, "computed with")
        if isinstance(op, ast.Invert):
            return Scalar(x.kind, ~x.high, ~x.low)
        if isinstance(op, ast.UAdd):
            return x
        if x.kind in NARROW:
            self.refuse(
                node,
                f"minus of {x.kind}, {ast.unparse(node)}",
                "minus of np.int64(...), or arith.neg_q15, neg_q31 or neg32, is",
                f"the most negative {x.kind} stays negative in NumPy and Numba, not in C99",
            )
        return Scalar(x.kind, -x.high, -x.low).within(*LIMITS[x.kind])

    def _chain(self, op: ast.boolop, parts: list[ast.expr]) -> Abstract:
        """``and``, ``or``: each part knows what those before it say."""
        before = self.env
        for part in parts:
            self.value(part)
            self.env = self.refined(part, isinstance(op, ast.And))
        self.env = before
        return Scalar("int", 0, 1)

    def _either(self, test: ast.expr, yes: ast.expr, no: ast.expr) -> Abstract:
        self.value(test)
        before, results = self.env, []
        for part, truth in ((yes, True), (no, False)):
            self.env = self.refined(test, truth)
            results.append(self.value(part))
            self.env = before
        return joined(*results)

    # --- calls -------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Abstract:
        cast = cast_of(node, self.module)
        if cast and len(node.args) == 1:
            x = self.scalar(node.args[0], "cast")
            return Scalar(cast, x.low, x.high) if x.lies_in(*LIMITS[cast]) else any_of(cast)
        arguments = tuple(self.value(argument) for argument in node.args)
        if not isinstance(node.func, ast.Name) or node.func.id in self.local:
            return UNKNOWN
        return self.calls.called(node, self.module.get(node.func.id), arguments)


def _either_kind(a: Scalar, b: Scalar) -> str:
    kinds = [x.kind for x in (a, b) if x.kind in NARROW]
    return " and ".join(dict.fromkeys(kinds)) + (" operands" if len(kinds) > 1 else " and a Python integer")
