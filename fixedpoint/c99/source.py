"""Python source of a kernel made ready for C: probes cut out, dead values dropped, comments by line."""

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from fixedpoint.errors import ConfigError

# Name -> where it stands: the blocks that enclose a statement, as (block, index of the statement in it).
Place = tuple[tuple[int, int], ...]


class Source(NamedTuple):
    """A kernel's syntax tree and comments.

    tree : without its docstring, annotations and probes
    comments : text and whether it stands alone on its line, by line of the file
    path : file
    """

    tree: ast.FunctionDef
    comments: dict[int, tuple[str, bool]]
    path: str

    def refuse(self, node: ast.AST, reason: str) -> NoReturn:
        """Raise for what stands outside the subset."""
        raise ConfigError(
            f"{self.path}:{getattr(node, 'lineno', self.tree.lineno)}: {self.tree.name}: {reason}"
        )


class Occurrence(NamedTuple):
    """A name in a statement.

    place : of the statement; statement : itself; stored : whether it is set there, or read
    """

    place: Place
    statement: ast.stmt
    stored: bool


def read(function: Callable[..., Any]) -> Source:
    """Source of a kernel, from its file."""
    lines, first = inspect.getsourcelines(function)
    text = textwrap.dedent("".join(lines))
    tree = ast.parse(text).body[0]
    ast.increment_lineno(tree, first - 1)
    path = inspect.getsourcefile(function) or "?"
    if not isinstance(tree, ast.FunctionDef):
        raise ConfigError(f"{path}:{first}: a kernel is a function defined by def")
    comments = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            alone = not token.line[: token.start[1]].strip()
            comments[token.start[0] + first - 1] = (token.string.lstrip("# ").rstrip(), alone)
    source = Source(tree, comments, path)
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    before = _read_names(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Name(name)]) if name not in before:
                source.refuse(node, f"{name} is set and never read")
    tree.body = _without_probes(source, tree.body)
    while _drop_unread(tree):
        pass
    return source


def _without_probes(source: Source, body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements that run where probes is None."""
    kept: list[ast.stmt] = []
    for statement in body:
        for field in ("body", "orelse"):
            if getattr(statement, field, None):
                setattr(statement, field, _without_probes(source, getattr(statement, field)))
        if not isinstance(statement, ast.If) or not _asks_for_probes(statement.test):
            kept.append(statement)
            continue
        for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1):
            source.comments.pop(line, None)
        assert isinstance(statement.test, ast.Compare)
        kept += statement.body if isinstance(statement.test.ops[0], ast.Is) else statement.orelse
    return kept


def _asks_for_probes(test: ast.expr) -> bool:
    match test:
        case ast.Compare(ast.Name("probes"), [ast.Is() | ast.IsNot()], [ast.Constant(None)]):
            return True
    return False


def _read_names(tree: ast.FunctionDef) -> set[str]:
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    augmented = (node.target for node in ast.walk(tree) if isinstance(node, ast.AugAssign))
    return {name.id for name in names if isinstance(name.ctx, ast.Load)} | {
        target.id for target in augmented if isinstance(target, ast.Name)
    }


def _drop_unread(tree: ast.FunctionDef) -> bool:
    """Drop assignments to names that nobody reads, left over from probes; a call stays for its stores."""
    read_names = _read_names(tree)
    changed = False
    for owner in ast.walk(tree):
        for field in ("body", "orelse"):
            block = getattr(owner, field, None)
            if not isinstance(block, list):
                continue
            for i, statement in enumerate(block):
                match statement:
                    case ast.Assign([ast.Name(name)], value) if name not in read_names:
                        call = isinstance(value, ast.Call) and isinstance(value.func, ast.Name)
                        new: ast.stmt = ast.Expr(value) if call else ast.Pass()
                        block[i] = ast.copy_location(new, statement)
                        changed = True
            if len(block) > 1:
                block[:] = [s for s in block if not isinstance(s, ast.Pass)] or block[:1]
    return changed


def occurrences(tree: ast.FunctionDef) -> dict[str, list[Occurrence]]:
    """Where each name stands, in the order of the source; a loop's own variable is not counted."""
    found: dict[str, list[Occurrence]] = {}

    def note(node: ast.AST, place: Place, statement: ast.stmt) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                stored = isinstance(part.ctx, ast.Store)
                found.setdefault(part.id, []).append(Occurrence(place, statement, stored))

    def visit(block: list[ast.stmt], above: Place) -> None:
        for i, statement in enumerate(block):
            place = (*above, (id(block), i))
            match statement:
                case ast.For():
                    note(statement.iter, place, statement)
                case ast.If() | ast.While():
                    note(statement.test, place, statement)
                case ast.Assign():
                    note(statement.value, place, statement)
                    for target in statement.targets:
                        note(target, place, statement)
                case ast.AugAssign(target, _, value):
                    note(value, place, statement)
                    note(target, place, statement)
                case _:
                    note(statement, place, statement)
            for field in ("body", "orelse"):
                if isinstance(statement, (ast.For, ast.If, ast.While)):
                    visit(getattr(statement, field), place)

    visit(tree.body, ())
    return found


def declaring_statement(seen: list[Occurrence]) -> ast.stmt | None:
    """The assignment that can declare a name in C: in the innermost block that holds all that touch it.

    None where the first to touch it there is another kind of statement; it is then declared at the top.
    """
    depth = 0
    while all(len(o.place) > depth + 1 for o in seen) and len({o.place[depth + 1][0] for o in seen}) == 1:
        depth += 1
    first = min(seen, key=lambda o: o.place[depth][1])
    if len(first.place) != depth + 1 or not first.stored or not isinstance(first.statement, ast.Assign):
        return None
    return first.statement


def always_returns(block: list[ast.stmt]) -> bool:
    """Whether the end of a block is never reached."""
    last = block[-1] if block else None
    if isinstance(last, ast.If):
        return always_returns(last.body) and always_returns(last.orelse)
    return isinstance(last, ast.Return)
