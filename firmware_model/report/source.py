"""The results of a sweep as a report reads them."""

import shlex
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from acoustic_sim.sweep.design import HYPERCUBE
from acoustic_sim.sweep.results import Results, Timing
from firmware_model.report.factors import ARITHMETIC, Factor, factors
from firmware_model.report.found_plan import FoundPlan, find_plan
from fixedpoint.errors import ConfigError

DEVICE = "q15"  # the arithmetic that a report is about, where the plan has it


@dataclass(frozen=True)
class Source:
    """Results as a report reads them.

    rows : without error;  failed : with one
    axes : names of those that vary;  factors : these but the arithmetic, and the programme; levels of `rows`
    plan : by which rows can be computed again
    """

    meta: dict[str, Any]
    rows: list[dict[str, Any]]
    failed: list[dict[str, Any]]
    axes: list[str]
    factors: list[Factor]
    timings: dict[int, Timing]
    plan: FoundPlan

    @property
    def crossed(self) -> bool:
        """Whether every level of an axis meets all of the others, as it does not in a hypercube."""
        return self.meta["settings"]["design"] != HYPERCUBE

    @property
    def arithmetics(self) -> list[str]:
        """In the order of their first rows; those of rows that failed where there are no others."""
        return list(dict.fromkeys(row[ARITHMETIC] for row in self.rows or self.failed))

    @cached_property
    def index(self) -> dict[int, int]:
        """Number of a row without error -> its place in `rows`, which is that in the factors' levels."""
        return {row["row"]: place for place, row in enumerate(self.rows)}

    def command(self, row: int, suffix: str = "") -> str:
        """What computes a row again; "" where nothing does any more."""
        if self.plan.plan is None:
            return ""
        return f"bittrue sweep {shlex.quote(self.plan.path)} --row {row}{suffix}"


def read(folder: str, plan_instead: str = "plan.toml") -> Source:
    """The results in a folder; a sweep may still be running.

    Parameters
    ----------
    plan_instead : see `find_plan`

    Raises
    ------
    ConfigError
        No results there.
    """
    with Results.read(folder) as results:
        everything, meta, timings = results.rows(), results.meta, results.timings()
    if not all(isinstance(row.get(ARITHMETIC), str) for row in everything):
        raise ConfigError(f"{folder}: rows without {ARITHMETIC} found; results of this version needed")
    rows = [row for row in everything if row["error"] is None]
    failed = [row for row in everything if row["error"] is not None]
    axes = list(meta["axes"])
    samples = meta["settings"]["samples"] if meta["settings"]["design"] == HYPERCUBE else 0
    levels = factors(rows, axes, samples)
    return Source(meta, rows, failed, axes, levels, timings, find_plan(meta, plan_instead))
