"""Direct-form-1 cascades: design, by hand, exact integers, float64, blocks, the overflow of CMSIS-DSP."""

import math

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from fixedpoint.errors import AudioError, ConfigError
from fixedpoint.filters.biquad_df1 import init_state, process_block
from fixedpoint.filters.biquad_df1_design import butterworth, from_integers, quantise
from fixedpoint.qformat import Q8_24, Q15, Q31

FORMATS = (Q15, Q31)


def filtered(params, x, arith="rnd"):
    return process_block(params, init_state(params), x, arith)


def exact_cascade(params, x, narrow):
    """Python's integers, section by section; narrow: accumulator -> output."""
    y = [int(v) for v in x]
    for b0, b1, b2, a1, a2 in params.coef.tolist():
        x1 = x2 = y1 = y2 = 0
        for n, x0 in enumerate(y):
            y0 = narrow(b0 * x0 + b1 * x1 + b2 * x2 + a1 * y1 + a2 * y2)
            x1, x2, y1, y2 = x0, x1, y0, y1
            y[n] = y0
    return y


def saturate(value, bits):
    return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, value))


def wrap(value, bits):
    return (value + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))


def narrowing(bits, arith, post_shift):
    """What each arithmetic makes of an exact sum."""
    shift = bits - 1 - post_shift
    if arith == "rnd":
        return lambda acc: saturate((2 * acc + (1 << shift)) >> (shift + 1), bits)
    if bits == 16:
        return lambda acc: saturate(acc >> shift, bits)
    return lambda acc: wrap(wrap(acc, 64) >> shift, bits)


# --- design ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lowpass", "highpass"])
@pytest.mark.parametrize("corner_hz", [20, 1000, 12000, 23900])
def test_butterworth_is_scipys(kind, corner_hz):
    expected = butter(2, corner_hz, kind, fs=48000, output="sos")[0]
    assert np.abs(butterworth(kind, corner_hz, 48000) - expected).max() < 1e-12


def test_coefficients_by_hand():
    # fs/4: K = 1, n = 2 + sqrt 2; b = 0.292893 (1, 2, 1), a1 = 0, a2 = 0.171573; 0.585786 fits Q1.15.
    params = quantise(butterworth("lowpass", 12000, 48000), Q15)
    assert params.post_shift == 0
    assert params.coef.tolist() == [[9598, 19195, 9598, 0, -5622]]


def test_post_shift_is_the_smallest_that_leaves_room():
    # Low-pass: a1 = 1.8 needs Q2.14. High-pass in Q1.31: 3.6 + 1.8 + 0.8 = 6.4 > 4, so Q3.29.
    low, high = butterworth("lowpass", 1000, 48000), butterworth("highpass", 1000, 48000)
    assert [quantise(low, fmt).post_shift for fmt in FORMATS] == [1, 1]
    assert [quantise(high, fmt).post_shift for fmt in FORMATS] == [1, 2]


@pytest.mark.parametrize(
    ("sos", "fmt", "post_shift", "says"),
    [
        (np.zeros((2, 5)), Q15, None, r"sos: shape \(2, 5\) found; \(sections, 6\) needed"),
        (np.zeros((0, 6)), Q15, None, r"sos: shape \(0, 6\) found"),
        ([1, 0, 0, 0, 0, 0], Q15, None, "a0 other than 0"),
        ([math.nan, 0, 0, 1, 0, 0], Q15, None, "sos: must be finite"),
        ([1, 0, 0, 1, 0, 0], Q8_24, None, "fmt=Q8.24: must be Q1.15 or Q1.31"),
        ([1, 0, 0, 1, 0, 0], Q15, 15, "post_shift=15: must be from 0 to 14"),
        ([1, 0, 0, 1, -1.8, 0.9], Q15, 0, "sos: 1.8 found; must be below 1"),
        ([40000, 0, 0, 1, 0, 0], Q15, None, "sos: 40000 found; must be below 16384"),
        ([0.5, 0, 0, 1, -2, 1], Q15, None, r"sos\[0\]: poles are not inside the unit circle"),
        ([1e-6, 0, 0, 1, 0, 0], Q15, None, r"sos\[0\]: the numerator rounds to nothing in Q1.15"),
    ],
)
def test_bad_sections_are_refused(sos, fmt, post_shift, says):
    with pytest.raises(ConfigError, match=says):
        quantise(sos, fmt, post_shift)


def test_a_low_corner_does_not_fit_q15():
    with pytest.raises(ConfigError, match=r"sos\[0\]: the numerator rounds to nothing in Q1\.15"):
        quantise(butterworth("lowpass", 20, 48000), Q15)


@pytest.mark.parametrize(
    ("coef", "post_shift", "says"),
    [
        ([[1, 2, 3, 4, 5]], 0, "coef: list found; int16 or int32 needed"),
        (np.zeros((1, 5)), 0, "coef: float64 found"),
        (np.zeros((1, 6), np.int16), 0, r"coef: shape \(1, 6\) found; \(sections, 5\) needed"),
        (np.zeros((1, 5), np.int16), -1, "post_shift=-1: must be from 0 to 14"),
    ],
)
def test_bad_integers_are_refused(coef, post_shift, says):
    with pytest.raises(ConfigError, match=says):
        from_integers(coef, post_shift)


@pytest.mark.parametrize("kind", ["lowpass", "highpass"])
@pytest.mark.parametrize("corner_hz", [0, 24000, -5, math.nan])
def test_corner_outside_its_range_is_refused(kind, corner_hz):
    with pytest.raises(ConfigError, match=r"corner_hz=.*: must be above 0 and below 24000"):
        butterworth(kind, corner_hz, 48000)
    with pytest.raises(ConfigError, match="kind='allpass': must be lowpass or highpass"):
        butterworth("allpass", 1000, 48000)


# --- by hand ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("arith", "expected"), [("rnd", [2, -1, 1, 0]), ("cmsis", [1, -1, 0, -1])])
def test_one_pole_by_hand(arith, expected):
    # y = 0.5 x - 0.5 y[n-1], x = 3: RND 1.5 -> 2, -1 -> -1, 0.5 -> 1, -0.5 -> 0;
    # TRN 1.5 -> 1, -0.5 -> -1, 0.5 -> 0, 0 -> 0 and then x = -1: -0.5 -> -1.
    params = from_integers(np.array([[1 << 14, 0, 0, -(1 << 14), 0]], np.int16), 0)
    x = np.array([3, 0, 0, 0] if arith == "rnd" else [3, 0, 0, -1], np.int16)
    assert filtered(params, x, arith).tolist() == expected


@pytest.mark.parametrize(("dtype", "bits"), [(np.int16, 16), (np.int32, 32)])
def test_overflow_saturates_and_in_cmsis_q31_wraps(dtype, bits):
    top = 1 << (bits - 1)
    # Gain of -2 of -1: +2. Both formats saturate; 2 in CMSIS-DSP's Q1.31 wraps to 0.
    params = from_integers(np.array([[-top, 0, 0, 0, 0]], dtype), 1)
    x = np.array([-top, top - 1], dtype)
    assert filtered(params, x).tolist() == [top - 1, -top]
    # -2 (1 - LSB) = -2 + 2 LSB, which wraps to 2 LSB.
    assert filtered(params, x, "cmsis").tolist() == ([top - 1, -top] if bits == 16 else [0, 2])


# --- exact integers --------------------------------------------------------------------------


@pytest.mark.parametrize("arith", ["rnd", "cmsis"])
@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("post_shift", [0, 1, 7, 14])
def test_every_bit_is_that_of_exact_integers(fmt, arith, post_shift, rng):
    low, high = fmt.min_int, fmt.max_int
    coef = rng.integers(low, high + 1, (3, 5))
    if arith == "rnd":
        coef >>= 2  # room
    params = from_integers(coef.astype(fmt.dtype), post_shift)
    for values in (rng.integers(low, high + 1, 200), rng.choice([low, high, 0, 1, -1], 200)):
        x = values.astype(fmt.dtype)
        expected = exact_cascade(params, x, narrowing(fmt.bits, arith, post_shift))
        assert filtered(params, x, arith).tolist() == expected


# --- reference -------------------------------------------------------------------------------

# Largest error in LSB and SNR in dB against float64 with the rounded coefficients, measured.
MEASURED = {
    (Q15, "lowpass", "rnd"): (22.3, 50.5),
    (Q15, "lowpass", "cmsis"): (83.2, 28.9),
    (Q15, "highpass", "rnd"): (18.0, 66.3),
    (Q15, "highpass", "cmsis"): (50.0, 49.1),
    (Q31, "lowpass", "rnd"): (19.2, 146.7),
    (Q31, "lowpass", "cmsis"): (86.8, 124.9),
    (Q31, "highpass", "rnd"): (18.0, 162.7),
    (Q31, "highpass", "cmsis"): (49.0, 145.4),
}


@pytest.mark.parametrize(("fmt", "kind", "arith"), MEASURED)
def test_cascade_against_float64(fmt, kind, arith, rng):
    params = quantise(np.stack([butterworth(kind, 1000, 48000)] * 2), fmt)
    x = np.floor(rng.uniform(-0.5, 0.5, 48000) * 2**fmt.n).astype(fmt.dtype)
    real = np.ldexp(params.coef.astype(float), params.post_shift - fmt.n)
    sos = np.concatenate([real[:, :3], np.ones((2, 1)), -real[:, 3:]], axis=1)
    expected = sosfilt(sos, x.astype(float))
    error = filtered(params, x, arith) - expected
    largest = np.abs(error).max()
    snr = 10 * math.log10(np.sum(expected**2) / np.sum(error**2))
    measured_lsb, measured_db = MEASURED[fmt, kind, arith]
    assert largest < 1.5 * measured_lsb, f"{largest:.1f} LSB, was {measured_lsb}"
    assert snr > measured_db - 3, f"{snr:.1f} dB, was {measured_db}"


def test_dead_band_of_a_low_pass_is_that_which_is_stated(rng):
    params = quantise(np.stack([butterworth("lowpass", 1000, 48000)] * 2), Q15)
    state = init_state(params)
    process_block(params, state, rng.integers(-16384, 16384, 48000).astype(np.int16))
    rest = process_block(params, state, np.zeros(20000, np.int16))[-500:]
    assert len(set(rest.tolist())) == 1, "a constant"
    assert 0 < abs(int(rest[0])) <= 44, f"{rest[0]} LSB"


# --- blocks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("arith", ["rnd", "cmsis"])
@pytest.mark.parametrize("fmt", FORMATS)
def test_blocks_of_any_size_give_the_bits_of_one(fmt, arith, rng):
    sections = [butterworth("lowpass", 1000, 48000), butterworth("highpass", 300, 48000)]
    params = quantise(sections, fmt)
    x = rng.integers(fmt.min_int, fmt.max_int + 1, 600).astype(fmt.dtype)
    state = init_state(params)
    parts = [process_block(params, state, part, arith) for part in np.split(x, [0, 1, 2, 5, 80, 81, 400])]
    assert np.array_equal(np.concatenate(parts), filtered(params, x, arith))
    assert not np.array_equal(parts[-1], filtered(params, x[400:], arith)), "the state matters"


def test_state_is_the_last_two_samples_of_each_section():
    params = from_integers(np.array([[1 << 14, 0, 0, 0, 0], [1 << 14, 0, 0, 0, 0]], np.int16), 0)
    state = init_state(params)
    process_block(params, state, np.array([400, 800, 1600], np.int16))
    assert state.tolist() == [[1600, 800, 800, 400], [800, 400, 400, 200]]


def test_input_is_left_unchanged(rng):
    params = quantise(butterworth("lowpass", 1000, 48000), Q15)
    x = rng.integers(-32768, 32768, 100).astype(np.int16)
    before = x.copy()
    filtered(params, x)
    assert np.array_equal(x, before)


def test_bad_blocks_are_refused():
    params = quantise(butterworth("lowpass", 1000, 48000), Q15)
    x = np.zeros(4, np.int16)
    with pytest.raises(AudioError, match=r"x: int32 \(4,\) found; \(n,\) int16 needed"):
        filtered(params, x.astype(np.int32))
    with pytest.raises(AudioError, match=r"x: int16 \(1, 4\) found"):
        filtered(params, x[None])
    with pytest.raises(AudioError, match="x: list found"):
        filtered(params, [1, 2])
    with pytest.raises(ConfigError, match=r"state: int16 \(2, 4\) found; int16 \(1, 4\) needed"):
        process_block(params, np.zeros((2, 4), np.int16), x)
    with pytest.raises(ConfigError, match="arith='q31': must be rnd or cmsis"):
        filtered(params, x, "q31")
    loud = from_integers(np.full((1, 5), -(1 << 31), np.int32), 0)
    with pytest.raises(ConfigError, match="params: a section's magnitudes sum to 2\\*\\*32 or more"):
        filtered(loud, x.astype(np.int32))
