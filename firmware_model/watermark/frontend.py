"""From samples to features: how far each narrow band stands out, now, from its neighbours and its past."""

import numpy as np

from firmware_model.watermark.params import (
    ACTIVITY_EDGE,
    ACTIVITY_RANGE,
    ACTIVITY_SHIFT,
    ACTIVITY_SPAN,
    FEATURE_STEPS,
    FLOOR_LOG2,
    LEAST_WEIGHT_Q15,
    LEVEL_EDGE,
    MEAN_SHIFT,
    NOISE_ACTIVITY,
    DetectorParams,
)
from firmware_model.watermark.state import CLOCK_FEATURE, CLOCK_INPUT, CLOCK_LEVEL, DetectorState
from fixedpoint._jit import kernel
from fixedpoint.arith import clip, narrow32, rnd_shift, rnd_shift32, sat16, shl, shl32, sign_changes
from fixedpoint.elementary import log2_of_positive_q24
from fixedpoint.filters.fft import rfft_in_place

_LEVEL_Q24_TO_Q8 = 16
_SLOT_Q39_TO_Q18 = 21
_CONTRAST_Q18_TO_Q12 = 6
_SQUARE_Q24_TO_Q12 = 12
CONTRAST_LIMIT_Q12 = 127 << 6  # +-127/64 of log2, 6 dB
FEATURE_LIMIT = 127
_ACTIVITY_BANDS = 2 * ACTIVITY_SPAN + 1
_NOISE_SUM_Q19 = round(_ACTIVITY_BANDS * NOISE_ACTIVITY * 2**19)
_WEIGHT_SCALE_Q31 = round(2**15 / (_ACTIVITY_BANDS * ACTIVITY_RANGE * 2**19) * 2**31)  # sum in Q.19 to Q.15
_FEATURE_SCALE, _FEATURE_SHIFT = FEATURE_STEPS >> 5, 27 - 5
_FLOOR_TOP = 60  # the floor's place in a mantissa where it would not fit beside the power


@kernel
def windowed_q30(sample_q15, weight_q31):
    """A Q1.15 sample times a Q1.31 weight, RND to Q2.30."""
    sample_q31 = shl32(sample_q15, 16)
    return narrow32(rnd_shift(sample_q31 * np.int64(weight_q31), 32))


@kernel
def load_frame(params: DetectorParams, state: DetectorState, x):
    """Put a hop of samples, x : (hop,) int16, into the ring and window the latest fft_size of them.

    The windowed frame goes to state.z, placed for the FFT; returns the OR of its `sign_changes`.

    Arithmetic: Q1.15 samples times Q1.31 window, RND to Q2.30. A window in Q1.15 would leave noise 98 dB
    below the loudest tone, far above what lies between tones.
    """
    n = np.int64(params.fft_size)
    mask = n - 1
    position = np.int64(state.clock[CLOCK_INPUT])
    for i in range(params.hop):
        state.input_q15[(position + i) & mask] = x[i]
    position = (position + params.hop) & mask
    state.clock[CLOCK_INPUT] = position
    # The oldest sample stands at the write position. The window rises for half a frame, then falls.
    mag = np.int64(1)
    for c in range(n >> 2):
        j = 2 * np.int64(c)
        k = 2 * np.int64(params.fft.place[c])
        even = windowed_q30(state.input_q15[(position + j) & mask], params.window_q31[j])
        odd = windowed_q30(state.input_q15[(position + j + 1) & mask], params.window_q31[j + 1])
        state.z[k], state.z[k + 1] = even, odd
        mag = (mag | sign_changes(even) | sign_changes(odd)) & 0xFFFFFFFF
    for c in range(n >> 2, n >> 1):
        j = 2 * np.int64(c)
        k = 2 * np.int64(params.fft.place[c])
        even = windowed_q30(state.input_q15[(position + j) & mask], params.window_q31[n - j])
        odd = windowed_q30(state.input_q15[(position + j + 1) & mask], params.window_q31[n - j - 1])
        state.z[k], state.z[k + 1] = even, odd
        mag = (mag | sign_changes(even) | sign_changes(odd)) & 0xFFFFFFFF
    return mag


@kernel
def place_floor(exponent):
    """The floor of 64 LSB**2 beside the power of mantissas of this block exponent, in `log_power_q24`.

    -30 <= exponent <= 17.

    Returns
    -------
    drop : bits to take from the power, RND, where the floor would stand above bit 60; else 0
    floor : int64, 2**6 LSB**2 at the mantissas' scale, 2**4 or more: no exponent is above 16, since
        frames are within 2**30 and grow by 1 + 2 bits at most in each of the FFT's four stages and by 2 after
    offset_q24 : Q.24, log2 of that scale
    """
    # |Y|^2 in LSB**2 = power * 2**scale; samples are Q.0 here, the window Q.15
    scale = 2 * np.int64(exponent) - 30
    place = FLOOR_LOG2 - scale
    drop = np.int64(0)
    if place > _FLOOR_TOP:
        drop = place - _FLOOR_TOP
        place = np.int64(_FLOOR_TOP)
    return drop, np.int64(1) << place, shl(scale + drop, 24)


@kernel
def power(re, im):
    """|.|**2 of int32 mantissas of a bin, parts <= (1 + sqrt 2) 2**29: below 11.7 * 2**58 < 2**62."""
    return np.int64(re) * np.int64(re) + np.int64(im) * np.int64(im)


@kernel
def loud_band_q24(z, first, last, floor):
    """Sum over bins first to last - 1 of log2(|Y|^2 + 64), less the offset of `place_floor`, Q8.24 each.

    z : as in `DetectorState`; power and floor together < 2**63. Error: that of log2_q24, 2**-23 a bin.
    """
    acc_q24 = np.int64(0)
    for k in range(first, last):
        acc_q24 += log2_of_positive_q24(power(z[2 * k], z[2 * k + 1]) + floor)
    return acc_q24


@kernel
def quiet_band_q24(z, first, last, floor, drop):
    """`loud_band_q24` of the quietest frames: the lowest bits of the power are dropped, RND.

    0 <= drop <= 62.
    """
    acc_q24 = np.int64(0)
    for k in range(first, last):
        acc_q24 += log2_of_positive_q24(rnd_shift(power(z[2 * k], z[2 * k + 1]), drop) + floor)
    return acc_q24


@kernel
def band_levels(z, level_q8, level_sum_q8, row, bands, first_bin, shift, exponent) -> None:
    """Mean log power of every band into a row of the level ring, and the sum over the ring's rows.

    z, level_q8, level_sum_q8 : as in `DetectorState`; first_bin, shift : lowest bin, log2 of a band's bins;
    0 <= shift <= 4, -28 <= exponent <= 16 as in `place_floor`
    """
    drop, floor, offset_q24 = place_floor(exponent)
    bins = np.int64(1) << (shift & 31)
    first = first_bin
    for band in range(bands):
        if drop == 0:
            acc_q24 = loud_band_q24(z, first, first + bins, floor)
        else:
            acc_q24 = quiet_band_q24(z, first, first + bins, floor, drop)
        first = narrow32(first + bins)
        # Q8.8, 16 + shift bits fewer; below 2**20 before the last of them
        acc_q24 += shl(offset_q24, shift)
        level = sat16(rnd_shift32(acc_q24 >> (_LEVEL_Q24_TO_Q8 - 1), 1 + shift))
        at = np.int64(band) + LEVEL_EDGE
        level_sum_q8[at] = np.int64(level_sum_q8[at]) + level - np.int64(level_q8[row, band])
        level_q8[row, band] = level


@kernel
def update_levels(params: DetectorParams, state: DetectorState, exponent) -> None:
    """Mean log power of every band into the ring of a slot's hops, and the sum over that ring.

    Arithmetic: levels are 6 to 50 (full scale), Q8.8 by RND; sums over at most 64 hops < 2**20. Adding the
    new and taking away the oldest level is exact, so that the recursion cannot drift. -28 <= exponent <= 16.
    """
    row = np.int64(state.clock[CLOCK_LEVEL])
    bands = np.int64(params.bands)
    sums = state.level_sum_q8
    band_levels(state.z, state.level_q8, sums, row, bands, params.first_bin, params.band_shift, exponent)
    # Edges repeated.
    for d in range(LEVEL_EDGE):
        sums[d] = sums[LEVEL_EDGE]
        sums[bands + LEVEL_EDGE + d] = sums[bands + LEVEL_EDGE - 1]
    row += 1
    if row == params.slot_hops:
        row = np.int64(0)
    state.clock[CLOCK_LEVEL] = row


@kernel
def update_features(params: DetectorParams, state: DetectorState) -> None:
    """Slot level less its four neighbours' mean, less its own running mean, into the work area.

    Arithmetic: four times the slot sum less the neighbours' sums, |.| < 2**23 in Q.8, times 1/(4 slot_hops)
    in Q.31 < 2**54, RND to Q.18; the running mean recursion M += F - M/32 keeps M = 32 mean in Q.18, that
    is the mean in Q9.23, |M| <= 32 max|F| + 32 < 2**31 for |F| <= 128 * 2**18 / 2; X = F - M/32 by RND to
    Q.12, SAT at +-127/64. Mean square: A += X^2 - A/128 in Q.12, RND, that is its mean in Q.19, < 2**21.
    """
    bands = np.int64(params.bands)
    slot_scale_q31 = narrow32(params.slot_scale_q31)
    sums = state.level_sum_q8
    activity = state.activity_q19
    for band in range(bands):
        # Frequency: difference to the neighbours.
        around = np.int64(sums[band]) + np.int64(sums[band + 1])
        around += np.int64(sums[band + 3]) + np.int64(sums[band + 4])
        difference = narrow32(4 * np.int64(sums[band + 2]) - around)
        whitened_q18 = narrow32(rnd_shift(difference * slot_scale_q31, _SLOT_Q39_TO_Q18))  # Q.18
        # Time: difference to the running mean.
        mean_q23 = np.int64(state.mean_q23[band])
        mean_q23 = narrow32(mean_q23 + whitened_q18 - rnd_shift32(mean_q23, MEAN_SHIFT))
        state.mean_q23[band] = mean_q23
        contrast_q18 = narrow32(whitened_q18 - rnd_shift32(mean_q23, MEAN_SHIFT))
        contrast_q12 = rnd_shift32(contrast_q18, _CONTRAST_Q18_TO_Q12)  # Q.12
        contrast_q12 = clip(contrast_q12, -CONTRAST_LIMIT_Q12, CONTRAST_LIMIT_Q12)
        state.work[band] = contrast_q12
        # Mean square.
        square_q12 = rnd_shift32(contrast_q12 * contrast_q12, _SQUARE_Q24_TO_Q12)
        i = np.int64(band) + ACTIVITY_EDGE
        activity_q19 = np.int64(activity[i])
        activity[i] = activity_q19 + square_q12 - rnd_shift32(activity_q19, ACTIVITY_SHIFT)
    # Edges repeated.
    for d in range(ACTIVITY_EDGE):
        activity[d] = activity[ACTIVITY_EDGE]
    for d in range(ACTIVITY_SPAN):
        activity[bands + ACTIVITY_EDGE + d] = activity[bands + ACTIVITY_EDGE - 1]


@kernel
def weigh(contrast_q12, activity_q19, feature, row, bands):
    """Contrasts times their bands' weights into a row of the feature ring; arrays as in `DetectorState`.

    Returns the row's sum of squares, < 2**25.

    Arithmetic: sum of 17 mean squares < 2**26 in Q.19, less that of noise, times 2**-16 / (17 * 0.25) in
    Q.31 < 2**51, RND to Q1.15, limited; Q.12 times Q.15 times 96, as 3 with 5 fractional bits fewer, is
    below 2**30; RND, SAT at +-127.
    """
    energy = np.int64(0)
    total_q19 = np.int64(0)
    for d in range(_ACTIVITY_BANDS):
        total_q19 = narrow32(total_q19 + np.int64(activity_q19[d]))
    for band in range(bands):
        # Window from band - 8 to band + 8: one in, one out.
        total_q19 += np.int64(activity_q19[band + _ACTIVITY_BANDS]) - np.int64(activity_q19[band])
        total_q19 = narrow32(total_q19)
        above_q19 = narrow32(total_q19 - _NOISE_SUM_Q19)
        weight_q15 = narrow32(rnd_shift(above_q19 * _WEIGHT_SCALE_Q31, 31)) + LEAST_WEIGHT_Q15
        weight_q15 = clip(weight_q15, LEAST_WEIGHT_Q15, 1 << 15)
        value = rnd_shift32(np.int64(contrast_q12[band]) * weight_q15 * _FEATURE_SCALE, _FEATURE_SHIFT)
        value = narrow32(clip(value, -FEATURE_LIMIT, FEATURE_LIMIT))  # 1/96 of log2
        feature[row, band] = value
        energy = narrow32(energy + value * value)
    return energy


@kernel
def weigh_features(params: DetectorParams, state: DetectorState) -> None:
    """Features times the weight of their band, 0.3 to 1, into the feature ring.

    Bands where the features vary no more than in stationary noise count least: there the room's noise hides
    the programme. The weight does not depend on the key, so that it leaves the score's distribution over
    keys as it is.
    """
    row = np.int64(state.clock[CLOCK_FEATURE])
    energy = weigh(state.work, state.activity_q19, state.feature, row, np.int64(params.bands))
    state.energy[row] = energy


@kernel
def process_frontend(params: DetectorParams, state: DetectorState, x, probes) -> None:
    """A hop of samples to one row of features, at the feature clock, which `process_frame` advances.

    probes : None, or `state.DetectorProbes`; -28 <= exponent <= 16, see `place_floor`
    """
    mag = load_frame(params, state, x)
    exponent = rfft_in_place(params.fft, state.z, mag)
    level_row = np.int64(state.clock[CLOCK_LEVEL])
    update_levels(params, state, exponent)
    update_features(params, state)
    weigh_features(params, state)
    if probes is not None:
        probes.exponent[0] = exponent
        for band in range(params.bands):
            probes.band_level_q8[band] = state.level_q8[level_row, band]
            probes.slot_sum_q8[band] = state.level_sum_q8[band + LEVEL_EDGE]
            probes.feature[band] = state.feature[state.clock[CLOCK_FEATURE], band]
