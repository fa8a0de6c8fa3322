"""QFormat: names, limits, rounding and saturation at the border."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixedpoint.errors import ConfigError
from fixedpoint.qformat import Q2_30, Q8_24, Q15, Q31, QFormat, parse


def test_q15_by_hand():
    # 0.5 * 2**15 = 16384; 1.0 * 2**15 = 32768 saturates
    assert Q15.quantise([0.5, -1.0, 1.0, -2.0]).tolist() == [16384, -32768, 32767, -32768]
    assert Q15.quantise(0.5).dtype == np.int16
    assert (Q15.min, Q15.max, Q15.lsb) == (-1.0, 1 - 2**-15, 2**-15)


def test_quantise_rounds_ties_towards_plus_infinity():
    lsb = Q15.lsb
    assert Q15.quantise([0.5 * lsb, -0.5 * lsb, 1.5 * lsb, -1.5 * lsb]).tolist() == [1, 0, 2, -1]
    assert Q15.quantise(np.nextafter(0.5 * lsb, 0)) == 0


def test_quantise_saturates_at_every_width():
    for fmt in (QFormat(1, 7), Q15, Q31, QFormat(1, 63)):
        assert fmt.quantise([1e30, -1e30]).tolist() == [fmt.max_int, fmt.min_int]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_quantise_rejects_what_is_not_finite(bad):
    with pytest.raises(ConfigError, match=r"x\[1\]=.*Q1\.15 holds finite numbers only"):
        Q15.quantise([0.0, bad])


@pytest.mark.parametrize("fmt", [Q31, Q2_30, Q8_24], ids=str)
@given(i=st.integers(-(1 << 31), (1 << 31) - 1))
def test_integers_survive_float_and_back(fmt, i):
    assert fmt.quantise(fmt.to_float(i)) == i


def test_all_q15_survive_float_and_back():
    x = np.arange(-32768, 32768)
    assert np.array_equal(Q15.quantise(Q15.to_float(x)), x)


def test_parse_reads_what_str_writes():
    assert parse("Q1.15") == Q15
    assert parse(str(Q8_24)) == Q8_24


@pytest.mark.parametrize("text", ["Q15", "1.15", "Q0.16", "Q1.14", "Q-1.17", ""])
def test_parse_rejects_other_names(text):
    with pytest.raises(ConfigError):
        parse(text)
