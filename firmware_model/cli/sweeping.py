"""`sweep`: whose rows a plan's are, and what is printed of them."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from acoustic_sim.border.array_store import limit_bytes
from acoustic_sim.sweep.results import Results
from acoustic_sim.sweep.run import Progress, run
from acoustic_sim.sweep.worker import evaluate_batch
from firmware_model.cli.sweep_progress import duration
from firmware_model.cli.terminal import output
from firmware_model.product import find_product
from firmware_model.report.factors import text_of
from firmware_model.report.plans import code_digest, read, study_of
from fixedpoint.errors import BittrueError, ConfigError

_ERRORS_SHOWN = 3
EVERY_ROW_FAILED = "every row failed"


def identity(product: str) -> str:
    """What must be the same on every worker; a worker that could compute nothing but errors says so.

    Raises
    ------
    ConfigError
    """
    limit_bytes()
    return code_digest(product)


class Swept(NamedTuple):
    """What became of a sweep.

    errors : each error's line and its number of rows, the most frequent first
    """

    progress: Progress
    errors: list[tuple[str, int]]
    seconds: float

    @property
    def all_failed(self) -> bool:
        """Whether no row is anything but an error."""
        return 0 < self.progress.done == self.progress.errors


def sweep(
    path: str, out: str, jobs: int, cluster: str | None, retry: bool, tell: Callable[[Progress], None]
) -> Swept:
    """Compute every row of a plan that the folder has not.

    Parameters
    ----------
    retry : rows that are errors are computed again
    tell : called at the begin and after each row

    Raises
    ------
    BittrueError
    """
    check_folder(out)
    limit_bytes()  # a wrong one would make an error of each row
    plan, begun = read(path), time.perf_counter()
    study = study_of(plan.product)
    with Results.open(out, plan, study.OUTCOME, {"code": code_digest(plan.product)}) as results:
        if retry:
            results.forget_errors()
        if cluster is None and results.missing():
            output.note_compilation(find_product(plan.product).package)
        try:
            progress = run(
                results,
                study.evaluate,
                study.group_key,
                jobs=jobs,
                cluster=cluster,
                progress=tell,
                identity=partial(identity, plan.product),
                note=output.note,
            )
        except KeyboardInterrupt:
            kept = output.counted(results.counts()[0], "row")
            output.note(
                f"{out}: {kept} of {len(plan.conditions())} kept; the same command goes on from there"
            )
            raise
        return Swept(progress, results.errors(), time.perf_counter() - begun)


def check_folder(out: str) -> None:
    """Raise ConfigError of a name that cannot be that of a folder of results."""
    if out in ("", output.STDIO):
        raise ConfigError(f"--out {out!r}: must be the name of a folder")
    if Path(out).exists() and not Path(out).is_dir():
        raise ConfigError(f"--out {out}: is no folder; results need one")


def one_row(path: str, row: int, wav: str | None) -> dict[str, Any]:
    """One row of a plan, computed here and now, by the names of a table's columns.

    Parameters
    ----------
    wav : where what the microphone heard is written to, or None

    Raises
    ------
    BittrueError
        No such row; an error in it.
    """
    plan = read(path)
    rows = plan.conditions()
    if not 1 <= row <= len(rows):
        raise ConfigError(f"--row {row}: must be in [1, {len(rows)}], the rows of {plan.path}")
    condition, study = rows[row - 1], study_of(plan.product)
    if wav is not None:
        from firmware_model.cli.terminal import audio

        pcm, fs_hz = study.heard(condition)
        audio.write(wav, pcm, fs_hz, "PCM_16")
    (answer,) = evaluate_batch(study.evaluate, [condition])
    if isinstance(answer.outcome, str):
        raise BittrueError(f"row {row}: {answer.outcome}")
    values = {name: plan.as_written(value) for name, value in condition.values.items()}
    return {
        "row": row,
        "programme": plan.as_written(condition.programme),
        "repeat": condition.repeat,
        "seed": condition.seed,
        **values,
        **answer.outcome,
    }


def facts(folder: str, swept: Swept) -> dict[str, Any]:
    """What --json prints of a sweep."""
    return {
        "folder": folder,
        "rows": swept.progress.done,
        "computed": swept.progress.done - swept.progress.before,
        "errors": [{"error": line, "rows": count} for line, count in swept.errors],
        "seconds": swept.seconds,
    }


def in_words(folder: str, swept: Swept) -> str:
    """A sweep that is done: rows, rate, errors."""
    progress = swept.progress
    computed = progress.done - progress.before
    lines = [f"{folder}: {output.counted(progress.done, 'row')}, {computed} of them now"]
    if computed:
        lines[0] += f" in {duration(swept.seconds)}, {computed / swept.seconds:.2f} a second"
    if progress.errors:
        failed = f"{output.counted(progress.errors, 'row')} with an error"
        lines.append(f"{EVERY_ROW_FAILED if swept.all_failed else failed}; --retry computes them again:")
        lines += [f"  {count}: {line}" for line, count in swept.errors[:_ERRORS_SHOWN]]
    if len(swept.errors) > _ERRORS_SHOWN:
        lines.append(f"  and {len(swept.errors) - _ERRORS_SHOWN} other errors")
    return "\n".join(lines)


def row_in_words(row: dict[str, Any]) -> str:
    """One row, a line for each column."""
    width = max(map(len, row))
    shown = {name: text_of(name, value) if value is None else value for name, value in row.items()}
    return "\n".join(f"{name:{width}}  {value}" for name, value in shown.items())
