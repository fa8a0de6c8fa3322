"""What is known of a value without computing it: its type when interpreted, and between what it lies.

A scalar of an array is as narrow as the array, until np.int64(x) widens it. Integers that Python itself
holds (literals, loop variables, lengths, arguments that a caller may pass as int) take the width of what they
meet, under NumPy's rules: `2 * z[k]` wraps at 32 bits when interpreted and not when compiled.
"""

import ast
from collections.abc import Callable
from itertools import product
from typing import NamedTuple

# Narrowest first: what may be either of two types is as dangerous as the narrower. "int" is Python's own.
KINDS = ("int8", "int16", "int32", "int", "int64")
NARROW = KINDS[:3]
LIMITS = {f"int{n}": (-(1 << (n - 1)), (1 << (n - 1)) - 1) for n in (8, 16, 32, 64)}
LOW, HIGH = LIMITS["int64"]
LIMITS["int"] = (LOW, HIGH)
LONGEST = (1 << 31) - 1  # arrays and loops: indices fit in 31 bits, as the translation to C99 trusts


class Scalar(NamedTuple):
    """An integer: one of KINDS when interpreted, from low to high."""

    kind: str
    low: int
    high: int

    def within(self, low: int, high: int) -> "Scalar":
        """The same, known to lie within a range; where it does not, the range."""
        least, most = max(self.low, low), min(self.high, high)
        return Scalar(self.kind, least, most) if least <= most else Scalar(self.kind, low, high)

    def lies_in(self, low: int, high: int) -> bool:
        return low <= self.low and self.high <= high


class Array(NamedTuple):
    """An integer array; low and high of its elements."""

    element: str
    ndim: int
    low: int
    high: int


class Struct(NamedTuple):
    """A NamedTuple: its class and the values of its fields."""

    python: type
    fields: tuple["Abstract", ...]


class Several(NamedTuple):
    """What a kernel with several results returns."""

    values: tuple["Abstract", ...]


class Nothing(NamedTuple):
    """None, or a value of which nothing is known since it is outside the subset."""

    known: bool = True


Abstract = Scalar | Array | Struct | Several | Nothing
NONE, UNKNOWN = Nothing(), Nothing(False)


def any_of(kind: str) -> Scalar:
    """Any value of a type."""
    return Scalar(kind, *LIMITS[kind])


def joined(a: Abstract, b: Abstract) -> Abstract:
    """What is known of a value that is either of two."""
    if isinstance(a, Scalar) and isinstance(b, Scalar):
        kind = KINDS[min(KINDS.index(a.kind), KINDS.index(b.kind))]
        return Scalar(kind, min(a.low, b.low), max(a.high, b.high))
    if isinstance(a, Several) and isinstance(b, Several) and len(a.values) == len(b.values):
        return Several(tuple(map(joined, a.values, b.values)))
    return a if a == b else UNKNOWN


def widened(before: Abstract, after: Abstract) -> Abstract:
    """After another turn of a loop: an end that still moves goes to the limit of the type."""
    if not (isinstance(before, Scalar) and isinstance(after, Scalar)):
        return after
    low, high = LIMITS["int64" if after.kind == "int" else after.kind]
    return Scalar(
        after.kind,
        low if after.low < before.low else after.low,
        high if after.high > before.high else after.high,
    )


def promoted(a: Scalar, b: Scalar) -> str:
    """Type of the result of an operator, interpreted."""
    if "int64" in (a.kind, b.kind):
        return "int64"
    if "int" in (a.kind, b.kind):
        return a.kind if b.kind == "int" else b.kind
    return a.kind if KINDS.index(a.kind) > KINDS.index(b.kind) else b.kind


def computed(op: ast.operator, a: Scalar, b: Scalar) -> Scalar:
    """Result of an operator; nothing overflows, as the kernel's docstring shows and the audit holds."""
    kind = promoted(a, b)
    limits = LIMITS[kind]
    if type(op) in _CORNERS:
        if isinstance(op, (ast.LShift, ast.RShift)):
            b = b.within(0, 63)
        ends = [_CORNERS[type(op)](x, y) for x, y in product(a[1:], b[1:])]
        return Scalar(kind, min(ends), max(ends)).within(*limits)
    if isinstance(op, ast.BitAnd):
        masks = [side.high for side in (a, b) if side.low >= 0]
        return Scalar(kind, 0, min(masks)) if masks else any_of(kind)
    if isinstance(op, (ast.BitOr, ast.BitXor)):
        bits = max((end if end >= 0 else ~end).bit_length() for end in (*a[1:], *b[1:]))
        return Scalar(kind, 0 if a.low >= 0 and b.low >= 0 else -(1 << bits), (1 << bits) - 1).within(*limits)
    return any_of(kind)


_CORNERS: dict[type, Callable[[int, int], int]] = {
    ast.Add: lambda x, y: x + y,
    ast.Sub: lambda x, y: x - y,
    ast.Mult: lambda x, y: x * y,
    ast.RShift: lambda x, y: x >> y,
    ast.LShift: lambda x, y: x << y,
}
