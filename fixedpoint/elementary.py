"""Elementary functions in integers: log2, exp2, reciprocal, square roots. No division, small tables."""

import numpy as np

from fixedpoint._jit import kernel
from fixedpoint.arith import (
    INT32_MAX,
    INT32_MIN,
    INT64_MAX,
    clip,
    clz32,
    narrow32,
    norm64,
    rnd_shift,
    shl,
    trn_shift32,
    wrap32,
)
from fixedpoint.tables import exp2_q30, log2_q31, reciprocal_seed_q30, rsqrt_seed_q31

LOG2_FLOOR_Q24 = INT32_MIN  # log2 of zero: -128, the lowest value of Q8.24

# c0 in Q.31, c1 and c2 in Q.32: times u in Q.31 they need the upper word of the product alone.
_LOG2 = log2_q31() * np.array([1, 2, 2], np.int32)
_EXP2_Q30 = exp2_q30()
_RECIPROCAL_Q30 = reciprocal_seed_q30()
_RSQRT_Q31 = rsqrt_seed_q31()


@kernel
def log2_of_positive_q24(x):
    """`log2_q24` for x >= 1."""
    # x = 2**exponent (1 + f), f in Q.31: a word from the leading one on
    high = np.int64(x) >> 32
    if high != 0:
        n = clz32(high)
        exponent = 63 - n
        word = np.int64(x) >> ((32 - n) & 31)
    else:
        n = clz32(x)
        exponent = 31 - n
        word = shl(np.int64(x), n & 31)
    # log2(1 + f): parabola of the segment, u in Q.31
    i = (word >> 25) & 63
    u_q31 = shl(word & 0x1FFFFFF, 6)
    slope_q32 = narrow32(np.int64(_LOG2[i, 1]) + 2 * rnd_shift(np.int64(_LOG2[i, 2]) * u_q31, 32))
    y_q31 = narrow32(rnd_shift(slope_q32 * u_q31, 32)) + np.int64(_LOG2[i, 0])
    # RND to Q.24 in a word: 0 <= y <= 2**31
    y_q24 = trn_shift32(wrap32(y_q31 + 64), 7) & 0x1FFFFFF
    return narrow32(shl(exponent, 24) + y_q24)


@kernel
def log2_q24(x):
    """log2(x) of an integer, in Q8.24.

    Parameters
    ----------
    x : int64; log2 of a value in Qm.n is log2_q24(x) - (n << 24)

    Returns
    -------
    int32 range, Q8.24, 0 to 63 for x >= 1; LOG2_FLOOR_Q24 (-128) for x <= 0, below log2 of any value

    Notes
    -----
    Arithmetic: x is normalised to 2**exponent (1 + f), f truncated to 31 bits; log2(1 + f) is one parabola
    of 64, two multiplies; products are below 2**52. RND to Q8.24.
    Error: at most 1.17e-7 (2**-23.0): 1.1621e-7 measured over every 31-bit mantissa, largest at
    x = 1086954054, and 7e-10 for the bits truncated from longer x. 0 at powers of two, and never
    decreasing with x. Held by tests/fixedpoint/test_elementary.py.
    Source: own design; parabolas through the ends and the middle of each segment.
    """
    if x <= 0:
        return np.int64(LOG2_FLOOR_Q24)
    return log2_of_positive_q24(x)


@kernel
def exp2_q24(x_q24, frac_bits):
    """2**x as an integer with frac_bits fractional bits: 2**(x + frac_bits), RND, SAT to int64.

    Parameters
    ----------
    x_q24 : int32 range, Q8.24, -128 to 128
    frac_bits : int, 0 to 62; 31 gives Q1.31 (not saturated to 32 bits: use sat32), 0 an integer

    Returns
    -------
    int64 >= 0; 2**63 - 1 where x + frac_bits >= 63, 0 where it is below -1

    Notes
    -----
    Arithmetic: 2**f, 0 <= f < 1, is one parabola of 64 in Q2.30, two multiplies, products below 2**49; then
    a shift left (exact) or right (RND).
    Error: relative 1.16e-8 (2**-26.4), 1.1534e-8 measured over all 2**24 fractions, plus half an LSB of
    the result. Exact for whole x, never decreasing with x. Held by tests/fixedpoint/test_elementary.py.
    Source: own design; parabolas through the ends and the middle of each segment.
    """
    # 2**f, f in [0, 1): parabola of the segment, u in Q.18
    exponent = np.int64(x_q24) >> 24
    f_q24 = np.int64(x_q24) & 0xFFFFFF
    i = f_q24 >> 18
    u_q18 = f_q24 & 0x3FFFF
    slope_q30 = np.int64(_EXP2_Q30[i, 1]) + rnd_shift(np.int64(_EXP2_Q30[i, 2]) * u_q18, 18)
    y_q30 = np.int64(_EXP2_Q30[i, 0]) + rnd_shift(narrow32(slope_q30) * u_q18, 18)  # [1, 2)
    # 2**exponent
    up = exponent + frac_bits - 30
    if up > 32:
        return np.int64(INT64_MAX)
    if up >= 0:
        return shl(y_q30, up)
    if up < -31:
        return np.int64(0)
    return rnd_shift(y_q30, -up)


@kernel
def reciprocal(x):
    """1/x of an integer as mantissa * 2**exponent.

    Parameters
    ----------
    x : int64, |x| < 2**63; for a value in Qm.n add n to the exponent

    Returns
    -------
    mantissa : int32 range, sign of x, magnitude 2**29 to 2**30; 2**31 - 1 for x = 0
    exponent : -92 to -30; 0 for x = 0, so that 1/0 exceeds every other result

    Notes
    -----
    Arithmetic: |x| is normalised to d in [1, 2), truncated to Q2.30; seed from 64 entries, three Newton
    steps of two multiplies each, products below 2**61. |x| is at least 1 => 0 <= n <= 62.
    Error: relative 1.87e-9 (2**-29.0), 1.8626e-9 measured over every 31-bit mantissa; exact for powers
    of two. Held by tests/fixedpoint/test_elementary.py.
    Source: Newton-Raphson; seed table own design.
    """
    if x == 0:
        return np.int64(INT32_MAX), np.int64(0)
    a = np.int64(x)
    if a < 0:
        a = -a
    # a = d 2**(62 - n), d in [1, 2) in Q.30
    n = norm64(a)
    d_q30 = shl(a, n) >> 32
    y_q30 = np.int64(_RECIPROCAL_Q30[(d_q30 - (1 << 30)) >> 24])
    # Newton, y += y (1 - d y): relative error 2**-7, 2**-14, 2**-28, then rounding alone
    for _ in range(3):
        e_q30 = (1 << 30) - rnd_shift(narrow32(d_q30) * narrow32(y_q30), 30)
        y_q30 += rnd_shift(narrow32(y_q30) * narrow32(e_q30), 30)
    y_q30 = clip(y_q30, np.int64(1 << 29), np.int64(1 << 30))
    if x < 0:
        y_q30 = -y_q30
    return y_q30, n - 92


@kernel
def isqrt(x):
    """floor(sqrt(x)) of an integer, exact.

    Parameters
    ----------
    x : int64, at most 2**62

    Returns
    -------
    int64, 0 to 2**31; 0 for x <= 0

    Notes
    -----
    Arithmetic: x is normalised by an even shift to d in [2**60, 2**62); 1/sqrt(d) from a seed of 192
    entries and two Newton steps. d * 1/sqrt(d) depends on the upper 31 bits of d alone; computed for
    every value of these it was 3 below to 4 above the floor, and seven compares make it the floor.
    Products are below 2**62; (s + 1)**2 <= 2**62 + 2**32 + 1 at most.
    Error: none. Held by tests/fixedpoint/test_elementary.py on squares, their neighbours and the worst d.
    Source: Newton-Raphson on the reciprocal root; seed table own design.
    """
    if x <= 0:
        return np.int64(0)
    # d = x 4**h in [2**60, 2**62), seed by its upper eight bits
    h = (norm64(x) - 1) >> 1
    if h < 0:
        return np.int64(1 << 31)  # x = 2**62
    d = shl(np.int64(x), 2 * h)
    r_q31 = np.int64(_RSQRT_Q31[(d >> 54) - 64])  # 2**30 / sqrt(d) * 2**31 / 2, relative error 2**-8
    # Newton on r = 1/(2 sqrt(d)): r += r (1 - 4 d r^2) / 2; errors 2**-15, 2**-29
    d_q29 = d >> 31
    for _ in range(2):
        s_q30 = rnd_shift(d_q29 * r_q31, 30)
        e_q30 = (1 << 30) - rnd_shift(s_q30 * r_q31, 29)
        r_q31 += rnd_shift(r_q31 * e_q30, 31)
    s = rnd_shift(d_q29 * r_q31, 29) >> h
    # 3 below to 4 above the floor: correct it exactly.
    for _ in range(4):
        if s * s > x:
            s -= 1
    for _ in range(3):
        if (s + 1) * (s + 1) <= x:
            s += 1
    return s


@kernel
def sqrt_q31(x_q31):
    """sqrt of Q1.31 in Q1.31, to nearest; 0 for x <= 0.

    Notes
    -----
    Error: at most half an LSB, since isqrt is exact. arm_sqrt_q31 is up to 7 LSB away from it.
    """
    if x_q31 <= 0:
        return np.int64(0)
    square = shl(np.int64(x_q31), 31)
    s = isqrt(square)
    # (s + 1/2)^2 = s^2 + s + 1/4
    if square - s * s > s:
        s += 1
    return s
