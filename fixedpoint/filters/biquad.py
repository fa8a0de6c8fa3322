"""Second-order Butterworth sections as state-variable filters, and a first-order smoother.

The section is the trapezoidal state-variable filter: two integrators, whose one pair of states gives
low-pass, band-pass, high-pass and all-pass of the same corner. It has the transfer functions of a direct-form
biquad, and in fixed point it has what that lacks: a corner of 20 Hz at 96 kHz costs no accuracy (coefficients
are near 0 and 1, not near 2, states are no larger than the signal), and nothing is rounded inside the
integrators. On a Cortex-M4 a sample is three multiply-accumulates of 32 by 32 into 64 bits and a few shifts;
the upper word of an integrator is read for nothing.
"""

import math
from typing import NamedTuple

from fixedpoint._jit import kernel
from fixedpoint.arith import narrow32, shl, trn_shift
from fixedpoint.errors import ConfigError
from fixedpoint.qformat import QFormat

SIGNAL_FRAC_BITS = 27  # signals are int32 in Q5.27: 24 dB above full scale
BAND_FRAC_BITS = 58  # first integrators are int64 in Q6.58: their upper word is Q6.26
LOW_FRAC_BITS = 54  # second integrators are int64 in Q10.54
# What integrators hold at rest: half an LSB of what is read of them, so that truncation there is rounding.
REST_Q58 = 1 << 31
REST_Q54 = 1 << 26
DAMPING = math.sqrt(2)  # 1/Q of a Butterworth section
MAX_RATIO = 0.45  # corner over sample rate; nearer to 1/2 the states outgrow the signal

_LOW_SHIFT = LOW_FRAC_BITS - SIGNAL_FRAC_BITS
_Q5_27 = QFormat(5, 27)
_SEARCH = 3  # LSB of drive_q31 either side of its value, among which hold_q31 is nearest to an integer


class Section(NamedTuple):
    """Coefficients of a Butterworth section of corner f at sample rate fs; G = tan(pi f/fs).

    gain_q27 : Q5.27, 2 G, from band-pass to the second integrator
    drive_q31 : Q1.31, 2 G d, d = 1 / (1 + sqrt(2) G + G^2), from the input to the first
    hold_q31 : Q1.31, 1 - 2 G d (sqrt(2) + G), from the first to itself
    bend_q29 : Q3.29, 2 sqrt(2), from band-pass to all-pass
    """

    gain_q27: int
    drive_q31: int
    hold_q31: int
    bend_q29: int


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
    The others follow from the *rounded* gain, so that its rounding moves the corner alone: by at most 3e-6 of
    itself at 20 Hz and 96 kHz, 5e-7 at 60 Hz and 48 kHz. A crossover's high band far below its edge is a
    small difference of all-pass and low-pass, which needs 1 - hold = drive (sqrt(2) + G) to many digits: of
    the drives within 3 LSB the one is taken that rounds the hold least.
    Source: bilinear transform; V. Zavalishin, "The art of VA filter design", ch. 3-4; the search own design.
    """
    if not 1 <= corner_hz <= MAX_RATIO * fs_hz:
        raise ConfigError(f"corner_hz={corner_hz}: must be from 1 to {MAX_RATIO * fs_hz:g} at {fs_hz:g} Hz")
    gain_q27 = int(_Q5_27.quantise(2 * math.tan(math.pi * corner_hz / fs_hz)))
    half = gain_q27 * 2.0**-28
    nearest = round(2 * half / (1 + DAMPING * half + half * half) * 2**31)
    losses = {drive: drive * (DAMPING + half) for drive in range(nearest - _SEARCH, nearest + _SEARCH + 1)}
    drive_q31 = min(losses, key=lambda drive: abs(losses[drive] - round(losses[drive])))
    return Section(gain_q27, drive_q31, (1 << 31) - round(losses[drive_q31]), round(2 * DAMPING * 2**29))


@kernel
def svf(x_q27, s1_q58, s2_q54, gain_q27, drive_q31, hold_q31):
    """One sample of a state-variable section.

    Parameters
    ----------
    x_q27 : int32 range, Q5.27
    s1_q58, s2_q54 : int64, Q6.58 and Q10.54, the integrators; REST_Q58 and REST_Q54 at rest
    gain_q27, drive_q31, hold_q31 : int32 range, see `Section`

    Returns
    -------
    band_q27 : int32 range, Q5.27, band-pass
    low_q27 : int32 range, Q5.27, low-pass
    s1_q58, s2_q54 : the integrators after this sample

    Notes
    -----
    With G = tan(pi f/fs), k = sqrt(2) and hp = (x - s2 - (k + G) s1) / (1 + k G + G^2):
        s1' = s1 + 2 G hp,  bp = (s1 + s1')/2;  s2' = s2 + 2 G bp,  lp = (s2 + s2')/2
    => x = hp + k bp + lp, and the all-pass is x - 2 k bp (`allpass_of`).
    => s1' = s1 + drive (x - s2) - (1 - hold) s1. In the last two terms s1 is its upper word, and s1 less that
       is its lower word: s1' = lower word + drive (x - s2) + hold (upper word).
    Arithmetic: the integrators hold whole products, unrounded. They are truncated where they are read, to
    Q6.26 and Q5.27, which is RND, since at rest they hold half such an LSB.
    Nothing saturates: no node may exceed 16, which is the caller's to show. The largest L1 norm from input to
    node is that of x - s2 at the highest corner, 7.0; products are below 2**62, their sum below 2**63.
    Error: on full-scale noise low-pass 2.4, all-pass 7.6 LSB of Q5.27 at 60 Hz to 12 kHz of 48 kHz; 14 and
    31 at 21 kHz, where a gain of 10 enlarges what was rounded before it; tests/fixedpoint/test_biquad.py.
    Rest: on constant input bp = 0 and lp = x to the bit at 60 and 1000 Hz of 48 kHz; limit cycles of 1 LSB of
    Q5.27 stay at 7 and 12 kHz, of 6 at 21 kHz; tested likewise. A chain of sections may enlarge them.
    """
    s1_q26 = narrow32(trn_shift(s1_q58, 32))
    s2_q27 = narrow32(trn_shift(s2_q54, _LOW_SHIFT))
    # first integrator
    rest_q27 = narrow32(x_q27 - s2_q27)
    s1_next_q58 = (
        (s1_q58 & 0xFFFFFFFF) + narrow32(drive_q31) * rest_q27 + narrow32(hold_q31) * narrow32(2 * s1_q26)
    )
    band_q27 = narrow32(s1_q26 + narrow32(trn_shift(s1_next_q58, 32)))
    # second integrator
    s2_next_q54 = s2_q54 + narrow32(gain_q27) * band_q27
    s2_next_q27 = narrow32(trn_shift(s2_next_q54, _LOW_SHIFT))
    low_q27 = narrow32(s2_next_q27 + trn_shift(s2_q27, 1) - trn_shift(s2_next_q27, 1))
    return band_q27, low_q27, s1_next_q58, s2_next_q54


@kernel
def allpass_of(x_q27, band_q27, bend_q29):
    """The section's all-pass, x - 2 sqrt(2) bp, Q5.27; the product TRN."""
    return narrow32(x_q27 - trn_shift(narrow32(bend_q29) * narrow32(band_q27), 29))


@kernel
def smooth(y, x, coef_q31):
    """First-order smoother y + c (x - y) on int64 values of any one format, TRN.

    Parameters
    ----------
    y, x : int64, |y|, |x| < 2**61, or 0 to 2**62 - 1
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
    return y + narrow32(high) * narrow32(coef_q31) + trn_shift(narrow32(low) * narrow32(coef_q31), 31)
