"""Sums, products and named constants whose mutants no golden of their kernel catches, and why.

A sum that fits in 32 bits fits in 40, and is listed once. Apart from those that are equivalent stand those
that are not: the arguments of their kernel's golden, which is frozen, do not reach them.
"""

_FITS = "the value fits in 32 bits, as the kernel's docstring and the formats of its operands bound it"
_INDEX = "a row, column, place in a ring, count or exponent: far below 2**31"
_LAYOUT = (
    "at most slots**2 bands 127**2, below 2**31 in every layout of the goldens; the shipped one has 2**28.8"
)
_SCORE = "at most sqrt(marks (slots - 1) bands) 2**24, below 2**31 in every layout of the goldens"
_MODULO = "only the value modulo 2**32 is kept"
_FEW = "at most 16 bins of log2 below 64 in Q.24: below 2**34"
_PAIRS = "the place is even: never 61"
_SELF = "the one more turn stores a value where it stands"
_BOUND = "at the bound itself both sides give the same value"
_FIR = "more than 512 taps at full scale needed; the golden has fewer"
_WIDE = "a lower word beyond 2**39 needed, of 128 products and more; the golden has fewer"
_SILENT = "digital silence needed, which the golden's arguments lack; the case mbdp-rails has it"
_ONE_PART = "moves a weight by one part in 2**15 at most, and a feature of 8 bits only beside a tie"
_PROBE = "a probe, and the two clocks agree until a mark has passed; the cases' nodes catch it"

_GROUPS: dict[str, tuple[str, ...]] = {
    _FITS: (
        "arith.mul_q15: return sat16(rnd_shift([np.int64(a) * np.int64(b)|32 bits], 15))",
        "arith.mul_q15_trn: return sat16(trn_shift([np.int64(a) * np.int64(b)|32 bits], 15))",
        "elementary.log2_of_positive_q24: y_q31 = [narrow32(rnd_shift(slope_q32 * u_q31, 32)) + "
        "np.int64(_LOG2[i, 0])|32 bits]",
        "elementary.exp2_q24: slope_q30 = [np.int64(_EXP2_Q30[i, 1]) + "
        "rnd_shift(np.int64(_EXP2_Q30[i, 2]) * u_q18, 18)|32 bits]",
        "elementary.exp2_q24: y_q30 = [np.int64(_EXP2_Q30[i, 0]) + rnd_shift(narrow32(slope_q30) "
        "* u_q18, 18)|32 bits]",
        "elementary.reciprocal: e_q30 = [(1 << 30) - rnd_shift(narrow32(d_q30) * "
        "narrow32(y_q30), 30)|32 bits]",
        "elementary.reciprocal: [y_q30 += rnd_shift(narrow32(y_q30) * narrow32(e_q30), 30)|32 bits]",
        "elementary.isqrt: e_q30 = [(1 << 30) - rnd_shift(s_q30 * r_q31, 29)|32 bits]",
        "elementary.isqrt: [r_q31 += rnd_shift(r_q31 * e_q30, 31)|32 bits]",
        "elementary.isqrt: [s -= 1|32 bits]",
        "elementary.isqrt: [s += 1|32 bits]",
        "elementary.sqrt_q31: [s += 1|32 bits]",
        "fir.convolve: acc += [np.int64(h[k]) * np.int64(x[n - k])|32 bits]",
        "fir.convolve: acc += [np.int64(h[k]) * np.int64(state[taps - 1 + n - k])|32 bits]",
        "change.fade_bus: weight_q31 = [done * np.int64(change.fade[2])|32 bits]",
        "limiter.attenuation_for: ratio_q31 = [ratio_q31 - trn_shift(ratio_q31, _BELOW) - 1|32 bits]",
        "correlator.sums_of_positive: sums[0] = [np.int64(sums[0]) + low_a|32 bits]",
        "correlator.sums_of_positive: sums[1] = [np.int64(sums[1]) + trn_shift32(wrap32(acc_a - "
        "low_a), 16)|32 bits]",
        "correlator.sums_of_positive: sums[2] = [np.int64(sums[2]) + low_b|32 bits]",
        "correlator.sums_of_positive: sums[3] = [np.int64(sums[3]) + trn_shift32(wrap32(acc_b - "
        "low_b), 16)|32 bits]",
        "correlator.score_from: ratio_q25 = [2 * log2_q24(magnitude) - log2_q24(spread) + "
        "params.slots_log2_q24|32 bits]",
        "correlator.integrate: [total += np.int64(state.score_q9[key * count + pattern, position])|32 bits]",
        "frontend.place_floor: scale = [2 * np.int64(exponent) - 30|32 bits]",
        "frontend.band_levels: level_sum_q8[at] = [np.int64(level_sum_q8[at]) + level - "
        "np.int64(level_q8[row, band])|32 bits]",
        "frontend.update_features: [around += np.int64(sums[band + 3]) + np.int64(sums[band + 4])|32 bits]",
        "frontend.update_features: square_q12 = rnd_shift32([contrast_q12 * contrast_q12|32 "
        "bits], _SQUARE_Q24_TO_Q12)",
        "frontend.weigh: [total_q19 += np.int64(activity_q19[band + _ACTIVITY_BANDS]) - "
        "np.int64(activity_q19[band])|32 bits]",
        "frontend.weigh: weight_q15 = [narrow32(rnd_shift(above_q19 * _WEIGHT_SCALE_Q31, 31)) + "
        "LEAST_WEIGHT_Q15|32 bits]",
        "frontend.weigh: value = rnd_shift32([np.int64(contrast_q12[band]) * weight_q15 * "
        "_FEATURE_SCALE|32 bits], _FEATURE_SHIFT)",
        "frontend.weigh: value = rnd_shift32([np.int64(contrast_q12[band]) * weight_q15|32 bits] "
        "* _FEATURE_SCALE, _FEATURE_SHIFT)",
        "correlator.correlate: sums[pattern] = [2 * np.int64(sums[pattern]) - total|32 bits]",
        "correlator.sums_of_columns: square += [s * s|32 bits]",
        "correlator.sums_of_columns: work[band] = [np.int64(work[band]) + both|32 bits]",
    ),
    _INDEX: (
        "arith.clz32: [n -= 1|32 bits]",
        "fft.stage_radix4: i0 = [base + 2 * j|32 bits]",
        "fft.stage_radix4: t = [offset + 6 * j|32 bits]",
        "fft.rfft_in_place: [exponent += 1 + shift|32 bits]",
        "fft.rfft_in_place: [offset += 6 * q|32 bits]",
        "change.fade_bus: change.clock[0] = [np.int64(change.clock[0]) + samples|32 bits]",
        "compressor.apply_gain: row_q27 = scale_row(state.band_q27, [band * params.channels|32 "
        "bits] + channel, start_q27, step_q27)",
        "compressor.apply_gain: row_q27 = scale_row(state.band_q27, [band * params.channels + "
        "channel|32 bits], start_q27, step_q27)",
        "crossover.split_bands: top = [(params.bands - 1) * params.channels|32 bits] + channel",
        "crossover.split_bands: top = [(params.bands - 1) * params.channels + channel|32 bits]",
        "crossover.split_bands: split(params, state, top, [edge * params.channels|32 bits] + "
        "channel, channel, edge)",
        "crossover.split_bands: split(params, state, top, [edge * params.channels + channel|32 "
        "bits], channel, edge)",
        "crossover.split_bands: keep_in_phase(params, state, [band * params.channels|32 bits] + "
        "channel, channel, edge, slot)",
        "crossover.split_bands: keep_in_phase(params, state, [band * params.channels + "
        "channel|32 bits], channel, edge, slot)",
        "crossover.split_bands: [slot += 1|32 bits]",
        "level.block_power: acc = sum_of_squares(state.band_q27, [band * params.channels|32 bits] + channel)",
        "level.block_power: acc = sum_of_squares(state.band_q27, [band * params.channels + channel|32 bits])",
        "level.band_level: peak_q27 = block_peak(state.band_q27, [band * params.channels|32 "
        "bits], params.channels)",
        "limiter.limit_block: first = [np.int64(state.clock[CLOCK_RELEASE]) * x_q27.shape[1]|32 bits]",
        "limiter.limit_block: i = [row * channels|32 bits] + channel",
        "limiter.limit_block: i = [row * channels + channel|32 bits]",
        "processor.process_bank: add_row(state.band_q27, [band * params.channels|32 bits] + "
        "channel, state.sum_q26, channel)",
        "processor.process_bank: add_row(state.band_q27, [band * params.channels + channel|32 "
        "bits], state.sum_q26, channel)",
        "correlator.oldest_row: mark_hops = [np.int64(params.slots) * params.slot_hops|32 bits]",
        "correlator.oldest_row: [row -= mark_hops|32 bits]",
        "correlator.sums_of_columns: first, second = row + [slot * step|32 bits], row + (slot + 1) * step",
        "correlator.sums_of_columns: first, second = row + slot * step, row + [(slot + 1) * step|32 bits]",
        "correlator.sums_of_columns: first, second = [row + slot * step|32 bits], row + (slot + 1) * step",
        "correlator.sums_of_columns: first, second = row + slot * step, [row + (slot + 1) * step|32 bits]",
        "correlator.score_variance: [row -= step|32 bits]",
        "correlator.sums_of_positive: i = [column + 2 * group|32 bits]",
        "correlator.sums_of_positive: at = [SIGN_GROUP * group|32 bits] + 8 * half",
        "correlator.sums_of_positive: at = [SIGN_GROUP * group + 8 * half|32 bits]",
        "correlator.correlate: mark_hops = [np.int64(params.slots) * params.slot_hops|32 bits]",
        "correlator.correlate: sums_of_positive(params.signs, state.feature, sign_row, [2 * "
        "groups * slot|32 bits], row, groups, sums)",
        "correlator.correlate: [row += params.slot_hops|32 bits]",
        "correlator.correlate: [row -= mark_hops|32 bits]",
        "correlator.integrate: mark_hops = [np.int64(params.slots) * params.slot_hops|32 bits]",
        "correlator.integrate: [pattern -= 1|32 bits]",
        "correlator.integrate: [position -= mark_hops|32 bits]",
        "correlator.integrate: [position += mark_hops * count|32 bits]",
        "correlator.integrate: position += [mark_hops * count|32 bits]",
        "detector.score_patterns: row = [key * np.int64(params.max_marks)|32 bits] + first + i",
        "detector.score_patterns: row = [key * np.int64(params.max_marks) + first + i|32 bits]",
        "detector.process_frame: mark_hops = [params.slots * params.slot_hops|32 bits]",
        "detector.process_frame: [state.clock[CLOCK_HOP] += 1|32 bits]",
        "detector.process_frame: [state.clock[CLOCK_FEATURE] += 1|32 bits]",
        "detector.process_frame: [state.clock[CLOCK_SCORE] += 1|32 bits]",
        "detector.process_frame: correlate(params, state, [np.int64(key) * quads|32 bits] + quad, total)",
        "detector.process_frame: correlate(params, state, [np.int64(key) * quads + quad|32 bits], total)",
        "frontend.load_frame: position = ([position + params.hop|32 bits]) & mask",
        "frontend.update_levels: [row += 1|32 bits]",
    ),
    _LAYOUT: (
        "correlator.sums_of_columns: [square += s * s|32 bits]",
        "correlator.score_variance: return [params.slots * energy|32 bits] - square, total",
        "correlator.score_variance: return [params.slots * energy - square|32 bits], total",
        "correlator.score_variance: [energy += np.int64(state.energy[row + slot * step])|32 bits]",
    ),
    _SCORE: ("correlator.integrate: z_q9 = rnd_shift([total * np.int64(params.root_q15[m])|32 bits], 15)",),
    _MODULO: (
        "correlator.sums_of_positive: acc_a = (acc_a + [x * (word_a & 0x10001)|32 bits]) & 0xFFFFFFFF",
        "correlator.sums_of_positive: acc_a = ([acc_a + x * (word_a & 0x10001)|32 bits]) & 0xFFFFFFFF",
        "correlator.sums_of_positive: acc_b = (acc_b + [x * (word_b & 0x10001)|32 bits]) & 0xFFFFFFFF",
        "correlator.sums_of_positive: acc_b = ([acc_b + x * (word_b & 0x10001)|32 bits]) & 0xFFFFFFFF",
    ),
    _FEW: (
        "frontend.loud_band_q24: [acc_q24 += log2_of_positive_q24(power(z[2 * k], z[2 * k + 1]) "
        "+ floor)|40 bits]",
        "frontend.quiet_band_q24: [acc_q24 += log2_of_positive_q24(rnd_shift(power(z[2 * k], z[2 "
        "* k + 1]), drop) + floor)|40 bits]",
        "frontend.band_levels: [acc_q24 += shl(offset_q24, shift)|40 bits]",
    ),
    _PAIRS: ("frontend.place_floor: if place > [_FLOOR_TOP|(_FLOOR_TOP + 1)]:",),
    _SELF: ("frontend.update_features: for d in range([ACTIVITY_EDGE|(ACTIVITY_EDGE + 1)]):",),
    _BOUND: ("level.band_level: if level_q24 < [SILENCE_Q24|(SILENCE_Q24 + 1)]:",),
}
_UNREACHED: dict[str, tuple[str, ...]] = {
    _FIR: (
        "fir.convolve: [acc += np.int64(h[k]) * np.int64(x[n - k])|40 bits]",
        "fir.convolve: [acc += np.int64(h[k]) * np.int64(state[taps - 1 + n - k])|40 bits]",
    ),
    _WIDE: ("wide.shift_rnd_sat32: [low += shl(np.int64(1), n - 1)|40 bits]",),
    _SILENT: ("level.band_level: return np.int64([SILENCE_Q24|(SILENCE_Q24 + 1)])",),
    _PROBE: (
        "frontend.process_frontend: probes.feature[band] = "
        "state.feature[state.clock[[CLOCK_FEATURE|(CLOCK_FEATURE + 1)]], band]",
    ),
    _ONE_PART: (
        "frontend.weigh: above_q19 = narrow32(total_q19 - [_NOISE_SUM_Q19|(_NOISE_SUM_Q19 + 1)])",
        "frontend.weigh: weight_q15 = narrow32(rnd_shift(above_q19 * "
        "[_WEIGHT_SCALE_Q31|(_WEIGHT_SCALE_Q31 + 1)], 31)) + LEAST_WEIGHT_Q15",
        "frontend.weigh: weight_q15 = clip(weight_q15, [LEAST_WEIGHT_Q15|(LEAST_WEIGHT_Q15 + 1)], 1 << 15)",
    ),
}
EQUIVALENT_WIDTHS: dict[str, str] = {mutant: reason for reason, group in _GROUPS.items() for mutant in group}
UNREACHED: dict[str, str] = {mutant: reason for reason, group in _UNREACHED.items() for mutant in group}
