"""What types show: widths, whole arrays, counts of shifts; each refused with its line, its twin accepted."""

import numpy as np
import pytest

from fixedpoint.subset.typed import check_typed
from tests.fixedpoint.subset.planted import FIRST, X16, X32, Pair, planted

VALUES = {
    "x": np.int64(5),
    "i": 5,
    "n": np.int64(3),
    "w": np.int32(5),
    "a": X32,
    "b": X32.copy(),
    "h": X16,
    "wide": np.zeros(3, np.int64),
    "m": np.zeros((2, 3), np.int32),
    "p": Pair(X32, 3),
}

# what it is: arguments, body, line from f's first statement, what is said, twin that is accepted
REFUSED = {
    "product of elements": (
        "a, b",
        "return a[0] * b[0]",
        0,
        "found * on int32 operands that were not widened, a[0] * b[0]; np.int64(...) of each, on load, is",
        "return np.int64(a[0]) * np.int64(b[0])",
    ),
    "element and literal": (
        "a",
        "return a[0] + 1",
        0,
        "+ on int32 and a Python integer",
        "return np.int64(a[0]) + 1",
    ),
    "element and an argument": (
        "a, i",
        "return a[0] - i",
        0,
        "found - on int32",
        "return np.int64(a[0]) - i",
    ),
    "element and a loop's variable": (
        "a",
        "y = np.int64(0)\nfor k in range(3):\n    y += a[k] * k\nreturn y",
        2,
        "found * on int32",
        "y = np.int64(0)\nfor k in range(3):\n    y += np.int64(a[k]) * k\nreturn y",
    ),
    "narrow local": (
        "a",
        "y = a[0]\nreturn y + y",
        1,
        "found + on int32",
        "y = np.int64(a[0])\nreturn y + y",
    ),
    "narrow on one path": (
        "a, x",
        "y = np.int64(0)\nif x > 0:\n    y = a[0]\nreturn y * y",
        3,
        "found * on int32",
        "y = np.int64(0)\nif x > 0:\n    y = np.int64(a[0])\nreturn y * y",
    ),
    "widths that differ": (
        "a, h",
        "return a[0] + h[0]",
        0,
        "int32 and int16 operands",
        "return np.int64(a[0]) + h[0]",
    ),
    "index from an array": (
        "a, h",
        "return np.int64(a[2 * h[0]])",
        0,
        "found * on int16",
        "return np.int64(a[h[0]])",
    ),
    "narrow argument": ("w", "return w + 1", 0, "found + on int32", "return np.int64(w) + 1"),
    "narrow argument passed on": (
        "a",
        "return sign_changes(a[0])",
        0,
        "found a narrow argument, sign_changes(a[0]), that was not widened",
        "return sign_changes(np.int64(a[0]))",
    ),
    "minus": ("a", "y = a[0]\nreturn -y", 1, "found minus of int32", "y = np.int64(a[0])\nreturn -y"),
    "minus by a primitive": (
        "a",
        "return neg32(a[0])",
        0,
        "found a narrow argument",
        "return neg32(np.int64(a[0]))",
    ),
    "mask wider than the element": (
        "a",
        "return a[0] & 0xFFFFFFFF",
        0,
        "raises OverflowError",
        "return np.int64(a[0]) & 0xFFFFFFFF",
    ),
    "shift by an argument": (
        "x, n",
        "return x >> n",
        0,
        'found a shift by n; 0 to 63, seen (a literal, mask or bound) or stated ("0 <= NAME <= 63" in the',
        "return x >> (n & 63)",
    ),
    "shift by a clipped count": (
        "x, n",
        "return x >> clip(n, 0, 64)",
        0,
        "(0 to 64);",
        "return x >> clip(n, 0, 63)",
    ),
    "shift by a compared count": (
        "x, n",
        "if n < 64:\n    return x >> n\nreturn x",
        1,
        "found a shift by n",
        "if n < 64 and n >= 0:\n    return x >> n\nreturn x",
    ),
    "shift by a loop's variable": (
        "x",
        "for k in range(70):\n    x = x >> k\nreturn x",
        1,
        "(0 to 69);",
        "for k in range(60):\n    x = x >> k\nreturn x",
    ),
    "shift by headroom": ("x", "return shl(x, clz32(x) - 1)", 0, "(-1 to 31);", "return shl(x, clz32(x))"),
    "shift in place": ("x, n", "x >>= n\nreturn x", 0, "a shift by n", "x >>= n & 63\nreturn x"),
    "count beyond what a callee states": (
        "x",
        "return shl32(x, 40)",
        0,
        "found 40 as n of shl32 (40 to 40);",
        "return shl32(x, 3)",
    ),
    "count passed on": (
        "x, n",
        '"""Shift."""\nreturn rnd_shift(x, n)',
        1,
        "found n as n of rnd_shift; 0 to 62 as rnd_shift states",
        '"""Shift, 0 <= n <= 62."""\nreturn rnd_shift(x, n)',
    ),
    "stated in a comment": (
        "x, n",
        "k = n - 3  # 0 <= k\nreturn x >> k",
        1,
        "a shift by k",
        "k = n - 3  # 0 <= k <= 60\nreturn x >> k",
    ),
    "argument outside of what is stated": (
        "x, n",
        '"""Shift, 4 <= n <= 62."""\nreturn x >> n',
        -1,
        "found the argument n = 3; 4 to 62 is accepted",
        '"""Shift, 3 <= n <= 62."""\nreturn x >> n',
    ),
    "sum of arrays": (
        "a, b",
        "y = a + b\nreturn 0",
        0,
        "found the array a computed with as a whole",
        "return a[0]",
    ),
    "array in place": ("a", "a += 1", 0, "the array a computed with as a whole", "a[0] += 1"),
    "array compared": (
        "a",
        "return 1 if a > 0 else 0",
        0,
        "the array a compared as a whole",
        "return 1 if a[0] > 0 else 0",
    ),
    "row of an array": (
        "m",
        "return np.int64(m[0][1])",
        0,
        "found 1 indices on the 2-D array m",
        "return np.int64(m[0, 1])",
    ),
    "two indices": (
        "a",
        "return np.int64(a[0, 0])",
        0,
        "found 2 indices on the 1-D array a",
        "return np.int64(a[0])",
    ),
    "array attribute": ("a", "return a.size", 0, "found .size of the array a", "return a.shape[0]"),
    "number indexed": ("x", "return x[0]", 0, "found an index on the number x", "return x"),
    "number's field": ("x", "return x.a", 0, "found .a of the number x", "return x"),
    "unknown field": ("p", "return p.c", 0, "found .c of the NamedTuple p", "return p.b"),
    "export": ("x", "y = x + 1\nreturn x", 0, "found what C99 export refuses", "y = x + 1\nreturn y"),
    "left shift of data": ("x", "return x << 2", 0, "use arith.shl", "return shl(x, 2)"),
}


def arguments(signature):
    return tuple(VALUES[name] for name in signature.split(", "))


@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_line_and_reason(what, tmp_path, monkeypatch):
    signature, body, line, says, _ = REFUSED[what]
    f = planted(tmp_path, monkeypatch, signature, body)
    found = check_typed(f, arguments(signature))
    assert any(says in each.says and each.line == FIRST + line for each in found), found
    for each in found:
        assert str(each).startswith(f"{each.file}:{each.line}: kernel f: found ")
        assert " accepted: " in each.says
        assert "\n" not in str(each)


@pytest.mark.parametrize("what", REFUSED)
def test_the_permitted_twin_is_accepted(what, tmp_path, monkeypatch):
    signature, _, _, _, twin = REFUSED[what]
    assert check_typed(planted(tmp_path, monkeypatch, signature, twin), arguments(signature)) == []


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0.5, "found params: float; "),
        (True, "found params: bool; "),
        (np.zeros(3), "found params: float64 (3,) array; C-contiguous"),
        (np.zeros(3, np.uint16), "found params: uint16 (3,) array; "),
        (np.zeros(6, np.int32)[::2], "found params: strided int32 (3,) array; "),
        (np.uint32(3), "found params: uint32; "),
        ([1, 2], "found params: list; "),
        ({"a": 1}, "found params: dict; "),
        ((1, 2), "found params: tuple; "),
        (Pair(1, 0.5), "found params.b: float; "),
        (Pair([1], 1), "found params.a: list; "),
        (Pair(None, 1), "found params.a: None"),
    ],
)
def test_an_argument_of_another_kind_is_refused(value, says, tmp_path, monkeypatch):
    f = planted(tmp_path, monkeypatch, "params, x", "return x")
    (found,) = check_typed(f, (value, 1))
    assert found.says.startswith(says)
    assert "accepted: " in found.says
    assert found.line == FIRST - 1


def test_another_number_of_arguments_is_refused(tmp_path, monkeypatch):
    (found,) = check_typed(planted(tmp_path, monkeypatch, "x", "return x"), (1, 2))
    assert "found 2 arguments; 1 are accepted" in found.says


def test_all_that_is_wrong_is_reported_at_once(tmp_path, monkeypatch):
    f = planted(
        tmp_path, monkeypatch, "a, n", "y = a[0] * 2\nz = -a[1] if n > 3 else y >> n\nreturn z + a.size"
    )
    assert [each.line - FIRST for each in check_typed(f, (X32, 3))] == [1]  # syntax first
    f = planted(tmp_path, monkeypatch, "a, n", "y = a[0] * 2\nz = y >> n\nreturn z + a.size")
    assert [each.line - FIRST for each in check_typed(f, (X32, 3))] == [0, 1, 2]


def test_the_range_of_a_field_is_stated_by_its_class(tmp_path, monkeypatch):
    f = planted(tmp_path, monkeypatch, "x, p", "return x >> p.b")
    assert len(check_typed(f, (1, Pair(X32, 3)))) == 1
    stated = type("Stated", (Pair,), {"__doc__": "b : int, 0 <= b <= 31", "_fields": Pair._fields})
    assert check_typed(f, (1, stated(X32, 3))) == []


def test_the_range_of_a_result_is_stated_by_its_kernel(tmp_path, monkeypatch):
    f = planted(tmp_path, monkeypatch, "x", "return shl(x, norm32(x) - 1)")
    assert [each.line - FIRST for each in check_typed(f, (1,))] == [0]
    assert check_typed(planted(tmp_path, monkeypatch, "x", "return shl(x, norm32(x))"), (1,)) == []


def test_what_is_computed_for_probes_is_followed_too(tmp_path, monkeypatch):
    f = planted(
        tmp_path, monkeypatch, "a, probes", "if probes is not None:\n    probes.a[0] = a[0] * 2\nreturn 0"
    )
    assert check_typed(f, (X32, None)) == []
    assert [each.line - FIRST for each in check_typed(f, (X32, Pair(X32, 1)))] == [1]


def test_an_element_changed_in_place_wraps_at_its_own_width_wherever_it_is_computed(tmp_path, monkeypatch):
    f = planted(tmp_path, monkeypatch, "a", "a[0] += 1\na[1] -= a[2]")
    assert check_typed(f, (X32,)) == []
    f = planted(tmp_path, monkeypatch, "h", "h[0] += 70000")
    assert "may not fit 16 bits" in str(check_typed(f, (X16,)))
