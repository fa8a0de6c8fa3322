"""Mistakes in what the dynamics processor starts from, and in the order of its blocks."""

import numpy as np

from benchmarks.planted.mistake import Edit, Mistake, table, text, to_16_bits
from benchmarks.planted.reading import HEADSET, SPEAKER
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.settings.tuning import quantise

_INDEX = "[(int32_t)band]"
_SECTION = "(int32_t)channel * state->split_q58_columns"
_KEEP_LATE = """
    static int64_t late[8], later[8], begun[8];
    if (!begun[band]) { begun[band] = 1; late[band] = later[band] = (int64_t)state->gain_q27[(int32_t)band]; }
    const int64_t peak_q27 = apply_gain(params, state, band, later[band], late[band]);
    later[band] = late[band];
    late[band] = gain_q27;
"""
_ATTENUATION_LATE = """
    static int64_t late[8], later[8];
    int64_t *const was = (params->blocks == LOOK) ? &late[row] : &late[7];
    int64_t *const before = (params->blocks == LOOK) ? &later[row] : &later[7];
    const int64_t keep_q30 = trn_shift(ONE_Q31 - *before, 1);
    const int64_t step_q30 = ramp_step(keep_q30, trn_shift(ONE_Q31 - *was, 1), ramp_q32);
    *before = *was;
    *was = end_q31;
    (void)start_q31;
"""
_PROCESS = "bittrue_mbdp_process_frame(self->params, &self->state, x, n, y, n);"


def at_block(number: int, instead: str, otherwise: str = _PROCESS) -> Edit:
    """What one call, of a block, does instead."""
    return text(
        _PROCESS, f"static int32_t calls; if (calls++ == {number}) {{ {instead} }} else {{ {otherwise} }}"
    )


def _of(profile: str, fs_hz: int, channels: int, *path: str) -> Edit:
    """A table as another profile or rate has it."""

    def other(_: np.ndarray) -> np.ndarray:
        value = quantise(load_profile(profile, fs_hz, channels))
        for name in path:
            value = getattr(value, name)
        return np.asarray(value).ravel()

    return table("table_" + "_".join(path), other)


_COEFFICIENTS = (
    Mistake(
        "16-bit coefficients",
        "section, rounded",
        SPEAKER,
        "gain",
        ("16.bit", "section"),
        (table("table_section", to_16_bits),),
    ),
    Mistake(
        "16-bit coefficients",
        "attack and release, truncated",
        SPEAKER,
        "gain",
        ("16.bit", "curve"),
        (
            table("table_curve_attack_q31", lambda values: values >> 16 << 16),
            table("table_curve_release_q31", lambda values: values >> 16 << 16),
        ),
    ),
    Mistake(
        "16-bit coefficients",
        "limiter's release",
        SPEAKER,
        "attenuation",
        ("16.bit", "limiter"),
        (table("table_limiter_release_q31", to_16_bits),),
    ),
    Mistake(
        "another rate's coefficients",
        "section",
        SPEAKER,
        "gain",
        ("44100", "section"),
        (_of("smart-speaker", 44100, 1, "section"),),
    ),
    Mistake(
        "another rate's coefficients",
        "section",
        HEADSET,
        "gain",
        ("48000", "section"),
        (_of("headset", 48000, 2, "section"),),
    ),
    Mistake(
        "another rate's coefficients",
        "attack and release",
        HEADSET,
        "gain",
        ("48000", "curve"),
        (_of("headset", 48000, 2, "curve", "attack_q31"), _of("headset", 48000, 2, "curve", "release_q31")),
    ),
    Mistake(
        "another profile's coefficients",
        "thresholds of the compressors",
        SPEAKER,
        "gain",
        ("conventional", "curve"),
        (_of("conventional", 48000, 1, "curve", "threshold_q24"),),
    ),
    Mistake(
        "attack for release",
        "smooth_reduction",
        SPEAKER,
        "gain",
        ("attack", "release"),
        (text(f"params->curve.release_q31{_INDEX}", f"params->curve.attack_q31{_INDEX}"),),
    ),
    Mistake(
        "attack and release exchanged",
        "smooth_reduction",
        HEADSET,
        "gain",
        ("attack", "release"),
        (
            text(f"params->curve.release_q31{_INDEX}", f"params->curve.spare_q31{_INDEX}"),
            text(f"params->curve.attack_q31{_INDEX}", f"params->curve.release_q31{_INDEX}"),
            text(f"params->curve.spare_q31{_INDEX}", f"params->curve.attack_q31{_INDEX}"),
        ),
    ),
    Mistake(
        "exchanged coefficients",
        "drive and hold of the sections",
        SPEAKER,
        "gain",
        ("section", "1 and 2"),
        (table("table_section", lambda values: values.reshape(-1, 4)[:, [0, 2, 1, 3]].ravel()),),
    ),
    Mistake(
        "another band's coefficients",
        "make-up gains, from the highest",
        SPEAKER,
        "gain",
        ("makeup", "revers"),
        (table("table_curve_makeup_q24", lambda values: values[::-1]),),
    ),
)


_STATES = (
    Mistake(
        "wrong initial state",
        "gain, zeros",
        SPEAKER,
        "limited",
        ("initial|start|zero", "gain_q27"),
        (
            text(
                "copy_32(memory->state_bank_gain_q27, initial_state_bank_gain_q27, 4);",
                "fill_32(memory->state_bank_gain_q27, 4, 0);"
                " (void)copy_32; (void)initial_state_bank_gain_q27;",
            ),
        ),
    ),
    Mistake(
        "wrong initial state",
        "first integrators of the splits, zeros",
        HEADSET,
        "gain",
        ("initial|start|zero", "split_q58"),
        (
            text(
                "fill_64(memory->state_bank_split_q58, 8, INT64_C(2147483648));",
                "fill_64(memory->state_bank_split_q58, 8, 0);",
            ),
        ),
    ),
    Mistake(
        "missing state clear",
        "take_sum",
        SPEAKER,
        "attenuation",
        ("clear|sum_q26", "take_sum|sum_q26"),
        (text("sum_q26[(int32_t)channel * sum_q26_columns + n] = 0;", ""),),
    ),
    Mistake(
        "swapped states",
        "reduction's array for that of the release",
        SPEAKER,
        "gain",
        ("state", "held_q55", "reduction_q55"),
        (
            text(
                "reduction_q55 = memory->state_bank_reduction_q55;",
                "reduction_q55 = memory->state_bank_held_q55;",
            ),
        ),
    ),
    Mistake(
        "swapped states",
        "the two sections of a split, when loaded",
        SPEAKER,
        "gain",
        ("state", "split_q5"),
        (
            text(
                f"int64_t s1 = state->split_q58[{_SECTION} + (int32_t)i];",
                f"int64_t s1 = state->split_q58[{_SECTION} + (int32_t)i + 1];"
                f" const int64_t own = state->split_q58[{_SECTION} + (int32_t)i];",
            ),
            text(f"s1 = state->split_q58[{_SECTION} + ((int32_t)i + 1)];", "s1 = own;"),
        ),
    ),
    Mistake(
        "swapped states",
        "levels of neighbouring bands, when loaded",
        HEADSET,
        "gain",
        ("state", "power_q48"),
        (
            text(
                f"smooth(state->power_q48{_INDEX}, block_power",
                "smooth(state->power_q48[(int32_t)band ^ ((int32_t)band < 2)], block_power",
            ),
        ),
    ),
    Mistake(
        "one channel's state for both",
        "sections of the splits",
        HEADSET,
        "gain",
        ("state", "split_q5|channel"),
        (
            text(
                f"int64_t s1 = state->split_q58[{_SECTION} + (int32_t)i];",
                "int64_t s1 = state->split_q58[(int32_t)i];",
            ),
            text(f"state->split_q58[{_SECTION} + (int32_t)i] = s1;", "state->split_q58[(int32_t)i] = s1;"),
        ),
    ),
)


_SEQUENCE = (
    Mistake(
        "gain one block late",
        "compress_band",
        SPEAKER,
        "band_attenuation",
        ("gain", "late|before"),
        (
            text(
                "const int64_t peak_q27 = apply_gain(params, state, band,"
                f" (int64_t)state->gain_q27{_INDEX}, gain_q27);",
                _KEEP_LATE,
            ),
        ),
    ),
    Mistake(
        "gain one block late",
        "attenuation of the limiters",
        SPEAKER,
        "limited",
        ("end_q31|attenuation", "late|before"),
        (
            text("const int64_t keep_q30 = trn_shift(ONE_Q31 - start_q31, 1);", ""),
            text(
                "const int64_t step_q30 = ramp_step(keep_q30, trn_shift(ONE_Q31 - end_q31, 1), ramp_q32);",
                _ATTENUATION_LATE.replace("LOOK", "12"),
            ),
        ),
    ),
    Mistake(
        "block not processed",
        "the input passes",
        SPEAKER,
        "gain",
        ("block", "not processed|passes|input"),
        (at_block(2000, "for (int32_t i = 0; i < n; i++) { y[i] = x[i]; }"),),
    ),
    Mistake(
        "block not processed",
        "silence",
        SPEAKER,
        "gain",
        ("block", "not processed|lost|silence|skipped"),
        (at_block(1700, "for (int32_t i = 0; i < n; i++) { y[i] = 0; }"),),
    ),
    Mistake(
        "block not processed",
        "no output",
        HEADSET,
        "gain",
        ("block", "not processed"),
        (at_block(900, "(void)x; (void)y;"),),
    ),
    Mistake(
        "block not processed",
        "the first",
        HEADSET,
        "gain",
        ("block", "first|not processed|skipped|lost"),
        (at_block(0, "for (int32_t i = 0; i < 2 * n; i++) { y[i] = 0; }"),),
    ),
    Mistake(
        "block processed twice",
        "within the stream",
        SPEAKER,
        "gain",
        ("block", "twice|doubled"),
        (at_block(2500, _PROCESS + _PROCESS),),
    ),
    Mistake(
        "block lost",
        "in the queue of the input",
        SPEAKER,
        "gain",
        ("block", "lost|dropped|early"),
        (
            text(
                _PROCESS,
                "static int32_t calls; if (calls++ >= 2100) { x += n; } " + _PROCESS,
            ),
        ),
    ),
    Mistake(
        "block doubled",
        "in the queue of the input",
        SPEAKER,
        "gain",
        ("block", "twice|doubled|repeated|late"),
        (text(_PROCESS, "static int32_t calls; if (calls++ >= 1900) { x -= n; } " + _PROCESS),),
    ),
    Mistake(
        "input one block late",
        "double buffer",
        HEADSET,
        "gain",
        ("input|delay|off by one", "block", "late"),
        (
            text(
                _PROCESS,
                "static int16_t held[32]; int16_t now[32];"
                " for (int32_t i = 0; i < 2 * n; i++) { now[i] = x[i]; }"
                " bittrue_mbdp_process_frame(self->params, &self->state, held, n, y, n);"
                " for (int32_t i = 0; i < 2 * n; i++) { held[i] = now[i]; }",
            ),
        ),
    ),
    Mistake(
        "exchanged channels",
        "input",
        HEADSET,
        "limited",
        ("channel",),
        (text("x_q15[channel * x_q15_columns", "x_q15[(1 - channel) * x_q15_columns"),),
    ),
    Mistake(
        "exchanged operands",
        "difference in svf",
        SPEAKER,
        "gain",
        ("svf", "exchanged|sign|operand"),
        (
            text(
                "rest_q27 = (int32_t)narrow32(x_q27 - s2_q27);",
                "rest_q27 = (int32_t)narrow32(s2_q27 - x_q27);",
            ),
        ),
    ),
)


MISTAKES = (*_COEFFICIENTS, *_STATES, *_SEQUENCE)
