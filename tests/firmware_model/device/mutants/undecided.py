"""Places in the products' C where a mistake shows in no case's output or final state, and why.

Tables and the products' configuration are not among them: each element of each table of the library decides
an output. Named by kernel, which of the places of this kind there, and the line of C.
"""

_WIDTH = (
    "fits in that many bits, as equivalent_widths says of the kernel's sum; or shifts all "
    "bands alike, which the difference to neighbours takes away"
)
_BOUND = "at the bound itself both sides give the same value"
_FLOORED = "levels below -120 dBFS, and log2 of nothing, are limited afterwards"
_PAIRS = "bits are dropped in pairs, since a power's scale is even"
_SMALL = "no value here has so many bits; the kernel's own golden shows it"
_GUARD = "a guard that no setting and no input of the product reaches; the kernel's own golden shows it"
_RANGE = "what it limits is within the limits already"
_ONE_BLOCK = (
    "differs for a look-ahead of one block alone, which no case has; the kernel's own golden shows it"
)
_ROUNDING = "the lowest bit of a rounding, below what the output keeps; the kernel's own golden shows it"
_LEAST = "starts at 1 LSB of Q5.27 for 0: the largest of silence, which is below every threshold"
_OVERWRITTEN = "is set before it is read"
_MAG = "the lowest or highest bit of an OR of magnitudes of which the place of the leading one is read"
_START = "below every score"
_ONE_PART = "one part in 2**24 of a level, or of a sum that begins so, of which 8 bits are kept"
_AGAIN = "what is written beyond four is written again from the next row of signs"

_MBDP: dict[str, tuple[str, ...]] = {
    _WIDTH: (
        "allpass_of 1: return narrow32(x_q27 - trn_shift(narrow32(bend_q29) * "
        "narrow32(band_q27), 29));, 32 bits",
        "allpass_of 1: return narrow32(x_q27 - trn_shift(narrow32(bend_q29) * "
        "narrow32(band_q27), 29));, 40 bits",
        "log2_of_positive_q24 1: const int64_t y_q31 = narrow32(rnd_shift(slope_q32 * u_q31, "
        "32)) + (int64_t)LOG2[(int32_t)i * 3 + 0];, 32 bits",
        "log2_of_positive_q24 1: const int64_t y_q31 = narrow32(rnd_shift(slope_q32 * u_q31, "
        "32)) + (int64_t)LOG2[(int32_t)i * 3 + 0];, 40 bits",
        "exp2_q24 1: const int64_t slope_q30 = (int64_t)EXP2_Q30[(int32_t)i * 3 + 1], 32 bits",
        "exp2_q24 1: const int64_t slope_q30 = (int64_t)EXP2_Q30[(int32_t)i * 3 + 1], 40 bits",
        "exp2_q24 2: const int64_t y_q30 = (int64_t)EXP2_Q30[(int32_t)i * 3 + 0] + "
        "rnd_shift(narrow32(slope_q30) * u_q18, 18);, 32 bits",
        "exp2_q24 2: const int64_t y_q30 = (int64_t)EXP2_Q30[(int32_t)i * 3 + 0] + "
        "rnd_shift(narrow32(slope_q30) * u_q18, 18);, 40 bits",
        "reciprocal 1: const int64_t e_q30 = (INT64_C(1) << 30) - rnd_shift(narrow32(d_q30) * "
        "narrow32(y_q30), 30);, 32 bits",
        "reciprocal 1: const int64_t e_q30 = (INT64_C(1) << 30) - rnd_shift(narrow32(d_q30) * "
        "narrow32(y_q30), 30);, 40 bits",
        "reciprocal 2: y_q30 += rnd_shift(narrow32(y_q30) * narrow32(e_q30), 30);, 32 bits",
        "reciprocal 2: y_q30 += rnd_shift(narrow32(y_q30) * narrow32(e_q30), 30);, 40 bits",
        "split_bands 1: const int64_t top = (params->bands - 1) * params->channels + channel;, 32 bits",
        "split_bands 1: const int64_t top = (params->bands - 1) * params->channels + channel;, 40 bits",
        "split_bands 2: split(params, state, top, edge * params->channels + channel, channel, "
        "edge);, 32 bits",
        "split_bands 3: keep_in_phase(params, state, band * params->channels + channel, channel, "
        "edge, slot);, 32 bits",
        "split_bands 2: slot += 1;, 32 bits",
        "split_bands 2: slot += 1;, 40 bits",
        "block_power 1: band * params->channels + channel);, 32 bits",
        "band_level 1: const int64_t peak_q27 = block_peak(state->band_q27, "
        "state->band_q27_columns, band * params->channels,, 32 bits",
        "scale_row 1: gain_q27 = narrow32(gain_q27 + step_q27);, 32 bits",
        "scale_row 1: gain_q27 = narrow32(gain_q27 + step_q27);, 40 bits",
        "scale_row 2: const int64_t product_q27 = rnd_shift((int64_t)x_q27[(int32_t)row * "
        "x_q27_columns + n] * gain_q27,, 40 bits",
        "apply_gain 1: const int64_t row_q27 = scale_row(state->band_q27, state->band_q27_columns,, 40 bits",
        "apply_gain 1: band * params->channels + channel, start_q27, step_q27);, 32 bits",
        "attenuation_for 1: int64_t ratio_q31 = trn_shift(threshold_q27 * mantissa, -exponent - "
        "31);, 32 bits",
        "attenuation_for 1: int64_t ratio_q31 = trn_shift(threshold_q27 * mantissa, -exponent - "
        "31);, 40 bits",
        "attenuation_for 2: ratio_q31 = ratio_q31 - trn_shift(ratio_q31, BELOW) - 1;, 32 bits",
        "attenuation_for 2: ratio_q31 = ratio_q31 - trn_shift(ratio_q31, BELOW) - 1;, 40 bits",
        "exchange_row 1: keep_q30 = narrow32(keep_q30 + step_q30);, 32 bits",
        "exchange_row 1: keep_q30 = narrow32(keep_q30 + step_q30);, 40 bits",
        "limit_block 1: const int64_t first = (int64_t)state->clock[CLOCK_RELEASE] * x_q27_columns;, 32 bits",
        "limit_block 1: const int64_t i = row * channels + channel;, 32 bits",
        "limit_block 1: const int64_t i = row * channels + channel;, 40 bits",
        "limit_block 2: const int64_t i = row * channels + channel;, 32 bits",
        "process_bank 1: add_row(state->band_q27, state->band_q27_columns, band * "
        "params->channels + channel,, 32 bits",
    ),
    _BOUND: (
        "downward_q24 2: if ((2 * over_q24 >= knee_q24) && (over_q24 > 0)) {",
        "upward_q24 1: if (under_q24 <= 0) {",
        "exp2_q24 15: if (up >= 0) {",
        "magnitude 1: if (largest + smallest < 0) {",
        "ramp_step 1: if (rise < 0) {",
        "attenuation_for 4: if (ratio_q31 < 1) {",
        "next_attenuation 4: if (mean_q31 > ONE_Q31 - 1) {",
    ),
    _FLOORED: ("log2_q24 1: if (x <= 0) {",),
    _SMALL: (
        "magnitude_bits 1: return x ^ asr(x, 63);",
        "norm64 1: const int64_t high = asr(m, 32);",
        "norm64 3: return clz32(high) - 1;",
    ),
    _GUARD: (
        "exp2_q24 14: if (up > 32) {",
        "exp2_q24 16: if (up < -31) {",
        "exp2_q24 17: return 0;",
        "reciprocal 1: if (x == 0) {",
        "reciprocal 2: *exponent_out = 0;",
        "reciprocal 3: if (a < 0) {",
        "reciprocal 18: if (x < 0) {",
        "attenuation_for 5: return ONE_Q31 - 1;",
        "next_attenuation 5: return ONE_Q31 - 1;",
        "limit_block 2: if (params->threshold_q27[(int32_t)row] > 0) {",
    ),
    _RANGE: (
        "reciprocal 16: y_q30 = clip(y_q30, INT64_C(1) << 29, INT64_C(1) << 30);",
        "reciprocal 17: y_q30 = clip(y_q30, INT64_C(1) << 29, INT64_C(1) << 30);",
    ),
    _ONE_BLOCK: (
        "process_bank 2: if (params->band_limiter.blocks > 0) {",
        "process_bank 4: if (params->band_limiter.blocks > 0) {",
    ),
    _ROUNDING: ("ceil_shift 2: return trn_shift(x + (INT64_C(1) << n) - 1, n);",),
    _LEAST: (
        "block_peak 1: int32_t largest = 0;",
        "block_peak 2: int32_t smallest = 0;",
        "scale_row 1: int32_t largest = 0;",
        "scale_row 2: int32_t smallest = 0;",
        "apply_gain 1: int64_t peak_q27 = 0;",
        "take_sum 1: int32_t largest = 0;",
        "take_sum 2: int32_t smallest = 0;",
        "process_bank 5: int64_t bus_peak_q27 = 0;",
    ),
    _OVERWRITTEN: (
        "log2_of_positive_q24 1: int64_t n = 0;",
        "log2_of_positive_q24 2: int64_t exponent = 0;",
        "log2_of_positive_q24 3: int64_t word = 0;",
        "low_and_rest 1: int64_t unused = 0;",
        "allpass_row 1: int64_t unused = 0;",
        "band_level 1: int64_t level_q24 = 0;",
    ),
}

_WATERMARK: dict[str, tuple[str, ...]] = {
    _WIDTH: (
        "shl32 1: return narrow32(narrow32(x) * (INT64_C(1) << (n & 31)));, 32 bits",
        "log2_of_positive_q24 1: const int64_t y_q31 = narrow32(rnd_shift(slope_q32 * u_q31, "
        "32)) + (int64_t)LOG2[(int32_t)i * 3 + 0];, 32 bits",
        "log2_of_positive_q24 1: const int64_t y_q31 = narrow32(rnd_shift(slope_q32 * u_q31, "
        "32)) + (int64_t)LOG2[(int32_t)i * 3 + 0];, 40 bits",
        "exp2_q24 1: const int64_t slope_q30 = (int64_t)EXP2_Q30[(int32_t)i * 3 + 1], 32 bits",
        "exp2_q24 1: const int64_t slope_q30 = (int64_t)EXP2_Q30[(int32_t)i * 3 + 1], 40 bits",
        "exp2_q24 2: const int64_t y_q30 = (int64_t)EXP2_Q30[(int32_t)i * 3 + 0] + "
        "rnd_shift(narrow32(slope_q30) * u_q18, 18);, 32 bits",
        "exp2_q24 2: const int64_t y_q30 = (int64_t)EXP2_Q30[(int32_t)i * 3 + 0] + "
        "rnd_shift(narrow32(slope_q30) * u_q18, 18);, 40 bits",
        "sum_of_products 1: return trn_shift32(asr(a * b + c * d + (INT64_C(1) << (31 + shift)), "
        "32), shift);, 32 bits",
        "sum_of_products 1: return trn_shift32(asr(a * b + c * d + (INT64_C(1) << (31 + shift)), "
        "32), shift);, 40 bits",
        "stage_radix4 1: const int64_t i0 = base + INT64_C(2) * j;, 32 bits",
        "stage_radix4 1: const int64_t i0 = base + INT64_C(2) * j;, 40 bits",
        "stage_radix4 2: const int64_t t = offset + INT64_C(6) * j;, 32 bits",
        "stage_radix4 2: const int64_t t = offset + INT64_C(6) * j;, 40 bits",
        "split_real 1: const int64_t j = 2 * ((int64_t)m - k);, 32 bits",
        "split_real 1: const int64_t j = 2 * ((int64_t)m - k);, 40 bits",
        "split_real 2: const int64_t tr = rnd_shift((int64_t)our * wr + (int64_t)oui * wi, 32);, 32 bits",
        "split_real 2: const int64_t tr = rnd_shift((int64_t)our * wr + (int64_t)oui * wi, 32);, 40 bits",
        "split_real 3: const int64_t ti = rnd_shift((int64_t)oui * wr + neg32(our) * wi, 32);, 32 bits",
        "split_real 3: const int64_t ti = rnd_shift((int64_t)oui * wr + neg32(our) * wi, 32);, 40 bits",
        "rfft_in_place 1: exponent += 1 + shift;, 32 bits",
        "rfft_in_place 1: exponent += 1 + shift;, 40 bits",
        "rfft_in_place 2: offset += 6 * q;, 32 bits",
        "rfft_in_place 2: offset += 6 * q;, 40 bits",
        "oldest_row 1: const int64_t mark_hops = params->slots * params->slot_hops;, 32 bits",
        "oldest_row 1: row -= mark_hops;, 32 bits",
        "oldest_row 1: row -= mark_hops;, 40 bits",
        "sums_of_columns 1: const int64_t first = row + slot * step;, 32 bits",
        "sums_of_columns 1: const int64_t first = row + slot * step;, 40 bits",
        "sums_of_columns 2: const int64_t second = row + ((int64_t)slot + 1) * step;, 32 bits",
        "sums_of_columns 2: const int64_t second = row + ((int64_t)slot + 1) * step;, 40 bits",
        "sums_of_columns 3: work[band] = (int32_t)((int64_t)work[band] + both);, 32 bits",
        "sums_of_columns 3: work[band] = (int32_t)((int64_t)work[band] + both);, 40 bits",
        "sums_of_columns 4: square += (int64_t)s * s;, 32 bits",
        "sums_of_columns 4: square += (int64_t)s * s;, 40 bits",
        "sums_of_columns 3: square += (int64_t)s * s;, 32 bits",
        "sums_of_columns 5: total = (int32_t)narrow32((int64_t)total + s);, 32 bits",
        "sums_of_columns 5: total = (int32_t)narrow32((int64_t)total + s);, 40 bits",
        "score_variance 1: row -= step;, 32 bits",
        "score_variance 1: row -= step;, 40 bits",
        "score_variance 2: energy += (int64_t)state->energy[(int32_t)row + slot * (int32_t)step];, 32 bits",
        "score_variance 2: energy += (int64_t)state->energy[(int32_t)row + slot * (int32_t)step];, 40 bits",
        "score_variance 3: *variance_out = params->slots * energy - square;, 32 bits",
        "score_variance 3: *variance_out = params->slots * energy - square;, 40 bits",
        "score_variance 1: *variance_out = params->slots * energy - square;, 32 bits",
        "sums_of_positive 1: const int64_t i = column + INT64_C(2) * group;, 32 bits",
        "sums_of_positive 1: const int64_t i = column + INT64_C(2) * group;, 40 bits",
        "sums_of_positive 2: const int64_t at = (int64_t)SIGN_GROUP * group + INT64_C(8) * half;, 32 bits",
        "sums_of_positive 2: const int64_t at = (int64_t)SIGN_GROUP * group + INT64_C(8) * half;, 40 bits",
        "sums_of_positive 1: const int64_t at = (int64_t)SIGN_GROUP * group + INT64_C(8) * half;, 32 bits",
        "sums_of_positive 3: acc_a = (acc_a + x * (word_a & 65537)) & INT64_C(0xFFFFFFFF);, 32 bits",
        "sums_of_positive 3: acc_a = (acc_a + x * (word_a & 65537)) & INT64_C(0xFFFFFFFF);, 40 bits",
        "sums_of_positive 2: acc_a = (acc_a + x * (word_a & 65537)) & INT64_C(0xFFFFFFFF);, 32 bits",
        "sums_of_positive 4: acc_b = (acc_b + x * (word_b & 65537)) & INT64_C(0xFFFFFFFF);, 32 bits",
        "sums_of_positive 4: acc_b = (acc_b + x * (word_b & 65537)) & INT64_C(0xFFFFFFFF);, 40 bits",
        "sums_of_positive 3: acc_b = (acc_b + x * (word_b & 65537)) & INT64_C(0xFFFFFFFF);, 32 bits",
        "sums_of_positive 5: sums[0] = (int32_t)((int64_t)sums[0] + low_a);, 32 bits",
        "sums_of_positive 5: sums[0] = (int32_t)((int64_t)sums[0] + low_a);, 40 bits",
        "sums_of_positive 6: sums[1] = (int32_t)((int64_t)sums[1] + trn_shift32(wrap32(acc_a - "
        "low_a), 16));, 32 bits",
        "sums_of_positive 6: sums[1] = (int32_t)((int64_t)sums[1] + trn_shift32(wrap32(acc_a - "
        "low_a), 16));, 40 bits",
        "sums_of_positive 7: sums[2] = (int32_t)((int64_t)sums[2] + low_b);, 32 bits",
        "sums_of_positive 7: sums[2] = (int32_t)((int64_t)sums[2] + low_b);, 40 bits",
        "sums_of_positive 8: sums[3] = (int32_t)((int64_t)sums[3] + trn_shift32(wrap32(acc_b - "
        "low_b), 16));, 32 bits",
        "sums_of_positive 8: sums[3] = (int32_t)((int64_t)sums[3] + trn_shift32(wrap32(acc_b - "
        "low_b), 16));, 40 bits",
        "correlate 1: const int64_t mark_hops = params->slots * params->slot_hops;, 32 bits",
        "correlate 2: sign_row, 2 * groups * slot, row, groups, state->sums);, 32 bits",
        "correlate 1: row += params->slot_hops;, 32 bits",
        "correlate 1: row += params->slot_hops;, 40 bits",
        "correlate 2: row -= mark_hops;, 32 bits",
        "correlate 2: row -= mark_hops;, 40 bits",
        "correlate 3: state->sums[pattern] = (int32_t)(2 * (int64_t)state->sums[pattern] - total);, 32 bits",
        "correlate 3: state->sums[pattern] = (int32_t)(2 * (int64_t)state->sums[pattern] - total);, 40 bits",
        "score_from 1: const int64_t ratio_q25 = 2 * log2_q24(magnitude) - log2_q24(spread) + "
        "params->slots_log2_q24;, 32 bits",
        "score_from 1: const int64_t ratio_q25 = 2 * log2_q24(magnitude) - log2_q24(spread) + "
        "params->slots_log2_q24;, 40 bits",
        "integrate 1: const int64_t mark_hops = params->slots * params->slot_hops;, 32 bits",
        "integrate 1: total += (int64_t)state->score_q9[((int32_t)key * (int32_t)count + "
        "(int32_t)pattern), 32 bits",
        "integrate 1: total += (int64_t)state->score_q9[((int32_t)key * (int32_t)count + "
        "(int32_t)pattern), 40 bits",
        "integrate 2: const int64_t z_q9 = rnd_shift(total * (int64_t)params->root_q15[m], 15);, 32 bits",
        "integrate 2: pattern -= 1;, 32 bits",
        "integrate 2: pattern -= 1;, 40 bits",
        "integrate 3: position -= mark_hops;, 32 bits",
        "integrate 3: position -= mark_hops;, 40 bits",
        "integrate 4: position += mark_hops * count;, 32 bits",
        "integrate 4: position += mark_hops * count;, 40 bits",
        "integrate 3: position += mark_hops * count;, 32 bits",
        "load_frame 1: position = (position + params->hop) & mask;, 32 bits",
        "load_frame 1: position = (position + params->hop) & mask;, 40 bits",
        "place_floor 1: const int64_t scale = 2 * exponent - 30;, 32 bits",
        "place_floor 1: const int64_t scale = 2 * exponent - 30;, 40 bits",
        "loud_band_q24 1: acc_q24 += log2_of_positive_q24(power(z[2 * k], z[2 * k + 1]) + floor);, 40 bits",
        "quiet_band_q24 1: acc_q24 += log2_of_positive_q24(rnd_shift(power(z[2 * k], z[2 * k + "
        "1]), drop) + floor);, 32 bits",
        "quiet_band_q24 1: acc_q24 += log2_of_positive_q24(rnd_shift(power(z[2 * k], z[2 * k + "
        "1]), drop) + floor);, 40 bits",
        "band_levels 1: first = narrow32(first + bins);, 32 bits",
        "band_levels 1: first = narrow32(first + bins);, 40 bits",
        "band_levels 2: acc_q24 += shl(offset_q24, shift);, 40 bits",
        "update_levels 1: row += 1;, 32 bits",
        "update_levels 1: row += 1;, 40 bits",
        "update_features 1: around += (int64_t)state->level_sum_q8[band + 3] + "
        "(int64_t)state->level_sum_q8[band + 4];, 32 bits",
        "update_features 1: around += (int64_t)state->level_sum_q8[band + 3] + "
        "(int64_t)state->level_sum_q8[band + 4];, 40 bits",
        "update_features 2: mean_q23 = (int32_t)narrow32((int64_t)mean_q23 + whitened_q18 - "
        "rnd_shift32(mean_q23, MEAN_SHIFT));, 32 bits",
        "update_features 2: mean_q23 = (int32_t)narrow32((int64_t)mean_q23 + whitened_q18 - "
        "rnd_shift32(mean_q23, MEAN_SHIFT));, 40 bits",
        "update_features 2: const int64_t square_q12 = rnd_shift32(contrast_q12 * contrast_q12, "
        "SQUARE_Q24_TO_Q12);, 32 bits",
        "weigh 1: total_q19 = narrow32(total_q19 + (int64_t)activity_q19[d]);, 32 bits",
        "weigh 1: total_q19 = narrow32(total_q19 + (int64_t)activity_q19[d]);, 40 bits",
        "weigh 2: total_q19 += (int64_t)activity_q19[band + ACTIVITY_BANDS] - "
        "(int64_t)activity_q19[band];, 32 bits",
        "weigh 2: total_q19 += (int64_t)activity_q19[band + ACTIVITY_BANDS] - "
        "(int64_t)activity_q19[band];, 40 bits",
        "weigh 3: int64_t weight_q15 = narrow32(rnd_shift((int64_t)above_q19 * WEIGHT_SCALE_Q31, "
        "31)), 32 bits",
        "weigh 3: int64_t weight_q15 = narrow32(rnd_shift((int64_t)above_q19 * WEIGHT_SCALE_Q31, "
        "31)), 40 bits",
        "weigh 2: int64_t value = rnd_shift32((int64_t)contrast_q12[band] * weight_q15 * "
        "FEATURE_SCALE, FEATURE_SHIFT);, 32 bits",
        "weigh 3: int64_t value = rnd_shift32((int64_t)contrast_q12[band] * weight_q15 * "
        "FEATURE_SCALE, FEATURE_SHIFT);, 32 bits",
        "weigh 4: energy = (int32_t)narrow32(energy + value * value);, 32 bits",
        "weigh 4: energy = (int32_t)narrow32(energy + value * value);, 40 bits",
        "score_patterns 1: const int64_t row = key * params->max_marks + first + i;, 32 bits",
        "score_patterns 1: const int64_t row = key * params->max_marks + first + i;, 40 bits",
        "bittrue_watermark_process_frame 1: correlate(params, state, key * quads + quad, total);, 32 bits",
        "bittrue_watermark_process_frame 2: const int64_t mark_hops = params->slots * "
        "params->slot_hops;, 32 bits",
        "bittrue_watermark_process_frame 1: state->clock[CLOCK_HOP] = "
        "(int32_t)((int64_t)state->clock[CLOCK_HOP] + 1);, 32 bits",
        "bittrue_watermark_process_frame 1: state->clock[CLOCK_HOP] = "
        "(int32_t)((int64_t)state->clock[CLOCK_HOP] + 1);, 40 bits",
        "bittrue_watermark_process_frame 2: state->clock[CLOCK_FEATURE] = "
        "(int32_t)((int64_t)state->clock[CLOCK_FEATURE] + 1);, 32 bits",
        "bittrue_watermark_process_frame 2: state->clock[CLOCK_FEATURE] = "
        "(int32_t)((int64_t)state->clock[CLOCK_FEATURE] + 1);, 40 bits",
        "bittrue_watermark_process_frame 3: state->clock[CLOCK_SCORE] = "
        "(int32_t)((int64_t)state->clock[CLOCK_SCORE] + 1);, 32 bits",
        "bittrue_watermark_process_frame 3: state->clock[CLOCK_SCORE] = "
        "(int32_t)((int64_t)state->clock[CLOCK_SCORE] + 1);, 40 bits",
    ),
    _BOUND: (
        "exp2_q24 15: if (up >= 0) {",
        "excess_bits 2: if (excess < 0) {",
        "score_from 3: if (acc < 0) {",
        "score_from 6: if (acc < 0) {",
    ),
    _FLOORED: ("LOG2_FLOOR_Q24 1: #define LOG2_FLOOR_Q24 (-INT64_C(2147483648))",),
    _PAIRS: (
        "FLOOR_TOP 1: #define FLOOR_TOP 60",
        "band_levels 5: if (drop == 0) {",
    ),
    _GUARD: (
        "exp2_q24 14: if (up > 32) {",
        "exp2_q24 16: if (up < -31) {",
        "exp2_q24 17: return 0;",
    ),
    _ROUNDING: (
        "log2_of_positive_q24 24: const int64_t y_q24 = trn_shift32(wrap32(y_q31 + 64), 7) & 0x1FFFFFF;",
    ),
    _OVERWRITTEN: (
        "log2_of_positive_q24 1: int64_t n = 0;",
        "log2_of_positive_q24 2: int64_t exponent = 0;",
        "log2_of_positive_q24 3: int64_t word = 0;",
        "rfft_in_place 1: int64_t shift = 0;",
        "load_frame 1: int64_t j = 0;",
        "load_frame 2: int64_t k = 0;",
        "load_frame 3: int64_t even = 0;",
        "load_frame 4: int64_t odd = 0;",
    ),
    _MAG: (
        "first_stage_radix2 1: int64_t mag = 1;",
        "first_stage_radix2 12: & INT64_C(0xFFFFFFFF);",
        "first_stage_radix4 1: int64_t mag = 1;",
        "first_stage_radix4 20: & INT64_C(0xFFFFFFFF);",
        "first_stage_radix4 21: & INT64_C(0xFFFFFFFF);",
        "stage_radix4 1: int64_t mag = 1;",
        "load_frame 7: int64_t mag = 1;",
    ),
    _START: (
        "integrate 1: int64_t best = -(INT64_C(1) << 30);",
        "integrate 2: int64_t best = -(INT64_C(1) << 30);",
    ),
    _ONE_PART: (
        "quiet_band_q24 1: int64_t acc_q24 = 0;",
        "band_levels 1: int64_t acc_q24 = 0;",
        "weigh 2: int64_t total_q19 = 0;",
    ),
    _AGAIN: (
        "score_patterns 1: if (count > 4) {",
        "score_patterns 2: count = 4;",
    ),
}
UNDECIDED = {
    name: {place: reason for reason, group in groups.items() for place in group}
    for name, groups in {"mbdp": _MBDP, "watermark": _WATERMARK}.items()
}
