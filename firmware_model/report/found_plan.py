"""The plan that a report computes rows by again: its file, or the text that was kept with the results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from acoustic_sim.sweep.plan import Plan
from firmware_model.report.plans import load, parse
from fixedpoint.errors import BittrueError


class FoundPlan(NamedTuple):
    """The plan of the rows.

    plan : None where it cannot be had any more
    path : what a command names, from the folder that the report is made in
    kept : the text that has to be written to `path`, or None where the plan's own file is used
    says : what became of the file, one sentence; "" where it is as it was
    """

    plan: Plan | None
    path: str
    kept: str | None
    says: str


def find_plan(meta: Mapping[str, Any], instead: str) -> FoundPlan:
    """The plan of results, wherever they are looked at from.

    Parameters
    ----------
    meta : of the results
    instead : path of a file for the text kept with the results, where the plan's own is not as it was
    """
    path = _from_here(meta)
    try:
        plan = load(path)
    except BittrueError as error:
        why = f"The plan cannot be used any more: {error}" if Path(path).exists() else f"{path} is not there"
    else:
        if plan.digest == meta["digest"]:
            return FoundPlan(plan, path, None, "")
        what = "A file that the plan names" if plan.text == meta["plan"] else path
        why = f"{what} has changed since"
    kept = _kept(meta, path)
    if kept is None:
        return FoundPlan(None, path, None, f"{why}: the rows cannot be computed again.")
    return FoundPlan(kept, instead, kept.text, f"{why}: {instead} is the plan as it was.")


def _from_here(meta: Mapping[str, Any]) -> str:
    """The path as it was given if it leads to the same file from here, else the absolute one."""
    given = str(meta["path"])
    absolute = str(meta.get("absolute_path", given))  # older results have none
    return given if str(Path(given).resolve()) == absolute else absolute


def _kept(meta: Mapping[str, Any], path: str) -> Plan | None:
    """The plan by its kept text, unless that needs files or means something else by now."""
    try:
        plan = parse(meta["plan"], path)
    except BittrueError:
        return None
    return plan if plan.digest == meta["digest"] and not plan.files else None
