"""The kernel subset, checked: what is compiled, interpreted and exported to C99 computes the same bits.

`check_source` reads the syntax alone, when a kernel is registered; `typed.check_typed` knows the types of
example arguments as well. What is refused is what the three would do differently, or one of them not at all.

What an author may state, in a kernel's docstring or in a comment
    ``0 <= n <= 31``: the range of an argument or a local, where the source does not show it; of a field, in
    the docstring of its NamedTuple; ``0 <= result <= 31`` of what the kernel returns. It is needed of counts
    of shifts: a processor shifts by the low bits of the count, C leaves others undefined, NumPy gives 0 or
    -1. Callers are held to it; that a local keeps to it is its author's word, as with ``narrow32``.
    ``5 turns at most``: the bound of ``while``, where the loop does not count towards it.
"""

from fixedpoint.subset.finding import Finding
from fixedpoint.subset.source import check_source

__all__ = ["Finding", "check_source"]
