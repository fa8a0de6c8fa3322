"""Mistakes in what the watermark detector starts from, and in the order of its blocks."""

import numpy as np

from benchmarks.planted.mistake import Edit, Mistake, table, text, to_16_bits
from benchmarks.planted.reading import DETECTOR, SMALL
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig, quantise

_PROCESS = "bittrue_watermark_process_frame(self->params, &self->state, x, &self->output);"


def _key(name: str) -> Edit:
    """The signs of another key."""
    config = WatermarkConfig()
    signs = Key.from_hex(name).signs(config.max_marks, config.slots, config.bands)[np.newaxis]
    return table("table_signs", lambda _: quantise(config, signs).signs.ravel())


_COEFFICIENTS = (
    Mistake(
        "another key's coefficients",
        "digits in the reverse order of bytes",
        DETECTOR,
        "score",
        ("key|signs",),
        (_key("ed5eed5eed5eed5e"),),
    ),
    Mistake(
        "another key's coefficients",
        "the two keys exchanged",
        SMALL,
        "score",
        ("key|signs|rows in the reverse order",),
        (table("table_signs", lambda values: np.roll(values, len(values) // 2)),),
    ),
    Mistake(
        "16-bit coefficients",
        "window",
        DETECTOR,
        "band_level",
        ("16.bit", "window_q31"),
        (table("table_window_q31", to_16_bits),),
    ),
    Mistake(
        "16-bit coefficients",
        "twiddles",
        SMALL,
        "band_level",
        ("16.bit", "twiddle_q31"),
        (table("table_fft_twiddle_q31", to_16_bits),),
    ),
    Mistake(
        "16-bit coefficients",
        "cosines of the last stage",
        DETECTOR,
        "band_level",
        ("16.bit", "cosine_q31"),
        (table("table_fft_cosine_q31", lambda values: values >> 16 << 16),),
    ),
)


_STATES = (
    Mistake(
        "wrong initial state",
        "levels, zeros",
        DETECTOR,
        "slot_level",
        ("initial|start|zero", "level_q8"),
        (text("fill_16(memory->state_level_q8, 3504, 1536);", "fill_16(memory->state_level_q8, 3504, 0);"),),
    ),
    Mistake(
        "missing state clear",
        "work in sums_of_columns",
        SMALL,
        "score",
        ("clear", "work|sums_of_columns"),
        (text("work[band] = 0;", ""),),
    ),
    Mistake(
        "swapped states",
        "the work area's array for the running mean's",
        DETECTOR,
        "feature",
        ("state", "mean_q23", "work"),
        (
            text(
                "self->state.mean_q23 = memory->state_mean_q23;", "self->state.mean_q23 = memory->state_work;"
            ),
        ),
    ),
    Mistake(
        "ring off by one",
        "levels",
        DETECTOR,
        "band_level",
        ("ring|comparison|off by one", "update_levels|level"),
        (text("if (row == params->slot_hops)", "if (row == params->slot_hops - 1)"),),
    ),
    Mistake(
        "ring off by one",
        "input",
        DETECTOR,
        "band_level",
        ("off by one|one sample|ring",),
        (
            text(
                "state->input_q15[(int32_t)((position + i) & mask)] = x[i];",
                "state->input_q15[(int32_t)((position + i + 1) & mask)] = x[i];",
            ),
        ),
    ),
)


_SEQUENCE = (
    Mistake(
        "block not processed",
        "a hop",
        DETECTOR,
        "band_level",
        ("block|hop", "not processed|lost|old|skipped|repeat"),
        (text(_PROCESS, "static int32_t calls; if (calls++ != 40) { " + _PROCESS + " }"),),
    ),
    Mistake(
        "block not processed",
        "the first hop",
        SMALL,
        "band_level",
        ("block|hop", "first|not processed|lost|skipped"),
        (text(_PROCESS, "static int32_t calls; if (calls++ != 0) { " + _PROCESS + " }"),),
    ),
    Mistake(
        "block lost",
        "in the queue of the input",
        DETECTOR,
        "band_level",
        ("block|hop", "lost|dropped|early"),
        (text(_PROCESS, "static int32_t calls; if (calls++ >= 60) { x += self->params->hop; } " + _PROCESS),),
    ),
    Mistake(
        "gain one block late",
        "exponent of the spectrum",
        DETECTOR,
        "band_level",
        ("exponent", "late|before"),
        (
            text(
                "update_levels(params, state, exponent);",
                "static int64_t late; update_levels(params, state, late); late = exponent;",
            ),
        ),
    ),
)


MISTAKES = (*_COEFFICIENTS, *_STATES, *_SEQUENCE)
