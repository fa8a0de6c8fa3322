"""`sweep`: whose rows a plan's are, and what is printed of them."""

import hashlib
import importlib
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from acoustic_sim.array_store import limit_bytes
from acoustic_sim.sweep.design import Condition
from acoustic_sim.sweep.plan import Plan, load_plan, parse_plan
from acoustic_sim.sweep.results import Results
from acoustic_sim.sweep.run import Progress, run
from acoustic_sim.sweep.worker import Evaluate, evaluate_batch
from firmware_model import cli_output as output
from firmware_model.cli_sweep_progress import duration
from firmware_model.cli_sweep_report_factors import text_of
from fixedpoint.errors import BittrueError, ConfigError

_MODULES = {
    "watermark": "firmware_model.cli_sweep_watermark",
    "mbdp": "firmware_model.cli_sweep_dynamics",
}
_KERNELS = {"watermark": "firmware_model.watermark", "mbdp": "firmware_model.dynamics"}
_DECIDES_ROWS = (  # of the sources; reports, benchmarks and the other commands do not
    "fixedpoint/*.py",
    "acoustic_sim/*.py",
    "acoustic_sim/loudspeaker/*.py",
    "firmware_model/[!c]*.py",  # the command line apart
    "firmware_model/cli_detect.py",
    "firmware_model/cli_process.py",
    "firmware_model/cli_sweep_watermark*.py",
    "firmware_model/cli_sweep_dynamics*.py",
    "firmware_model/watermark/*.py",
    "firmware_model/dynamics/*.py",
    "firmware_model/dynamics/profiles/*.toml",
    "firmware_model/reference/*.py",
    "firmware_model/golden/fault*.py",
)
_ERRORS_SHOWN = 3
EVERY_ROW_FAILED = "every row failed"
_STDIN_NAME = "standard input"


class Product(Protocol):
    """What a product's module has for a sweep.

    OUTCOME : name of each part of a row's outcome -> its type
    CHECKS : for an axis, what the product asks of a value; raises ConfigError
    group_key, evaluate : see `acoustic_sim.sweep.run`
    heard : what a row's microphone heard: (n,) int16, Q1.15, and its rate in Hz
    """

    OUTCOME: Mapping[str, type]
    CHECKS: Mapping[str, Callable[[Any], object]]
    group_key: Callable[[Condition], Any]
    evaluate: Evaluate
    heard: Callable[[Condition], tuple[Any, int]]


def product_of(name: str) -> Product:
    """The module of a product."""
    module: Any = importlib.import_module(_MODULES[name])
    return module


def load(path: str) -> Plan:
    """A plan, checked as its product asks as well.

    Raises
    ------
    ConfigError
    """
    return load_plan(path, _checks)


def read(path: str) -> Plan:
    """A plan to run, as `load`; "-" is standard input, whose sound files are relative to the working folder.

    Raises
    ------
    ConfigError
    """
    if path != output.STDIO:
        return load(path)
    if sys.stdin is None:
        raise ConfigError(f"{path}: cannot be read: standard input is closed")
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{_STDIN_NAME}: not UTF-8 text; a TOML file is needed") from error
    return parse(text, _STDIN_NAME)


def parse(text: str, path: str) -> Plan:
    """A plan whose text is at hand, checked as `load` does; `path` is that of its file, there or not."""
    return parse_plan(text, path, _checks)


def _checks(product: str) -> Mapping[str, Callable[[Any], object]]:
    return product_of(product).CHECKS


@cache
def code_digest() -> str:
    """First 16 hex digits of the SHA-256 of the sources that decide a row, as they were at the first call.

    A worker of a cluster has loaded them by then: what is edited later does not count there either.
    """
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for pattern in _DECIDES_ROWS:
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def identity() -> str:
    """What must be the same on every worker; a worker that could compute nothing but errors says so.

    Raises
    ------
    ConfigError
    """
    limit_bytes()
    return code_digest()


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
    product = product_of(plan.product)
    with Results.open(out, plan, product.OUTCOME, {"code": code_digest()}) as results:
        if retry:
            results.forget_errors()
        if cluster is None and results.missing():
            output.note_compilation(_KERNELS[plan.product])
        try:
            progress = run(
                results,
                product.evaluate,
                product.group_key,
                jobs=jobs,
                cluster=cluster,
                progress=tell,
                identity=identity,
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
    condition, product = rows[row - 1], product_of(plan.product)
    if wav is not None:
        from firmware_model import cli_audio

        pcm, fs_hz = product.heard(condition)
        cli_audio.write(wav, pcm, fs_hz, "PCM_16")
    (answer,) = evaluate_batch(product.evaluate, [condition])
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
