"""Sums and products of kernels, held in as few bits as careless firmware holds them in."""

import ast
from collections.abc import Iterator

_SUM_BITS, _PRODUCT_BITS = (32, 40), (32,)
_NARROW = frozenset({"narrow32", "neg32", "wrap32", "int32", "int16", "int8"})  # keep no more than a word

# line, column, what stands there, what stands there instead, in words
Piece = tuple[int, int, str, str, str]


def narrowed(function: ast.FunctionDef, text: str) -> Iterator[Piece]:
    """Each sum of a kernel wrapped to 32 and to 40 bits, and each product to 32.

    A sum adds to what it is stored in, or adds products up. Indices are left out, and so is what the kernel
    itself narrows to a word: there the wrapped value is that which is kept.

    text : of the file
    """
    for statement in ast.walk(function):
        if isinstance(statement, ast.AugAssign):
            if isinstance(statement.op, (ast.Add, ast.Sub)):
                yield from _own_sum(statement, text)
            yield from _within(statement.value, "", text)
        elif isinstance(statement, ast.Assign):
            yield from _within(statement.value, ast.unparse(statement.targets[0]), text)
        elif isinstance(statement, (ast.Return, ast.Expr)) and statement.value is not None:
            yield from _within(statement.value, "", text)


def _own_sum(statement: ast.AugAssign, text: str) -> Iterator[Piece]:
    target, value = _source(statement.target, text), _source(statement.value, text)
    sign = "+" if isinstance(statement.op, ast.Add) else "-"
    for bits in _SUM_BITS:
        wrapped = f"{target} = {_wrapped(f'{target} {sign} ({value})', bits)}"
        yield _piece(statement, text, wrapped, bits)


def _within(value: ast.expr, target: str, text: str) -> Iterator[Piece]:
    """Of an expression: the outermost sums in question, and all products."""
    for node, word in _nodes(value, False):
        if word or not isinstance(node, ast.BinOp):
            continue
        if isinstance(node.op, ast.Mult) and not _literal(node.left) and not _literal(node.right):
            for bits in _PRODUCT_BITS:
                yield _piece(node, text, _wrapped(_source(node, text), bits), bits)
    yield from _sums(value, target, text, False)


def _sums(node: ast.AST, target: str, text: str, word: bool) -> Iterator[Piece]:
    if isinstance(node, ast.Subscript):
        return
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        parts = [part for part, _ in _nodes(node, False)]
        product = any(isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult) for part in parts)
        own = bool(target) and any(ast.unparse(part) == target for part in ast.walk(node))
        if (product or own) and not word:
            for bits in _SUM_BITS:
                yield _piece(node, text, _wrapped(_source(node, text), bits), bits)
            return
    for child in ast.iter_child_nodes(node):
        yield from _sums(child, target, text, _is_word(node, word))


def _nodes(node: ast.AST, word: bool) -> Iterator[tuple[ast.AST, bool]]:
    """A node and those below it, without indices, and whether a word is all that is kept of each."""
    yield node, word
    if not isinstance(node, ast.Subscript):
        for child in ast.iter_child_nodes(node):
            yield from _nodes(child, _is_word(node, word))


def _is_word(node: ast.AST, word: bool) -> bool:
    """Whether a word is all that is kept of a node's operands; word : whether that is so of the node."""
    if isinstance(node, ast.BinOp):
        return word and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult))
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in _NARROW


def _literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def _source(node: ast.AST, text: str) -> str:
    found = ast.get_source_segment(text, node)
    assert found is not None
    return found


def _wrapped(value: str, bits: int) -> str:
    """The expression, two's complement in so few bits."""
    return f"(((np.int64({value}) + (1 << {bits - 1})) & ((1 << {bits}) - 1)) - (1 << {bits - 1}))"


def _piece(node: ast.stmt | ast.expr, text: str, new: str, bits: int) -> Piece:
    return node.lineno, node.col_offset, _source(node, text), new, f"{bits} bits"
