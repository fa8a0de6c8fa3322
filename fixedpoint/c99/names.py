"""Names in C, apart where Python's modules keep them apart, and the remarks that stand beside them."""

import ast
import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from fixedpoint.c99.types import RESERVED, ArrayType, StructType, Type


def c_names(keys: list[tuple[Any, tuple[Type, ...]]], prefix: str = "") -> dict[tuple, str]:
    """A name for each function or class with its types.

    Its own, after the name of its module where another module has the same, and before the width of the first
    array that tells its variants apart where it comes with several types.
    """
    variants: dict[Any, list[tuple]] = defaultdict(list)
    owners: dict[str, set[Any]] = defaultdict(set)
    for python, types in keys:
        variants[python].append(types)
        owners[python.__name__].add(python)
    names = {}
    for python, types in keys:
        name = python.__name__.lstrip("_")
        if len(owners[python.__name__]) > 1:
            name = f"{python.__module__.rpartition('.')[2]}_{name}"
        if len(variants[python]) > 1:
            lists = [list(_elements(v)) for v in variants[python]]
            own = list(_elements(types))
            differ = [e for i, e in enumerate(own) if len({tuple(v[i : i + 1]) for v in lists}) > 1]
            name = f"{name}_{differ[0]}" if differ else name
        name = prefix + name
        names[python, types] = f"{name}_" if name in RESERVED else name
    taken: set[str] = set()
    for key in names:  # variants that differ in other ways
        while names[key] in taken:
            names[key] += "x"
        taken.add(names[key])
    return names


def _elements(types: tuple[Type, ...]) -> Iterator[str]:
    """What arrays hold, in order, those in structs too."""
    for kind in types:
        if isinstance(kind, ArrayType):
            yield kind.element
        elif isinstance(kind, StructType):
            yield from _elements(kind.fields)


def remark(module: str, name: str) -> str:
    """The comment beside a module's integer, where it is defined."""
    source = inspect.getsource(sys.modules[module])
    found = re.search(rf"^{re.escape(name)}\b[^#\n]*=[^#\n]*#\s*(.*)$", source, re.M)
    if found:
        return found[1]
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and node.module in sys.modules:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return remark(node.module, alias.name)
    return ""


def section(function: Callable[..., Any]) -> str:
    """Title of the section of its file that a kernel stands in, ``# --- title ---``."""
    lines = inspect.getsource(sys.modules[function.__module__]).split("\n")
    above = lines[: function.__code__.co_firstlineno]
    titles = [found[1] for line in above if (found := re.match(r"# -{3,} (.*?) -{3,}$", line))]
    return titles[-1] if titles else ""
