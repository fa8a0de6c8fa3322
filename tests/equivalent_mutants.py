"""Mutants that no golden catches, and why: each is shown equal on all arguments by `test_mutations`.

A mutant is named by its kernel, its line, and [the token|what it becomes]; see `proofs.mutants.marks`.
"""

_BOUND = "at the bound itself both sides give the same value"
_ZERO = "0 has left before, or its negative is 0"
_WRAPS = "a negative index counts from the end, to the same entry; the audit refuses it"
_RANGE = "what it limits is within the limits already"
_CORRECTED = "the exact correction that follows makes the same floor of it"
_NO_PASS = "a further pass finds nothing left to correct"

_GROUPS: dict[str, tuple[str, ...]] = {
    _BOUND: (
        "arith.clip: if x [<|<=] low:",
        "arith.clip: if x [>|>=] high:",
        "arith.sat16: if x [>|>=] INT16_MAX:",
        "arith.sat16: if x [<|<=] INT16_MIN:",
        "arith.sat32: if x [>|>=] INT32_MAX:",
        "arith.sat32: if x [<|<=] INT32_MIN:",
        "fft.excess_bits: if excess [<|<=] 0:",
        "fft.excess_bits: if excess < [0|1]:",
        "fir.keep_latest: if fresh [>=|>] kept:",
        "fir.convolve: inside = n + 1 if n + 1 [<|<=] taps else taps",
        "fir.convolve_wide: inside = n + 1 if n + 1 [<|<=] taps else taps",
        "change.fade_bus: elif done [>|>=] 0:",
        "compressor.smooth_reduction: if held_q55 [<|<=] wanted_q55:",
        "compressor.compress_band: if gain_q27 [>|>=] INT32_MAX:",
        "gain_computer.downward_q24: if 2 * over_q24 >= knee_q24 and over_q24 [>|>=] 0:",
        "gain_computer.downward_q24: if 2 * over_q24 [<=|<] -knee_q24:",
        "gain_computer.upward_q24: if under_q24 [<=|<] 0:",
        "gain_computer.upward_q24: if gain_q24 [>|>=] curve.upward_range_q24[band]:",
        "level.block_peak: if v [>|>=] largest:",
        "level.block_peak: if v [<|<=] smallest:",
        "level.magnitude: if largest + smallest [<|<=] 0:",
        "level.magnitude: if largest + smallest < [0|1]:",
        "compressor.scale_row: if y_q27 [>|>=] largest:",
        "compressor.scale_row: if y_q27 [<|<=] smallest:",
        "compressor.apply_gain: if row_q27 [>|>=] peak_q27:",
        "processor.take_sum: if y_q27 [>|>=] largest:",
        "processor.take_sum: if y_q27 [<|<=] smallest:",
        "processor.process_bank: if row_q27 [>|>=] bus_peak_q27:",
        "level.block_power: if acc [>|>=] largest:",
        "level.band_level: if level_q24 [<|<=] SILENCE_Q24:",
        "limiter.attenuation_for: if ratio_q31 [<|<=] 1:",
        "limiter.attenuation_for: if ratio_q31 < [1|2]:",
        "limiter.hold: if state.want_q31[row, params.blocks - i] [>|>=] largest:",
        "limiter.hold: if state.since_q31[row] [>|>=] want_q31:",
        "limiter.hold: if position < params.blocks and state.want_q31[row, position + 1] [>|>=] want_q31:",
        "limiter.next_attenuation: if released_q62 [<|<=] held_q62:",
        "limiter.next_attenuation: if mean_q31 [>|>=] _ONE_Q31 - 1:",
        "limiter.next_attenuation: if mean_q31 > _ONE_Q31 - [1|2]:",
        "correlator.integrate: if z_q9 [>|>=] best:",
        "frontend.place_floor: if place [>|>=] _FLOOR_TOP:",
        "detector.score_patterns: if count [>|>=] 4:",
    ),
    _ZERO: (
        "arith.abs_q15: return sat16(-x) if x [<|<=] 0 else sat16(x)",
        "arith.abs_q15: return sat16(-x) if x < [0|1] else sat16(x)",
        "arith.abs_q31: return sat32(-x) if x [<|<=] 0 else sat32(x)",
        "arith.abs_q31: return sat32(-x) if x < [0|1] else sat32(x)",
        "compressor.ramp_step: if rise [<|<=] 0:",
        "compressor.ramp_step: if rise < [0|1]:",
        "elementary.reciprocal: if a [<|<=] 0:",
        "elementary.reciprocal: if a < [0|1]:",
        "elementary.reciprocal: if x [<|<=] 0:",
        "elementary.reciprocal: if x < [0|1]:",
        "elementary.isqrt: if x [<=|<] 0:",
        "elementary.sqrt_q31: if x_q31 [<=|<] 0:",
        "correlator.score_from: if acc [<|<=] 0:",
        "correlator.score_from: if acc < [0|1]:",
        "correlator.score_from: if acc [<|<=] 0: (2)",
        "correlator.score_from: if acc < [0|1]: (2)",
    ),
    _WRAPS: (
        "elementary.reciprocal: y_q30 = np.int64(_RECIPROCAL_Q30[(d_q30 - ([1|2] << 30)) >> 24])",
        "elementary.reciprocal: y_q30 = np.int64(_RECIPROCAL_Q30[(d_q30 - (1 << [30|31])) >> 24])",
    ),
    _RANGE: (
        "arith.abs_q15: return sat16(-x) if x < 0 else [sat16|wrap16](x)",
        "arith.abs_q31: return sat32(-x) if x < 0 else [sat32|wrap32](x)",
        "elementary.reciprocal: y_q30 = clip(y_q30, np.int64(1 [<<|>>] 29), np.int64(1 << 30))",
        "elementary.reciprocal: y_q30 = clip(y_q30, np.int64(1 << 29), np.int64([1|2] << 30))",
        "elementary.reciprocal: y_q30 = clip(y_q30, np.int64(1 << 29), np.int64(1 << [30|31]))",
        "frontend.band_levels: level = "
        "[sat16|wrap16](rnd_shift32(acc_q24 >> (_LEVEL_Q24_TO_Q8 - 1), 1 + shift))",
        "correlator.integrate: best = np.int64(-([1|2] << 30))",
        "correlator.integrate: best = np.int64(-(1 << [30|31]))",
    ),
    _CORRECTED: (
        "elementary.isqrt: for _ in range([2|3]):",
        "elementary.isqrt: s_q30 = [rnd_shift|trn_shift](d_q29 * r_q31, 30)",
        "elementary.isqrt: e_q30 = (1 << 30) - [rnd_shift|trn_shift](s_q30 * r_q31, 29)",
        "elementary.isqrt: s = [rnd_shift|trn_shift](d_q29 * r_q31, 29) >> h",
        "elementary.isqrt: if s * s [>|>=] x:",
        "elementary.isqrt: s -= [1|2]",
    ),
    _NO_PASS: (
        "elementary.isqrt: for _ in range([4|5]):",
        "elementary.isqrt: for _ in range([3|4]):",
    ),
    "x + 2**15 and x - 2**15 are the same modulo 2**16; so with 2**31": (
        "arith.wrap16: return ((x [+|-] (1 << 15)) & 0xFFFF) - (1 << 15)",
        "arith.wrap32: return ((x [+|-] (1 << 31)) & 0xFFFFFFFF) - (1 << 31)",
    ),
    "low and low + high 2**32 are the same modulo 2**32, which is what is kept of it": (
        "biquad.smooth: low = d [-|+] shl(high, 31)",
    ),
    "what is shifted has no bits below those that stay": (
        "correlator.sums_of_positive: sums[1] = np.int64(sums[1]) + "
        "[trn_shift32|rnd_shift32](wrap32(acc_a - low_a), 16)",
        "correlator.sums_of_positive: sums[3] = np.int64(sums[3]) + "
        "[trn_shift32|rnd_shift32](wrap32(acc_b - low_b), 16)",
    ),
    "a smallest of 1 is left where all are above 0, and then the largest is the magnitude": (
        "compressor.scale_row: largest, smallest = np.int64(0), np.int64([0|1])",
        "level.block_peak: largest, smallest = np.int64(0), np.int64([0|1])",
        "processor.take_sum: largest, smallest = np.int64(0), np.int64([0|1])",
    ),
    "bits are dropped in pairs, since a power's scale is even: never 1 alone": (
        "frontend.band_levels: if drop == [0|1]:",
    ),
    "a shift by 0 is none, whichever way": (
        "elementary.exp2_q24: if up [>=|>] 0:",
        "elementary.exp2_q24: if up >= [0|1]:",
    ),
    "a 31-bit mantissa, shifted right by 32 with RND, is 0": ("elementary.exp2_q24: if up < -[31|32]:",),
    "the lowest bit of the mask is shifted away: n is at least 1": (
        "wide.shift_wrap64_wrap32: return "
        "wrap32(shl(upper, 32 - n) + trn_shift(low & [0xFFFFFFFF|4294967294], n))",
        "wide.shift_rnd_sat32: return "
        "sat32(shl(upper, 32 - n) + trn_shift(low & [0xFFFFFFFF|4294967294], n))",
    ),
    "a guard that no setting reaches: make-up and upward range together are at most 24 dB, below 16": (
        "compressor.compress_band: gain_q27 = np.int64([INT32_MAX|INT32_MIN])",
    ),
    "a threshold is 0, for none, or at least 134217: -60 dBFS": (
        "limiter.limit_block: if params.threshold_q27[row] > [0|1]:",
    ),
    "with no limiters there are 0 blocks, and turning a ring of none leaves it at 0": (
        "processor.process_bank: if params.band_limiter.blocks [>|>=] 0: (2)",
    ),
}
EQUIVALENT: dict[str, str] = {mutant: reason for reason, group in _GROUPS.items() for mutant in group}
