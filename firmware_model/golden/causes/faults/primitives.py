"""Rounding, saturation, widths and constants as careless firmware has them; `mode` says which carelessness.

Plain functions: in the copy that `sites` makes, a `site_X` for each `faulty_X` takes the place of a primitive
of `fixedpoint.arith`, of two of `fixedpoint.filters.fft` or of an operator, and is compiled like these. It
has two arguments that stand for the mode: `fault`, (3, sites and entries) int64, and its column there.
Row 0: the mode. Row 1: bits of the modes that would have changed anything, while it is watched; the value of
an altered constant. Row 2, of a table: where its entries' columns begin, while it is watched; the entry that
is altered.
"""

import numpy as np

# TRUNCATE: floor.  TOWARDS_ZERO: C's division.  AWAY: halves away from zero, as lround.
# EVEN: halves to even.
# WORD_32, WORD_40: the argument was added up in so few bits, and wrapped.  ROUND: RND where TRN is meant.
# WRAP: the low bits where SAT is meant.  SATURATED: added up in 32 bits that saturate.
# LOGICAL_32, LOGICAL_64: zeros come in from the left of a word of so many bits.
# NARROW: a product's low 32 bits alone.  NEIGHBOUR: < for <= and so on.  ALTERED: another constant.
(
    EXACT,
    TRUNCATE,
    TOWARDS_ZERO,
    AWAY,
    EVEN,
    WORD_32,
    WORD_40,
    ROUND,
    WRAP,
    SATURATED,
    LOGICAL_32,
    LOGICAL_64,
    NARROW,
    NEIGHBOUR,
    ALTERED,
    WATCHED,
) = range(16)


def wrap_to(x, bits):
    """Two's complement WRAP of an int64 to fewer bits."""
    half = np.int64(1) << (bits - 1)
    return ((x + half) & ((half << 1) - 1)) - half


def logical(x, n, mode):
    """x >> n, 0 < n < 64, with zeros from the left of a word of 32 or 64 bits."""
    if mode == LOGICAL_32:
        return np.int64((x & 0xFFFFFFFF) >> n)
    return np.int64((x >> n) & ((np.int64(1) << (64 - n)) - 1))


def is_logical(mode, n):
    """Whether a mode changes a shift by n."""
    return n > 0 and mode in (LOGICAL_32, LOGICAL_64)


def in_word(x, mode):
    """The argument as the accumulator held it."""
    if mode == WORD_32:
        return wrap_to(x, 32)
    if mode == WORD_40:
        return wrap_to(x, 40)
    return x


def faulty_rnd_shift(x, n, mode):
    """In place of rnd_shift."""
    v = in_word(np.int64(x), mode)
    half = (np.int64(1) << n) >> 1
    if is_logical(mode, n):
        return logical(v + half, n, mode)
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
    v = in_word(np.int64(x), mode)
    if is_logical(mode, n):
        return logical(v, n, mode)
    if mode == ROUND:
        return (v + ((np.int64(1) << n) >> 1)) >> n
    if mode == TOWARDS_ZERO and v < 0:
        return -((-v) >> n)
    return v >> n


def faulty_trn_shift32(x, n, mode):
    """In place of trn_shift32."""
    return faulty_trn_shift(np.int64(np.int32(x)), n, mode)


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


def faulty_sum(x, mode):
    """Of a sum."""
    if mode == SATURATED:
        return faulty_saturate(x, 32, EXACT)
    return in_word(np.int64(x), mode)


def faulty_product(x, mode):
    """Of a product."""
    return wrap_to(np.int64(x), 32) if mode == NARROW else np.int64(x)


def faulty_shift_right(x, n, mode):
    """In place of >>."""
    return logical(np.int64(x), n, mode) if is_logical(mode, n) else np.int64(x) >> n


def site_less(a, b, equal, fault, i):
    """a < b, or with `equal` a <= b."""
    if a != b:
        return a < b
    if fault[0, i] == WATCHED:
        fault[1, i] |= 1 << NEIGHBOUR
    return equal != (fault[0, i] == NEIGHBOUR)


def site_constant(value, fault, i):
    """Of a constant."""
    if fault[0, i] == WATCHED:
        fault[1, i] |= 1 << ALTERED
    if fault[0, i] == ALTERED:
        return np.int64(fault[1, i])
    return np.int64(value)


def site_entry(value, index, fault, i):
    """Of a table's entry, by its place in the whole table."""
    if fault[0, i] == WATCHED:
        fault[1, fault[2, i] + index] = 1
    if fault[0, i] == ALTERED and fault[2, i] == index:
        return np.int64(fault[1, i])
    return np.int64(value)
