"""What of a kernel's syntax is outside the subset, types unknown; asked whenever a kernel is registered."""

import ast
from collections.abc import Callable
from typing import Any

from fixedpoint.subset.finding import Finding, finding, said
from fixedpoint.subset.loops import NO_END, counts_to_its_end, for_fault
from fixedpoint.subset.names import NARROW, attribute_fault, call_fault, cast_of, name_fault
from fixedpoint.subset.text import Text, function_text
from fixedpoint.subset.words import OPERATORS, STATEMENTS

# Nodes with nothing to object to, and the fields in which their parts stand.
_PARTS: dict[type, tuple[str, ...]] = {
    ast.Return: ("value",),
    ast.If: ("test", "body", "orelse"),
    ast.IfExp: ("test", "body", "orelse"),
    ast.BoolOp: ("values",),
    ast.Tuple: ("elts",),
    ast.Break: (),
    ast.Continue: (),
    ast.Pass: (),
}
_WIDENED = "np.int64(...) of each operand, on load, is"
_NARROW_WHY = "NumPy wraps at the operands' width when interpreted, Numba and C99 compute with 64 bits"


def check_source(function: Callable[..., Any]) -> list[Finding]:
    """What of a function's source is outside the kernel subset, in the order of its lines."""
    python = getattr(function, "py_func", function)
    text = function_text(python)
    if text is None:
        says = said("no source of a `def`", "a function in a file is", "the translation to C99 reads it")
        return [finding(python, python.__code__.co_firstlineno, says)]
    reading = _Reading(python, text)
    reading.signature()
    reading.body()
    return [finding(python, line, says) for line, says in sorted(reading.found)]


class _Reading:
    """One pass over a function's tree."""

    def __init__(self, python: Callable[..., Any], text: Text) -> None:
        self.python, self.text, self.module = python, text, python.__globals__
        self.local = frozenset(python.__code__.co_varnames + python.__code__.co_cellvars)
        self.found: set[tuple[int, str]] = set()
        self.pending: list[Any] = []
        self.rules: dict[type, Callable[[Any], None]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Call: self._call,
            ast.BinOp: self._binary,
            ast.UnaryOp: self._unary,
            ast.Compare: self._compare,
            ast.Assign: self._assign,
            ast.AugAssign: self._augmented,
            ast.Expr: self._expression,
            ast.For: self._for,
            ast.While: self._while,
        }

    def refuse(self, node: ast.AST, says: str) -> None:
        if says:
            self.found.add((getattr(node, "lineno", self.text.tree.lineno), says))

    def signature(self) -> None:
        """Arguments, and names of an enclosing function."""
        tree, a = self.text.tree, self.text.tree.args
        if a.vararg or a.kwarg or a.kwonlyargs or a.posonlyargs or a.defaults:
            self.refuse(
                tree,
                said("defaults, * or ** among the arguments", "plain arguments are", "C99 has no others"),
            )
        free = self.python.__code__.co_freevars
        if free:
            self.refuse(
                tree,
                said(
                    f"a closure over {', '.join(free)}",
                    "arguments and constants of the module are",
                    "C99 has no closures",
                ),
            )

    def body(self) -> None:
        """All statements but the docstring."""
        body = self.text.tree.body
        self.pending = body[ast.get_docstring(self.text.tree) is not None :]
        while self.pending:
            node = self.pending.pop()
            kind = type(node)
            if kind in self.rules:
                self.rules[kind](node)
            elif kind in _PARTS:
                for field in _PARTS[kind]:
                    part = getattr(node, field)
                    if isinstance(part, list):
                        self.pending += part
                    elif part is not None:
                        self.pending.append(part)
            else:
                word = kind.__name__
                self.refuse(
                    node,
                    said(
                        *STATEMENTS.get(
                            kind, (word, "what stands in `fixedpoint` is", "it is not in the kernel subset")
                        )
                    ),
                )

    # --- expressions -------------------------------------------------------------------------

    def _constant(self, node: ast.Constant) -> None:
        value = node.value
        if type(value) is int:
            if value >= 1 << 63:
                self.refuse(
                    node, said(f"{value}", "an integer within 64 bits is", "Numba and C99 would wrap it")
                )
        elif isinstance(value, (float, complex)):
            self.refuse(
                node,
                said(
                    f"the float {value!r}",
                    "an integer in a stated format, as QFormat.quantise gives it, is",
                    "float is outside the arithmetic contract: rounding would depend on the machine",
                ),
            )
        elif isinstance(value, bool):
            self.refuse(node, said(f"{value}", "0, 1 or a comparison is", "C99 has integers only"))
        elif value is not None:
            self.refuse(node, said(*STATEMENTS[ast.JoinedStr]))

    def _name(self, node: ast.Name) -> None:
        if node.id not in self.local and node.id not in self.python.__code__.co_freevars:
            self.refuse(node, name_fault(node.id, self.module))

    def _attribute(self, node: ast.Attribute) -> None:
        fault = (
            ""
            if isinstance(node.value, ast.Name) and node.value.id in self.local
            else attribute_fault(node, self.module)
        )
        if fault:
            self.refuse(node, fault)
        else:
            self.pending.append(node.value)

    def _subscript(self, node: ast.Subscript) -> None:
        places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for place in places:
            match place:
                case ast.UnaryOp(ast.USub(), ast.Constant()):
                    self.refuse(
                        node,
                        said(
                            "a negative index",
                            "x[x.shape[0] - 1] is",
                            "it counts from the end in Python and reads before the array in C99",
                        ),
                    )
                case ast.Constant(value) if value is None or value is ...:
                    self.refuse(place, said(*STATEMENTS[ast.Slice]))
                case _:
                    self.pending.append(place)
        self.pending.append(node.value)

    def _call(self, node: ast.Call) -> None:
        self.refuse(node, call_fault(node, self.python, self.local))
        self.pending += [a for a in node.args if not isinstance(a, ast.Starred)]
        if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Name):
            self.pending.append(node.func.value)

    def _binary(self, node: ast.BinOp) -> None:
        self._operator(node, node.op, node.right)
        if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.LShift)):
            for operand in (node.left, node.right):
                self._narrow_cast(node, operand, "arithmetic on")
        self.pending += (node.left, node.right)

    def _operator(self, node: ast.AST, op: ast.operator, right: ast.expr) -> None:
        if type(op) in OPERATORS:
            self.refuse(node, said(*OPERATORS[type(op)]))
        elif isinstance(op, (ast.LShift, ast.RShift)):
            match right:
                case ast.Constant(int(count)) if count <= 63:
                    return
                case ast.Constant(int()) | ast.UnaryOp(ast.USub(), ast.Constant()):
                    self.refuse(
                        node,
                        said(
                            f"a shift by {ast.unparse(right)}",
                            "0 to 63 is",
                            "C99 leaves others undefined, NumPy gives 0 or -1",
                        ),
                    )

    def _narrow_cast(self, node: ast.AST, operand: ast.expr, what: str) -> None:
        cast = cast_of(operand, self.module)
        if cast in NARROW:
            self.refuse(node, said(f"{what} np.{cast}(...)", _WIDENED, _NARROW_WHY))

    def _unary(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.USub):
            self._narrow_cast(node, node.operand, "minus of")
            match node.operand:
                case ast.Subscript(value=ast.Attribute(attr="shape")):
                    pass
                case ast.Subscript():
                    self.refuse(
                        node,
                        said(
                            "minus of an element as it is loaded",
                            "-np.int64(x[n]), or arith.neg_q15 or neg_q31, is",
                            "the most negative int16 or int32 stays negative in NumPy and Numba, not in C99",
                        ),
                    )
        self.pending.append(node.operand)

    def _compare(self, node: ast.Compare) -> None:
        none = any(isinstance(c, ast.Constant) and c.value is None for c in node.comparators)
        simple = (ast.Is, ast.IsNot) if none else (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
        if len(node.ops) > 1:
            self.refuse(
                node, said("a chain of comparisons", "and between two is", "C99 compares the first result")
            )
        elif not isinstance(node.ops[0], simple):
            self.refuse(
                node,
                said(
                    f"{ast.unparse(node)}",
                    "< <= > >= == != of integers, and `probes is None`, are",
                    "C99 has no others",
                ),
            )
        self.pending += (node.left, *node.comparators)

    # --- statements --------------------------------------------------------------------------

    def _assign(self, node: ast.Assign) -> None:
        if len(node.targets) > 1:
            self.refuse(
                node, said("several targets, a = b = x", "one is", "the translation to C99 needs one")
            )
        for target in node.targets:
            self._target(target)
        self.pending.append(node.value)

    def _target(self, target: ast.expr) -> None:
        if isinstance(target, ast.Attribute):
            self.refuse(
                target,
                said(
                    f"a store into the field {ast.unparse(target)}",
                    "a store into an array of the state is",
                    "a NamedTuple does not change; its arrays do",
                ),
            )
        elif isinstance(target, ast.Tuple):
            for part in target.elts:
                self._target(part)
        else:
            self.pending.append(target)

    def _augmented(self, node: ast.AugAssign) -> None:
        self._operator(node, node.op, node.value)
        if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.LShift)):
            self._narrow_cast(node, node.value, "arithmetic on")
        self._target(node.target)
        self.pending.append(node.value)

    def _expression(self, node: ast.Expr) -> None:
        if not isinstance(node.value, (ast.Call, *STATEMENTS)):
            self.refuse(node, said("a value that nobody reads", "a call of a kernel is", "it does nothing"))
        self.pending.append(node.value)

    def _for(self, node: ast.For) -> None:
        fault = for_fault(node)
        if not fault and ("range" in self.local or "range" in self.module):
            fault = said("range by another meaning", "Python's own is", "C99 gets a counted loop")
        self.refuse(node, fault)
        if isinstance(node.iter, ast.Call):
            self.pending += node.iter.args
        else:
            self.pending.append(node.iter)
        self.pending += node.body + node.orelse

    def _while(self, node: ast.While) -> None:
        if not counts_to_its_end(node) and not self.text.bounded(node):
            self.refuse(node, NO_END)
        if node.orelse:
            self.refuse(node, said("else of a loop", "a flag and if are", "C99 has no such"))
        self.pending += (node.test, *node.body, *node.orelse)
