"""What is measured in a sweep's rows: names in words, and values at each level of a factor."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from firmware_model.report.factors import Factor

Told = tuple[str, str, str]  # of an outcome: words, unit, what it is


class Measure(NamedTuple):
    """One outcome: rows without it are NaN."""

    name: str
    told: Told
    value: np.ndarray

    @property
    def words(self) -> str:
        return self.told[0]

    @property
    def unit(self) -> str:
        return self.told[1]

    @property
    def title(self) -> str:
        return f"{self.words} ({self.unit})" if self.unit else self.words


def measures_of(rows: Sequence[dict[str, Any]], table: Mapping[str, Told]) -> list[Measure]:
    """Those of a table that any row has."""
    found = [
        Measure(name, told, np.array([np.nan if row[name] is None else float(row[name]) for row in rows]))
        for name, told in table.items()
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
