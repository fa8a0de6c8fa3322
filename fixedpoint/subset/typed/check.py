"""What of a kernel leaves the subset once types are known: widths, shift counts, what C99 export refuses."""

import ast
import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from fixedpoint.subset.finding import Finding, finding, said
from fixedpoint.subset.names import is_kernel
from fixedpoint.subset.source import check_source
from fixedpoint.subset.text import Text, function_text
from fixedpoint.subset.typed import exported
from fixedpoint.subset.typed.arguments import abstract
from fixedpoint.subset.typed.flow import Flow
from fixedpoint.subset.typed.values import NARROW, UNKNOWN, Abstract, Scalar

_MOST_KEPT = 4096  # kernels with types
_STATED_WHY = "it is sound for these alone"


def check_typed(function: Callable[..., Any], arguments: tuple) -> list[Finding]:
    """What of a kernel and its callees leaves the subset with such arguments; see `fixedpoint.subset`."""
    python = getattr(function, "py_func", function)
    found = check_source(python)
    text = function_text(python)
    names = list(inspect.signature(python).parameters)
    if found or text is None:
        return found
    if len(names) != len(arguments):
        return [
            finding(
                python,
                text.tree.lineno,
                said(f"{len(arguments)} arguments", f"{len(names)} are", "it takes so many"),
            )
        ]
    refused = exported.argument_faults(names, arguments)
    if refused:
        return [finding(python, text.tree.lineno, says) for says in refused]
    found = beyond_stated(python, text, dict(zip(names, arguments, strict=True)))
    _, within = _followed(python, tuple(map(abstract, arguments)))
    found += within
    lines = {(f.file, f.line) for f in found}
    found += [f for f in exported.refusals(python, arguments) if (f.file, f.line) not in lines]
    return sorted(dict.fromkeys(found), key=lambda f: (f.file, f.line))


def beyond_stated(python: Callable[..., Any], text: Text, arguments: dict[str, Any]) -> list[Finding]:
    """Example integers outside the range that the kernel's author states."""
    found = []
    for name, (low, high) in text.ranges().items():
        value = arguments.get(name)
        if isinstance(value, (int, np.integer)) and not low <= int(value) <= high:
            says = said(f"the argument {name} = {int(value)}", f"{low} to {high} is", "so its author states")
            found.append(finding(python, text.tree.lineno, says))
    return found


@lru_cache(_MOST_KEPT)
def _followed(
    python: Callable[..., Any], arguments: tuple[Abstract, ...]
) -> tuple[Abstract, tuple[Finding, ...]]:
    """What a kernel returns for such arguments, and what was found in it and in its callees."""
    text = _text(python)
    if text is None:
        return UNKNOWN, ()
    within = _Within(python)
    flow = Flow(python, text, _ranges(python), within)
    within.flow = flow
    returned = flow.run(arguments)
    own = [finding(python, line, says) for line, says in flow.found]
    return returned, (*own, *within.found)


class _Within:
    """Calls that a kernel makes."""

    flow: Flow

    def __init__(self, python: Callable[..., Any]) -> None:
        self.python = python
        self.found: dict[Finding, None] = {}

    def called(self, node: ast.Call, target: Any, arguments: tuple[Abstract, ...]) -> Abstract:
        """What a call of a kernel returns; in which arguments that are not widened are the caller's fault."""
        python = getattr(target, "py_func", target)
        text = _text(python) if is_kernel(target) else None
        if text is None or len(text.tree.args.args) != len(arguments):
            return UNKNOWN
        name = python.__name__
        for i, (parameter, argument) in enumerate(zip(text.tree.args.args, arguments, strict=True)):
            range_ = _ranges(python).get(parameter.arg)
            if range_ and isinstance(argument, Scalar):
                what = f"{ast.unparse(node.args[i])} as {parameter.arg} of {name}"
                self.flow.within(node, argument, *range_, what, f" as {name} states", _STATED_WHY)
        returned, found = _followed(python, arguments)
        if found and any(isinstance(a, Scalar) and a.kind in NARROW for a in arguments):
            wide = tuple(a._replace(kind="int64") if isinstance(a, Scalar) else a for a in arguments)
            _, left = _followed(python, wide)
            ours = [f for f in found if f not in left]
            if ours:
                self.flow.refuse(
                    node,
                    f"a narrow argument, {ast.unparse(node)}, that was not widened",
                    "np.int64(...) of it, on load, is",
                    f"in {ours[0].kernel}, line {ours[0].line}: {ours[0].says.partition(';')[0]}",
                )
            found = left
        self.found |= dict.fromkeys(found)
        return returned


@lru_cache(_MOST_KEPT)
def _text(python: Callable[..., Any]) -> Text | None:
    return function_text(python)


@lru_cache(_MOST_KEPT)
def _ranges(python: Callable[..., Any]) -> dict[str, tuple[int, int]]:
    text = _text(python)
    return text.ranges() if text else {}
