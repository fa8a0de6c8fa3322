"""From features to scores: how well the last two seconds follow a key's signs."""

import numpy as np

from firmware_model.watermark.params import SCORE_FRAC_BITS, DetectorParams
from firmware_model.watermark.state import CLOCK_FEATURE, CLOCK_HOP, CLOCK_SCORE, PEAK_LAST, DetectorState
from fixedpoint._jit import kernel
from fixedpoint.arith import rnd_shift, sat16
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
def score_variance(params: DetectorParams, state: DetectorState):
    """(slots - 1) times the variance of the correlation over all balanced keys, for these features.

    R sum X^2 - sum_b (sum_r X)^2, at most 32^2 * bands * 127^2 < 2**37. Needs no key: one for all.
    """
    mark_hops = np.int64(params.slots) * params.slot_hops
    for band in range(params.bands):
        state.work[band] = 0
    energy = np.int64(0)
    row = oldest_row(params, state)
    for _ in range(params.slots):
        for band in range(params.bands):
            x = np.int64(state.feature[row, band])
            energy += x * x
            state.work[band] = np.int64(state.work[band]) + x
        row += params.slot_hops
        if row >= mark_hops:
            row -= mark_hops
    square = np.int64(0)
    for band in range(params.bands):
        s = np.int64(state.work[band])
        square += s * s
    return params.slots * energy - square


@kernel
def correlate(params: DetectorParams, state: DetectorState, sign_row):
    """sum over slots and bands of sign times feature, exact: at most 32 * bands * 127 < 2**23."""
    mark_hops = np.int64(params.slots) * params.slot_hops
    acc = np.int64(0)
    i = np.int64(0)
    row = oldest_row(params, state)
    for _ in range(params.slots):
        for band in range(params.bands):
            acc += np.int64(params.signs[sign_row, i + band]) * np.int64(state.feature[row, band])
        i += params.bands
        row += params.slot_hops
        if row >= mark_hops:
            row -= mark_hops
    return acc


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
