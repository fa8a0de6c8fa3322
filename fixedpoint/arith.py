"""The closed vocabulary of fixed-point primitives: every kernel rounds, saturates and narrows by these.

Operands are int64 scalars (values loaded from narrower arrays are widened first), results are int64
in the stated range. See `fixedpoint` for RND, TRN, SAT and WRAP.
"""

import numpy as np

from fixedpoint._jit import kernel

INT16_MIN, INT16_MAX = -(1 << 15), (1 << 15) - 1
INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1
INT64_MAX = (1 << 63) - 1


# --- narrowing -------------------------------------------------------------------------------


@kernel
def clip(x, low, high):
    """Limit x to [low, high]. Bit-exact with arm_clip_q15 and arm_clip_q31."""
    if x < low:
        return low
    if x > high:
        return high
    return x


@kernel
def sat16(x):
    """Saturate an int64 to [-2**15, 2**15 - 1]; the SSAT instruction at width 16."""
    if x > INT16_MAX:
        return np.int64(INT16_MAX)
    if x < INT16_MIN:
        return np.int64(INT16_MIN)
    return np.int64(x)


@kernel
def sat32(x):
    """Saturate an int64 to [-2**31, 2**31 - 1]; clip_q63_to_q31 of CMSIS-DSP."""
    if x > INT32_MAX:
        return np.int64(INT32_MAX)
    if x < INT32_MIN:
        return np.int64(INT32_MIN)
    return np.int64(x)


@kernel
def wrap16(x):
    """Two's complement WRAP to 16 bits: the low half word, sign extended. |x| < 2**62."""
    return ((x + (1 << 15)) & 0xFFFF) - (1 << 15)


@kernel
def wrap32(x):
    """Two's complement WRAP to 32 bits: the low word, sign extended. |x| < 2**62."""
    return ((x + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


@kernel
def narrow32(x):
    """An int64 proven to fit 32 bits, marked as such: the next product is one 32x32->64 multiply.

    Does not saturate. The docstring of the caller holds the proof and the audit checks it.
    """
    return np.int64(np.int32(x))


@kernel
def neg32(x):
    """-x of an int32 other than -2**31, in a word."""
    return narrow32(-x)


# --- shifts ----------------------------------------------------------------------------------


@kernel
def rnd_shift(x, n):
    """RND: floor(x * 2**-n + 1/2), ties towards +infinity. 0 <= n <= 62; |x| < 2**63 - 2**n.

    n = 0 returns x. arm_shift with a negative count truncates, so it equals trn_shift instead.
    """
    return (x + ((np.int64(1) << n) >> 1)) >> n


@kernel
def trn_shift(x, n):
    """TRN: floor(x * 2**-n). 0 <= n <= 63. Bit-exact with arm_shift_q15 and _q31 for counts -n."""
    return x >> n


@kernel
def shl(x, n):
    """x * 2**n for a result proven to fit 64 bits; a multiplication, so the audit sees overflow.

    0 <= n <= 62.
    """
    return x * (np.int64(1) << n)


@kernel
def trn_shift32(x, n):
    """TRN of an int32: floor(x * 2**-n), 0 <= n <= 31. A word's shift, where trn_shift moves two."""
    return np.int64(np.int32(x) >> (n & 31))


@kernel
def rnd_shift32(x, n):
    """RND of an int32, 1 <= n <= 31; for n = 1 not of 2**31 - 1.

    Rounding down by n - 1 bits first leaves room for the half in a word, and changes nothing.
    """
    return trn_shift32(trn_shift32(x, n - 1) + 1, 1)


@kernel
def shl32(x, n):
    """x * 2**n of an int32, 0 <= n <= 31, for a result proven to fit 32 bits. One shift of a word."""
    return narrow32(narrow32(x) * (np.int64(1) << (n & 31)))


@kernel
def shl_sat16(x, n):
    """x * 2**n saturated to 16 bits; x in int16, 0 <= n <= 31. Bit-exact with arm_shift_q15, n <= 15."""
    return sat16(x * (np.int64(1) << n))


@kernel
def shl_sat32(x, n):
    """x * 2**n saturated to 32 bits; x in int32, 0 <= n <= 31. Bit-exact with arm_shift_q31."""
    return sat32(x * (np.int64(1) << n))


# --- Q1.15 -----------------------------------------------------------------------------------


@kernel
def add_q15(a, b):
    """a + b, SAT. Bit-exact with arm_add_q15."""
    return sat16(a + b)


@kernel
def sub_q15(a, b):
    """a - b, SAT. Bit-exact with arm_sub_q15."""
    return sat16(a - b)


@kernel
def neg_q15(x):
    """-x, SAT: -(-1) is 1 - 2**-15. Bit-exact with arm_negate_q15."""
    return sat16(-x)


@kernel
def abs_q15(x):
    """|x|, SAT: |-1| is 1 - 2**-15. Bit-exact with arm_abs_q15."""
    return sat16(-x) if x < 0 else sat16(x)


@kernel
def mul_q15(a, b):
    """a * b, RND, SAT (only -1 * -1 saturates). arm_mult_q15 truncates: up to 1 LSB lower."""
    return sat16(rnd_shift(np.int64(a) * np.int64(b), 15))


@kernel
def mul_q15_trn(a, b):
    """a * b, TRN, SAT. Bit-exact with arm_mult_q15."""
    return sat16(trn_shift(np.int64(a) * np.int64(b), 15))


# --- Q1.31 -----------------------------------------------------------------------------------


@kernel
def add_q31(a, b):
    """a + b, SAT. Bit-exact with arm_add_q31."""
    return sat32(a + b)


@kernel
def sub_q31(a, b):
    """a - b, SAT. Bit-exact with arm_sub_q31."""
    return sat32(a - b)


@kernel
def neg_q31(x):
    """-x, SAT. Bit-exact with arm_negate_q31."""
    return sat32(-x)


@kernel
def abs_q31(x):
    """|x|, SAT. Bit-exact with arm_abs_q31."""
    return sat32(-x) if x < 0 else sat32(x)


@kernel
def mul_q31(a, b):
    """a * b, RND, SAT (only -1 * -1 saturates). arm_mult_q31 truncates to Q30: up to 2 LSB lower."""
    return sat32(rnd_shift(np.int64(a) * np.int64(b), 31))


@kernel
def mul_q31_trn(a, b):
    """a * b, TRN, SAT. arm_mult_q31 keeps the upper word only: it is this with the LSB cleared."""
    return sat32(trn_shift(np.int64(a) * np.int64(b), 31))


@kernel
def mul_q31_q15(a_q31, b_q15):
    """Q1.31 times Q1.15 to Q1.31, RND, SAT. arm_scale_q31 takes a Q1.31 factor, so there is no twin."""
    return sat32(rnd_shift(np.int64(a_q31) * np.int64(b_q15), 15))


# --- any format ------------------------------------------------------------------------------


@kernel
def mul_rnd(a, b, n):
    """a * b * 2**-n, RND, not narrowed: Qi.j times Qk.l gives j + l - n fractional bits.

    a and b in int32, 0 <= n <= 62, so |a * b| <= 2**62 and the rounding cannot overflow for n <= 61.
    """
    return rnd_shift(np.int64(a) * np.int64(b), n)


@kernel
def q31_to_q15(x_q31):
    """Q1.31 to Q1.15, RND, SAT. arm_q31_to_q15 truncates: up to 1 LSB lower."""
    return sat16(rnd_shift(x_q31, 16))


@kernel
def q15_to_q31(x_q15):
    """Q1.15 to Q1.31, exact. Bit-exact with arm_q15_to_q31."""
    return np.int64(x_q15) * 65536


# --- headroom --------------------------------------------------------------------------------


@kernel
def magnitude_bits(x):
    """x for x >= 0, -x - 1 for x < 0: as many significant bits as x; OR these to find a block's headroom."""
    return x ^ (x >> 63)


@kernel
def sign_changes(x):
    """x ^ 2x: for int32 x a word whose highest set bit stands one above the highest of magnitude_bits(x).

    OR these, from 1 on, to find a block's headroom, clz32 of the result; one instruction on words.
    """
    return x ^ (x * 2)


@kernel
def clz32(x):
    """Leading zeros of the low 32 bits; 32 for 0. The CLZ instruction.

    0 <= n <= 32, their number.
    """
    n = np.int64(32)
    word = x & 0xFFFFFFFF
    while word != 0:  # 32 turns at most; compilers make it one instruction where there is one
        word >>= 1
        n -= 1
    return n


@kernel
def norm64(x):
    """Redundant sign bits of an int64: the largest n such that x * 2**n fits; 63 for 0 and -1.

    0 <= result <= 63.
    """
    m = magnitude_bits(np.int64(x))
    high = m >> 32
    if high != 0:
        return clz32(high) - 1
    return clz32(m) + 31


@kernel
def norm32(x):
    """Redundant sign bits of an int32: the largest n such that x * 2**n fits; 31 for 0 and -1.

    0 <= result <= 31.
    """
    return clz32(magnitude_bits(np.int64(x))) - 1
