"""FIR filters: design, by hand, exact integers, float64, blocks, CMSIS-DSP's overflow."""

import math

import numpy as np
import pytest
from scipy.signal import firwin, lfilter

from fixedpoint.errors import AudioError, ConfigError
from fixedpoint.filters.fir import FirParams, init_state, lowpass, process_block, quantise
from fixedpoint.qformat import Q8_24, Q15, Q31

FORMATS = (Q15, Q31)


def filtered(params, x, arith="rnd"):
    return process_block(params, init_state(params), x, arith)


def exact_sums(h, x):
    """sum h[k] x[n - k] in Python's integers."""
    h, x = h.tolist(), x.tolist()
    return [sum(h[k] * x[n - k] for k in range(min(n + 1, len(h)))) for n in range(len(x))]


def saturate(value, bits):
    return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, value))


def wrap(value, bits):
    return (value + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))


def narrowed(total, bits, arith):
    """What each arithmetic makes of an exact sum."""
    if arith == "rnd":
        return saturate((total + (1 << (bits - 2))) >> (bits - 1), bits)
    if bits == 16:
        return saturate(total >> 15, 16)
    return wrap(wrap(total, 64) >> 31, 32)


# --- design ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("taps", "cutoff_hz"), [(2, 1000), (31, 4000), (64, 300), (129, 23000)])
def test_lowpass_is_scipys(taps, cutoff_hz):
    expected = firwin(taps, cutoff_hz, window="hamming", fs=48000)
    assert np.abs(lowpass(taps, cutoff_hz, 48000) - expected).max() < 1e-12


@pytest.mark.parametrize(
    ("taps", "cutoff_hz", "says"),
    [
        (1, 1000, "taps=1: must be from 2 to 32768"),
        (8, 24000, "cutoff_hz=24000: must be above 0 and below 24000"),
        (8, math.nan, "cutoff_hz=nan: must be above 0"),
    ],
)
def test_bad_designs_are_refused(taps, cutoff_hz, says):
    with pytest.raises(ConfigError, match=says):
        lowpass(taps, cutoff_hz, 48000)


@pytest.mark.parametrize(
    ("h", "fmt", "says"),
    [
        ([0.5], Q8_24, "fmt=Q8.24: must be Q1.15 or Q1.31"),
        ([], Q15, r"h: shape \(0,\) found"),
        ([[0.5]], Q15, r"h: shape \(1, 1\) found"),
        ([0.5, 1.0], Q15, r"h\[1\]=1.0: must be in \[-1, 1 - 2\*\*-16\)"),
        ([math.nan], Q31, r"h\[0\]=nan: must be in"),
        ([1e-6, -1e-6], Q15, "h: every tap rounds to 0 in Q1.15"),
    ],
)
def test_bad_taps_are_refused(h, fmt, says):
    with pytest.raises(ConfigError, match=says):
        quantise(h, fmt)


# --- by hand ---------------------------------------------------------------------------------


def test_taps_come_out_in_order_of_time():
    # 0.25, 0.5, -0.75 of an impulse of 8
    params = quantise([0.25, 0.5, -0.75], Q15)
    assert filtered(params, np.array([8, 0, 0, 0], np.int16)).tolist() == [2, 4, -6, 0]


@pytest.mark.parametrize(("arith", "expected"), [("rnd", [2, 3, 1, -1]), ("cmsis", [1, 3, 0, -2])])
def test_rounding_by_hand(arith, expected):
    # x = 3, 3, -2, -1 through 0.5, 0.5: 1.5, 3, 0.5, -1.5; ties towards +inf, or floor
    params = quantise([0.5, 0.5], Q15)
    assert filtered(params, np.array([3, 3, -2, -1], np.int16), arith).tolist() == expected


def test_overflow_saturates_and_in_cmsis_q31_wraps():
    # -1 * -1 = 1: the largest number, or in CMSIS-DSP's Q1.31 -1.
    for fmt in FORMATS:
        params = quantise([-1.0], fmt)
        x = np.array([fmt.min_int], fmt.dtype)
        assert filtered(params, x).tolist() == [fmt.max_int]
        assert filtered(params, x, "cmsis").tolist() == [fmt.max_int if fmt == Q15 else fmt.min_int]


# --- exact integers --------------------------------------------------------------------------


@pytest.mark.parametrize("arith", ["rnd", "cmsis"])
@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("taps", [1, 2, 33])
def test_every_bit_is_that_of_exact_integers(fmt, arith, taps, rng):
    low, high = fmt.min_int, fmt.max_int
    params = FirParams(rng.integers(low, high + 1, taps).astype(fmt.dtype))
    for values in (rng.integers(low, high + 1, 150), rng.choice([low, high, 0, 1, -1], 150)):
        x = values.astype(fmt.dtype)
        expected = [narrowed(total, fmt.bits, arith) for total in exact_sums(params.h, x)]
        assert filtered(params, x, arith).tolist() == expected


@pytest.mark.parametrize("fmt", FORMATS)
def test_worst_input_saturates(fmt):
    """All taps and samples at the lowest number: a sum of 100, from the first sample on."""
    params = FirParams(np.full(100, fmt.min_int, fmt.dtype))
    x = np.full(300, fmt.min_int, fmt.dtype)
    assert set(filtered(params, x).tolist()) == {fmt.max_int}
    assert set(filtered(params, np.full(300, fmt.max_int, fmt.dtype))[1:].tolist()) == {fmt.min_int}


# --- reference -------------------------------------------------------------------------------

# Largest error in LSB, mean error in LSB and SNR in dB against float64, measured.
MEASURED = {
    (Q15, "rnd"): (0.5, 0.0, 82.3),
    (Q15, "cmsis"): (1.0, -0.5, 76.2),
    (Q31, "rnd"): (0.5, 0.0, 178.4),
    (Q31, "cmsis"): (1.0, -0.5, 172.4),
}


@pytest.mark.parametrize(("fmt", "arith"), MEASURED)
def test_filter_against_float64(fmt, arith, rng):
    params = quantise(lowpass(64, 4000, 48000), fmt)
    x = np.floor(rng.uniform(-0.5, 0.5, 48000) * 2**fmt.n).astype(fmt.dtype)
    expected = lfilter(fmt.to_float(params.h), 1, x.astype(float))
    error = filtered(params, x, arith) - expected
    snr = 10 * math.log10(np.sum(expected**2) / np.sum(error**2))
    largest, mean, measured_db = MEASURED[fmt, arith]
    assert np.abs(error).max() < largest + 1e-4, f"{np.abs(error).max()} LSB"
    assert abs(error.mean() - mean) < 0.01, f"{error.mean():.4f} LSB on average"
    assert snr > measured_db - 3, f"{snr:.1f} dB, was {measured_db}"


# --- blocks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("arith", ["rnd", "cmsis"])
@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("taps", [1, 2, 31])
def test_blocks_of_any_size_give_the_bits_of_one(fmt, arith, taps, rng):
    params = FirParams((rng.integers(fmt.min_int, fmt.max_int + 1, taps) >> 5).astype(fmt.dtype))
    x = rng.integers(fmt.min_int, fmt.max_int + 1, 400).astype(fmt.dtype)
    state = init_state(params)
    parts = [process_block(params, state, part, arith) for part in np.split(x, [0, 1, 2, 5, 34, 35, 200])]
    assert np.array_equal(np.concatenate(parts), filtered(params, x, arith))
    assert np.array_equal(state, x[len(x) - len(state) :])


def test_bad_blocks_are_refused():
    params = quantise([0.5, 0.25, 0.1], Q15)
    x = np.zeros(4, np.int16)
    with pytest.raises(AudioError, match=r"x: int32 \(4,\) found; \(n,\) int16 needed"):
        filtered(params, x.astype(np.int32))
    with pytest.raises(AudioError, match="x: list found"):
        filtered(params, [1, 2])
    with pytest.raises(ConfigError, match=r"state: int16 \(3,\) found; int16 \(2,\) needed"):
        process_block(params, np.zeros(3, np.int16), x)
    with pytest.raises(ConfigError, match="arith='q31': must be rnd or cmsis"):
        filtered(params, x, "q31")
