"""From samples to features: how far each narrow band stands out, now, from its neighbours and its past."""

import numpy as np

from firmware_model.watermark.params import (
    ACTIVITY_RANGE,
    ACTIVITY_SHIFT,
    ACTIVITY_SPAN,
    FEATURE_STEPS,
    FLOOR_LOG2,
    LEAST_WEIGHT_Q15,
    MEAN_SHIFT,
    NOISE_ACTIVITY,
    DetectorParams,
)
from firmware_model.watermark.state import CLOCK_FEATURE, CLOCK_INPUT, CLOCK_LEVEL, DetectorState
from fixedpoint._jit import kernel
from fixedpoint.arith import clip, rnd_shift, sat16, shl
from fixedpoint.elementary import log2_q24
from fixedpoint.fft import rfft_bfp

_LEVEL_Q24_TO_Q8 = 16
_SLOT_Q39_TO_Q18 = 21
_CONTRAST_Q18_TO_Q12 = 6
_SQUARE_Q24_TO_Q12 = 12
CONTRAST_LIMIT_Q12 = 127 << 6  # +-127/64 of log2, 6 dB
FEATURE_LIMIT = 127
_ACTIVITY_BANDS = 2 * ACTIVITY_SPAN + 1
_NOISE_SUM_Q19 = round(_ACTIVITY_BANDS * NOISE_ACTIVITY * 2**19)
_WEIGHT_SCALE_Q31 = round(2**15 / (_ACTIVITY_BANDS * ACTIVITY_RANGE * 2**19) * 2**31)  # sum in Q.19 to Q.15
_FLOOR_TOP = 60  # the floor's place in a mantissa where it would not fit beside the power


@kernel
def load_frame(params: DetectorParams, state: DetectorState, x) -> None:
    """Put a hop of samples, x : (hop,) int16, into the ring and window the latest fft_size of them.

    Arithmetic: Q1.15 samples times Q1.31 window, RND to Q2.30. A window in Q1.15 would leave noise 98 dB
    below the loudest tone, far above what lies between tones.
    """
    n = np.int64(params.fft_size)
    position = np.int64(state.clock[CLOCK_INPUT])
    for i in range(params.hop):
        state.input_q15[position] = x[i]
        position += 1
        if position == n:
            position = np.int64(0)
    state.clock[CLOCK_INPUT] = position
    # The oldest sample stands at the write position.
    for i in range(n):
        j = np.int64(i)
        if j > n - j:
            j = n - j
        product = np.int64(state.input_q15[position]) * np.int64(params.window_q31[j])
        state.frame_q30[i] = rnd_shift(product, 16)  # Q2.30
        position += 1
        if position == n:
            position = np.int64(0)


@kernel
def log_power_q24(re, im, exponent):
    """log2(|Y|^2 + 64) of one bin in LSB**2, Q8.24.

    Parameters
    ----------
    re, im : int32 range, mantissas of a bin of the windowed frame in Q2.30, parts <= (1 + sqrt 2) 2**29
    exponent : their block exponent

    Notes
    -----
    Arithmetic: re^2 + im^2 <= 11.7 * 2**58 < 2**62; the floor 2**6 is moved to the mantissa's place, or,
    where it would stand above bit 60, the power is moved down to it, RND.
    Error: that of log2_q24, 2**-23.
    """
    # |Y|^2 in LSB**2 = power * 2**scale; samples are Q.0 here, the window Q.15
    power = np.int64(re) * np.int64(re) + np.int64(im) * np.int64(im)
    scale = 2 * np.int64(exponent) - 30
    floor = FLOOR_LOG2 - scale
    if floor > _FLOOR_TOP:
        power = rnd_shift(power, floor - _FLOOR_TOP)
        scale += floor - _FLOOR_TOP
        floor = np.int64(_FLOOR_TOP)
    if floor >= 0:
        power += np.int64(1) << floor
    return log2_q24(power) + shl(scale, 24)


@kernel
def update_levels(params: DetectorParams, state: DetectorState, exponent) -> None:
    """Mean log power of every band into the ring of a slot's hops, and the sum over that ring.

    Arithmetic: levels are 6 to 50 (full scale), Q8.8 by RND; sums over at most 64 hops < 2**20. Adding the
    new and taking away the oldest level is exact, so that the recursion cannot drift.
    """
    row = np.int64(state.clock[CLOCK_LEVEL])
    bins = np.int64(1) << params.band_shift
    k = np.int64(params.first_bin)
    for band in range(params.bands):
        acc = np.int64(0)
        for _ in range(bins):
            acc += log_power_q24(state.re[k], state.im[k], exponent)
            k += 1
        level_q8 = sat16(rnd_shift(acc, _LEVEL_Q24_TO_Q8 + params.band_shift))  # Q8.8
        old_q8 = np.int64(state.level_q8[row, band])
        state.level_sum_q8[band] = np.int64(state.level_sum_q8[band]) + level_q8 - old_q8
        state.level_q8[row, band] = level_q8
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
    last = np.int64(params.bands) - 1
    for band in range(params.bands):
        # Frequency: difference to the neighbours, edges repeated.
        b = np.int64(band)
        around = np.int64(state.level_sum_q8[clip(b - 2, 0, last)])
        around += np.int64(state.level_sum_q8[clip(b - 1, 0, last)])
        around += np.int64(state.level_sum_q8[clip(b + 1, 0, last)])
        around += np.int64(state.level_sum_q8[clip(b + 2, 0, last)])
        difference = 4 * np.int64(state.level_sum_q8[band]) - around
        whitened_q18 = rnd_shift(difference * np.int64(params.slot_scale_q31), _SLOT_Q39_TO_Q18)  # Q.18
        # Time: difference to the running mean.
        mean_q23 = np.int64(state.mean_q23[band])
        mean_q23 += whitened_q18 - rnd_shift(mean_q23, MEAN_SHIFT)
        state.mean_q23[band] = mean_q23
        contrast_q18 = whitened_q18 - rnd_shift(mean_q23, MEAN_SHIFT)
        contrast_q12 = rnd_shift(contrast_q18, _CONTRAST_Q18_TO_Q12)  # Q.12
        contrast_q12 = clip(contrast_q12, -CONTRAST_LIMIT_Q12, CONTRAST_LIMIT_Q12)
        state.work[band] = contrast_q12
        # Mean square.
        square_q12 = rnd_shift(contrast_q12 * contrast_q12, _SQUARE_Q24_TO_Q12)
        activity_q19 = np.int64(state.activity_q19[band])
        state.activity_q19[band] = activity_q19 + square_q12 - rnd_shift(activity_q19, ACTIVITY_SHIFT)


@kernel
def weigh_features(params: DetectorParams, state: DetectorState) -> None:
    """Features times the weight of their band, 0.3 to 1, into the feature ring.

    Bands where the features vary no more than in stationary noise count least: there the room's noise hides
    the programme. The weight does not depend on the key, so that it leaves the score's distribution over
    keys as it is.

    Arithmetic: sum of 17 mean squares < 2**26 in Q.19, less that of noise, times 2**-16 / (17 * 0.25) in
    Q.31 < 2**51, RND to Q1.15, limited; Q.12 times Q.15 times 96 < 2**37, RND, SAT at +-127.
    """
    row = np.int64(state.clock[CLOCK_FEATURE])
    last = np.int64(params.bands) - 1
    total_q19 = np.int64(0)
    for d in range(-ACTIVITY_SPAN - 1, ACTIVITY_SPAN):
        total_q19 += np.int64(state.activity_q19[clip(np.int64(d), 0, last)])
    for band in range(params.bands):
        # Window from band - 8 to band + 8, edges repeated: one in, one out.
        b = np.int64(band)
        total_q19 += np.int64(state.activity_q19[clip(b + ACTIVITY_SPAN, 0, last)])
        total_q19 -= np.int64(state.activity_q19[clip(b - ACTIVITY_SPAN - 1, 0, last)])
        weight_q15 = rnd_shift((total_q19 - _NOISE_SUM_Q19) * _WEIGHT_SCALE_Q31, 31) + LEAST_WEIGHT_Q15
        weight_q15 = clip(weight_q15, LEAST_WEIGHT_Q15, 1 << 15)
        feature = rnd_shift(np.int64(state.work[band]) * weight_q15 * FEATURE_STEPS, 27)  # 1/96 of log2
        state.feature[row, band] = clip(feature, -FEATURE_LIMIT, FEATURE_LIMIT)


@kernel
def process_frontend(params: DetectorParams, state: DetectorState, x, probes) -> None:
    """A hop of samples to one row of features, at the feature clock, which `process_frame` advances.

    probes : None, or `state.DetectorProbes`
    """
    load_frame(params, state, x)
    exponent = rfft_bfp(params.fft, state.frame_q30, state.re, state.im)
    level_row = np.int64(state.clock[CLOCK_LEVEL])
    update_levels(params, state, exponent)
    update_features(params, state)
    weigh_features(params, state)
    if probes is not None:
        probes.exponent[0] = exponent
        for band in range(params.bands):
            probes.band_level_q8[band] = state.level_q8[level_row, band]
            probes.slot_sum_q8[band] = state.level_sum_q8[band]
            probes.feature[band] = state.feature[state.clock[CLOCK_FEATURE], band]
