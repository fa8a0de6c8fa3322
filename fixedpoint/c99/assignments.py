"""C99 for the assignments of a kernel: where a variable is declared, how several are set at once."""

import ast
import re

from fixedpoint.c99.access import PRIMARY, Value
from fixedpoint.c99.expressions import Expressions
from fixedpoint.c99.types import ArrayRef, Parameter, StructRef

INDENT = "    "
_AUGMENTED = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.BitOr: "|=", ast.BitAnd: "&="}


class Assignments(Expressions):
    """Assignments of one kernel.

    Attributes
    ----------
    lines : of C so far
    depth : of blocks
    parameters : of the C function
    declaring : the assignment that declares a local in C, None for those declared at the top
    stored : how many statements set a name
    hoisted : C types of the locals that are declared at the top
    """

    lines: list[str]
    depth: int
    parameters: tuple[Parameter, ...]
    declaring: dict[str, ast.stmt | None]
    stored: dict[str, int]
    hoisted: dict[str, str]

    def emit(self, text: str) -> None:
        """One line."""
        self.lines.append(INDENT * self.depth + text)

    def fresh(self, name: str) -> str:
        """A variable that only C has: the name, or with a number where the kernel has it already."""
        name = next(n for n in (name, *(f"{name}{i}" for i in range(2, 99))) if n not in self.local)
        self.local.add(name)
        return name

    def assign(self, statement: ast.stmt, target: ast.expr, node: ast.expr) -> None:
        if isinstance(target, ast.Subscript):
            self._store(target, self.integer(node))
            return
        if not isinstance(target, ast.Name):
            self.refuse(statement, f"assignment to {type(target).__name__} is outside the kernel subset")
        if isinstance(node, ast.Attribute) or (isinstance(node, ast.Name) and node.id in self.refs):
            value = self._argument(node)
            if isinstance(value, (ArrayRef, StructRef)):
                if self.stored[target.id] > 1 or target.id in {p.name for p in self.parameters}:
                    self.refuse(statement, f"{target.id} stands for more than one array or NamedTuple")
                self.refs[target.id] = value
                return
        self._set(statement, target.id, self.value(node, alone=True))

    def _set(self, statement: ast.stmt, name: str, value: Value) -> None:
        if name in self.refs:
            self.refuse(
                statement, f"{name} stands for an array or a NamedTuple and cannot be set to a number"
            )
        if name in (self.scalars if value.truth else self.truths):
            self.refuse(statement, f"{name} is a number here and a comparison's result there")
        before = self._declare(statement, name, value.truth, self.stored[name] == 1)
        cast = name in self.narrow and value.wide
        self.emit(f"{before}{name} = {f'(int32_t){value.within(PRIMARY)}' if cast else value.text};")

    def _declare(self, statement: ast.stmt, name: str, truth: bool = False, constant: bool = False) -> str:
        """What stands before the name where it is set: its type, where that declares it."""
        kind = "int32_t" if truth or name in self.narrow else "int64_t"
        new = name not in self.scalars and name not in self.truths
        (self.truths if truth else self.scalars).add(name)
        if self.declaring.get(name) is statement:
            return f"const {kind} " if constant else f"{kind} "
        if new and name in self.declaring:
            self.hoisted[name] = kind
        return ""

    def _store(self, target: ast.Subscript, value: Value) -> None:
        ref, text = self.element(target)
        if ref.shape:
            self.refuse(target, f"{ref.text} is a constant table")
        ref.storage.written = self.writes = True
        element = ref.type.element
        if element == "int64" or element == value.element or re.fullmatch(r"-?\d", value.text):
            self.emit(f"{text} = {value.text};")
        else:
            self.emit(f"{text} = ({element}_t){value.within(0)};")

    def augment(self, statement: ast.AugAssign, target: ast.expr) -> None:
        if isinstance(target, ast.Subscript):
            if any(isinstance(n, ast.Call) and isinstance(n.func, ast.Name) for n in ast.walk(statement)):
                self.refuse(statement, "a call beside an array's element that it may change: assign it first")
            self._store(target, self.augmented(statement, self.value(target))._replace(element=""))
            return
        if not isinstance(target, ast.Name):
            self.refuse(statement, f"assignment to {type(target).__name__} is outside the kernel subset")
        value = self.augmented(statement, self.integer(target))
        right = self.integer(statement.value, alone=True)
        sign = _AUGMENTED.get(type(statement.op))
        self.emit(f"{target.id} {sign} {right.text};" if sign else f"{target.id} = {value.text};")

    def unpack(self, statement: ast.stmt, targets: list[ast.expr], node: ast.expr) -> None:
        """``a, b = c, d`` or ``a, b = call(...)``."""
        if isinstance(node, ast.Tuple):
            for target, value in self._in_order(statement, targets, node):
                self.assign(statement, target, value)
            return
        if not isinstance(node, ast.Call) or not all(isinstance(t, ast.Name) for t in targets):
            self.refuse(statement, "names on the left and a call or a tuple on the right are needed")
        function, arguments = self.call(node, alone=True)
        if len(function.outputs) != len(targets):
            self.refuse(statement, f"{len(targets)} names for what {function.name} returns")
        for target in targets:
            assert isinstance(target, ast.Name)
            if target.id == "_":
                name = next(iter(n for n in self.hoisted if n.startswith("unused")), "") or self.fresh(
                    "unused"
                )
                self.hoisted[name] = "int64_t"
            else:
                name = target.id
                before = self._declare(statement, name)
                if before:
                    self.emit(f"{before}{name};")
            arguments.append(f"&{name}")
        self.emit(f"{function.name}({', '.join(arguments)});")

    def _in_order(
        self, statement: ast.stmt, targets: list[ast.expr], node: ast.Tuple
    ) -> list[tuple[ast.expr, ast.expr]]:
        """The pairs of a tuple's assignment in an order in which nothing is read after it was set."""
        pairs = list(zip(targets, node.elts, strict=True)) if len(targets) == len(node.elts) else []
        if not pairs:
            self.refuse(statement, f"{len(targets)} names for {len(node.elts)} values")
        overlap = any(self._touches(t, place) for t in targets for place in targets if place is not t)
        orders = [] if overlap else [pairs] if any(map(self._passes, node.elts)) else [pairs, pairs[::-1]]
        for order in orders:
            if not any(self._touches(t, v) for i, (t, _) in enumerate(order) for _, v in order[i + 1 :]):
                return order
        self.refuse(statement, "a value is read after it was overwritten, in either order: assign one by one")

    def _touches(self, target: ast.expr, node: ast.expr) -> bool:
        """Whether setting the target could change what the expression reads."""
        if isinstance(target, ast.Name):
            return any(isinstance(n, ast.Name) and n.id == target.id for n in ast.walk(node))
        loads = (n for n in ast.walk(node) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load))
        elements = any(not (isinstance(n.value, ast.Attribute) and n.value.attr == "shape") for n in loads)
        return elements or self._passes(node)

    def _passes(self, node: ast.expr) -> bool:
        """Whether it calls a kernel with an array or a NamedTuple, which that could read or change."""
        calls = (n for n in ast.walk(node) if isinstance(n, ast.Call))
        arguments = [a for n in calls for a in n.args]
        return any(
            isinstance(a, ast.Attribute) or (isinstance(a, ast.Name) and a.id in self.refs) for a in arguments
        )
