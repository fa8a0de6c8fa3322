"""Sums of 32-bit products that a 64-bit accumulator would wrap, kept in two words without overflow."""

import numpy as np

from fixedpoint._jit import kernel
from fixedpoint.arith import sat32, shl, trn_shift, wrap32


@kernel
def mac_wide(high, low, a, b):
    """Add a * b to high * 2**32 + low, exactly.

    a, b : int32 range; low >= 0. From (0, 0), 2**29 calls keep |high| <= 2**59 and low < 2**61. Returns high,
    low.
    """
    p = np.int64(a) * np.int64(b)
    return high + trn_shift(p, 32), low + (p & 0xFFFFFFFF)


@kernel
def shift_wrap64_wrap32(high, low, n):
    """What a 64-bit accumulator leaves of high * 2**32 + low: WRAP to 64 bits, TRN by n, WRAP to 32 bits.

    1 <= n <= 32, so that bits n to n + 31 are all there are to find: `(q31_t)(acc >> n)` of CMSIS-DSP.
    Range: the upper word after wrap32, times 2**(32 - n), is within +-2**62.
    """
    upper = wrap32(high + trn_shift(low, 32))
    return wrap32(shl(upper, 32 - n) + trn_shift(low & 0xFFFFFFFF, n))


@kernel
def shift_rnd_sat32(high, low, n):
    """high * 2**32 + low, RND by n, SAT to 32 bits. 1 <= n <= 32.

    Range: the upper word, saturated first where the result will be, times 2**(32 - n), is within +-2**62.
    """
    low += shl(np.int64(1), n - 1)
    upper = sat32(high + trn_shift(low, 32))
    return sat32(shl(upper, 32 - n) + trn_shift(low & 0xFFFFFFFF, n))
