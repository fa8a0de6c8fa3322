"""What a row of a watermark sweep computes, and the axes of its plans."""

from dataclasses import replace

from acoustic_sim.sweep.axes import ARITHMETIC, OF_THE_PATH, Axis, choice, number, text
from firmware_model.watermark.study.row import CHECKS, OUTCOME, evaluate, group_key, heard

__all__ = ["AXES", "CHECKS", "OUTCOME", "evaluate", "group_key", "heard"]

_KEY = replace(
    text(
        "key",
        "5eed5eed5eed5eed",
        r"([0-9a-fA-F]{2}){2,64}",
        "4 to 128 hexadecimal digits, an even number, in quotes",
    ),
    compared=str.lower,
)
AXES: tuple[Axis, ...] = (
    *OF_THE_PATH,
    _KEY,
    choice("mode", "informed", ("informed", "live")),
    number("strength_db", None, -20, 12, "dB", "default"),
    ARITHMETIC,
)
