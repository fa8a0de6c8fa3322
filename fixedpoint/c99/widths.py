"""Which locals of a kernel fit 32 bits: C keeps them in int32_t, one register of the target, not two."""

import ast
from collections.abc import Iterable
from typing import Any, NamedTuple

from fixedpoint.c99.access import numpy_type
from fixedpoint.c99.types import ArrayRef, ArrayType, StructRef

_NARROW = ("int8", "int16", "int32")


class _Scope(NamedTuple):
    """What a kernel's names stand for: arrays and structs, the module's names, integers that fit 32 bits."""

    refs: dict[str, ArrayRef | StructRef]
    module: dict[str, Any]
    narrow: frozenset[str]


def narrow_locals(
    tree: ast.FunctionDef, names: Iterable[str], refs: dict[str, ArrayRef | StructRef], module: dict[str, Any]
) -> set[str]:
    """Those of the names of which every value is seen, by its form alone, to fit 32 bits.

    A literal, an element of a narrow array, np.int32(x) and narrower, narrow32(x), whose caller proves it and
    whose proof the audit checks; np.int64 of one of these; another such name, a loop's variable. Whatever
    else sets a name leaves it at 64 bits.
    """
    loops = {n.target.id for n in ast.walk(tree) if isinstance(n, ast.For) and isinstance(n.target, ast.Name)}
    narrow = frozenset(names)
    while wide := narrow & _set_wide(tree, _Scope(refs, module, narrow | loops)):
        narrow -= wide
    return set(narrow)


def _set_wide(tree: ast.FunctionDef, scope: _Scope) -> set[str]:
    """Names that are set to what may need more than 32 bits."""
    wide: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)):
                pairs = zip(targets, values, strict=False)
                wide = wide.union(*(_stored(t) for t, v in pairs if not _fits_32_bits(v, scope)))
            case ast.Assign([target], value) if isinstance(target, ast.Tuple) or not _fits_32_bits(
                value, scope
            ):
                wide |= _stored(target)
            case ast.AugAssign(target):
                wide |= _stored(target)
    return wide


def _stored(target: ast.expr) -> set[str]:
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _fits_32_bits(node: ast.expr, scope: _Scope) -> bool:
    match node:
        case ast.Constant(int(value)) | ast.UnaryOp(ast.USub(), ast.Constant(int(value))):
            return value < 1 << 31
        case ast.Name(name):
            return name in scope.narrow
        case ast.Subscript(value=array):
            kind = _array_type(array, scope.refs)
            return kind is not None and kind.element in _NARROW
        case ast.Call(ast.Name("narrow32")):
            return True
        case ast.Call(args=[argument]):
            cast = numpy_type(node, scope.module)
            return cast in _NARROW or (cast == "int64" and _fits_32_bits(argument, scope))
    return False


def _array_type(node: ast.expr, refs: dict[str, ArrayRef | StructRef]) -> ArrayType | None:
    """Type of an argument, or of a field of one; None of anything else."""
    if isinstance(node, ast.Name):
        found = refs.get(node.id)
        return found.type if isinstance(found, ArrayRef) else None
    path = ast.unparse(node).split(".")
    owner = refs.get(path[0])
    for field in path[1:-1]:
        nested = owner.struct.nested if isinstance(owner, StructRef) else {}
        owner = StructRef("", nested[field], False) if field in nested else None
    kind = owner.struct.fields().get(path[-1]) if isinstance(owner, StructRef) else None
    return kind if isinstance(kind, ArrayType) else None
