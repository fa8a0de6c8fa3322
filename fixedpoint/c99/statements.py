"""C99 statements for the statements of a kernel."""

import ast
import re
from collections.abc import Callable
from typing import Any

from fixedpoint.c99.access import SUM, Program
from fixedpoint.c99.assignments import INDENT, Assignments
from fixedpoint.c99.source import always_returns, declaring_statement, occurrences, read
from fixedpoint.c99.types import (
    RESERVED,
    ArrayRef,
    ArrayType,
    CFunction,
    NoneType,
    Parameter,
    Storage,
    Struct,
    StructRef,
    StructType,
    Type,
    comment,
    declared,
    first_line,
)
from fixedpoint.c99.widths import narrow_locals


class Kernel(Assignments):
    """One kernel, with types for its arguments, on its way to C."""

    def __init__(
        self,
        function: Callable[..., Any],
        types: tuple[Type, ...],
        name: str,
        program: Program,
        struct: Callable[[StructType], Struct],
    ) -> None:
        self.source = read(function)
        super().__init__(function, program, self.source.refuse)
        self.function, self.name, self.tree = function, name, self.source.tree
        self.lines: list[str] = []
        self.depth = 1
        self.hoisted: dict[str, str] = {}
        self.unread_comments = dict(self.source.comments)
        self.parameters = self._parameters(types, struct)
        self._find_locals()
        self._find_returns()

    def translate(self) -> CFunction:
        """The whole function."""
        self._block(self.tree.body)
        if self.values and not always_returns(self.tree.body):
            self.refuse(self.tree, "does not return a value on every path")
        body = "\n".join(self.lines)
        unused = [p.name for p in self.parameters if not re.search(rf"\b{p.name}\b", body)]
        top = [f"{INDENT}{kind} {name} = 0;" for name, kind in self.hoisted.items()]
        top += [f"{INDENT}(void){name};" for name in unused]
        function = CFunction(
            self.name, self.function, self.parameters, self.outputs, self.values == 1, self.writes, ()
        )
        ours = {word for p in self.parameters for part in declared(p)[1:] for word in part.split()[-1:]}
        twice = sorted((ours | set(self.outputs)) & self.local)
        if twice:
            self.refuse(self.tree, f"{twice[0]}: a name that the translation needs")
        lines = [comment(first_line(self.function)), f"{function.declaration()}", "{", *top, *self.lines, "}"]
        return function._replace(lines=tuple(lines))

    # --- names -------------------------------------------------------------------------------

    def _parameters(
        self, types: tuple[Type, ...], struct: Callable[[StructType], Struct]
    ) -> tuple[Parameter, ...]:
        arguments = self.tree.args
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults:
            self.refuse(self.tree, "a kernel takes plain arguments by position")
        names = [argument.arg for argument in arguments.args]
        if len(names) != len(types):
            self.refuse(self.tree, f"takes {len(names)} arguments, {len(types)} given")
        parameters = []
        for name, type in zip(names, types, strict=True):
            self._check_name(name, self.tree)
            if isinstance(type, NoneType) or name == "probes":
                continue
            ref: ArrayRef | StructRef | None = None
            if isinstance(type, ArrayType):
                ref = ArrayRef(name, type, Storage())
            elif isinstance(type, StructType):
                ref = StructRef(name, struct(type), True)
            if ref is None:
                self.scalars.add(name)
            else:
                self.refs[name] = ref
            parameters.append(Parameter(name, type, ref))
        return tuple(parameters)

    def _check_name(self, name: str, node: ast.AST) -> None:
        if name in RESERVED or not name.isascii():
            self.refuse(node, f"{name}: a name that C keeps for itself, or not ASCII")

    def _find_locals(self) -> None:
        """Which statement declares each local; loop variables are declared by their loops."""
        seen = occurrences(self.tree)
        loops = {
            n.target.id
            for n in ast.walk(self.tree)
            if isinstance(n, ast.For) and isinstance(n.target, ast.Name)
        }
        arguments = {a.arg for a in self.tree.args.args}
        self.stored = {name: sum(o.stored for o in places) for name, places in seen.items()}
        self.declaring: dict[str, ast.stmt | None] = {}
        for name, places in seen.items():
            if not self.stored[name]:
                continue
            self._check_name(name, places[0].statement)
            if name in loops:
                self.refuse(places[0].statement, f"{name} counts a loop and is also assigned")
            if name not in arguments:
                self.declaring[name] = declaring_statement(places)
        self.local = arguments | loops | set(self.declaring)
        self.narrow = narrow_locals(self.tree, self.declaring, self.refs, self.module)

    def _find_returns(self) -> None:
        """How many values it returns, and the names of the pointers that take several."""
        returned = [n.value for n in ast.walk(self.tree) if isinstance(n, ast.Return) and n.value is not None]
        returned = [v for v in returned if not (isinstance(v, ast.Constant) and v.value is None)]
        tuples = [v for v in returned if isinstance(v, ast.Tuple)]
        doc = self.function.__doc__ or ""
        # A call that is passed on may return several: known once it is translated (`_return`).
        passed_on = any(isinstance(v, ast.Call) and isinstance(v.func, ast.Name) for v in returned)
        self.values: int | None = (
            len(tuples[0].elts) if tuples else None if passed_on else min(len(returned), 1)
        )
        if any(len(v.elts) != self.values for v in tuples):
            self.refuse(tuples[0], "returns tuples of different lengths")
        self.outputs = _output_names(doc, tuples, len(tuples[0].elts)) if tuples else ()

    # --- statements --------------------------------------------------------------------------

    def _block(self, block: list[ast.stmt]) -> None:
        for statement in block:
            self._comments_before(statement)
            first = len(self.lines)
            self._statement(statement)
            self._comment_beside(statement, first)

    def _comments_before(self, statement: ast.stmt) -> None:
        for line in sorted(self.unread_comments):
            if line >= statement.lineno:
                break
            text, alone = self.unread_comments.pop(line)
            if alone:
                self.emit(comment(text))

    def _comment_beside(self, statement: ast.stmt, first: int) -> None:
        body = getattr(statement, "body", None)
        last = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
        for line in range(statement.lineno, last + 1):
            if line in self.unread_comments and first < len(self.lines):
                self.lines[first] += f"  {comment(self.unread_comments.pop(line)[0])}"

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign([ast.Tuple(targets)], value):
                self.unpack(statement, targets, value)
            case ast.Assign([target], value):
                self.assign(statement, target, value)
            case ast.AugAssign(target):
                self.augment(statement, target)
            case ast.If():
                self._if(statement, "if")
            case ast.For():
                self._for(statement)
            case ast.While(test, body, []):
                self.emit(f"while ({self.condition(test)}) {{")
                self._nested(body)
                self.emit("}")
            case ast.Break():
                self.emit("break;")
            case ast.Continue():
                self.emit("continue;")
            case ast.Return():
                self._return(statement)
            case ast.Expr(ast.Call() as call):
                self._discard(call)
            case ast.Pass():
                pass
            case _:
                self.refuse(statement, f"{type(statement).__name__} is outside the kernel subset")

    def _nested(self, body: list[ast.stmt]) -> None:
        self.depth += 1
        self._block(body)
        self.depth -= 1

    def _if(self, statement: ast.If, word: str) -> None:
        self.emit(f"{word} ({self.condition(statement.test)}) {{")
        self._nested(statement.body)
        match statement.orelse:
            case []:
                self.emit("}")
            case [ast.If() as inner]:
                self._if(inner, "} else if")
            case other:
                self.emit("} else {")
                self._nested(other)
                self.emit("}")

    def _for(self, loop: ast.For) -> None:
        match loop:
            case ast.For(ast.Name(name), ast.Call(ast.Name("range"), bounds, []), _, []) if (
                1 <= len(bounds) <= 3
            ):
                pass
            case _:
                self.refuse(loop, "for is over range(...), with one variable and no else")
        step = bounds[2] if len(bounds) == 3 else ast.Constant(1)
        if isinstance(step, ast.UnaryOp) or (isinstance(step, ast.Constant) and step.value == 0):
            self.refuse(loop, "the step of range must be positive")
        if name in self.loops:
            self.refuse(loop, f"{name} counts an outer loop already")
        name = self.fresh("turn") if name == "_" else name
        start = self.index(bounds[0]).text if len(bounds) > 1 else "0"
        end = self._bound(loop, bounds[1] if len(bounds) > 1 else bounds[0], f"{name}_end")
        stride = self._bound(loop, step, f"{name}_step") if len(bounds) == 3 else ""
        advance = f"{name} += {stride}" if stride else f"{name}++"
        self.emit(f"for (int32_t {name} = {start}; {name} < {end}; {advance}) {{")
        self.loops.add(name)
        if len(bounds) == 1 or self._nonnegative(bounds[0]):
            self.rising.add(name)
        self._nested(loop.body)
        self.loops.discard(name)
        self.rising.discard(name)
        self.emit("}")

    def _bound(self, loop: ast.For, node: ast.expr, name: str) -> str:
        """A bound of a loop: C asks for it on every turn, so one that could change is kept in a variable."""
        changed = {n.id for n in ast.walk(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        value = self.index(node)
        if not any(_could_change(part, changed) for part in ast.walk(node)):
            return value.within(SUM)
        name = self.fresh(name)
        self.emit(f"const int32_t {name} = {value.text};")
        return name

    def _return(self, statement: ast.Return) -> None:
        node = statement.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            function, arguments = self.call(node, alone=True)
            if self.values is None:
                self.values = len(function.outputs) or 1
                self.outputs = function.outputs
            if (len(function.outputs) or int(function.returns)) != self.values:
                self.refuse(statement, "returns another number of values than the other paths")
            call = f"{function.name}({', '.join([*arguments, *self.outputs])});"
            self.emit(f"return {call}" if function.returns else call)
            if self.outputs:
                self.emit("return;")
        elif self.values == 0 or node is None:
            if self.values != 0:
                self.refuse(statement, "returns a value on some paths only")
            self.emit("return;")
        elif isinstance(node, ast.Tuple):
            for name, value in zip(self.outputs, node.elts, strict=True):
                self.emit(f"*{name} = {self.integer(value).text};")
            self.emit("return;")
        elif self.values in (None, 1):
            self.values = 1
            self.emit(f"return {self.integer(node, alone=True).text};")
        else:
            self.refuse(statement, "returns another number of values than the other paths")

    def _discard(self, node: ast.Call) -> None:
        function, arguments = self.call(node, alone=True)
        if function.outputs:
            self.refuse(node, f"{function.name} returns {len(function.outputs)} values: give them names")
        if function.writes:
            self.emit(f"{'(void)' if function.returns else ''}{function.name}({', '.join(arguments)});")


def _could_change(part: ast.AST, changed: set[str]) -> bool:
    """Whether a part of a loop's bound could have another value on the next turn."""
    if isinstance(part, ast.Subscript):
        return not (isinstance(part.value, ast.Attribute) and part.value.attr == "shape")
    if isinstance(part, ast.Call):
        return isinstance(part.func, ast.Name)
    return isinstance(part, ast.Name) and part.id in changed


def _output_names(doc: str, tuples: list[ast.Tuple], count: int) -> tuple[str, ...]:
    """Names from the docstring's Returns, or from what is returned, or numbers."""
    listed = re.search(r"Returns\n\s*-+\n((?:.*\S.*\n)+)", doc)
    rows = re.findall(r"^\s*([\w, ]+?) : ", listed[1], re.M) if listed else []
    names = [name.strip() for row in rows for name in row.split(",")]
    if len(names) != count and tuples:
        names = [v.id if isinstance(v, ast.Name) else "" for v in tuples[0].elts]
    if len(names) != count or len(set(names)) != count or not all(names):
        names = [f"result{i}" for i in range(count)]
    return tuple(f"{name}_out" for name in names)
