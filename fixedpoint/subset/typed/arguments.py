"""What is known of a kernel's arguments, and of the integers and tables of its module."""

from typing import Any

import numpy as np

from fixedpoint.subset.text import stated_ranges
from fixedpoint.subset.typed.values import LIMITS, NONE, UNKNOWN, Abstract, Array, Scalar, Struct, any_of


def abstract(argument: Any) -> Abstract:
    """What the type of an example argument says, and the ranges that the class of a NamedTuple states.

    A caller may pass an integer as int or np.int64: both are Python's own here, the more dangerous one.
    """
    match argument:
        case np.ndarray() if argument.dtype.name in LIMITS:
            return Array(argument.dtype.name, argument.ndim, *LIMITS[argument.dtype.name])
        case np.signedinteger() if argument.itemsize < 8:
            return any_of(argument.dtype.name)
        case int() | np.signedinteger():
            return any_of("int")
        case tuple() if hasattr(argument, "_fields"):
            stated = stated_ranges(type(argument).__doc__ or "")
            fields = zip(argument._fields, map(abstract, argument), strict=True)
            return Struct(
                type(argument),
                tuple(
                    x.within(*stated[f]) if isinstance(x, Scalar) and f in stated else x for f, x in fields
                ),
            )
        case None:
            return NONE
    return UNKNOWN


def constant(found: Any) -> Abstract:
    """An integer or a table of a module."""
    if isinstance(found, np.ndarray) and found.dtype.name in LIMITS and found.ndim in (1, 2) and found.size:
        return Array(found.dtype.name, found.ndim, int(found.min()), int(found.max()))
    if isinstance(found, np.signedinteger):
        return Scalar(found.dtype.name, int(found), int(found))
    return Scalar("int", found, found) if isinstance(found, int) else UNKNOWN
