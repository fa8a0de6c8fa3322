"""How far a sweep is, on stderr."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from acoustic_sim.border.interrupts import terminated_by_sigterm
from acoustic_sim.sweep.run import Progress
from firmware_model.cli.terminal import output

_NOTE_SECONDS = 30.0  # between lines of progress, where stderr is no terminal


@contextmanager
def showing(title: str) -> Iterator[Callable[[Progress], None]]:
    """Rows, rate and time left on stderr: a bar on a terminal, else a line now and then.

    Ctrl-C and SIGTERM unwind what is in the block, as KeyboardInterrupt and `Terminated`.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # see `cli.main`
    with terminated_by_sigterm():
        if sys.stderr is None or not sys.stderr.isatty():
            yield _Notes(title)
        else:
            with _bar(title) as tell:
                yield tell


@contextmanager
def _bar(title: str) -> Iterator[Callable[[Progress], None]]:
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
    return "" if progress.seconds_left is None else f", {duration(progress.seconds_left)} left"


def duration(seconds: float) -> str:
    """ "42 s", "3 min 20 s", "2 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
