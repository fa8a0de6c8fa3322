"""Look-ahead limiter: no sample leaves above the threshold, whatever enters."""

import numpy as np

from firmware_model.dynamics.compressor import ramp_step
from firmware_model.dynamics.settings.tuning import LimiterParams
from firmware_model.dynamics.state import CLOCK_RELEASE, CLOCK_WANT, LimiterState
from fixedpoint._jit import kernel
from fixedpoint.arith import narrow32, rnd_shift, shl, trn_shift
from fixedpoint.elementary import reciprocal
from fixedpoint.filters.biquad import smooth

_ONE_Q31 = 1 << 31
_BELOW = 28  # the quotient is made smaller by 2**-28 of itself, twice the largest error of the reciprocal


@kernel
def ceil_shift(x, n):
    """x * 2**-n rounded up, for 0 <= x <= 2**62.

    0 <= n <= 62.
    """
    return trn_shift(x + (np.int64(1) << n) - 1, n)


@kernel
def attenuation_for(threshold_q27, peak_q27):
    """Least attenuation a with peak (1 - a) <= threshold, or up to 2**-27 more.

    Parameters
    ----------
    threshold_q27 : 1 to 2**27
    peak_q27 : 0 to 2**31

    Returns
    -------
    Q1.31, 0 to 2**31 - 1; 0 exactly where peak <= threshold

    Notes
    -----
    r = threshold / peak by `reciprocal`, whose relative error is at most 2**-29; r - r 2**-28 - 1 is below
    the true quotient, so that peak * (2**31 - a) <= threshold * 2**31 holds in integers.
    1 < peak <= 2**31 => -61 <= exponent <= -31.
    """
    if peak_q27 <= threshold_q27:
        return np.int64(0)
    mantissa, exponent = reciprocal(peak_q27)  # 1/peak = mantissa * 2**exponent, exponent -61 to -31
    ratio_q31 = trn_shift(threshold_q27 * mantissa, -exponent - 31)
    ratio_q31 = ratio_q31 - trn_shift(ratio_q31, _BELOW) - 1
    if ratio_q31 < 1:
        return np.int64(_ONE_Q31 - 1)
    return _ONE_Q31 - ratio_q31


@kernel
def hold(params: LimiterParams, state: LimiterState, row, want_q31):
    """Largest of the last blocks + 1 wants, Q1.31, of which the last is passed.

    The ring is a segment of as many wants. Those of this turn stand before the clock's position, of the turn
    before after it, each as the largest from there to the segment's end: made so once a turn.
    Source: M. van Herk, Pattern Recognition Letters 13 (1992); J. Gil, M. Werman, IEEE PAMI 15 (1993).
    """
    position = np.int64(state.clock[CLOCK_WANT])
    if position == 0:
        largest = np.int64(0)
        for i in range(params.blocks + 1):
            if state.want_q31[row, params.blocks - i] > largest:
                largest = np.int64(state.want_q31[row, params.blocks - i])
            state.want_q31[row, params.blocks - i] = largest
        state.since_q31[row] = 0
    state.want_q31[row, position] = want_q31
    if state.since_q31[row] > want_q31:
        want_q31 = np.int64(state.since_q31[row])
    state.since_q31[row] = want_q31
    if position < params.blocks and state.want_q31[row, position + 1] > want_q31:
        return np.int64(state.want_q31[row, position + 1])
    return want_q31


@kernel
def next_attenuation(params: LimiterParams, state: LimiterState, row, want_q31):
    """Attenuation at the end of the block that leaves now, from that which the block that enters asks for.

    Parameters
    ----------
    want_q31 : Q1.31, 0 to 2**31 - 1

    Returns
    -------
    Q1.31, 0 to 2**31 - 1

    Notes
    -----
    held: largest of the last blocks + 1 wants. released: at once up to held, down to it exponentially.
    The result is the mean over the last `blocks` of released, rounded up.
    Arithmetic: sum below 2**37, times 1/blocks rounded up: below 2**62 + 2**37. Every rounding is upwards.
    """
    held_q31 = hold(params, state, row, want_q31)
    held_q62 = shl(held_q31, 31)
    released_q62 = smooth(np.int64(state.released_q62[row]), held_q62, params.release_q31[row])
    if released_q62 < held_q62:
        released_q62 = held_q62
    state.released_q62[row] = released_q62
    # mean of the last blocks
    released_q31 = ceil_shift(released_q62, 31)
    position = state.clock[CLOCK_RELEASE]
    total_q31 = np.int64(state.sum_q31[row]) + released_q31 - np.int64(state.released_q31[row, position])
    state.released_q31[row, position] = released_q31
    state.sum_q31[row] = total_q31
    mean_q31 = ceil_shift(total_q31 * params.inverse_q31, 31)
    if mean_q31 > _ONE_Q31 - 1:
        return np.int64(_ONE_Q31 - 1)
    return mean_q31


@kernel
def exchange_row(x_q27, delay_q27, row, first, keep_q30, step_q30):
    """Exchange a block with the delayed one from column `first`, times a gain that rises by `step`; RND."""
    for n in range(x_q27.shape[1]):
        keep_q30 = narrow32(keep_q30 + step_q30)
        v = np.int64(delay_q27[row, first + n])
        delay_q27[row, first + n] = x_q27[row, n]
        x_q27[row, n] = rnd_shift(v * keep_q30, 30)


@kernel
def limit_block(params: LimiterParams, state: LimiterState, row, ramp_q32, channels, peak_q27, x_q27):
    """Limit one control block in place: x enters, the block of `blocks` blocks ago leaves.

    Parameters
    ----------
    row : int, which limiter; its channels are rows row * channels and up of x_q27
    ramp_q32 : int, one over the samples in a control block, Q.32
    peak_q27 : 0 to 2**31, Q5.27, largest magnitude of what enters
    x_q27 : (rows * channels, samples) int32, Q5.27

    Returns
    -------
    Q1.31, attenuation at the end of the block that left

    Notes
    -----
    |y| <= threshold, as an integer fact, for every input. Let block j ask for a_j, so that
    |x| (2**31 - a_j) <= T 2**31 for each of its samples (`attenuation_for`). It leaves at step k = j + L.
    => held at steps j to j + L is >= a_j, since it is the largest of the last L + 1 wants;
    => released at those steps is >= a_j, since it never falls below held;
    => the means at steps k - 1 and k are >= a_j: they are over steps within j to j + L, and rounded up;
    => the gain of each sample lies between those of these two means, (2**31 - mean) / 2 rounded down, as the
       step of its ramp is rounded towards zero, so it is at most (2**31 - a_j) / 2, in Q2.30;
    => |x| gain 2**-30 <= |x| (2**31 - a_j) 2**-31 <= T, and RND keeps what is at most the integer T there.
    Full band, T is a multiple of an LSB of Q1.15, so that it holds after RND to Q1.15 as well. The channels
    of a linked limiter share a_j, the largest.
    Where nothing has asked for attenuation the block leaves unchanged, bit for bit.
    A gain of 1 is exact. peak_q27 must be no smaller than any magnitude that enters.
    Source: own design after the sliding minimum and moving average of common look-ahead limiters.
    """
    start_q31 = np.int64(state.attenuation_q31[row])
    want_q31 = np.int64(0)
    if params.threshold_q27[row] > 0:
        want_q31 = attenuation_for(np.int64(params.threshold_q27[row]), peak_q27)
    end_q31 = next_attenuation(params, state, row, want_q31)
    state.attenuation_q31[row] = end_q31
    keep_q30 = trn_shift(_ONE_Q31 - start_q31, 1)
    step_q30 = ramp_step(keep_q30, trn_shift(_ONE_Q31 - end_q31, 1), ramp_q32)
    first = np.int64(state.clock[CLOCK_RELEASE]) * x_q27.shape[1]
    for channel in range(channels):
        i = row * channels + channel
        exchange_row(x_q27, state.delay_q27, i, first, keep_q30, step_q30)
    return end_q31


@kernel
def advance(params: LimiterParams, state: LimiterState):
    """Turn the rings by one block, after all rows."""
    want = np.int64(state.clock[CLOCK_WANT]) + 1
    if want > params.blocks:
        want = np.int64(0)
    state.clock[CLOCK_WANT] = want
    position = np.int64(state.clock[CLOCK_RELEASE]) + 1
    if position >= params.blocks:
        position = np.int64(0)
    state.clock[CLOCK_RELEASE] = position
