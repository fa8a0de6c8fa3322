"""Single-token mutations of the kernels' sources."""

import ast
import io
import tokenize
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

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
IMPORTS = "from fixedpoint.arith import *\n"


class Mutant(NamedTuple):
    """A token that becomes another one.

    kernel : qualified name;  path : from the root;  line : counted from 1;  column : from 0
    """

    kernel: str
    path: str
    line: int
    column: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.kernel}, {self.path}:{self.line}:{self.column}: {self.old} -> {self.new}"

    def marked(self, root: Path) -> str:
        """Kernel, line and token, wherever the line stands: "arith.clip: if x [<|<=] low:"."""
        line = (root / self.path).read_text("utf-8").splitlines()[self.line - 1]
        code = f"{line[: self.column]}[{self.old}|{self.new}]{line[self.column + len(self.old) :]}"
        short = ".".join(self.kernel.split(".")[-2:])
        return f"{short}: {code.partition('  # ')[0].strip()}"

    def source(self, root: Path) -> str:
        """The file with the mutation; the names that it may need are imported above the file's own."""
        lines = (root / self.path).read_text("utf-8").splitlines(keepends=True)
        line = lines[self.line - 1]
        assert line[self.column :].startswith(self.old)
        lines[self.line - 1] = line[: self.column] + self.new + line[self.column + len(self.old) :]
        text = "".join(lines)
        return text if self.path == "fixedpoint/arith.py" else IMPORTS + text


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
    return found


def _is_kernel(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Name) and decorator.id == "kernel"


def _replacements(token: tokenize.TokenInfo) -> tuple[str, ...]:
    if token.type == tokenize.NUMBER:
        value = int(token.string, 0)
        return (str(value + 1 if value < 62 else value - 1),)  # shifts beyond 63 are undefined in C
    return OPERATORS.get(token.string, ()) if token.type in (tokenize.OP, tokenize.NAME) else ()
