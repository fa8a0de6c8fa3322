"""`sweep --dry-run`: the checks of a sweep but its cluster's, and its number of rows; nothing is written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acoustic_sim.border.array_store import limit_bytes
from acoustic_sim.sweep.results import Results
from acoustic_sim.sweep.results_file import FILE
from acoustic_sim.sweep.results_meta import refuse_another
from firmware_model.cli import sweeping
from firmware_model.cli.terminal import output
from firmware_model.report.factors import text_of
from firmware_model.report.plans import code_digest, read, study_of

_VALUES_SHOWN = 8  # of an axis


def dry_run(path: str, out: str | None) -> dict[str, Any]:
    """What a sweep would compute.

    Parameters
    ----------
    out : folder whose rows the sweep would go on from, or None

    Raises
    ------
    BittrueError
    """
    if out is not None:
        sweeping.check_folder(out)
    limit_bytes()
    plan, done, errors = read(path), 0, 0
    if out is not None and (Path(out) / FILE).exists():
        outcome, code = study_of(plan.product).OUTCOME, {"code": code_digest(plan.product)}
        if refuse_another(Path(out), plan, outcome, code):
            with Results.read(out) as results:
                done, errors = results.counts()
    return {
        "plan": plan.path,
        "product": plan.product,
        "design": plan.design,
        "rows": len(plan.conditions()),
        "done": done,
        "errors": errors,
        "programmes": [plan.as_written(name) for name in plan.programmes],
        "repeats": plan.repeats,
        "axes": {name: [plan.as_written(value) for value in values] for name, values in plan.axes.items()},
    }


def in_words(found: Mapping[str, Any]) -> str:
    """Rows, and a line for each axis."""
    head = f"{found['plan']}: {output.counted(found['rows'], 'row')} of {found['product']}, {found['design']}"
    lines = [f"{head}; nothing is computed"]
    if found["done"]:
        failed = f", {output.counted(found['errors'], 'error')} among them" if found["errors"] else ""
        lines.append(f"{found['done']} of them are there already{failed}")
    axes = {"programme": found["programmes"]} | found["axes"]
    rows = [[name, str(len(values)), _some(name, values)] for name, values in axes.items()]
    rows.insert(1, ["repeats", str(found["repeats"]), ""])
    return "\n".join([*lines, "", output.table(["axis", "levels", "values"], rows, left=3)])


def _some(name: str, values: list[Any]) -> str:
    """The values of an axis; of many, the first and the last."""
    texts = [text_of(name, value) for value in values]
    return ", ".join(texts if len(texts) <= _VALUES_SHOWN else [*texts[:3], "...", texts[-1]])
