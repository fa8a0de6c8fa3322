"""The kernel subset with the types of example arguments: widths, shifts, arrays, what the C would refuse."""

from fixedpoint.subset.typed.check import check_typed

__all__ = ["check_typed"]
