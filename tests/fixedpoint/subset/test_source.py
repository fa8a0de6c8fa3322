"""What the syntax alone shows: each construct is refused with line and reason, its permitted twin is not."""

import importlib

import pytest

from fixedpoint import _jit
from fixedpoint._jit import kernel, registered_kernels
from fixedpoint.errors import ConfigError, SubsetError
from fixedpoint.subset import check_source
from tests.fixedpoint.subset.planted import FIRST, planted

# what it is: arguments, body, line from f's first statement, what is said, and a twin that is accepted
REFUSED = {
    "float literal": ("x", "return x * 0.5", 0, "found the float 0.5;", "return x * 5"),
    "float of the module": ("x", "return x * HALF", 0, "found HALF, a float", "return x * SIZE"),
    "float table": ("x", "return FLOATS[x]", 0, "found FLOATS, a table of float64", "return TABLE[x]"),
    "unsigned table": (
        "x",
        "return np.int64(WORDS[x])",
        0,
        "unsigned with signed is float64",
        "return TABLE[x]",
    ),
    "beyond 64 bits": ("x", "return x + BIG", 0, "within 64 bits", "return x + SIZE"),
    "literal beyond 64 bits": (
        "x",
        "return x + 0x8000000000000000",
        0,
        "within 64 bits",
        "return x + 0x7FFF",
    ),
    "list of the module": ("x", "return LIST[x]", 0, "found LIST, a list", "return TABLE[x]"),
    "unknown": ("x", "return x + nothing", 0, "found nothing, which is unknown", "return x"),
    "true division": ("x", "return x / 2", 0, "found /; a shift", "return x >> 1"),
    "division": ("x", "y = x\nreturn y // 2", 1, "found //; a shift", "y = x\nreturn y >> 1"),
    "division in place": ("x", "x //= 2\nreturn x", 0, "Python rounds down", "x >>= 1\nreturn x"),
    "remainder": ("x", "return x % 8", 0, "found %; a mask", "return x & 7"),
    "power": ("x", "return x ** 2", 0, "found **", "return x * x"),
    "float()": ("x", "return float(x)", 0, "found float(...)", "return np.int64(x)"),
    "np.float32": ("x", "return np.float32(x)", 0, "found np.float32(...)", "return np.int32(x)"),
    "math.sqrt": ("x", "return math.sqrt(x)", 0, "found math.sqrt(...); a kernel of", "return sat16(x)"),
    "math.pi": ("x", "return x * math.pi", 0, "found math.pi", "return x * SIZE"),
    "np.uint32": ("x", "return np.uint32(x) + 1", 0, "x & 0xFFFFFFFF", "return (x & 0xFFFFFFFF) + 1"),
    "text": ("x", "return 'a'", 0, "found a list, set, dict, comprehension or text", "return x"),
    "f-string": ("x", "y = f'{x}'\nreturn x", 0, "comprehension or text", "y = x\nreturn y"),
    "list": ("x", "y = [x, x]\nreturn y[0]", 0, "the device has no heap", "y = x\nreturn y"),
    "dict": ("x", "y = {x: x}\nreturn x", 0, "the device has no heap", "return x"),
    "set": ("x", "y = {x}\nreturn x", 0, "the device has no heap", "return x"),
    "comprehension": ("x", "y = [i for i in range(x)]\nreturn x", 0, "no heap", "return x"),
    "slice": ("a", "return a[1:]", 0, "found a slice", "return a[1]"),
    "slice of a row": ("a", "a[0, :] = 0", 0, "found a slice", "a[0, 1] = 0"),
    "new axis": ("a", "return a[None]", 0, "found a slice", "return a[0]"),
    "np.sum": ("a", "return np.sum(a)", 0, "whole-array expression", "return a[0]"),
    "method": ("a", "return a.sum()", 0, "found .sum(...), a method", "return a[0]"),
    "allocation": ("x", "y = np.zeros(3, np.int32)\nreturn y[0]", 0, "it allocates", "y = x\nreturn y"),
    "try": ("x", "try:\n    x += 1\nfinally:\n    x += 2\nreturn x", 0, "found an exception", "return x"),
    "raise": ("x", "if x < 0:\n    raise ValueError\nreturn x", 1, "cannot unwind", "return x"),
    "assert": ("x", "assert x > 0\nreturn x", 0, "found an exception, assert or with", "return x"),
    "with": ("x", "with x:\n    pass\nreturn x", 0, "found an exception, assert or with", "return x"),
    "lambda": ("x", "g = lambda: x\nreturn g()", 0, "found a function or class within", "return x"),
    "inner function": ("x", "def g():\n    return 1\nreturn x", 0, "within a kernel", "return x"),
    "yield": ("x", "yield x", 0, "found a generator", "return x"),
    "global": ("x", "global HALF\nreturn x", 0, "found global", "return x"),
    "walrus": ("x", "return (y := x) + y", 0, "assignment within an expression", "y = x\nreturn y + y"),
    "annotated": ("x", "y: int = x\nreturn y", 0, "an annotated local", "y = x\nreturn y"),
    "for over an array": (
        "a",
        "for v in a:\n    pass",
        0,
        "found for over something else",
        "for v in range(3):\n    pass",
    ),
    "for backwards": (
        "x",
        "for i in range(x, 0, -1):\n    x += i",
        0,
        "negative or 0",
        "for i in range(0, x, 2):\n    x += i",
    ),
    "for else": (
        "x",
        "for i in range(x):\n    pass\nelse:\n    x = 3",
        0,
        "without else",
        "for i in range(x):\n    pass",
    ),
    "range as a value": ("x", "r = range(x)\nreturn x", 0, "found range(...)", "r = x\nreturn r"),
    "endless": ("x", "while True:\n    x += 1", 0, "no end in sight", "while x < 3:\n    x += 1"),
    "while without a bound": (
        "x",
        "while x > 3:\n    x = x >> 1\nreturn x",
        0,
        "firmware has a deadline",
        "while x > 3:  # 63 turns at most\n    x = x >> 1\nreturn x",
    ),
    "while that steps away": ("x", "while x < 3:\n    x -= 1", 0, "no end", "while x > 3:\n    x -= 1"),
    "while that steps at times": (
        "x, y",
        "while x < 3:\n    if y:\n        x += 1",
        0,
        "no end",
        "while x < 3 and y < 9:\n    x += 1",
    ),
    "while whose bound moves": (
        "x, y",
        "while x < y:\n    x += 1\n    y += 1",
        0,
        "no end",
        "while x < y:\n    x += 1",
    ),
    "abs": ("x", "return abs(x)", 0, "found abs(...); arith.abs_q15", "return -x if x < 0 else x"),
    "minus of an element": ("a", "return -a[0]", 0, "found minus of an element", "return -np.int64(a[0])"),
    "minus of a narrow cast": (
        "x",
        "return -np.int16(x)",
        0,
        "found minus of np.int16",
        "return -np.int64(x)",
    ),
    "narrow product": (
        "x, y",
        "return np.int32(x) * np.int32(y)",
        0,
        "arithmetic on np.int32",
        "return narrow32(x) * narrow32(y)",
    ),
    "recursion": ("x", "if x > 0:\n    return f(x - 1)\nreturn x", 1, "found f calling itself", "return x"),
    "keyword": ("x", "return clip(x, 0, high=3)", 0, "by position", "return clip(x, 0, 3)"),
    "starred": ("x", "return clip(*x)", 0, "by position", "return clip(x, 0, 1)"),
    "default": ("x=3", "return x", -1, "plain arguments", "return x"),
    "star argument": ("*x", "return x[0]", -1, "plain arguments", "return 0"),
    "plain function": ("x", "return plain(x)", 0, "found plain(...), no kernel", "return sat16(x)"),
    "kernel of another module": (
        "x",
        "return arith.sat16(x)",
        0,
        "imported by its own name",
        "return sat16(x)",
    ),
    "function defined below": ("x", "return later(x)", 0, "does not hold yet", "return sat16(x)"),
    "min": ("x", "return min(x, 3)", 0, "arith.clip", "return x if x < 3 else 3"),
    "len": ("a", "return len(a)", 0, "x.shape[0] is accepted", "return a.shape[0]"),
    "int()": ("x", "return int(x)", 0, "np.int64(x) is accepted", "return np.int64(x)"),
    "builtin": ("x", "return id(x)", 0, "found id(...), a builtin", "return x"),
    "shift by 64": ("x", "return x >> 64", 0, "found a shift by 64; 0 to 63", "return x >> 63"),
    "shift by less than 0": ("x", "return x >> -1", 0, "found a shift by -1", "return x >> 1"),
    "negative index": ("a", "return a[-1]", 0, "reads before the array in C99", "return a[a.shape[0] - 1]"),
    "store into a field": ("p", "p.a = 3", 0, "found a store into the field p.a", "p.a[0] = 3"),
    "chain of targets": ("x", "a = b = x\nreturn a + b", 0, "several targets", "a, b = x, x\nreturn a + b"),
    "chain of comparisons": ("x", "return 1 if 0 < x < 3 else 0", 0, "a chain", "return 1 if 0 < x else 0"),
    "in": ("x, a", "return 1 if x in a else 0", 0, "found x in a", "return 1 if x == 1 else 0"),
    "truth literal": ("x", "return x + True", 0, "found True;", "return x + 1"),
    "value that nobody reads": ("x", "x + 1\nreturn x", 0, "nobody reads", "return x"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_line_and_reason(what, tmp_path, monkeypatch):
    arguments, body, line, says, _ = REFUSED[what]
    f = planted(tmp_path, monkeypatch, arguments, body)
    found = check_source(f)
    assert found
    assert any(says in each.says and each.line == FIRST + line for each in found), found
    assert all(each.file == f.__code__.co_filename and each.kernel == "f" for each in found)
    for each in found:
        assert str(each).startswith(f"{each.file}:{each.line}: kernel f: found ")
        assert " accepted: " in each.says
        assert "\n" not in str(each)


@pytest.mark.parametrize("what", REFUSED)
def test_the_permitted_twin_is_accepted(what, tmp_path, monkeypatch):
    arguments, _, _, _, twin = REFUSED[what]
    plain = arguments.replace("=3", "").replace("*", "")
    assert check_source(planted(tmp_path, monkeypatch, plain, twin)) == []


def test_all_that_is_wrong_is_reported_at_once_in_the_order_of_lines(tmp_path, monkeypatch):
    f = planted(tmp_path, monkeypatch, "x", "y = x / 2\nz = [y]\nreturn abs(x) % 3")
    assert [each.line - FIRST for each in check_source(f)] == [0, 1, 2, 2]


def test_registration_refuses_with_all_lines_and_registers_nothing(tmp_path, monkeypatch):
    f = planted(tmp_path, monkeypatch, "x", "y = x / 2\nreturn y % 2")
    before = registered_kernels()
    with pytest.raises(SubsetError, match="found /") as raised:
        kernel(f)
    assert isinstance(raised.value, ConfigError)
    assert len(str(raised.value).split("\n")) == len(raised.value.findings) == 2
    assert registered_kernels() == before


def test_where_kernels_err_on_purpose_registration_can_be_told_not_to_look(tmp_path, monkeypatch):
    monkeypatch.setattr(_jit, "_registry", {})
    monkeypatch.setattr(_jit, "_CHECK_SUBSET", False)
    kernel(planted(tmp_path, monkeypatch, "x", "return x % 2"))
    assert list(_jit.registered_kernels())


def test_a_closure_is_refused():
    size = 3

    def f(x):
        return x + size

    (found,) = check_source(f)
    assert "found a closure over size" in found.says


def test_a_kernel_without_source_is_refused():
    names = {}
    exec("def f(x):\n    return x\n", names)
    (found,) = check_source(names["f"])
    assert "found no source" in found.says


def test_a_lambda_is_refused():
    (found,) = check_source(lambda x: x)
    assert "found no source of a `def`" in found.says


def test_a_module_that_was_edited_and_reloaded_is_read_again(tmp_path, monkeypatch):
    f = planted(tmp_path, monkeypatch, "x", "return x")
    path = tmp_path / f"{f.__module__}.py"
    assert check_source(f) == []
    path.write_text(
        path.read_text()
        .replace("    return x\n\n\ndef f", "    return x\n\n\n\ndef f")
        .replace("x\n", "x  # now\n")
    )
    module = importlib.import_module(f.__module__)
    assert check_source(importlib.reload(module).f) == []


def test_a_shorter_step_of_probes_is_read_as_well(tmp_path, monkeypatch):
    f = planted(
        tmp_path, monkeypatch, "x, probes", "if probes is not None:\n    probes.y[0] = x / 2\nreturn x"
    )
    assert [each.line - FIRST for each in check_source(f)] == [1]
