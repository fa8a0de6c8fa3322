"""How a sweep of the dynamics processor is shown: distortion, loudness, bass, residual over volume."""

from typing import Any

from firmware_model.dynamics.report.loudness import MEASURES, RESIDUAL, at_equal_loudness
from firmware_model.report import measured
from firmware_model.report.page import Section
from firmware_model.report.sections import Heard
from firmware_model.report.source import Source

__all__ = ["BETTER", "MEASURES", "analyse"]

BETTER = {
    "loudness_lufs": "more",
    "bass_db": "more",
    "thd_db": "less",
    RESIDUAL: "less",
    "peak_mm": "less",
    "clipped": "less",
    "brown_out_s": "less",
}
_TOLD = measured.Told(
    measures=MEASURES,
    lead=("loudness_lufs", "thd_db", RESIDUAL),
    worst=RESIDUAL,
    title="What the loudspeaker plays",
    compared=at_equal_loudness,
)


def analyse(source: Source, heard: Heard | None) -> tuple[list[str], list[Section], dict[str, Any]]:
    """Findings, sections and what --json prints."""
    return measured.analyse(source, heard, _TOLD)
