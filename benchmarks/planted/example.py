"""Mistakes in the C of the example of a product of one's own."""

from benchmarks.planted.mistake import Edit, Mistake, text
from benchmarks.planted.reading import GATE


def _parameter(name: str, old: int, new: int) -> Edit:
    return text(f".{name} = {old},", f".{name} = {new},")


MISTAKES = (
    Mistake(
        "dropped rounding",
        "apply_gain",
        GATE,
        "output",
        ("truncation", "apply_gain"),
        (text("(int16_t)sat16(rnd_shift(v * gain, 43))", "(int16_t)sat16(trn_shift(v * gain, 43))"),),
    ),
    Mistake(
        "40-bit accumulator",
        "total in block_dc",
        GATE,
        "blocked",
        ("40.bit", "block_dc"),
        (text("total = pole * y + rest;", "total = (int64_t)((uint64_t)(pole * y + rest) << 24) >> 24;"),),
    ),
    Mistake(
        "wrong constant",
        "STEP_Q31",
        GATE,
        "output",
        ("constant", "STEP_Q31"),
        (text("#define STEP_Q31 44739243", "#define STEP_Q31 44379243"),),
    ),
    Mistake(
        "16-bit coefficients",
        "pole",
        GATE,
        "blocked",
        ("16.bit", "pole_q31"),
        (_parameter("pole_q31", 2141861549, 32682 << 16),),
    ),
    Mistake(
        "attack for release",
        "next_gain",
        GATE,
        "gain",
        ("attack", "release"),
        (text("gain * params->release_q31", "gain * params->attack_q31"),),
    ),
    Mistake(
        "exchanged coefficients",
        "attack and release",
        GATE,
        "gain",
        ("attack", "release"),
        (
            _parameter("attack_q31", 844968974, 35494783),
            _parameter("release_q31", 35494783, 844968974),
        ),
    ),
    Mistake(
        "exchanged channels",
        "input of block_dc",
        GATE,
        "blocked",
        ("channel",),
        (text("x[(int32_t)channel * x_columns", "x[(1 - (int32_t)channel) * x_columns"),),
    ),
    Mistake(
        "block not processed",
        "the input passes",
        GATE,
        "blocked",
        ("block", "not processed|passes|input"),
        (
            text(
                "bittrue_dcgate_process_frame(self->params, &self->state, x, n, y, n);",
                "static int32_t calls; if (calls++ == 300)"
                " { for (int32_t i = 0; i < 2 * n; i++) { y[i] = x[i]; } } else {"
                " bittrue_dcgate_process_frame(self->params, &self->state, x, n, y, n); }",
            ),
        ),
    ),
)
