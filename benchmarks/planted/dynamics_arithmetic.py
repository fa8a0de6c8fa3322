"""Mistakes in the arithmetic of the dynamics processor: roundings, widths, shifts, constants."""

from benchmarks.planted.mistake import Mistake, entry, text
from benchmarks.planted.reading import HEADSET, SPEAKER

_INDEX = "[(int32_t)band]"

_ROUNDING = (
    Mistake(
        "dropped rounding",
        "exchange_row",
        SPEAKER,
        "limited",
        ("truncation", "exchange_row"),
        (text("(int32_t)rnd_shift(v * keep_q30, 30)", "(int32_t)asr(v * keep_q30, 30)"),),
    ),
    Mistake(
        "dropped rounding",
        "to_q15",
        SPEAKER,
        "output",
        ("truncation", "to_q15"),
        (text("(int16_t)sat16(rnd_shift(", "(int16_t)sat16(trn_shift("),),
    ),
    Mistake(
        "dropped rounding",
        "smooth_reduction",
        SPEAKER,
        "gain",
        ("truncation", "smooth_reduction"),
        (
            text(
                "return rnd_shift(reduction_q55, STATE_SHIFT);",
                "return trn_shift(reduction_q55, STATE_SHIFT);",
            ),
        ),
    ),
    Mistake(
        "dropped rounding",
        "scale_row",
        HEADSET,
        "limited",
        ("truncation", "scale_row"),
        (text("product_q27 = rnd_shift(", "product_q27 = trn_shift("),),
    ),
    Mistake(
        "dropped rounding",
        "downward_q24",
        SPEAKER,
        "gain",
        ("truncation", "downward_q24|mul_rnd"),
        (
            text(
                f"mul_rnd(curve->slope_q30{_INDEX}, over_q24, 30)",
                f"asr((int64_t)curve->slope_q30{_INDEX} * over_q24, 30)",
            ),
        ),
    ),
    Mistake(
        "rounding for truncation",
        "add_row",
        SPEAKER,
        "attenuation",
        ("rounding for truncation", "add_row"),
        (
            text(
                "+ trn_shift((int64_t)x_q27[(int32_t)row * x_q27_columns + n], TO_SUM)",
                "+ rnd_shift((int64_t)x_q27[(int32_t)row * x_q27_columns + n], TO_SUM)",
            ),
        ),
    ),
    Mistake(
        "rounding for truncation",
        "allpass_of",
        SPEAKER,
        "gain",
        ("rounding for truncation", "allpass_of"),
        (text("x_q27 - trn_shift(narrow32(bend_q29)", "x_q27 - rnd_shift(narrow32(bend_q29)"),),
    ),
    Mistake(
        "rounding towards zero",
        "reduction in smooth",
        HEADSET,
        "gain",
        ("towards zero", "smooth"),
        (
            text(
                "+ trn_shift(narrow32(low) * narrow32(coef_q31), 31)",
                "+ (narrow32(low) * narrow32(coef_q31)) / (INT64_C(1) << 31)",
            ),
            text("const int64_t high = trn_shift(d, 31);", "const int64_t high = d / (INT64_C(1) << 31);"),
        ),
    ),
)


_WIDTHS = (
    Mistake(
        "32-bit accumulator",
        "sum_of_squares",
        SPEAKER,
        "gain",
        ("32.bit", "sum_of_squares"),
        (text("acc += v_q24 * v_q24;", "acc = (int32_t)(acc + v_q24 * v_q24);"),),
    ),
    Mistake(
        "40-bit accumulator",
        "sum_of_squares",
        SPEAKER,
        "gain",
        ("40.bit", "sum_of_squares"),
        (text("acc += v_q24 * v_q24;", "acc = (int64_t)((uint64_t)(acc + v_q24 * v_q24) << 24) >> 24;"),),
    ),
    Mistake(
        "40-bit accumulator",
        "second integrator of svf",
        SPEAKER,
        "gain",
        ("40.bit", "svf"),
        (
            text(
                "s2_next_q54 = s2_q54 + narrow32(gain_q27) * band_q27;",
                "s2_next_q54 = (int64_t)((uint64_t)(s2_q54 + narrow32(gain_q27) * band_q27) << 24) >> 24;",
            ),
        ),
    ),
    Mistake(
        "32-bit accumulator",
        "total in next_attenuation",
        SPEAKER,
        "band_attenuation",
        ("32.bit", "next_attenuation"),
        (
            text(
                "state->released_q31_columns + position]; state->released_q31",
                "state->released_q31_columns + position];"
                " total_q31 = (int32_t)total_q31; state->released_q31",
            ),
            text("const int64_t total_q31 = state->sum_q31", "int64_t total_q31 = state->sum_q31"),
        ),
    ),
    Mistake(
        "logical for arithmetic shift",
        "svf",
        SPEAKER,
        "gain",
        ("logical", "svf"),
        (text("+ trn_shift(s2_q27, 1) -", "+ (int64_t)((uint32_t)s2_q27 >> 1) -"),),
    ),
    Mistake(
        "logical for arithmetic shift",
        "sum_of_squares",
        SPEAKER,
        "gain",
        ("logical", "sum_of_squares"),
        (
            text(
                "v_q24 = trn_shift((int64_t)x_q27[(int32_t)row * x_q27_columns + n], SQUARE_SHIFT);",
                "v_q24 = (int64_t)((uint32_t)x_q27[(int32_t)row * x_q27_columns + n] >> SQUARE_SHIFT);",
            ),
        ),
    ),
    Mistake(
        "logical for arithmetic shift",
        "add_row",
        HEADSET,
        "attenuation",
        ("logical", "add_row"),
        (
            text(
                "+ trn_shift((int64_t)x_q27[(int32_t)row * x_q27_columns + n], TO_SUM)",
                "+ (int64_t)((uint32_t)x_q27[(int32_t)row * x_q27_columns + n] >> TO_SUM)",
            ),
        ),
    ),
    Mistake(
        "comparison off by one",
        "ring of `advance`",
        SPEAKER,
        "band_attenuation",
        ("ring|comparison off by one", "advance"),
        (text("if (position >= params->blocks)", "if (position > params->blocks - 2)"),),
    ),
)


_CONSTANTS = (
    Mistake(
        "wrong constant",
        "LOG2, one entry",
        SPEAKER,
        "gain",
        ("constant", "LOG2"),
        (entry("LOG2", 1124340739, 1124430739),),
    ),
    Mistake(
        "wrong constant",
        "EXP2_Q30, digits exchanged",
        SPEAKER,
        "gain",
        ("constant", "EXP2"),
        (entry("EXP2_Q30", 1638098541, 1683098541),),
    ),
    Mistake(
        "wrong constant",
        "BELOW in attenuation_for",
        SPEAKER,
        "band_attenuation",
        ("constant", "BELOW"),
        (text("#define BELOW 28", "#define BELOW 27"),),
    ),
    Mistake(
        "wrong constant",
        "SQUARE_SHIFT",
        SPEAKER,
        "gain",
        ("constant|shift", "SQUARE_SHIFT"),
        (text("#define SQUARE_SHIFT 3", "#define SQUARE_SHIFT 4"),),
    ),
    Mistake(
        "wrong constant",
        "shift in exchange_row",
        HEADSET,
        "limited",
        ("constant|shift", "exchange_row"),
        (text("(int32_t)rnd_shift(v * keep_q30, 30)", "(int32_t)rnd_shift(v * keep_q30, 31)"),),
    ),
)


MISTAKES = (*_ROUNDING, *_WIDTHS, *_CONSTANTS)
