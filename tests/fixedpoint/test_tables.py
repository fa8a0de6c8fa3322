"""Constant tables: symmetries, exact corners, and margins that keep them the same on every platform."""

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest

from fixedpoint import tables


@pytest.mark.parametrize("n", [16, 256, 2048])
def test_twiddles_by_quadrant_and_symmetry(n):
    re, im = tables.twiddles_q31(n, np.arange(n))
    one = (1 << 31) - 1
    quarters = [0, n // 4, n // 2, 3 * n // 4]
    assert re[quarters].tolist() == [one, 0, -(1 << 31), 0]
    assert im[quarters].tolist() == [0, -(1 << 31), 0, one]
    k = np.setdiff1d(np.arange(n), quarters)
    exact = np.exp(-2j * np.pi * k / n) * 2.0**31
    assert np.abs(re[k] - exact.real).max() < 0.50001
    assert np.abs(im[k] - exact.imag).max() < 0.50001
    assert np.array_equal(np.abs(re[k].astype(np.int64)), np.abs(re[n - k].astype(np.int64)))


def test_bit_reversal_by_hand():
    assert tables.bit_reversal(8).tolist() == [0, 4, 2, 6, 1, 5, 3, 7]


@pytest.mark.parametrize(
    ("make", "top"), [(tables.hann_q15, (1 << 15) - 1), (tables.hann_q31, (1 << 31) - 1)]
)
def test_hann_is_periodic_symmetric_and_complementary(make, top):
    w = make(1024).astype(np.int64)
    assert (w[0], w[512]) == (0, top)
    assert np.array_equal(w[1:], w[:0:-1])
    # Halves overlap to one, within the rounding of each and the saturated peak.
    assert np.abs(w[:512] + w[512:] - top).max() <= 1


def test_log2_parabolas_meet_at_the_ends_of_their_segments():
    c = tables.log2_q31().astype(np.int64)
    assert c[0, 0] == 0
    assert np.abs(c[:-1].sum(axis=1) - c[1:, 0]).max() <= 2  # three roundings
    assert abs(int(c[-1].sum()) - (1 << 31)) <= 2


def test_exp2_parabolas_meet_at_the_ends_of_their_segments():
    c = tables.exp2_q30().astype(np.int64)
    assert c[0, 0] == 1 << 30
    assert np.abs(c[:-1].sum(axis=1) - c[1:, 0]).max() <= 2
    assert abs(int(c[-1].sum()) - (1 << 31)) <= 2


def test_seeds_hold_their_function_at_mid_interval():
    d = 1 + 0.5 / 64
    assert tables.reciprocal_seed_q30()[0] == math.floor(2**30 / d + 0.5)
    assert tables.rsqrt_seed_q31()[0] == math.floor(2**31 * 0.5 / math.sqrt(d) + 0.5)


def test_twiddles_keep_their_distance_from_rounding_ties():
    """A libm off by an ulp moves a value by 2**-21 LSB or less; no twiddle lies that near to a tie."""
    getcontext().prec = 40
    pi = Decimal("3.14159265358979323846264338327950288419716939937510")
    nearest = Decimal(1)
    for k in range(1, 2048 // 8):
        angle = 2 * pi * k / 2048
        for first, term in ((1, Decimal(1)), (0, angle)):  # Taylor series of cos and sin
            total, i = Decimal(0), 1 if first else 2
            while abs(term) > Decimal(10) ** -38:
                total += term
                term *= -angle * angle / (i * (i + 1))
                i += 2
            scaled = total * 2**31
            nearest = min(nearest, abs(scaled - int(scaled) - Decimal("0.5")))
    assert nearest > Decimal(2) ** -20, f"nearest tie {nearest:.3e} LSB away"
