"""Elementary functions: largest errors against double precision, exactness, monotonicity."""

import math
from itertools import pairwise

import numpy as np
import pytest

from fixedpoint import elementary
from fixedpoint.arith import INT32_MAX, INT32_MIN, INT64_MAX
from fixedpoint.elementary import LOG2_FLOOR_Q24, exp2_q24, isqrt, log2_q24, reciprocal, sqrt_q31


def positive_integers(count=100_000, top=62):
    """Log-uniform integers from 1, and every power of two with its neighbours."""
    rng = np.random.default_rng(7)
    powers = np.int64(1) << np.arange(top, dtype=np.int64)
    x = np.concatenate(
        [np.floor(2 ** rng.uniform(0, top, count)).astype(np.int64), powers, powers - 1, powers + 1]
    )
    return np.unique(x[x > 0]).tolist()


def segment_edges(segments=64, span=300):
    """Integers around each edge and middle of the log2 segments of [2**30, 2**31)."""
    for i in range(2 * segments):
        edge = (1 << 30) + i * (1 << 30) // (2 * segments)
        yield range(edge - span, edge + span)


# --- log2 ------------------------------------------------------------------------------------


def test_log2_by_hand():
    # log2(3) = 1.5849625; * 2**24 = 26591258.07
    assert log2_q24(3) == 26591258
    assert log2_q24(1) == 0


@pytest.mark.parametrize("k", range(63))
def test_log2_is_exact_at_powers_of_two(k):
    assert log2_q24(1 << k) == k << 24


@pytest.mark.parametrize("x", [0, -1, INT32_MIN, -(1 << 63)])
def test_log2_of_nothing_is_the_floor(x):
    assert log2_q24(x) == LOG2_FLOOR_Q24 == INT32_MIN


def test_log2_error():
    worst = 1086954054  # of all 31-bit mantissas
    error = max(abs(log2_q24(x) / 2**24 - math.log2(x)) for x in [worst, *positive_integers()])
    assert error < 1.17e-7, f"measured {error:.4e}, stated 1.17e-7"


def test_log2_of_all_q15():
    error = max(abs(log2_q24(x) / 2**24 - math.log2(x)) for x in range(1, 1 << 16))
    assert error < 1.17e-7, f"measured {error:.4e}, stated 1.17e-7"


def test_log2_never_decreases():
    for window in (range(1, 1 << 16), *segment_edges()):
        y = [log2_q24(x) for x in window]
        assert all(p <= q for p, q in pairwise(y))


# --- exp2 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", range(-31, 32))
def test_exp2_is_exact_at_whole_exponents(k):
    assert exp2_q24(k << 24, 31) == 1 << (31 + k)


def test_exp2_at_the_ends_of_its_range():
    assert exp2_q24(INT32_MAX, 0) == INT64_MAX
    assert exp2_q24(63 << 24, 0) == INT64_MAX
    assert exp2_q24(62 << 24, 0) == 1 << 62
    assert exp2_q24(-1 << 24, 0) == 1  # one half, a tie: RND is up
    assert exp2_q24((-1 << 24) - 1000, 0) == 0
    assert exp2_q24(INT32_MIN, 62) == 0


def test_exp2_relative_error():
    rng = np.random.default_rng(8)
    worst = 0.0
    for x in rng.integers(INT32_MIN, INT32_MAX, 100_000).tolist():
        frac_bits = 30 - (x >> 24)  # the mantissa itself, unrounded
        worst = max(worst, abs(exp2_q24(x, frac_bits) / 2.0**30 / 2.0 ** (x / 2**24 + frac_bits - 30) - 1))
    assert worst < 1.16e-8, f"measured {worst:.4e}, stated 1.16e-8"


@pytest.mark.slow
def test_exp2_relative_error_over_all_fractions():
    worst = max(abs(exp2_q24(f, 30) / 2.0 ** (f / 2**24 + 30) - 1) for f in range(1 << 24))
    assert worst < 1.16e-8, f"measured {worst:.4e}, stated 1.16e-8"


def test_exp2_of_small_formats_adds_half_an_lsb():
    error = max(abs(exp2_q24(x << 8, 15) - 2.0 ** (x / 2**16 + 15)) for x in range(-(16 << 16), 0, 7))
    assert error < 0.5004, f"measured {error:.4f} LSB"  # 1/2 + 2**15 * 1.16e-8


def test_exp2_never_decreases():
    for i in range(128):
        edge = i << 17
        y = [exp2_q24(x, 30) for x in range(edge - 300, edge + 300)]
        assert all(p <= q for p, q in pairwise(y))


def test_exp2_undoes_log2():
    for x in range(1, 1 << 16):
        assert exp2_q24(log2_q24(x), 0) == x


# --- reciprocal ------------------------------------------------------------------------------


@pytest.mark.parametrize("k", range(63))
def test_reciprocal_is_exact_at_powers_of_two(k):
    mantissa, exponent = reciprocal(1 << k)
    assert (mantissa, exponent) == (1 << 30, -30 - k)
    assert reciprocal(-(1 << k)) == (-mantissa, exponent)


def test_reciprocal_of_zero_exceeds_all_others():
    assert reciprocal(0) == (INT32_MAX, 0)


def test_reciprocal_error():
    worst = 0.0
    for x in [9007199137300479, *positive_integers()]:  # the first is the worst mantissa of all
        mantissa, exponent = reciprocal(x)
        assert 1 << 29 <= mantissa <= 1 << 30
        assert reciprocal(-x) == (-mantissa, exponent)
        worst = max(worst, abs(math.ldexp(mantissa * x, exponent) - 1))
    assert worst < 1.87e-9, f"measured {worst:.4e}, stated 1.87e-9"


# --- square roots ----------------------------------------------------------------------------


def test_isqrt_is_exact_below_two_to_the_16():
    assert all(isqrt(x) == math.isqrt(x) for x in range(1 << 16))


def test_isqrt_is_exact_on_squares_and_their_neighbours():
    rng = np.random.default_rng(9)
    roots = [*rng.integers(1, 1 << 31, 20_000).tolist(), (1 << 31) - 1, 1 << 31]
    for s in roots:
        assert isqrt(s * s) == s
        assert isqrt(s * s - 1) == s - 1
        assert s == 1 << 31 or isqrt(s * s + 2 * s) == s


def test_isqrt_is_exact_on_dense_random_and_powers():
    assert all(isqrt(x) == math.isqrt(x) for x in positive_integers())


def test_isqrt_of_negatives_is_zero():
    assert isqrt(-1) == isqrt(-(1 << 63)) == 0


def test_isqrt_corrections_suffice():
    """Where the root before correction is farthest, 4 above the floor, and the ends of all seed intervals."""
    assert isqrt(1731121028 << 31) == math.isqrt(1731121028 << 31)
    for i in range(64, 256):
        for d in ((i << 54), ((i + 1) << 54) - 1):
            assert isqrt(d) == math.isqrt(d)


def test_sqrt_q31_is_the_nearest_value():
    rng = np.random.default_rng(10)
    for x in [0, 1, 2, 3, 1 << 29, INT32_MAX - 1, INT32_MAX, *rng.integers(0, 1 << 31, 20_000).tolist()]:
        s = sqrt_q31(x)
        square = x << 31
        assert (2 * s - 1) ** 2 <= 4 * square <= (2 * s + 1) ** 2 or s == 0 == x
    assert sqrt_q31(-5) == 0
    assert sqrt_q31(1 << 29) == 1 << 30  # sqrt(1/4) = 1/2


def test_sqrt_q31_of_cmsis_is_within_7_lsb():
    cmsis = pytest.importorskip("cmsisdsp", reason="cmsisdsp 1.10.1 has no wheel for this Python")
    rng = np.random.default_rng(0)
    worst = max(
        abs(cmsis.arm_sqrt_q31(x)[1] - sqrt_q31(x)) for x in rng.integers(1, 1 << 31, 20_000).tolist()
    )
    assert worst <= 7, f"measured {worst} LSB"


def test_tables_fit_a_small_flash():
    names = ("_LOG2", "_EXP2_Q30", "_RECIPROCAL_Q30", "_RSQRT_Q31")
    assert sum(vars(elementary)[name].nbytes for name in names) == 2560
