"""Why constructs of Python, NumPy and its builtins are outside the kernel subset, in a finding's words."""

import ast

_NO_HEAP = "the device has no heap, and C99 no such type"
_NO_UNWINDING = "the device cannot unwind; check arguments once, in the plain function beside the kernel"
_SIMPLE = "C99 has functions at file scope only"
_ONE_NAME = "the translation to C99 needs one plain target"
_LIST = ("a list, set, dict, comprehension or text", "scalars and arrays that are passed in are", _NO_HEAP)
_EXCEPTION = ("an exception, assert or with", "a returned status is", _NO_UNWINDING)
_NESTED = ("a function or class within a kernel", "another kernel beside it is", _SIMPLE)
_SCOPE = (
    "global, nonlocal, del or import",
    "constants of the module are",
    "the firmware's memory is its state",
)
_GENERATOR = ("a generator or coroutine", "return of scalars is", "C99 functions do not suspend")
_MATCH = ("match", "if and elif are", "the translation to C99 knows if, for and while")

# node -> what was found, what is accepted (with its verb), why
STATEMENTS: dict[type, tuple[str, str, str]] = {
    **dict.fromkeys((ast.Try, ast.Raise, ast.Assert, ast.With), _EXCEPTION),
    **dict.fromkeys((ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.AsyncFunctionDef), _NESTED),
    **dict.fromkeys((ast.Global, ast.Nonlocal, ast.Delete, ast.Import, ast.ImportFrom), _SCOPE),
    **dict.fromkeys((ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith), _GENERATOR),
    **dict.fromkeys((ast.List, ast.Dict, ast.Set, ast.JoinedStr, ast.FormattedValue), _LIST),
    **dict.fromkeys((ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp), _LIST),
    ast.Match: _MATCH,
    ast.AnnAssign: ("an annotated local", "a plain assignment is", _ONE_NAME),
    ast.NamedExpr: ("an assignment within an expression", "a statement of its own is", _ONE_NAME),
    ast.Starred: ("a starred name", "names one by one are", _ONE_NAME),
    ast.Slice: (
        "a slice, that is a whole-array expression",
        "one element at a time, in a loop, is",
        "it makes a view or a copy, which C99 has not",
    ),
}

OPERATORS: dict[type, tuple[str, str, str]] = {
    ast.Div: ("/", "a shift, or elementary.reciprocal, is", "it gives a float"),
    ast.FloorDiv: ("//", "a shift is", "Python rounds down and C99 towards zero"),
    ast.Mod: (
        "%",
        "a mask with &, or a compare and subtract, is",
        "its sign is the divisor's in Python, not in C99",
    ),
    ast.Pow: ("**", "a product or a shift is", "C99 has no integer power"),
    ast.MatMult: ("@", "a loop over products is", "it is a whole-array expression"),
}

_FLOAT = "float is outside the arithmetic contract: rounding would depend on the machine"
_ALLOCATES = "it allocates, and the device has no heap"
_WHOLE = "it is a whole-array expression; C99 has none, and its accumulator's width is NumPy's choice"
_MINIMUM = ("a comparison, or arith.clip, is", "the translation to C99 does not know it")
_CAST = ("np.int64(x) is", "bool and int differ in width when interpreted and compiled")

BUILTINS: dict[str, tuple[str, str]] = {
    "abs": (
        "arith.abs_q15, arith.abs_q31 or a compare of an int64 is",
        "of the most negative int16 or int32 it is negative in NumPy and Numba, positive in C99",
    ),
    "float": ("integers in a stated format are", _FLOAT),
    "complex": ("real and imaginary integers are", _FLOAT),
    "round": ("arith.rnd_shift is", _FLOAT),
    "divmod": ("a shift and a mask are", "Python rounds down and C99 towards zero"),
    "pow": ("a product or a shift is", "C99 has no integer power"),
    "min": _MINIMUM,
    "max": _MINIMUM,
    "len": ("x.shape[0] is", "the translation to C99 does not know it"),
    "sum": ("a loop with an int64 accumulator is", _WHOLE),
    "int": _CAST,
    "bool": _CAST,
    "list": ("arrays that are passed in are", _NO_HEAP),
    "dict": ("arrays that are passed in are", _NO_HEAP),
    "set": ("arrays that are passed in are", _NO_HEAP),
    "tuple": ("return of scalars is", _NO_HEAP),
    "str": ("integers are", _NO_HEAP),
    "print": ("probes are", "the device has no console"),
    "range": ("for ... in range(...) alone is", "it is a loop's head, no value"),
    "enumerate": ("for ... in range(...) is", "C99 has no iterators"),
    "zip": ("for ... in range(...) is", "C99 has no iterators"),
    "reversed": ("for ... in range(...) is", "C99 has no iterators"),
}

_MAKES_ARRAY = ("an array that is passed in is", _ALLOCATES)
_UNSIGNED = (
    "int64 and a mask, x & 0xFFFFFFFF, are",
    "unsigned with signed is float64 in NumPy and Numba, and wraps in C99",
)
_ALLOCATING = (
    "zeros",
    "ones",
    "empty",
    "full",
    "array",
    "arange",
    "zeros_like",
    "empty_like",
    "copy",
    "concatenate",
)


def numpy_reason(name: str) -> tuple[str, str]:
    """What is accepted in place of np.name, and why."""
    if name.startswith("uint"):
        return _UNSIGNED
    if name.startswith(("float", "complex", "double", "single", "half")) or name in ("pi", "e", "nan", "inf"):
        return "integers in a stated format are", _FLOAT
    if name in _ALLOCATING:
        return _MAKES_ARRAY
    if name in ("abs", "absolute", "negative"):
        return BUILTINS["abs"]
    return "np.int8, 16, 32, 64 and loops over elements are", _WHOLE


def module_reason(module: str) -> tuple[str, str]:
    """What is accepted in place of module.name, and why."""
    if module in ("math", "cmath", "statistics"):
        return "a kernel of fixedpoint.elementary is", _FLOAT
    return (
        "a kernel imported by its own name is",
        "the translation to C99 looks names up in the kernel's module",
    )


METHOD = ("a loop over elements is", f"a method of an array allocates, or {_WHOLE.partition('; ')[0]}")
