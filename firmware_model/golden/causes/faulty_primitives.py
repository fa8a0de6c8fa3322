"""Rounding and saturation as careless firmware does them; `mode` says which carelessness, EXACT is none.

Plain functions: in the copy that `fault_sites` makes they take the place of the primitives of
`fixedpoint.arith`, and of two of `fixedpoint.filters.fft`, and are compiled like these.
"""

import numpy as np

# TRUNCATE: floor.  TOWARDS_ZERO: C's division.  AWAY: halves away from zero, as lround.
# EVEN: halves to even.
# WORD_32, WORD_40: the argument was added up in so few bits, and wrapped.  ROUND: RND where TRN is meant.
# WRAP: the low bits where SAT is meant.
EXACT, TRUNCATE, TOWARDS_ZERO, AWAY, EVEN, WORD_32, WORD_40, ROUND, WRAP = range(9)


def wrap_to(x, bits):
    """Two's complement WRAP of an int64 to fewer bits."""
    half = np.int64(1) << (bits - 1)
    return ((x + half) & ((half << 1) - 1)) - half


def in_word(x, mode):
    """The argument as the accumulator held it."""
    if mode == WORD_32:
        return wrap_to(x, 32)
    if mode == WORD_40:
        return wrap_to(x, 40)
    return x


def faulty_rnd_shift(x, n, mode):
    """In place of rnd_shift."""
    v = in_word(x, mode)
    half = (np.int64(1) << n) >> 1
    if mode == TRUNCATE:
        return v >> n
    if mode == TOWARDS_ZERO and v < 0:
        return -((-v) >> n)
    if mode == TOWARDS_ZERO:
        return v >> n
    if mode == AWAY and v < 0:
        return -((half - v) >> n)
    if mode == EVEN and half > 0 and (v & (2 * half - 1)) == half:
        return (((v >> n) + 1) >> 1) << 1
    return (v + half) >> n


def faulty_rnd_shift32(x, n, mode):
    """In place of rnd_shift32; a word holds its argument."""
    return faulty_rnd_shift(np.int64(x), n, mode)


def faulty_sum_of_products(a, b, c, d, shift, mode):
    """In place of the FFT's sum_of_products."""
    return faulty_rnd_shift(a * b + c * d, 32 + shift, mode)


def faulty_mean(a, b, shift, odd, bias, mode):
    """In place of the FFT's mean; what spares it a wider word, odd and bias, is not needed here."""
    return faulty_rnd_shift(a + b, 1 + shift, mode)


def faulty_trn_shift(x, n, mode):
    """In place of trn_shift."""
    v = in_word(x, mode)
    if mode == ROUND:
        return (v + ((np.int64(1) << n) >> 1)) >> n
    if mode == TOWARDS_ZERO and v < 0:
        return -((-v) >> n)
    return v >> n


def faulty_saturate(x, bits, mode):
    """SAT to so many bits."""
    v = in_word(np.int64(x), mode)
    if mode == WRAP:
        return wrap_to(v, bits)
    high = (np.int64(1) << (bits - 1)) - 1
    if v > high:
        return high
    if v < -high - 1:
        return -high - 1
    return v


def faulty_sat16(x, mode):
    """In place of sat16."""
    return faulty_saturate(x, 16, mode)


def faulty_sat32(x, mode):
    """In place of sat32."""
    return faulty_saturate(x, 32, mode)


def faulty_clip(x, low, high, mode):
    """In place of clip; a limit below 0 is that of a narrow word, others keep an index in range and stay."""
    if mode == WRAP and low < 0:
        bits = np.int64(1)
        while (np.int64(1) << (bits - 1)) <= high:
            bits += 1
        return wrap_to(np.int64(x), bits)
    if x < low:
        return np.int64(low)
    if x > high:
        return np.int64(high)
    return np.int64(x)
