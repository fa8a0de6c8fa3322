"""State-variable sections: coefficients, one sample by hand, float64 filters, bounds, rest; the smoother."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, lfilter

from fixedpoint.errors import ConfigError
from fixedpoint.filters.biquad import MAX_RATIO, REST_Q54, REST_Q58, allpass_of, butterworth, smooth, svf

ONE = 1 << 27


def run_section(x_q27, section):
    """Band, low and all-pass of a signal; largest integrators."""
    s1, s2 = np.int64(REST_Q58), np.int64(REST_Q54)
    out = np.zeros((3, len(x_q27)), np.int64)
    largest = [0, 0]
    for n, x in enumerate(x_q27):
        band, low, s1, s2 = svf(np.int64(x), s1, s2, *map(np.int64, section[:3]))
        out[:, n] = band, low, allpass_of(np.int64(x), band, np.int64(section.bend_q29))
        largest = [max(a, abs(int(s))) for a, s in zip(largest, (s1, s2), strict=True)]
    return out, largest


# --- coefficients ----------------------------------------------------------------------------


def test_coefficients_by_hand():
    # f = fs/4: G = 1, 2 d = 2 / (2 + sqrt 2) = 0.58578644, 2 d (sqrt 2 + 1) = 1.41421356
    section = butterworth(12000, 48000)
    assert section.gain_q27 == 2 << 27
    assert abs(section.drive_q31 - 0.5857864376269049 * 2**31) <= 3.5
    assert section.hold_q31 == (1 << 31) - round(section.drive_q31 * (math.sqrt(2) + 1))
    assert section.bend_q29 == round(2.8284271247461903 * 2**29)


@pytest.mark.parametrize("fs_hz", [16000, 44100, 48000, 96000])
def test_hold_is_rounded_by_little(fs_hz):
    """A sixth of an LSB where any drive would leave half of one."""
    rounding = []
    for corner_hz in np.geomspace(20, MAX_RATIO * fs_hz, 2000):
        section = butterworth(corner_hz, fs_hz)
        g = section.gain_q27 * 2.0**-28
        assert abs(section.drive_q31 - 2**32 * g / (1 + math.sqrt(2) * g + g * g)) <= 3.5
        rounding.append(abs((1 << 31) - section.hold_q31 - section.drive_q31 * (math.sqrt(2) + g)))
    assert np.mean(rounding) < 0.07, f"mean {np.mean(rounding):.3f} LSB, largest {max(rounding):.3f}"


@pytest.mark.parametrize("corner_hz", [0.99, 0, -1, MAX_RATIO * 48000 + 0.1, math.nan, math.inf])
def test_corner_outside_its_range_is_refused(corner_hz):
    with pytest.raises(ConfigError, match=r"corner_hz=.*: must be from 1 to 21600 at 48000 Hz"):
        butterworth(corner_hz, 48000)


def corner_error(corner_hz, fs_hz):
    """How far rounding of the gain moves the corner, relative."""
    return abs(math.atan(butterworth(corner_hz, fs_hz).gain_q27 * 2.0**-28) * fs_hz / math.pi / corner_hz - 1)


@pytest.mark.parametrize(
    ("lowest_hz", "fs_hz", "stated"), [(60, 48000, 5e-7), (20, 96000, 3e-6), (20, 48000, 1.5e-6)]
)
def test_rounding_moves_the_corner_by_little(lowest_hz, fs_hz, stated):
    # Half an LSB of 2 tan(pi f/fs) at f: 2**-28 / (2 pi f/fs), 4.7e-7, 2.8e-6, 1.4e-6.
    error = max(corner_error(f, fs_hz) for f in np.geomspace(lowest_hz, MAX_RATIO * fs_hz, 3000))
    assert stated / 2 < error < stated, f"measured {error:.3g}, stated {stated}"


# --- one section -----------------------------------------------------------------------------


def test_one_sample_by_hand():
    # From rest s1' = 2 G d x, bp = s1'/2, s2' = 2 G bp, lp = s2'/2; G = 1: both outputs 0.29289322.
    section = butterworth(12000, 48000)
    rest = np.int64(REST_Q58), np.int64(REST_Q54)
    band, low, s1, s2 = svf(np.int64(ONE), *rest, *map(np.int64, section[:3]))
    assert s1 == REST_Q58 + section.drive_q31 * ONE  # Q6.58
    assert band == s1 >> 32  # half of it, Q5.27
    assert s2 == REST_Q54 + section.gain_q27 * band
    assert low == (s2 >> 27) - (s2 >> 28)
    assert band / 2**27 == pytest.approx(0.29289322, abs=2**-25)
    assert low / 2**27 == pytest.approx(0.29289322, abs=2**-25)
    # x - 2 sqrt(2) bp = 1 - 0.8284271 = 0.1715729
    all_pass = allpass_of(np.int64(ONE), band, np.int64(section.bend_q29))
    assert all_pass == ONE - (section.bend_q29 * int(band) >> 29)
    assert all_pass / 2**27 == pytest.approx(0.1715729, abs=2**-24)


# Largest error of low-pass, high-pass and all-pass in LSB of Q5.27 on full-scale noise, measured. At 20 Hz it
# is the corner's rounding; at high corners the gains, up to 12, that enlarge what is rounded before them.
MEASURED_LSB = {
    20: (6.3, 9.8, 17.6),
    60: (1.1, 2.4, 4.0),
    1000: (2.4, 3.8, 7.6),
    12000: (2.0, 3.1, 6.6),
    21000: (13.4, 18.7, 30.6),
}


@pytest.mark.parametrize("corner_hz", MEASURED_LSB)
def test_section_against_float64(corner_hz, rng):
    x = rng.integers(-ONE, ONE, 6000)
    (band, low, all_pass), _ = run_section(x, butterworth(corner_hz, 48000))
    b, a = butter(2, corner_hz, fs=48000)
    errors = [
        low - lfilter(b, a, x),
        x - low - math.sqrt(2) * band - lfilter(*butter(2, corner_hz, "high", fs=48000), x),
        all_pass - lfilter(a[::-1], a, x),
    ]
    for name, error, measured in zip(("low", "high", "all"), errors, MEASURED_LSB[corner_hz], strict=True):
        largest = np.abs(error).max()
        assert largest < 1.5 * measured, f"{name}-pass: {largest:.2f} LSB of Q5.27, was {measured}"


@pytest.mark.parametrize(
    ("corner_hz", "band_lsb", "low_lsb"),
    [(60, 0, 0), (1000, 0, 0), (7336, 1, 1), (12000, 1, 1), (21000, 3, 6)],
)
def test_a_constant_input_comes_to_rest(corner_hz, band_lsb, low_lsb, rng):
    """Band-pass nothing and low-pass the input, exactly at low corners, in LSB of Q5.27 at high ones."""
    largest = [0, 0]
    for level in (0, 1, -1, 12345, 3 * ONE + 7, -ONE):
        x = np.concatenate([rng.integers(-ONE, ONE, 500), np.full(5000, level)])
        (band, low, _), _ = run_section(x, butterworth(corner_hz, 48000))
        rest = abs(band[-200:]).max(), abs(low[-200:] - level).max()
        largest = np.maximum(largest, rest).tolist()
    assert largest[0] <= 2 * band_lsb, f"band-pass {largest[0]} LSB, was {band_lsb}"
    assert largest[1] <= 2 * low_lsb, f"low-pass {largest[1]} LSB, was {low_lsb}"


# --- range -----------------------------------------------------------------------------------


def l1_norms(corner_hz, fs_hz, samples=2000):
    """L1 norms from the input of a section to its nodes, in float64."""
    g = math.tan(math.pi * corner_hz / fs_hz)
    norms = dict.fromkeys(("x - s2", "s1", "s2", "high", "band", "low", "all"), 0.0)
    s1 = s2 = 0.0
    for n in range(samples):
        x = float(n == 0)
        band = (s1 + g * (x - s2)) / (1 + g * (g + math.sqrt(2)))
        low = s2 + g * band
        high = x - low - math.sqrt(2) * band
        nodes = (x - s2, s1, s2, high, band, low, x - 2 * math.sqrt(2) * band)
        norms = {name: norm + abs(node) for (name, norm), node in zip(norms.items(), nodes, strict=True)}
        s1, s2 = 2 * band - s1, s2 + 2 * g * band
    return norms


@pytest.mark.parametrize(
    ("ratio", "largest", "node"),
    [
        (0.02, 3.4, "all"),
        (0.25, 2.46, "x - s2"),
        (0.43, 5.30, "x - s2"),
        (MAX_RATIO, 6.98, "x - s2"),
    ],
)
def test_l1_norms_of_a_section(ratio, largest, node):
    """How much room a section needs: 16 over this."""
    norms = l1_norms(ratio, 1.0)
    found = max(norms, key=norms.get)
    assert norms[found] == pytest.approx(largest, rel=0.02), norms
    assert found == node, norms


@pytest.mark.parametrize("corner_hz", [500, 5000, 12000, 20000])
def test_no_wrap_on_the_worst_input_of_each_integrator(corner_hz):
    """The sign of the reversed impulse response, at full scale: the states reach their L1 norm, no more."""
    section = butterworth(corner_hz, 48000)
    states = []
    s1 = s2 = np.int64(0)
    for n in range(600):
        _, _, s1, s2 = svf(np.int64(ONE * (n == 0)), s1, s2, *map(np.int64, section[:3]))
        states.append((int(s1), int(s2)))
    norms = l1_norms(corner_hz, 48000)
    for i, name in enumerate(("s1", "s2")):
        signs = [ONE if s[i] >= 0 else -ONE for s in reversed(states)]
        _, largest = run_section(signs, section)
        assert largest[i] / 2.0 ** (58, 54)[i] == pytest.approx(norms[name], rel=1e-3)


# --- smoother --------------------------------------------------------------------------------

signed = st.integers(-(1 << 61) + 1, (1 << 61) - 1)
positive = st.integers(0, (1 << 62) - 1)


def test_smooth_by_hand():
    assert smooth(np.int64(0), np.int64(100), np.int64(1 << 30)) == 50
    assert smooth(np.int64(100), np.int64(0), np.int64(1 << 30)) == 50
    assert smooth(np.int64(0), np.int64(5), np.int64(1 << 30)) == 2  # 2.5, TRN
    assert smooth(np.int64(5), np.int64(0), np.int64(1 << 30)) == 2  # 5 - 2.5, TRN
    assert smooth(np.int64(0), np.int64(5), np.int64(0)) == 0


@given(st.tuples(signed, signed) | st.tuples(positive, positive), st.integers(0, (1 << 31) - 1))
def test_smooth_is_the_floor_of_its_formula_and_lies_between(pair, coef_q31):
    y, x = pair
    result = int(smooth(np.int64(y), np.int64(x), np.int64(coef_q31)))
    assert result == y + ((x - y) * coef_q31 >> 31)
    assert min(x, y) <= result <= max(x, y)


@pytest.mark.parametrize("coef_q31", [1 << 10, 71582, 1 << 24, (1 << 31) - 1])
def test_smooth_decays_to_nothing(coef_q31):
    y = np.int64(300)
    for _ in range(300):
        y = smooth(y, np.int64(0), np.int64(coef_q31))
    assert y == 0


@pytest.mark.parametrize("coef_q31", [71582, 1 << 24, 1 << 30])
def test_smooth_stops_below_a_steady_input_by_less_than_one_over_c(coef_q31):
    y, x = np.int64(0), np.int64(1 << 20)
    for _ in range(20 * (1 << 31) // coef_q31):
        y = smooth(y, x, np.int64(coef_q31))
    below = int(x - y)
    assert 0 < below < (1 << 31) / coef_q31
