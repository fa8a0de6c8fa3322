"""Text and tree of a function, each file parsed once; what its author states of ranges and loops' turns."""

import ast
import linecache
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

_RANGE = re.compile(r"(?<![\w*.])(-?\d+) <= (\w+) <= (-?\d+)(?![\w*]|\.\d)")
_TURNS = re.compile(r"\d+ turns at most")
_FILES = 64  # whose trees are kept


class Text(NamedTuple):
    """A function as it is written.

    tree : with the lines of the file
    lines : from the first decorator to the end of the body
    first : line of the file that they begin with
    """

    tree: ast.FunctionDef
    lines: list[str]
    first: int

    def ranges(self) -> dict[str, tuple[int, int]]:
        """Stated ranges by name."""
        return stated_ranges("\n".join(self.lines))

    def bounded(self, loop: ast.While) -> bool:
        """Whether the turns of a loop are stated: beside it, in the line above, or in the docstring."""
        near = self.lines[loop.lineno - self.first - 1 : loop.body[0].lineno - self.first]
        beside = " ".join(line.partition("#")[2] for line in near)
        return bool(_TURNS.search(f"{beside} {ast.get_docstring(self.tree) or ''}"))


@lru_cache(_FILES)
def parse(text: str) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(text)


def function_text(python: Callable[..., Any]) -> Text | None:
    """A function's text; None where there is no source, or no `def` in it."""
    code = python.__code__
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, python.__globals__)
    try:
        found = _functions("".join(lines)).get(code.co_firstlineno)
    except SyntaxError:  # the file is no longer what was imported
        return None
    if not isinstance(found, ast.FunctionDef) or found.name != code.co_name:
        return None
    first = code.co_firstlineno
    return Text(found, [line.rstrip("\n") for line in lines[first - 1 : found.end_lineno]], first)


@lru_cache(_FILES)
def _functions(text: str) -> dict[int, ast.stmt]:
    """The functions of a file, nested ones too, by the line of the first decorator."""
    pending: list[ast.stmt] = list(parse(text).body)
    found: dict[int, ast.stmt] = {}
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found[min([node.lineno, *(d.lineno for d in node.decorator_list)])] = node
        for block in ("body", "orelse", "finalbody"):
            pending += getattr(node, block, ())
    return found


def stated_ranges(text: str) -> dict[str, tuple[int, int]]:
    """``0 <= n <= 31`` in a docstring or comment: such comparisons are no code of a kernel."""
    return {name: (int(low), int(high)) for low, name, high in _RANGE.findall(text)}
