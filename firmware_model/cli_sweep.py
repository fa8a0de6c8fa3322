"""`sweep`: whose rows a plan's are, progress on stderr, what is printed."""

import hashlib
import importlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from acoustic_sim.sweep.design import Condition
from acoustic_sim.sweep.plan import Plan, load_plan, parse_plan
from acoustic_sim.sweep.results import Results
from acoustic_sim.sweep.run import Progress, run
from acoustic_sim.sweep.worker import Evaluate, evaluate_batch
from firmware_model import cli_output as output
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
_NOTE_SECONDS = 30.0  # between lines of progress, where stderr is no terminal


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


def parse(text: str, path: str) -> Plan:
    """A plan whose text is at hand, checked as `load` does; `path` is that of its file, there or not."""
    return parse_plan(text, path, _checks)


def _checks(product: str) -> Mapping[str, Callable[[Any], object]]:
    return product_of(product).CHECKS


def code_digest() -> str:
    """First 16 hex digits of the SHA-256 of the sources that decide a row."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for pattern in _DECIDES_ROWS:
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


class Swept(NamedTuple):
    """What became of a sweep.

    errors : each error's line and its number of rows, the most frequent first
    """

    progress: Progress
    errors: list[tuple[str, int]]
    seconds: float


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
    plan, begun = load(path), time.perf_counter()
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
                identity=code_digest,
            )
        except KeyboardInterrupt:
            kept = output.counted(results.counts()[0], "row")
            output.note(
                f"{out}: {kept} of {len(plan.conditions())} kept; the same command goes on from there"
            )
            raise
        return Swept(progress, results.errors(), time.perf_counter() - begun)


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
    plan = load(path)
    rows = plan.conditions()
    if not 1 <= row <= len(rows):
        raise ConfigError(f"--row {row}: must be in [1, {len(rows)}], the rows of {path}")
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
        lines[0] += f" in {_duration(swept.seconds)}, {computed / swept.seconds:.2f} a second"
    if progress.errors:
        lines.append(f"{output.counted(progress.errors, 'row')} with an error; --retry computes them again:")
        lines += [f"  {count}: {line}" for line, count in swept.errors[:_ERRORS_SHOWN]]
    if len(swept.errors) > _ERRORS_SHOWN:
        lines.append(f"  and {len(swept.errors) - _ERRORS_SHOWN} other errors")
    return "\n".join(lines)


def row_in_words(row: dict[str, Any]) -> str:
    """One row, a line for each column."""
    width = max(map(len, row))
    return "\n".join(f"{name:{width}}  {'none' if value is None else value}" for name, value in row.items())


@contextmanager
def showing(title: str) -> Iterator[Callable[[Progress], None]]:
    """Rows, rate and time left on stderr: a bar on a terminal, else a line now and then."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # see `cli.main`
    if sys.stderr is None or not sys.stderr.isatty():
        yield _Notes(title)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task, begun = bar.add_task(title, total=None, rate=""), time.monotonic()

        def tell(progress: Progress) -> None:
            rate = (progress.done - progress.before) / max(time.monotonic() - begun, 1e-3)
            errors = f", {output.counted(progress.errors, 'error')}" if progress.errors else ""
            shown = f"{rate:.2f} rows/s{errors}{_left(progress)}"
            bar.update(task, completed=progress.done, total=progress.total, rate=shown)

        yield tell


class _Notes:
    """Lines of progress for a log."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._begun = self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        computed = progress.done - progress.before
        if now - self._last < _NOTE_SECONDS or not computed:
            return
        self._last = now
        rate = computed / (now - self._begun)
        output.note(
            f"{self._title}: {progress.done} of {progress.total} rows, {rate:.2f} a second{_left(progress)}"
        )


def _left(progress: Progress) -> str:
    return "" if progress.seconds_left is None else f", {_duration(progress.seconds_left)} left"


def _duration(seconds: float) -> str:
    """ "42 s", "3 min 20 s", "2 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
