"""Second-order Butterworth sections as state-variable filters, and a first-order smoother.

The section is the trapezoidal state-variable filter: two integrators, whose one pair of states gives
low-pass, band-pass, high-pass and all-pass of the same corner. It has the transfer functions of a direct-form
biquad, and in fixed point it has what that lacks: a corner of 20 Hz at 96 kHz costs no accuracy (coefficients
are near 0, not near 2, states are no larger than the signal), and nothing is rounded inside the integrators.
"""

import math
from typing import NamedTuple

import numpy as np

from fixedpoint._jit import kernel
from fixedpoint.arith import narrow32, rnd_shift, shl, trn_shift
from fixedpoint.errors import ConfigError
from fixedpoint.qformat import Q2_30, QFormat

SIGNAL_FRAC_BITS = 27  # signals are int32 in Q5.27: 24 dB above full scale
STATE_FRAC_BITS = 2 * SIGNAL_FRAC_BITS  # integrators are int64 in Q10.54
DAMPING = math.sqrt(2)  # 1/Q of a Butterworth section
ALLPASS_Q29 = round(2 * DAMPING * 2**29)
MAX_RATIO = 0.45  # corner over sample rate; nearer to 1/2 the states outgrow the signal

_Q5_27 = QFormat(5, 27)


class Section(NamedTuple):
    """Coefficients of a Butterworth section of corner f at sample rate fs; G = tan(pi f/fs).

    gain_q27 : Q5.27, 2 G, the gain of an integrator
    solve_q30 : Q2.30, d = 1 / (1 + sqrt(2) G + G^2)
    damp_q30 : Q2.30, d (sqrt(2) + G)
    """

    gain_q27: int
    solve_q30: int
    damp_q30: int


def butterworth(corner_hz: float, fs_hz: float) -> Section:
    """Coefficients of a second-order Butterworth section.

    Parameters
    ----------
    corner_hz : float, -3 dB point, 1 Hz to 0.45 fs_hz
    fs_hz : float, sample rate, hertz

    Raises
    ------
    ConfigError

    Notes
    -----
    The other two follow from the *rounded* gain, so that rounding moves the corner alone: by at most 3e-6 of
    itself at 20 Hz and 96 kHz, 5e-7 at 60 Hz and 48 kHz.
    Source: bilinear transform; V. Zavalishin, "The art of VA filter design", ch. 3-4.
    """
    if not 1 <= corner_hz <= MAX_RATIO * fs_hz:
        raise ConfigError(f"corner_hz={corner_hz}: must be from 1 to {MAX_RATIO * fs_hz:g} at {fs_hz:g} Hz")
    gain_q27 = int(_Q5_27.quantise(2 * math.tan(math.pi * corner_hz / fs_hz)))
    half = gain_q27 * 2.0**-28
    solve = 1 / (1 + DAMPING * half + half * half)
    return Section(gain_q27, int(Q2_30.quantise(solve)), int(Q2_30.quantise(solve * (DAMPING + half))))


@kernel
def svf(x_q27, s1_q54, s2_q54, gain_q27, solve_q30, damp_q30):
    """One sample of a state-variable section.

    Parameters
    ----------
    x_q27 : int32 range, Q5.27
    s1_q54, s2_q54 : int64, Q10.54, the integrators
    gain_q27, solve_q30, damp_q30 : int32 range, see `Section`

    Returns
    -------
    band_q27, low_q27 : int32 range, Q5.27, band-pass and low-pass
    s1_q54, s2_q54 : the integrators after this sample

    Notes
    -----
    With G = tan(pi f/fs) and k = sqrt(2):
        hp = (x - s2 - (k + G) s1) / (1 + k G + G^2)
        s1' = s1 + 2 G hp,  bp = (s1 + s1')/2;  s2' = s2 + 2 G bp,  lp = (s2 + s2')/2
    => x = hp + k bp + lp, and the all-pass is x - 2 k bp (`allpass_of`).
    Arithmetic: the integrators hold whole products, unrounded; they are rounded (RND) where they are read.
    Nothing saturates: no node may exceed 16, which is the caller's to show. The largest L1 norm from input to
    node is that of x - s2 at the highest corner, 7.0; gains are below 2**4, products below 2**62.
    At rest bp = 0 and lp = x within 1 / (2 d) LSB of Q5.27, at most 25. After silence five splits leave at
    most 8 LSB of Q5.27 with edges up to 0.3 fs, 101 (0.025 of a 16-bit LSB) with all of them near 0.45 fs.
    """
    s1_q27 = rnd_shift(s1_q54, SIGNAL_FRAC_BITS)
    s2_q27 = rnd_shift(s2_q54, SIGNAL_FRAC_BITS)
    high_q57 = np.int64(solve_q30) * narrow32(x_q27 - s2_q27) - np.int64(damp_q30) * s1_q27
    high_q27 = narrow32(rnd_shift(high_q57, 30))
    s1_next_q54 = s1_q54 + np.int64(gain_q27) * high_q27
    band_q27 = narrow32(rnd_shift(s1_q54 + s1_next_q54, SIGNAL_FRAC_BITS + 1))
    s2_next_q54 = s2_q54 + np.int64(gain_q27) * band_q27
    low_q27 = narrow32(rnd_shift(s2_q54 + s2_next_q54, SIGNAL_FRAC_BITS + 1))
    return band_q27, low_q27, s1_next_q54, s2_next_q54


@kernel
def allpass_of(x_q27, band_q27):
    """The section's all-pass, x - 2 sqrt(2) bp, Q5.27, RND."""
    return narrow32(x_q27 - rnd_shift(ALLPASS_Q29 * band_q27, 29))


@kernel
def smooth(y, x, coef_q31):
    """First-order smoother y + c (x - y) on int64 values of any one format, TRN.

    Parameters
    ----------
    y, x : int64, |y|, |x| <= 2**61, or 0 to 2**62
    coef_q31 : 0 to 2**31 - 1, Q1.31, c = 1 - exp(-T/tau)

    Returns
    -------
    int64, between y and x

    Notes
    -----
    Arithmetic: 64 by 31 bits in two products of at most 2**62. A decay to 0 reaches 0, since TRN takes away
    at least 1; the error of one step is below 1, that of a steady state below 1/c.
    """
    d = x - y
    high = trn_shift(d, 31)
    low = d - shl(high, 31)
    return y + high * np.int64(coef_q31) + trn_shift(low * np.int64(coef_q31), 31)
