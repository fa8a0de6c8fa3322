"""Small mistakes in the kernels' sources: one token, one constant, one sum or product held in fewer bits."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from firmware_model.golden.proofs.widths import narrowed

# Token -> what it becomes. A name has to be one of `fixedpoint.arith`.
OPERATORS = {
    "+": ("-",),
    "-": ("+",),
    "*": ("+",),
    "<<": (">>",),
    ">>": ("<<",),
    "&": ("|",),
    "|": ("&",),
    "^": ("&",),
    "+=": ("-=",),
    "-=": ("+=",),
    ">>=": ("<<=",),
    "<": ("<=", ">"),
    "<=": ("<",),
    ">": (">=", "<"),
    ">=": (">",),
    "==": ("!=",),
    "!=": ("==",),
    "and": ("or",),
    "or": ("and",),
    "rnd_shift": ("trn_shift",),
    "trn_shift": ("rnd_shift",),
    "rnd_shift32": ("trn_shift32",),
    "trn_shift32": ("rnd_shift32",),
    "sat16": ("wrap16",),
    "sat32": ("wrap32",),
    "wrap16": ("sat16",),
    "wrap32": ("sat32",),
    "mul_q31": ("mul_q31_trn",),
    "mul_q15": ("mul_q15_trn",),
    "shl_sat32": ("shl",),
    "shl_sat16": ("shl",),
    "add_q31": ("sub_q31",),
    "sub_q31": ("add_q31",),
    "INT32_MAX": ("INT32_MIN",),
    "INT32_MIN": ("INT32_MAX",),
    "INT16_MAX": ("INT16_MIN",),
    "INT16_MIN": ("INT16_MAX",),
}
_CONSTANT = re.compile("_?[A-Z][A-Z0-9_]*")  # a module's integer, or a table
IMPORTS = "from fixedpoint.arith import *\n"


class Mutant(NamedTuple):
    """A piece of source that becomes another one.

    kernel : qualified name;  path : from the root;  line : counted from 1;  column : from 0
    old : a token, or an expression or statement, which may take several lines;  new : the same
    said : of what is longer than a token, what becomes of it: "32 bits"; else ""
    """

    kernel: str
    path: str
    line: int
    column: int
    old: str
    new: str
    said: str = ""

    def __str__(self) -> str:
        becomes = f"{_in_a_line(self.old)} -> {self.said or self.new}"
        return f"{self.kernel}, {self.path}:{self.line}:{self.column}: {becomes}"

    def marked(self, root: Path) -> str:
        """Kernel, line and token, wherever the line stands: "arith.clip: if x [<|<=] low:"."""
        text, start = self._place(root)
        end = start + len(self.old)
        before = text[text.rfind("\n", 0, start) + 1 : start]
        after, _, _ = text[end:].partition("\n")
        code = f"{before}[{_in_a_line(self.old)}|{self.said or self.new}]{after}"
        short = ".".join(self.kernel.split(".")[-2:])
        return f"{short}: {code.partition('  # ')[0].strip()}"

    def source(self, root: Path) -> str:
        """The file with the mutation; the names that it may need are imported above the file's own."""
        text, start = self._place(root)
        assert text.startswith(self.old, start)
        text = text[:start] + self.new + text[start + len(self.old) :]
        return text if self.path == "fixedpoint/arith.py" else IMPORTS + text

    def _place(self, root: Path) -> tuple[str, int]:
        """The file, and where the piece begins in it."""
        text = (root / self.path).read_text("utf-8")
        lines = text.splitlines(keepends=True)
        return text, sum(map(len, lines[: self.line - 1])) + self.column


def _in_a_line(text: str) -> str:
    return " ".join(line.partition("  # ")[0].strip() for line in text.splitlines())


def marks(root: Path, found: list[Mutant]) -> dict[Mutant, str]:
    """`marked`, made unique: " (2)" follows where a kernel has such a line for the second time."""
    named: dict[Mutant, str] = {}
    seen: dict[str, int] = {}
    for mutant in found:
        mark = mutant.marked(root)
        seen[mark] = seen.get(mark, 0) + 1
        named[mutant] = mark if seen[mark] == 1 else f"{mark} ({seen[mark]})"
    return named


def mutants(root: Path, packages: Iterable[str]) -> list[Mutant]:
    """Every mutant of every kernel of some packages, or folders of them, in the order of files and lines."""
    found = []
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            found += _in_file(root, path)
    return found


def _in_file(root: Path, path: Path) -> list[Mutant]:
    text = path.read_text("utf-8")
    if "@kernel" not in text:
        return []
    relative = path.relative_to(root)
    module = ".".join(relative.with_suffix("").parts)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and any(_is_kernel(d) for d in node.decorator_list):
            first = node.body[1] if ast.get_docstring(node) else node.body[0]
            for token in tokens:
                line, column = token.start
                if not first.lineno <= line <= (node.end_lineno or 0):
                    continue
                for new in _replacements(token):
                    name = f"{module}.{node.name}"
                    found.append(Mutant(name, relative.as_posix(), line, column, token.string, new))
            for piece in narrowed(node, text):
                found.append(Mutant(f"{module}.{node.name}", relative.as_posix(), *piece))
    return found


def _is_kernel(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Name) and decorator.id == "kernel"


def _replacements(token: tokenize.TokenInfo) -> tuple[str, ...]:
    if token.type == tokenize.NUMBER:
        value = int(token.string, 0)
        return (str(value + 1 if value < 62 else value - 1),)  # shifts beyond 63 are undefined in C
    if token.type == tokenize.NAME and token.string not in OPERATORS and _CONSTANT.fullmatch(token.string):
        return () if token.line[token.end[1] :].startswith("[") else (f"({token.string} + 1)",)
    return OPERATORS.get(token.string, ()) if token.type in (tokenize.OP, tokenize.NAME) else ()
