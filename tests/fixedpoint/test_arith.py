"""Primitives: against exact integers in Python, exhaustively where that is cheap, and against CMSIS-DSP."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixedpoint import arith as a
from fixedpoint.arith import INT16_MAX, INT16_MIN, INT32_MAX, INT32_MIN

Q15 = st.integers(INT16_MIN, INT16_MAX)
Q31 = st.integers(INT32_MIN, INT32_MAX)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
ALL_Q15 = range(INT16_MIN, INT16_MAX + 1)


def sat(x, bits):
    return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, x))


# --- by hand ---------------------------------------------------------------------------------


def test_mul_q15_by_hand():
    # 0.5 * 3 LSB = 1.5 LSB: RND gives 2, TRN gives 1; -1.5 LSB: RND -1 (towards +inf), TRN -2
    assert (a.mul_q15(16384, 3), a.mul_q15_trn(16384, 3)) == (2, 1)
    assert (a.mul_q15(16384, -3), a.mul_q15_trn(16384, -3)) == (-1, -2)


@pytest.mark.parametrize(("x", "rnd", "trn"), [(5, 3, 2), (-5, -2, -3), (6, 3, 3), (7, 4, 3), (-7, -3, -4)])
def test_shift_by_one_rounds_ties_towards_plus_infinity(x, rnd, trn):
    assert a.rnd_shift(x, 1) == rnd
    assert a.trn_shift(x, 1) == trn


@pytest.mark.parametrize("x", [0, 1, -1, INT32_MIN, INT32_MAX, 1 << 61])
def test_shift_by_zero_is_identity(x):
    assert a.rnd_shift(x, 0) == a.trn_shift(x, 0) == a.shl(x, 0) == x


# --- extremes --------------------------------------------------------------------------------


def test_minus_one_saturates_when_negated():
    assert a.neg_q15(INT16_MIN) == a.abs_q15(INT16_MIN) == INT16_MAX
    assert a.neg_q31(INT32_MIN) == a.abs_q31(INT32_MIN) == INT32_MAX


def test_products_saturate_only_at_minus_one_squared():
    for mul in (a.mul_q15, a.mul_q15_trn):
        assert mul(INT16_MIN, INT16_MIN) == INT16_MAX
        assert mul(INT16_MIN, INT16_MAX) == -INT16_MAX
    for mul in (a.mul_q31, a.mul_q31_trn):
        assert mul(INT32_MIN, INT32_MIN) == INT32_MAX
        assert mul(INT32_MIN, INT32_MAX) == -INT32_MAX
    # The square of the largest is below 1 - 2**-15: no saturation.
    assert a.mul_q15(INT16_MAX, INT16_MAX) == INT16_MAX - 1


def test_left_shift_saturates_at_the_rails():
    assert (a.shl_sat16(-1, 31), a.shl_sat16(1, 31)) == (INT16_MIN, INT16_MAX)
    assert (a.shl_sat32(-1, 31), a.shl_sat32(1, 31)) == (INT32_MIN, INT32_MAX)


# --- exact integers --------------------------------------------------------------------------


@given(INT64)
def test_saturation(x):
    assert a.sat16(x) == sat(x, 16)
    assert a.sat32(x) == sat(x, 32)


@given(Q31, Q31, Q31)
def test_clip(x, p, q):
    assert a.clip(x, min(p, q), max(p, q)) == sorted([x, p, q])[1]


@given(st.integers(-(1 << 62), 1 << 62))
def test_wrap(x):
    assert a.wrap16(x) == (x + 32768) % 65536 - 32768
    assert a.wrap32(x) == (x + (1 << 31)) % (1 << 32) - (1 << 31)


@given(st.integers(-(1 << 62) + 1, (1 << 62) - 1), st.integers(0, 61))
def test_right_shifts(x, n):
    assert a.rnd_shift(x, n) == (2 * x + (1 << n)) // (2 << n)
    assert a.trn_shift(x, n) == x // (1 << n)


@given(Q15, Q15, st.integers(0, 31))
def test_q15_operations(x, y, n):
    assert a.add_q15(x, y) == sat(x + y, 16)
    assert a.sub_q15(x, y) == sat(x - y, 16)
    assert a.mul_q15(x, y) == sat((x * y + (1 << 14)) >> 15, 16)
    assert a.mul_q15_trn(x, y) == sat((x * y) >> 15, 16)
    assert a.shl_sat16(x, n) == sat(x << n, 16)


@given(Q31, Q31, st.integers(0, 31))
def test_q31_operations(x, y, n):
    assert a.add_q31(x, y) == sat(x + y, 32)
    assert a.sub_q31(x, y) == sat(x - y, 32)
    assert a.neg_q31(x) == sat(-x, 32)
    assert a.abs_q31(x) == sat(abs(x), 32)
    assert a.mul_q31(x, y) == sat((x * y + (1 << 30)) >> 31, 32)
    assert a.mul_q31_trn(x, y) == sat((x * y) >> 31, 32)
    assert a.shl_sat32(x, n) == sat(x << n, 32)
    assert a.q31_to_q15(x) == sat((x + (1 << 15)) >> 16, 16)


@given(Q31, Q31, Q15, st.integers(0, 61))
def test_mixed_products(x, y, g, n):
    assert a.mul_q31_q15(x, g) == sat((x * g + (1 << 14)) >> 15, 32)
    assert a.mul_rnd(x, y, n) == (2 * x * y + (1 << n)) // (2 << n)


def test_unary_q15_on_all_65536_inputs():
    for x in ALL_Q15:
        assert a.neg_q15(x) == sat(-x, 16)
        assert a.abs_q15(x) == sat(abs(x), 16)
        assert a.q15_to_q31(x) == x << 16


@given(INT64)
def test_norm64_counts_redundant_sign_bits(x):
    assert a.norm64(x) == 63 - (x if x >= 0 else -x - 1).bit_length()


@pytest.mark.parametrize("k", range(63))
def test_norm64_around_powers_of_two(k):
    assert a.norm64((1 << k) - 1) == 63 - k == a.norm64(-(1 << k))
    assert a.norm64(1 << k) == 62 - k == a.norm64(-(1 << k) - 1)


@given(Q31)
def test_norm32_and_clz32(x):
    assert a.norm32(x) == 31 - (x if x >= 0 else -x - 1).bit_length()
    assert a.clz32(x) == 32 - (x & 0xFFFFFFFF).bit_length()


# --- CMSIS-DSP -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cmsis():
    return pytest.importorskip("cmsisdsp", reason="cmsisdsp 1.10.1 has no wheel for this Python")


def pairs(dtype):
    """Every pair of extremes, then random pairs; of the exact dtype, since the wheel casts silently."""
    rng = np.random.default_rng(2024)
    info = np.iinfo(dtype)
    edges = np.array([info.min, info.min + 1, -1, 0, 1, info.max - 1, info.max], dtype=dtype)
    x, y = (grid.ravel() for grid in np.meshgrid(edges, edges))
    random = rng.integers(info.min, info.max, (2, 4000), dtype=dtype, endpoint=True)
    return np.concatenate([x, random[0]]), np.concatenate([y, random[1]])


@pytest.mark.parametrize(
    ("theirs", "ours", "dtype"),
    [
        ("arm_add_q15", a.add_q15, np.int16),
        ("arm_sub_q15", a.sub_q15, np.int16),
        ("arm_mult_q15", a.mul_q15_trn, np.int16),
        ("arm_add_q31", a.add_q31, np.int32),
        ("arm_sub_q31", a.sub_q31, np.int32),
    ],
)
def test_binary_operations_are_bit_exact_with_cmsis(cmsis, theirs, ours, dtype):
    x, y = pairs(dtype)
    got = [ours(int(p), int(q)) for p, q in zip(x, y, strict=True)]
    assert np.array_equal(got, getattr(cmsis, theirs)(x, y))


@pytest.mark.parametrize(
    ("theirs", "ours", "dtype"),
    [
        ("arm_negate_q15", a.neg_q15, np.int16),
        ("arm_abs_q15", a.abs_q15, np.int16),
        ("arm_negate_q31", a.neg_q31, np.int32),
        ("arm_abs_q31", a.abs_q31, np.int32),
        ("arm_q15_to_q31", a.q15_to_q31, np.int16),
    ],
)
def test_unary_operations_are_bit_exact_with_cmsis(cmsis, theirs, ours, dtype):
    x = np.arange(-32768, 32768).astype(np.int16) if dtype is np.int16 else pairs(dtype)[0]
    assert np.array_equal([ours(int(p)) for p in x], getattr(cmsis, theirs)(x))


def test_shifts_are_bit_exact_with_cmsis(cmsis):
    x16, x32 = pairs(np.int16)[0], pairs(np.int32)[0]
    for n in (1, 7, 15):
        assert np.array_equal([a.shl_sat16(int(p), n) for p in x16], cmsis.arm_shift_q15(x16, n))
        assert np.array_equal([a.trn_shift(int(p), n) for p in x16], cmsis.arm_shift_q15(x16, -n))
    for n in (1, 16, 31):
        assert np.array_equal([a.shl_sat32(int(p), n) for p in x32], cmsis.arm_shift_q31(x32, n))
        assert np.array_equal([a.trn_shift(int(p), n) for p in x32], cmsis.arm_shift_q31(x32, -n))


def test_clip_is_bit_exact_with_cmsis(cmsis):
    x16, x32 = pairs(np.int16)[0], pairs(np.int32)[0]
    assert np.array_equal([a.clip(int(p), -100, 7) for p in x16], cmsis.arm_clip_q15(x16, -100, 7))
    assert np.array_equal([a.clip(int(p), -100, 7) for p in x32], cmsis.arm_clip_q31(x32, -100, 7))


def test_cmsis_mult_q31_is_ours_truncated_with_the_lsb_cleared(cmsis):
    x, y = pairs(np.int32)
    ours = np.array([a.mul_q31_trn(int(p), int(q)) for p, q in zip(x, y, strict=True)])
    assert np.array_equal(ours & ~1, cmsis.arm_mult_q31(x, y))


def test_cmsis_q31_to_q15_truncates(cmsis):
    x = pairs(np.int32)[0]
    ours = np.array([a.q31_to_q15(int(p)) for p in x])
    assert np.array_equal([a.trn_shift(int(p), 16) for p in x], cmsis.arm_q31_to_q15(x))
    assert set((ours - cmsis.arm_q31_to_q15(x)).tolist()) == {0, 1}
