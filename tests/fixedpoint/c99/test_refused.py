"""What lies outside the kernel subset is refused with file, line and reason."""

import importlib
import re
import textwrap
import weakref
from collections import namedtuple
from itertools import count

import numpy as np
import pytest

from fixedpoint.c99.host import Library, build, compiler
from fixedpoint.c99.translator import translate
from fixedpoint.errors import ConfigError
from tests.fixedpoint.c99 import subjects

_numbers = count()
ARRAY = np.zeros(3, np.int32)
TABLE = np.zeros((2, 3), np.int32)
Pair = namedtuple("Pair", "a b")

PREAMBLE = """\
import numpy as np
from fixedpoint.arith import clip, sat16
from fixedpoint.filters.fir import keep_latest
from fixedpoint.elementary import reciprocal
TABLE = np.arange(4, dtype=np.int32)
FLOATS = np.zeros(3)
HALF = 0.5
"""

# what it is: arguments, body of f (its first line is line 9 of the file), line that is at fault, reason
REFUSED = {
    "float literal": (("x",), "return x * 0.5", 9, "0.5 is not an integer"),
    "float constant": (("x",), "return x * HALF", 9, "HALF is a float, not an integer"),
    "float table": (("x",), "return np.int64(FLOATS[x])", None, "float64 (3,) array found"),
    "text": (("x",), "return 'a'", 9, "'a' is not an integer"),
    "truth literal": (("x",), "return x + True", 9, "True is not an integer"),
    "division": (("x",), "return x // 2", 9, "FloorDiv is outside the kernel subset; shift instead"),
    "true division": (("x",), "return x / 2", 9, "Div is outside"),
    "remainder": (("x",), "y = x\nreturn y % 2", 10, "Mod is outside"),
    "power": (("x",), "return x ** 2", 9, "Pow is outside"),
    "left shift of what may be negative": (("x",), "return x << 2", 9, "use arith.shl"),
    "shift count": (("x",), "return x >> 64", 9, "a shift count must be from 0 to 63"),
    "negative shift count": (("x",), "return x >> -1", 9, "a shift count must be from 0 to 63"),
    "more than 64 bits": (("x",), "return x + 0x8000000000000000", None, "must be within 64 bits"),
    "unknown name": (("x",), "return x + nothing", 9, "nothing is unknown"),
    "function that is no kernel": (("x",), "return abs(x)", 9, "abs is not a registered kernel"),
    "allocation": (
        ("x",),
        "y = np.zeros(3, np.int32)\nreturn y[0]",
        9,
        "np.zeros is not a registered kernel",
    ),
    "value that nobody reads": (("x",), "y = x + 1\nreturn x", 9, "y is set and never read"),
    "too few arguments": (("x",), "return clip(x, 0)", 9, "clip is not a registered kernel of 2 arguments"),
    "keyword": (("x",), "return clip(x, 0, high=3)", 9, "by position"),
    "starred": (("x",), "return clip(*x)", 9, "by position"),
    "recursion": (("x",), "if x > 0:\n    return f(x - 1)\nreturn x", 10, "calls itself"),
    "chained comparison": (("x",), "if 0 < x < 3:\n    return x\nreturn 0", 9, "one of < <= > >= == !="),
    "comparison as a number": (("x",), "return 1 + (x > 2)", 9, "a comparison's result used as a number"),
    "comparison returned": (("x",), "return x > 2", 9, "a comparison's result used as a number"),
    "or of integers": (("x",), "return x or 3", 9, "compare with 0"),
    "two types": (("x",), "y = x > 2\nif y:\n    y = x\nreturn x", 11, "a comparison's result there"),
    "slice": (("a",), "return np.int64(a[1:][0])", 9, "Subscript in place of an array"),
    "slice as index": (("a",), "a[0:2] = 1", 9, "a slice is outside"),
    "negative index": (("a",), "return np.int64(a[-1])", 9, "reads before the array in C"),
    "too many indices": (("a",), "return np.int64(a[0, 0])", 9, "2 indices on a 1-D array"),
    "array as a number": (("a",), "return a + 1", 9, "a is an array"),
    "array attribute": (("a",), "return a.size", 9, ".size of an array is outside"),
    "shape beyond": (("a",), "return np.int64(a.shape[1])", 9, "shape of a 1-D array"),
    "length by len": (("a",), "return len(a)", 9, "len is not a registered kernel"),
    "store into a table": (("x",), "TABLE[0] = x", 9, "TABLE is a constant table"),
    "table as output": (("a",), "keep_latest(TABLE, a)", 9, "TABLE is a constant table, the callee stores"),
    "array by two names": (("a", "b"), "c = a\nc = b\nc[0] = 1", 9, "c stands for more than one array"),
    "array set to a number": (("a", "x"), "a = x\nreturn np.int64(a[0])", 9, "a stands for an array"),
    "no such field": (("p",), "return np.int64(p.c[0])", 9, "there is no field c"),
    "store into a field": (("p",), "p.a = 3", 9, "assignment to Attribute"),
    "order of calls": (
        ("a", "x"),
        "return store(a, x) + np.int64(a[0])",
        9,
        "assign what it returns first",
    ),
    "store and call": (("a",), "a[0] += sat16(a[1])", 9, "assign it first"),
    "swap": (("x", "y"), "x, y = y, x\nreturn x", 9, "in either order"),
    "unequal tuple": (("x",), "a, b = x, x, x\nreturn a", 9, "2 names for 3 values"),
    "tuple from one value": (("x",), "a, b = sat16(x)\nreturn a", 9, "2 names for what sat16 returns"),
    "one name for two values": (("x",), "a = reciprocal(x)\nreturn a", 9, "does not return one value"),
    "two values dropped": (("x",), "reciprocal(x)\nreturn x", 9, "returns 2 values: give them names"),
    "chain of targets": (("x",), "a = b = x\nreturn a + b", 9, "Assign is outside"),
    "range backwards": (("x",), "for i in range(x, 0, -1):\n    x += i\nreturn x", 9, "step of range"),
    "for over an array": (
        ("a",),
        "y = np.int64(0)\nfor v in a:\n    y += v\nreturn y",
        10,
        "for is over range",
    ),
    "for else": (("x",), "for _ in range(x):\n    pass\nelse:\n    x = 3\nreturn x", 9, "no else"),
    "while else": (("x",), "while x > 3:\n    x -= 1\nelse:\n    x = 3\nreturn x", 9, "While is outside"),
    "loop variable set": (("x",), "for i in range(x):\n    i += 1\nreturn x", 10, "i counts a loop"),
    "loop variable after the loop": (
        ("x",),
        "for i in range(x):\n    x += i\nreturn i",
        11,
        "outside the loop",
    ),
    "nested loop variable": (
        ("x",),
        "for i in range(3):\n    for i in range(3):\n        x += i\nreturn x",
        10,
        "counts an outer loop",
    ),
    "exception": (("x",), "if x < 0:\n    raise ValueError\nreturn x", 10, "Raise is outside"),
    "try": (("x",), "try:\n    x += 1\nfinally:\n    x += 2\nreturn x", 9, "Try is outside"),
    "assert": (("x",), "assert x > 0\nreturn x", 9, "Assert is outside"),
    "inner function": (("x",), "def g():\n    return 1\nreturn x", 9, "FunctionDef is outside"),
    "lambda": (("x",), "g = lambda: x\nreturn g()", 9, "Lambda is outside"),
    "list": (("x",), "y = [x, x]\nreturn y[0]", 9, "List is outside"),
    "walrus": (("x",), "return (y := x) + y", 9, "NamedExpr is outside"),
    "global": (("x",), "global HALF\nreturn x", 9, "Global is outside"),
    "yield": (("x",), "yield x", 9, "Expr is outside"),
    "path without value": (("x",), "if x > 0:\n    return x", 8, "does not return a value on every path"),
    "value on some paths": (("x",), "if x > 0:\n    return\nreturn x", 10, "on some paths only"),
    "tuples of two lengths": (("x",), "if x > 0:\n    return x, x\nreturn x, x, x", 11, "different lengths"),
    "tuple on some paths": (("x",), "if x > 0:\n    return x, x\nreturn x", 11, "another number of values"),
    "C's own word": (("x",), "short = x\nreturn short", 9, "short: a name that C keeps for itself"),
    "C's own word as an argument": (("register",), "return register", 8, "register: a name that C keeps"),
    "name of a length": (("a",), "a_length = 3\nreturn a_length + a.shape[0]", 8, "the translation needs"),
    "default": (("x=3",), "return x", 8, "plain arguments"),
}
VALUES = {"x": 5, "y": 6, "register": 5, "x=3": 5, "a": ARRAY, "b": ARRAY.copy(), "p": Pair(ARRAY, 3)}


def written(folder, monkeypatch, arguments, body):
    """f of a module of its own, on disk, since the translation reads the source."""
    name = f"refused{next(_numbers)}"
    text = f"{PREAMBLE}def f({', '.join(arguments)}):\n{textwrap.indent(body, '    ')}\n"
    text += "\n\ndef store(a, x):\n    a[0] = x\n    return x\n"
    (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module(name)


@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_file_line_and_reason(what, tmp_path, monkeypatch):
    arguments, body, line, reason = REFUSED[what]
    module = written(tmp_path, monkeypatch, arguments, body)
    wanted = [(module.store, (ARRAY, 1)), (module.f, tuple(VALUES[name] for name in arguments))]
    with pytest.raises(ConfigError) as raised:
        translate(wanted, "refused")
    message = str(raised.value)
    assert reason in message
    if line:
        assert message.startswith(f"{module.__file__}:{line}: f: ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (0.5, "float found"),
        (True, "bool found"),
        (np.zeros(3), "float64 (3,) array found"),
        (np.zeros(3, np.uint16), "uint16 (3,) array found"),
        (np.zeros(6, np.int32)[::2], "strided int32 (3,) array found"),
        (np.zeros((2, 2, 2), np.int32), "int32 (2, 2, 2) array found"),
        (np.uint32(3), "uint32 found"),
        ((1, 2), "tuple found"),
        ("a", "str found"),
        (Pair(1, 0.5), "x.b: float found"),
        (Pair(None, 1), "x.a: None found"),
    ],
)
def test_arguments_outside_the_subset_are_refused(value, found):
    with pytest.raises(ConfigError, match=re.escape(found)):
        translate([(subjects.constant, (value,))], "refused")


def test_another_number_of_arguments_is_refused():
    with pytest.raises(ConfigError, match="constant: takes 1 arguments, 2 given"):
        translate([(subjects.constant, (1, 2))], "refused")


def test_a_missing_compiler_is_named(monkeypatch):
    monkeypatch.setenv("CC", "no-such-cc")
    with pytest.raises(ConfigError, match="CC=no-such-cc: not found"):
        compiler()


def test_a_warning_of_the_compiler_is_an_error(tmp_path):
    module = translate([(subjects.constant, (1,))], "one")
    with pytest.raises(ConfigError, match="unused"):
        build(module._replace(source=module.source + "static int unused;\n"), "one", tmp_path)


def test_a_strided_array_is_not_passed_to_c(tmp_path):
    module = translate([(subjects.copy, (TABLE, ARRAY))], "one")
    library = Library(build(module, "one", tmp_path))
    with pytest.raises(ConfigError, match="strided"):
        library.call(module.functions[0], TABLE[:, ::2], ARRAY)


def test_a_prepared_call_keeps_its_arguments_alive(tmp_path):
    module = translate([(subjects.copy, (TABLE, ARRAY))], "one")
    library = Library(build(module, "one", tmp_path))
    x, y = TABLE + 7, ARRAY.copy()
    alive = weakref.ref(x)
    prepared = library.prepare(module.functions[0], x, y)
    del x
    assert alive() is not None
    prepared.run()
    np.testing.assert_array_equal(y, [7, 7, 7])
