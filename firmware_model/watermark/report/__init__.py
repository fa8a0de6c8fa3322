"""How a sweep of the watermark is shown: misses at a false-alarm rate, and arithmetics compared."""

from typing import Any

from firmware_model.report.page import Section
from firmware_model.report.sections import Heard
from firmware_model.report.source import Source
from firmware_model.report.verdict.quantities import Trials
from firmware_model.watermark.params import WatermarkConfig
from firmware_model.watermark.report import findings
from firmware_model.watermark.report.trials import Findings, missed_by_row
from fixedpoint.errors import ConfigError

# What is measured in a row, one number each; missed marks are `judged`.
MEASURES = {
    "score": ("largest score", "", "of the marks of a row"),
    "strays": ("strays", "", "detections at no mark"),
    "latency_s": ("latency", "s", "from a mark's end to its report"),
    "wsr_db": ("watermark to signal", "dB", "as embedded"),
}
BETTER = {"score": "more", "strays": "less", "latency_s": "less"}
_VOLUME = "volume_db"


def analyse(source: Source, heard: Heard | None) -> tuple[list[str], list[Section], dict[str, Any]]:
    """Findings, sections and what --json prints.

    Raises
    ------
    ConfigError
        No row holds a mark.
    """
    found = Findings(source)
    if not len(found.trials.score):
        raise ConfigError(f"{source.meta['path']}: no row holds a mark; longer programmes are needed")
    return findings.lead(found), findings.sections(found, heard), findings.facts(found)


def swept_in_words(source: Source) -> str:
    """Of a recording, beside what the loudspeaker makes of it; "" where no volume varies."""
    if _VOLUME not in source.axes:
        return ""
    text = "The microphone's gain is that for a volume of 0 dB: the recording's level follows the volume"
    rows = [*source.rows, *source.failed]
    if any(row["snr_1m_db"] is not None for row in rows):
        return f"{text}, and so does the SNR, which is given at 1 m and 0 dB."
    held = any(row["snr_db"] is not None for row in rows)
    return f"{text}; the SNR at the microphone is held." if held else f"{text}."


def judged(source: Source) -> dict[str, Trials]:
    """Marks missed: at the page's threshold, which has a fixed false-alarm rate, and at the shipped one."""
    found = Findings(source)
    return {
        "missed": Trials("marks missed", "mark", missed_by_row(source.rows, found.threshold)),
        "missed_shipped": Trials(
            "marks missed at the shipped threshold",
            "mark",
            missed_by_row(source.rows, WatermarkConfig().threshold),
        ),
    }
