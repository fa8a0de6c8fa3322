"""From features to scores: how well the last two seconds follow a key's signs."""

import numpy as np

from firmware_model.watermark.params import SCORE_FRAC_BITS, SIGN_GROUP, DetectorParams
from firmware_model.watermark.state import CLOCK_FEATURE, CLOCK_HOP, CLOCK_SCORE, PEAK_LAST, DetectorState
from fixedpoint._jit import kernel
from fixedpoint.arith import narrow32, rnd_shift, sat16, trn_shift32, wrap16, wrap32
from fixedpoint.elementary import exp2_q24, log2_q24


@kernel
def oldest_row(params: DetectorParams, state: DetectorState):
    """Row of the feature ring that belongs to the first slot of a mark that ends now.

    The ring holds slots * slot_hops rows and the newest stands at the feature clock, so the first slot's
    row is slots - 1 slots earlier, that is one slot later in the ring.
    """
    row = np.int64(state.clock[CLOCK_FEATURE]) + params.slot_hops
    mark_hops = np.int64(params.slots) * params.slot_hops
    if row >= mark_hops:
        row -= mark_hops
    return row


@kernel
def sums_of_columns(feature, work, row, step, slots, bands):
    """Sum of all features in rows row, row + step, ..., and of the bands' squared sums, < 2**35.

    work : (bands,) int32, the bands' sums, |.| <= 32 * 127
    """
    for band in range(bands):
        work[band] = 0
    # Two rows at a time: slots is even.
    for slot in range(0, slots, 2):
        first, second = row + slot * step, row + (slot + 1) * step
        for band in range(bands):
            both = np.int64(feature[first, band]) + np.int64(feature[second, band])
            work[band] = np.int64(work[band]) + both
    total, square = np.int64(0), np.int64(0)
    for band in range(bands):
        s = np.int64(work[band])
        square += s * s
        total = narrow32(total + s)
    return total, square


@kernel
def score_variance(params: DetectorParams, state: DetectorState):
    """(slots - 1) times the variance of the correlation over all balanced keys, for these features.

    R sum X^2 - sum_b (sum_r X)^2, at most 32^2 * bands * 127^2 < 2**37. Needs no key: one for all. The clock
    is within slots * slot_hops => 31 turns at most to its first slot.

    Returns
    -------
    variance : as above
    total : sum of all features of the slots
    """
    # The rows of a mark that ends now, slot_hops apart; their order does not matter.
    step = np.int64(params.slot_hops)
    row = np.int64(state.clock[CLOCK_FEATURE])
    while row >= step:
        row -= step
    energy = np.int64(0)
    for slot in range(params.slots):
        energy += np.int64(state.energy[row + slot * step])
    total, square = sums_of_columns(
        state.feature, state.work, row, step, np.int64(params.slots), np.int64(params.bands)
    )
    return params.slots * energy - square, total


@kernel
def sums_of_positive(signs, feature, sign_row, column, row, groups, sums) -> None:
    """Add a row's features of sign +1 to sums : (4,) int32, one for each pattern of a row of signs.

    A multiplication by 0, 1, 2**16 or both adds a feature to the sums of two patterns at once; 16 bands keep
    each of them within 2**11.
    """
    for group in range(groups):
        i = column + 2 * group
        word_a, word_b = np.int64(signs[sign_row, i]), np.int64(signs[sign_row, i + 1])
        acc_a, acc_b = np.int64(0), np.int64(0)
        for half in range(2):
            at = SIGN_GROUP * group + 8 * half
            for b in range(8):
                x = np.int64(feature[row, at + b])
                acc_a = (acc_a + x * (word_a & 0x10001)) & 0xFFFFFFFF
                acc_b = (acc_b + x * (word_b & 0x10001)) & 0xFFFFFFFF
                word_a, word_b = trn_shift32(word_a, 1), trn_shift32(word_b, 1)
        low_a, low_b = wrap16(acc_a), wrap16(acc_b)
        sums[0] = np.int64(sums[0]) + low_a
        sums[1] = np.int64(sums[1]) + trn_shift32(wrap32(acc_a - low_a), 16)
        sums[2] = np.int64(sums[2]) + low_b
        sums[3] = np.int64(sums[3]) + trn_shift32(wrap32(acc_b - low_b), 16)


@kernel
def correlate(params: DetectorParams, state: DetectorState, sign_row, total) -> None:
    """sum over slots and bands of sign times feature, exact, for the four patterns of a row of signs.

    At most 32 * bands * 127 < 2**23. As signs are +1 or -1, it is twice the sum of the features of sign +1,
    less the sum of all, `total`.
    """
    mark_hops = np.int64(params.slots) * params.slot_hops
    groups = np.int64(state.feature.shape[1]) >> 4
    sums = state.sums
    for pattern in range(4):
        sums[pattern] = 0
    row = oldest_row(params, state)
    for slot in range(params.slots):
        sums_of_positive(params.signs, state.feature, sign_row, 2 * groups * slot, row, groups, sums)
        row += params.slot_hops
        if row >= mark_hops:
            row -= mark_hops
    for pattern in range(4):
        sums[pattern] = 2 * np.int64(sums[pattern]) - total


@kernel
def score_from(params: DetectorParams, acc, variance):
    """Correlation over its standard deviation, Q7.9, by logarithms: acc sqrt((slots - 1) / (variance + s)).

    s, the variance of features of 0.1 dB, lets the score fade where there is nothing but their rounding.
    Error: relative 2**-21, then half an LSB.
    """
    if acc == 0:
        return np.int64(0)
    magnitude = acc
    if acc < 0:
        magnitude = -acc
    spread = variance + params.silence_variance
    ratio_q25 = 2 * log2_q24(magnitude) - log2_q24(spread) + params.slots_log2_q24
    score_q9 = sat16(exp2_q24(rnd_shift(ratio_q25, 1), SCORE_FRAC_BITS))  # Q7.9
    if acc < 0:
        return -score_q9
    return score_q9


@kernel
def integrate(params: DetectorParams, state: DetectorState, key):
    """Best score over the last 1 to max_marks marks, and the fewest marks that reach the threshold.

    Z_M = (z_0 + ... + z_(M-1)) / sqrt(M), z_i the score i marks ago for pattern p - i (modulo max_marks),
    over every pattern p that may end now. Sums < 16 * 2**15, times Q1.15, RND. Marks that were reported
    are not added again: after a strong mark, silence must not look like another.

    Returns
    -------
    score_q9 : largest Z_M, Q.9
    marks : smallest M with a Z_M at or above the threshold; 0 if none is
    """
    count = np.int64(params.max_marks)
    mark_hops = np.int64(params.slots) * params.slot_hops
    fresh = np.int64(state.clock[CLOCK_HOP]) - np.int64(state.peak[key, PEAK_LAST]) - params.lockout_hops
    best = np.int64(-(1 << 30))
    marks = np.int64(0)
    for last_pattern in range(count):
        position = np.int64(state.clock[CLOCK_SCORE])
        pattern = np.int64(last_pattern)
        total = np.int64(0)
        for m in range(count):
            if m > 0 and m * mark_hops > fresh:
                break
            total += np.int64(state.score_q9[key * count + pattern, position])
            z_q9 = rnd_shift(total * np.int64(params.root_q15[m]), 15)  # Q.9
            if z_q9 > best:
                best = z_q9
            if z_q9 >= params.threshold_q9 and (marks == 0 or m < marks):
                marks = np.int64(m) + 1
            # One mark back: the pattern before, the position mark_hops earlier.
            pattern -= 1
            if pattern < 0:
                pattern = count - 1
            position -= mark_hops
            if position < 0:
                position += mark_hops * count
    return best, marks
