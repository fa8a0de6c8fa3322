"""Mistakes in the arithmetic of the watermark detector: roundings, widths, shifts, constants."""

from benchmarks.planted.mistake import Edit, Mistake, entry, text
from benchmarks.planted.reading import DETECTOR, SMALL


def _define(name: str, old: str, new: str) -> Edit:
    return text(f"#define {name} {old}", f"#define {name} {new}")


def _constant(name: str, old: str, new: str, first: str, case: str = DETECTOR) -> Mistake:
    return Mistake(
        "wrong constant", name, case, first, ("constant|shift|bound", name), (_define(name, old, new),)
    )


_ARITHMETIC = (
    Mistake(
        "dropped rounding",
        "windowed_q30",
        DETECTOR,
        "band_level",
        ("truncation", "windowed_q30"),
        (
            text(
                "narrow32(rnd_shift(sample_q31 * weight_q31, 32))",
                "narrow32(asr(sample_q31 * weight_q31, 32))",
            ),
        ),
    ),
    Mistake(
        "dropped rounding",
        "sum_of_products of the FFT",
        DETECTOR,
        "band_level",
        ("truncation", "sum_of_products|stage_radix4"),
        (text("a * b + c * d + (INT64_C(1) << (31 + shift))", "a * b + c * d"),),
    ),
    Mistake(
        "dropped rounding",
        "mean square in update_features",
        DETECTOR,
        "feature",
        ("truncation", "update_features"),
        (
            text(
                "square_q12 = rnd_shift32(contrast_q12 * contrast_q12,",
                "square_q12 = trn_shift32(contrast_q12 * contrast_q12,",
            ),
        ),
    ),
    Mistake(
        "dropped rounding",
        "integrate",
        SMALL,
        "integrated",
        ("truncation", "integrate"),
        (
            text(
                "rnd_shift(total * (int64_t)params->root_q15[m], 15)",
                "asr(total * (int64_t)params->root_q15[m], 15)",
            ),
        ),
    ),
    Mistake(
        "rounding of halves to even",
        "features in weigh",
        DETECTOR,
        "feature",
        ("even", "weigh"),
        (
            text(
                "* weight_q15 * FEATURE_SCALE, FEATURE_SHIFT);",
                "* weight_q15 * FEATURE_SCALE, FEATURE_SHIFT);"
                " { const int64_t all = (int64_t)contrast_q12[band] * weight_q15 * FEATURE_SCALE;"
                " const int64_t half = 1 << (FEATURE_SHIFT - 1);"
                " if ((all & (2 * half - 1)) == half) { value &= ~INT64_C(1); } }",
            ),
        ),
    ),
    Mistake(
        "wrap for saturation",
        "features in weigh",
        DETECTOR,
        "feature",
        ("wrap", "weigh"),
        (
            text(
                "value = narrow32(clip(value, -((int64_t)FEATURE_LIMIT), FEATURE_LIMIT));",
                "value = (int8_t)value;",
            ),
        ),
    ),
    Mistake(
        "wrap for saturation",
        "contrast in update_features",
        DETECTOR,
        "feature",
        ("wrap", "update_features"),
        (
            text(
                "contrast_q12 = clip(contrast_q12, -((int64_t)CONTRAST_LIMIT_Q12), CONTRAST_LIMIT_Q12);",
                "contrast_q12 = (((contrast_q12 + 8192) & 16383) - 8192);",
            ),
        ),
    ),
    Mistake(
        "32-bit accumulator",
        "power",
        DETECTOR,
        "band_level",
        ("32.bit", "power"),
        (text("return re * re + im * im;", "return (int32_t)(re * re + im * im);"),),
    ),
    Mistake(
        "40-bit accumulator",
        "sum_of_products of the FFT",
        SMALL,
        "band_level",
        ("40.bit", "sum_of_products|stage_radix4"),
        (
            text(
                "asr(a * b + c * d + (INT64_C(1) << (31 + shift)), 32)",
                "asr((int64_t)((uint64_t)(a * b + c * d + (INT64_C(1) << (31 + shift))) << 24) >> 24, 32)",
            ),
        ),
    ),
    Mistake(
        "24-bit accumulator",
        "columns in sums_of_columns",
        DETECTOR,
        "score",
        ("bit", "sums_of_columns"),
        (
            text(
                "square += (int64_t)s * s;",
                "square = (int32_t)((uint32_t)(square + (int64_t)s * s) << 8) >> 8;",
            ),
        ),
    ),
    Mistake(
        "32-bit product",
        "activity in weigh",
        DETECTOR,
        "feature",
        ("32.bit", "weigh"),
        (
            text(
                "rnd_shift((int64_t)above_q19 * WEIGHT_SCALE_Q31, 31)",
                "rnd_shift((int32_t)((int64_t)above_q19 * WEIGHT_SCALE_Q31), 31)",
            ),
        ),
    ),
    Mistake(
        "logical for arithmetic shift",
        "scale_to_28 of the FFT",
        DETECTOR,
        "band_level",
        ("logical", "scale_to_28|first_stage|rnd_shift32"),
        (
            text(
                "return rnd_shift32(shl32(x, up), 3);",
                "return (int64_t)((((uint32_t)shl32(x, up) >> 2) + 1) >> 1);",
            ),
        ),
    ),
    Mistake(
        "logical for arithmetic shift",
        "contrast in update_features",
        SMALL,
        "feature",
        ("logical", "update_features"),
        (
            text(
                "rnd_shift32(contrast_q18, CONTRAST_Q18_TO_Q12);",
                "(int64_t)((((uint32_t)contrast_q18 >> (CONTRAST_Q18_TO_Q12 - 1)) + 1) >> 1);",
            ),
        ),
    ),
    Mistake(
        "exchanged operands",
        "third product of stage_radix4",
        DETECTOR,
        "band_level",
        ("stage_radix4", "exchanged|operand"),
        (
            text(
                "const int64_t ci = sum_of_products(zr, wi, zi, wr, shift);",
                "const int64_t ci = sum_of_products(zr, wr, zi, wi, shift);",
            ),
        ),
    ),
)


_CONSTANTS = (
    _constant("WEIGHT_SCALE_Q31", "31580642", "31850642", "feature"),
    _constant("NOISE_SUM_Q19", "4010803", "4101803", "feature"),
    _constant("LEAST_WEIGHT_Q15", "9830", "9380", "feature", SMALL),
    _constant("MEAN_SHIFT", "5", "6", "feature"),
    _constant("FLOOR_LOG2", "6", "5", "band_level", SMALL),
    Mistake(
        "wrong saturation bound",
        "CONTRAST_LIMIT_Q12",
        DETECTOR,
        "feature",
        ("constant|bound", "CONTRAST_LIMIT_Q12"),
        (_define("CONTRAST_LIMIT_Q12", "8128", "8191"),),
    ),
    Mistake(
        "wrong saturation bound",
        "FEATURE_LIMIT",
        DETECTOR,
        "feature",
        ("constant|bound", "FEATURE_LIMIT"),
        (_define("FEATURE_LIMIT", "127", "126"),),
    ),
    Mistake(
        "wrong constant",
        "LOG2, one entry",
        DETECTOR,
        "band_level",
        ("constant", "LOG2"),
        (entry("LOG2", 1124340739, 1124430739),),
    ),
    Mistake(
        "wrong constant",
        "slots in oldest_row: one row off",
        DETECTOR,
        "score",
        ("ring|row|off by one", "oldest_row|feature"),
        (
            text(
                "+ params->slot_hops; const int64_t mark_hops",
                "+ params->slot_hops + 1; const int64_t mark_hops",
            ),
        ),
    ),
)


MISTAKES = (*_ARITHMETIC, *_CONSTANTS)
