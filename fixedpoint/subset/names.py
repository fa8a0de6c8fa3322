"""Calls and names of a kernel, looked up in its module: kernels, casts as np.int64(x), integers, tables."""

import ast
import builtins
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from fixedpoint.subset.finding import said
from fixedpoint.subset.words import BUILTINS, METHOD, module_reason, numpy_reason

CASTS = ("int8", "int16", "int32", "int64")
NARROW = CASTS[:3]
KERNELS: set[Callable[..., Any]] = set()  # Python functions of the kernels registered so far

_NOTHING = object()


def is_kernel(found: Any) -> bool:
    """Whether an object is a registered kernel, compiled or not."""
    python = getattr(found, "py_func", found)
    return isinstance(python, types.FunctionType) and python in KERNELS


def cast_of(node: ast.AST, module: dict[str, Any]) -> str:
    """ "int32" where the node is np.int32(x), "" of anything else."""
    match node:
        case ast.Call(ast.Attribute(ast.Name(root), name)) if module.get(root) is np and name in CASTS:
            return name
    return ""


def call_fault(node: ast.Call, python: Callable[..., Any], local: frozenset[str]) -> str:
    """What is wrong with a call; "" of a sound one."""
    if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
        return said("a keyword or starred argument", "arguments by position are", "C99 has no others")
    module = python.__globals__
    match node.func:
        case ast.Name(name):
            return _named_fault(name, python, local)
        case ast.Attribute(ast.Name(root), name) if root not in local:
            found = module.get(root)
            if found is np:
                if name in CASTS and len(node.args) == 1:
                    return ""
                if name in CASTS:
                    return said(f"np.{name} of {len(node.args)} arguments", "one is", "it is a cast in C99")
                return said(f"np.{name}(...)", *numpy_reason(name))
            if isinstance(found, types.ModuleType):
                return said(f"{ast.unparse(node.func)}(...)", *module_reason(found.__name__))
    if isinstance(node.func, ast.Attribute):
        return said(f".{node.func.attr}(...), a method", *METHOD)
    return said("a call of an expression", "a kernel by its name is", "C99 calls functions by name here")


def _named_fault(name: str, python: Callable[..., Any], local: frozenset[str]) -> str:
    if name == python.__code__.co_name:
        return said(f"{name} calling itself", "a loop is", "no recursion on the device: its stack is small")
    if name in local:
        return said(f"{name}(...), a local", "a kernel by its name is", "C99 calls functions by name here")
    found = python.__globals__.get(name, _NOTHING)
    if is_kernel(found):
        return ""
    if found is _NOTHING and name in BUILTINS:
        return said(f"{name}(...)", *BUILTINS[name])
    if found is _NOTHING and not hasattr(builtins, name):
        return said(
            f"{name}(...), which the module does not hold yet",
            "a kernel defined or imported above is",
            "no recursion",
        )
    what = "a builtin" if found is _NOTHING else "a class" if isinstance(found, type) else "no kernel"
    return said(
        f"{name}(...), {what}", "a function registered by `kernel` is", "nothing else is exported to C99"
    )


def name_fault(name: str, module: dict[str, Any]) -> str:
    """What is wrong with the value of a name that is not local; "" of a sound one."""
    found = module.get(name, _NOTHING)
    match found:
        case bool():
            pass
        case int() | np.signedinteger():
            if -(1 << 63) <= int(found) < 1 << 63:
                return ""
            return said(f"{name} = {found}", "an integer within 64 bits is", "Numba and C99 would wrap it")
        case np.ndarray() if found.dtype.name in CASTS and found.ndim in (1, 2):
            return ""
        case np.ndarray():
            return said(
                f"{name}, a table of {found.dtype} {found.shape}",
                "1-D or 2-D int8, 16, 32 or 64 is",
                numpy_reason(found.dtype.name)[1] if found.dtype.kind in "fcu" else "C99 gets no other",
            )
        case float() | complex() | np.inexact():
            return said(
                f"{name}, a float of the module", "an integer in a stated format is", numpy_reason("float")[1]
            )
    if found is _NOTHING and not hasattr(builtins, name):
        return said(
            f"{name}, which is unknown",
            "a local, or an integer or table of the module, is",
            "C99 needs a value",
        )
    kind = "a builtin" if found is _NOTHING else f"a {type(found).__name__} of the module"
    return said(
        f"{name}, {kind}",
        "an integer or an integer array of the module is",
        "nothing else is exported to C99",
    )


def attribute_fault(node: ast.Attribute, module: dict[str, Any]) -> str:
    """What is wrong with a name of another module, math.pi; "" of a field."""
    root = node.value
    if not isinstance(root, ast.Name) or not isinstance(module.get(root.id), types.ModuleType):
        return ""
    found = module[root.id]
    reason = numpy_reason(node.attr) if found is np else module_reason(found.__name__)
    return said(ast.unparse(node), *reason)
