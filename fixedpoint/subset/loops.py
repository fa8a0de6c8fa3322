"""Loops whose end can be seen: `for` over range, and `while` that counts towards its bound or states one."""

import ast

from fixedpoint.subset.finding import said

RANGE_ONLY = said(
    "for over something else than range(...)",
    "for NAME in range(...), without else, is",
    "C99 counts; it has no iterators",
)
BACKWARDS = said(
    "a step of range that is negative or 0", "a positive step is", "C99's loop would ask for < all the same"
)
NO_END = said(
    "while with no end in sight",
    'a name that the body steps by a literal towards a bound it leaves alone, or "9 turns at most" in a '
    "comment or the docstring, is",
    "firmware has a deadline",
)


def for_fault(loop: ast.For) -> str:
    """What is wrong with a `for`; "" of a sound one."""
    match loop:
        case ast.For(
            ast.Name(), ast.Call(ast.Name("range"), [_], []) | ast.Call(ast.Name("range"), [_, _], []), _, []
        ):
            return ""
        case ast.For(ast.Name(), ast.Call(ast.Name("range"), [_, _, step], []), _, []):
            backwards = isinstance(step, ast.UnaryOp) or (isinstance(step, ast.Constant) and not step.value)
            return BACKWARDS if backwards else ""
    return RANGE_ONLY


def counts_to_its_end(loop: ast.While) -> bool:
    """Whether a compared name moves by a literal, every turn, towards a bound that the body leaves alone."""
    tests = (
        loop.test.values
        if isinstance(loop.test, ast.BoolOp) and isinstance(loop.test.op, ast.And)
        else [loop.test]
    )
    return any(_counts(test, loop.body) for test in tests)


def _counts(test: ast.expr, body: list[ast.stmt]) -> bool:
    match test:
        case ast.Compare(ast.Name(name), [ast.Lt() | ast.LtE()], [bound]):
            step: type = ast.Add
        case ast.Compare(ast.Name(name), [ast.Gt() | ast.GtE()], [bound]):
            step = ast.Sub
        case ast.Compare(bound, [ast.Gt() | ast.GtE()], [ast.Name(name)]):
            step = ast.Add
        case ast.Compare(bound, [ast.Lt() | ast.LtE()], [ast.Name(name)]):
            step = ast.Sub
        case _:
            return False
    fixed = not any(isinstance(n, (ast.Call, ast.Subscript)) for n in ast.walk(bound) if not _is_length(n))
    read = {n.id for n in ast.walk(bound) if isinstance(n, ast.Name)}
    inside = [n for statement in body for n in ast.walk(statement)]
    stored = [n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    if not fixed or read & set(stored) or stored.count(name) != 1:
        return False
    if any(isinstance(n, ast.Continue) for n in inside):
        return False
    return any(_steps(statement, name, step) for statement in body)


def _steps(statement: ast.stmt, name: str, step: type) -> bool:
    match statement:
        case ast.AugAssign(ast.Name(target), op, ast.Constant(int(by))):
            return target == name and isinstance(op, step) and by > 0
    return False


def _is_length(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "shape"
    )
