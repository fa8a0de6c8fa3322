"""Generators of constant integer tables. Plain Python and NumPy, run at import or at build time.

Every entry is computed in double and rounded to at most 31 fractional bits, so that a last-bit
difference between math libraries (2**-52 relative) cannot reach an entry unless its true value
lies within 2**-21 LSB of a rounding tie.
"""

import numpy as np

LOG2_SEGMENTS = 64
EXP2_SEGMENTS = 64


def _round_to_int32(values: np.ndarray, frac_bits: int) -> np.ndarray:
    """RND to Q(32 - frac_bits).frac_bits, SAT."""
    scaled = np.floor(np.ldexp(np.asarray(values, dtype=np.float64), frac_bits) + 0.5)
    return np.clip(scaled, -(2.0**31), 2.0**31 - 1).astype(np.int32)


def twiddles_q31(n: int, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """exp(-j 2 pi k / n) in Q1.31, RND, +1 saturated to 1 - 2**-31.

    Parameters
    ----------
    n : int, a multiple of 8
    k : (count,) int, 0 <= k < n

    Returns
    -------
    re_q31, im_q31 : (count,) int32, Q1.31
    """
    # By octants, so that cos and sin at the multiples of pi/2 are exact and all symmetries hold.
    k = np.asarray(k) % n
    octant, rest = np.divmod(k, n // 8)
    folded = np.where(octant % 2 == 0, rest, n // 8 - rest)
    angle = 2 * np.pi * folded / n
    c, s = np.cos(angle), np.sin(angle)
    swap = np.isin(octant, (1, 2, 5, 6))
    c, s = np.where(swap, s, c), np.where(swap, c, s)
    c = np.where(np.isin(octant, (2, 3, 4, 5)), -c, c)
    s = np.where(octant >= 4, -s, s)
    return _round_to_int32(c, 31), _round_to_int32(-s, 31)


def bit_reversal(n: int) -> np.ndarray:
    """Indices 0..n-1 with their log2(n) bits reversed.

    Parameters
    ----------
    n : int, power of two <= 2**15

    Returns
    -------
    (n,) int16
    """
    order = np.zeros(1, dtype=np.int16)
    while order.size < n:
        order = np.concatenate([2 * order, 2 * order + 1]).astype(np.int16)
    return order


def _hann(n: int) -> np.ndarray:
    """Periodic Hann window, sin^2(pi i / n), (n,) float."""
    return np.sin(np.pi * np.arange(n) / n) ** 2


def hann_q15(n: int) -> np.ndarray:
    """Periodic Hann window of n points: (n,) int16, Q1.15, RND; the peak 1 saturates to 1 - 2**-15."""
    return np.minimum(np.floor(_hann(n) * 2.0**15 + 0.5), 2.0**15 - 1).astype(np.int16)


def hann_q31(n: int) -> np.ndarray:
    """Periodic Hann window of n points: (n,) int32, Q1.31, RND; the peak 1 saturates to 1 - 2**-31."""
    return _round_to_int32(_hann(n), 31)


def _parabolas(f0: np.ndarray, f1: np.ndarray, f2: np.ndarray) -> tuple[np.ndarray, ...]:
    """c0 + c1 u + c2 u^2 through f(0), f(1/2), f(1), one parabola for each segment."""
    return f0, 4 * f1 - 3 * f0 - f2, 2 * f0 + 2 * f2 - 4 * f1


def log2_q31() -> np.ndarray:
    """Parabolas for log2(1 + (i + u)/64), 0 <= u < 1: (64, 3) int32, c0, c1, c2 in Q1.31.

    Interpolates at both ends of a segment: continuous, and exact at powers of two.
    """
    edges = 1 + np.arange(2 * LOG2_SEGMENTS + 1) / (2 * LOG2_SEGMENTS)
    f = np.log2(edges)
    c = _parabolas(f[:-2:2], f[1:-1:2], f[2::2])
    return np.ascontiguousarray(_round_to_int32(np.stack(c, axis=1), 31))


def exp2_q30() -> np.ndarray:
    """Parabolas for 2**((i + u)/64), 0 <= u < 1: (64, 3) int32, c0, c1, c2 in Q2.30."""
    f = np.exp2(np.arange(2 * EXP2_SEGMENTS + 1) / (2 * EXP2_SEGMENTS))
    c = _parabolas(f[:-2:2], f[1:-1:2], f[2::2])
    return np.ascontiguousarray(_round_to_int32(np.stack(c, axis=1), 30))


def reciprocal_seed_q30() -> np.ndarray:
    """1/d at the middle of [1 + i/64, 1 + (i+1)/64): (64,) int32, Q2.30."""
    return _round_to_int32(1 / (1 + (np.arange(64) + 0.5) / 64), 30)


def rsqrt_seed_q31() -> np.ndarray:
    """1/sqrt(d) / 2 at the middle of [i/64, (i+1)/64), i = 64..255: (192,) int32, Q1.31.

    d runs over [1, 4), so that an even shift normalises any integer.
    """
    return _round_to_int32(0.5 / np.sqrt((np.arange(64, 256) + 0.5) / 64), 31)
