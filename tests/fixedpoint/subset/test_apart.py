"""What is refused does part company: interpreted, compiled and exported code give other numbers, or none."""

import warnings

import numpy as np
import pytest

from fixedpoint._jit import _OPTIONS, numba
from fixedpoint.c99.host import Library, build
from fixedpoint.c99.translator import translate
from fixedpoint.errors import ConfigError
from fixedpoint.subset import check_source
from fixedpoint.subset.typed import check_typed
from tests.fixedpoint.subset.planted import planted

LOWEST = np.array([-(1 << 31), 1 << 30], np.int32)
LOWEST_Q15 = np.array([-(1 << 15)], np.int16)

# what: arguments of f, body, values, and the result interpreted, compiled and in C99; None where C99 has none
APART = {
    "minus of the lowest int32": (
        "a",
        "y = a[0]\nreturn np.int64(-y)",
        (LOWEST,),
        -(1 << 31),
        -(1 << 31),
        1 << 31,
    ),
    "product of int32": ("a", "return np.int64(a[1] * a[1])", (LOWEST,), 0, 1 << 60, 1 << 60),
    "int32 and a literal": ("a", "return np.int64(a[1] * 4)", (LOWEST,), 0, 1 << 32, 1 << 32),
    "abs of the lowest int16": (
        "a",
        "return np.int64(abs(a[0]))",
        (LOWEST_Q15,),
        -(1 << 15),
        -(1 << 15),
        None,
    ),
    "division": ("x, y", "return x // y", (-7, 2), -4, -4, None),
}


def interpreted(f, values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of overflow
        return f(*values)


@pytest.mark.parametrize("what", APART)
def test_what_is_refused_parts_company(what, tmp_path, monkeypatch):
    signature, body, values, by_numpy, by_numba, in_c = APART[what]
    f = planted(tmp_path, monkeypatch, signature, body)
    assert check_typed(f, values)
    assert interpreted(f, values) == by_numpy
    assert numba.njit(**_OPTIONS)(f)(*values) == by_numba
    if in_c is None:
        with pytest.raises(ConfigError):
            translate([(f, values)], "apart")
    else:
        module = translate([(f, values)], "apart")
        assert Library(build(module, "apart", tmp_path)).call(module.functions[0], *values) == in_c
        assert len({by_numpy, by_numba, in_c}) > 1


def test_a_shift_by_64_has_no_one_answer(tmp_path, monkeypatch):
    f = planted(tmp_path, monkeypatch, "x, n", "return x >> n")
    assert check_typed(f, (np.int64(5), np.int64(64)))
    assert f(np.int64(5), np.int64(64)) == 0  # NumPy; a processor that takes the low bits gives 5
    assert numba.njit(**_OPTIONS)(lambda x, n: x >> (n & 63))(5, 64) == 5


def test_unsigned_with_signed_becomes_a_float(tmp_path, monkeypatch):
    f = planted(tmp_path, monkeypatch, "x", "return np.uint64(x) + x")
    assert check_source(f)
    assert isinstance(f(np.int64(5)), np.float64)


def test_a_mask_wider_than_the_element_is_an_error_when_interpreted_alone(tmp_path, monkeypatch):
    f = planted(tmp_path, monkeypatch, "a", "return np.int64(a[0] & 0xFFFFFFFF)")
    assert check_typed(f, (LOWEST,))
    with pytest.raises(OverflowError):
        f(LOWEST)
    assert numba.njit(**_OPTIONS)(f)(LOWEST) == 1 << 31
