"""What is measured of a dynamics processor's sweep: names in words, and values at each level of a factor."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from firmware_model.cli_sweep_report_factors import Factor

RESIDUAL = "distortion_db"
# Outcome -> words, unit, what it is.
MEASURES = {
    "loudness_lufs": ("loudness", "LUFS", "of the sound pressure, 1 Pa being full scale"),
    "gain_db": ("gain", "dB", "of the processor"),
    "bass_db": ("bass", "dB", "sound pressure from 20 to 200 Hz"),
    "thd_db": ("THD", "dB", "harmonics of a 100 Hz tone over its fundamental"),
    RESIDUAL: ("residual", "dB", "what no linear gain explains, which an echo canceller is left with"),
    "compression_db": ("compression", "dB", "that gain over the loudspeaker's at small signals"),
    "peak_mm": ("peak excursion", "mm", "of the cone"),
    "clipped": ("clipped", "share", "samples at the amplifier's rail"),
    "brown_out_s": ("amplifier off", "s", "for want of supply"),
}


class Measure(NamedTuple):
    """One outcome: rows without it are NaN."""

    name: str
    value: np.ndarray

    @property
    def title(self) -> str:
        words, unit, _ = MEASURES[self.name]
        return f"{words} ({unit})" if unit else words


def measures_of(rows: Sequence[dict[str, Any]]) -> list[Measure]:
    """Those that any row has."""
    found = [
        Measure(name, np.array([np.nan if row[name] is None else float(row[name]) for row in rows]))
        for name in MEASURES
        if rows and name in rows[0]
    ]
    return [measure for measure in found if np.isfinite(measure.value).any()]


def short(value: float) -> str:
    """Three digits, with the minus sign of print; a dash for what is not known."""
    return f"{value + 0.0:.3g}".replace("-", "−") if np.isfinite(value) else "–"


def cells_of(value: np.ndarray, along: Factor | None, which: np.ndarray) -> list[np.ndarray]:
    """Values at each level."""
    known = which & np.isfinite(value)
    if along is None:
        return [value[known]]
    return [value[known & (along.level == i)] for i in range(len(along.labels))]


def medians_of(value: np.ndarray, along: Factor | None) -> list[float]:
    cells = cells_of(value, along, np.ones(len(value), bool))
    return [float(np.median(cell)) if len(cell) else float("nan") for cell in cells]


def level_names(along: Factor | None) -> list[str]:
    return ["all rows"] if along is None else [along.of_level(i) for i in range(len(along.labels))]
