"""Elementary functions in integers: log2, exp2, reciprocal, square roots. No division, small tables."""

import numpy as np

from fixedpoint._jit import kernel
from fixedpoint.arith import INT32_MAX, INT32_MIN, INT64_MAX, clip, norm64, rnd_shift, shl
from fixedpoint.tables import exp2_q30, log2_q31, reciprocal_seed_q30, rsqrt_seed_q31

LOG2_FLOOR_Q24 = INT32_MIN  # log2 of zero: -128, the lowest value of Q8.24

_LOG2_Q31 = log2_q31()
_EXP2_Q30 = exp2_q30()
_RECIPROCAL_Q30 = reciprocal_seed_q30()
_RSQRT_Q31 = rsqrt_seed_q31()


@kernel
def log2_q24(x):
    """log2(x) of an integer in Q8.24; x <= 0 gives LOG2_FLOOR_Q24 (-128)."""
    if x <= 0:
        return np.int64(LOG2_FLOOR_Q24)
    # x = 2**exponent (1 + f), f in Q.31
    n = norm64(x)
    exponent = 62 - n
    f_q31 = (shl(np.int64(x), n) - (np.int64(1) << 62)) >> 31
    # log2(1 + f): parabola of the segment, u in Q.25
    i = f_q31 >> 25
    u_q25 = f_q31 & 0x1FFFFFF
    slope_q31 = _LOG2_Q31[i, 1] + rnd_shift(np.int64(_LOG2_Q31[i, 2]) * u_q25, 25)
    y_q31 = _LOG2_Q31[i, 0] + rnd_shift(slope_q31 * u_q25, 25)
    return shl(exponent, 24) + rnd_shift(y_q31, 7)


@kernel
def exp2_q24(x_q24, frac_bits):
    """2**x as an integer with frac_bits fractional bits: RND(2**(x + frac_bits)), SAT to int64."""
    # 2**f, f in [0, 1): parabola of the segment, u in Q.18
    exponent = np.int64(x_q24) >> 24
    f_q24 = np.int64(x_q24) & 0xFFFFFF
    i = f_q24 >> 18
    u_q18 = f_q24 & 0x3FFFF
    slope_q30 = _EXP2_Q30[i, 1] + rnd_shift(np.int64(_EXP2_Q30[i, 2]) * u_q18, 18)
    y_q30 = _EXP2_Q30[i, 0] + rnd_shift(slope_q30 * u_q18, 18)  # [1, 2)
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
    """1/x = mantissa * 2**exponent: returns (mantissa, exponent), |mantissa| in [2**29, 2**30]."""
    if x == 0:
        return np.int64(INT32_MAX), np.int64(0)
    a = np.int64(x)
    if a < 0:
        a = -a
    # a = d 2**(62 - n), d in [1, 2) in Q.30
    n = norm64(a)
    d_q30 = shl(a, n) >> 32
    y_q30 = np.int64(_RECIPROCAL_Q30[(d_q30 - (1 << 30)) >> 24])
    # Newton, y += y (1 - d y): relative error 2**-7, 2**-14, 2**-28
    for _ in range(2):
        e_q30 = (1 << 30) - rnd_shift(d_q30 * y_q30, 30)
        y_q30 += rnd_shift(y_q30 * e_q30, 30)
    y_q30 = clip(y_q30, np.int64(1 << 29), np.int64(1 << 30))
    if x < 0:
        y_q30 = -y_q30
    return y_q30, n - 92


@kernel
def isqrt(x):
    """floor(sqrt(x)) of an integer, exact for x <= 2**62; 0 for x <= 0."""
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
    # Within 4 of the floor: correct it exactly.
    for _ in range(4):
        if s * s > x:
            s -= 1
    for _ in range(4):
        if (s + 1) * (s + 1) <= x:
            s += 1
    return s


@kernel
def sqrt_q31(x_q31):
    """sqrt of Q1.31 to Q1.31, RND (to nearest, exact); 0 for x <= 0."""
    if x_q31 <= 0:
        return np.int64(0)
    square = shl(np.int64(x_q31), 31)
    s = isqrt(square)
    # (s + 1/2)^2 = s^2 + s + 1/4
    if square - s * s > s:
        s += 1
    return s
