"""What the command line shows: results on stdout, progress and notes on stderr, whole files on disk."""

import io
import json
import logging
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import typer

from firmware_model.cli.terminal.messages import blames_an_option, in_options
from fixedpoint.errors import AudioError, BittrueError, ConfigError

BROKEN_PIPE_STATUS = 141  # 128 + SIGPIPE, as a shell reports it; 1 would read "not detected"
TERMINATED_STATUS = 143  # 128 + SIGTERM
STDIO = "-"


LINE_EVERY_S = 30.0  # of progress, where stderr is no terminal

_Show = Callable[[str, float], None]


class Step:
    """Called with a few words as each step begins; `at` says how far the step has come.

    steps : of the command, in all
    show : (words, share of the whole command that is done) -> None
    check : called each time; may end the command
    place : put before the words, such as "2 of 5, "
    """

    def __init__(self, steps: int, show: _Show, check: Callable[[], None] = lambda: None) -> None:
        self._steps, self._show, self._check = max(steps, 1), show, check
        self._begun, self._text = 0, ""
        self.place = ""

    def __call__(self, text: str) -> None:
        self._begun += 1
        self._text = self.place + text
        self.at(0.0)

    def at(self, share: float) -> None:
        """Share of the step that is done, 0 to 1."""
        self._check()
        self._show(self._text, min((max(self._begun - 1, 0) + share) / self._steps, 1.0))


def silent(steps: int = 1) -> Step:
    """A step that shows nothing, for processes beside the first."""
    return Step(steps, lambda text, share: None)


def open_streams() -> None:
    """Make standard streams fit to use that are closed, or whose encoding cannot show a file's name."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # Taken by the null device: else the next file opened gets this number, and what a library writes.
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # None: was closed when Python started
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of a HOME that cannot be written to


def emit_json(value: object) -> None:
    """One JSON value on one line of stdout; NaN and infinities become null."""
    emit(json.dumps(_jsonable(value), allow_nan=False))


def emit(text: str) -> None:
    """A result, to stdout; a reader that has gone ends the program quietly."""
    try:
        sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        give_up_stdout()
    except OSError as error:
        silence_stdout()
        raise AudioError(f"standard output: cannot be written: {error.strerror or error}") from error


def say_beside(text: str, out: str) -> None:
    """A result in words: to stdout, or to stderr where the audio itself goes to stdout."""
    note(text) if out == STDIO else emit(text)


def give_up_stdout() -> NoReturn:
    """Leave without a word: whoever read stdout has what they wanted."""
    silence_stdout()
    raise typer.Exit(BROKEN_PIPE_STATUS)


def note(text: str) -> None:
    """A remark beside the results, one line to stderr; lost where stderr is closed or full."""
    with suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(text.replace("\n", " ") + "\n")


def note_compilation(*packages: str) -> None:
    """Say ahead of it that kernels of a package are compiled, where none was before."""
    from fixedpoint._jit import compiled_before

    if not all(map(compiled_before, packages)):
        note("compiling the kernels, once for this version; what follows is faster")


def table(columns: list[str], rows: list[list[str]], *, left: int = 1) -> str:
    """A plain table; the first `left` columns are aligned left, numbers right, nothing is cut off.

    columns : headings; a newline in one breaks it
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for i, heading in enumerate(columns):
        drawn.add_column(heading, justify="left" if i < left else "right", no_wrap=True, vertical="bottom")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))  # Text: brackets in a file's name are no markup
    # Not stdout itself, which rich flushes, and exits with 1 where its reader has gone; only its encoding.
    sink = io.TextIOWrapper(io.BytesIO(), encoding=sys.stdout.encoding)
    console = Console(file=sink, width=max(_widest(columns, rows), 40), color_system=None)
    with console.capture() as captured:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def number(value: float | None, digits: int = 1, unit: str = "") -> str:
    """`value` with its unit; "none" where there is no finite number."""
    return f"{value:.{digits}f}{unit}" if value is not None and math.isfinite(value) else "none"


def counted(n: int, noun: str) -> str:
    """ "1 mark", "2 marks"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


@contextmanager
def progress(title: str, steps: int) -> Iterator[Step]:
    """Show how far a command has come; Ctrl-C and SIGTERM unwind what is in the block.

    steps : that will be begun
    """
    from acoustic_sim.border.interrupts import ends_unwinding  # here: help can do without

    with ends_unwinding() as check, _terminated_is_its_own_status():
        if sys.stderr is None or not sys.stderr.isatty():
            yield Step(steps, _lines(title), check)
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        columns = TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn()
        with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=1.0)
            yield Step(
                steps,
                lambda text, share: bar.update(task, completed=share, description=f"{title}: {text}"),
                check,
            )


@contextmanager
def _terminated_is_its_own_status() -> Iterator[None]:
    """typer makes 130 of every KeyboardInterrupt."""
    from acoustic_sim.border.interrupts import Terminated

    try:
        yield
    except Terminated:
        raise typer.Exit(TERMINATED_STATUS) from None


def _lines(title: str) -> _Show:
    """One line each `LINE_EVERY_S`: what is done, how much, for how long."""
    begun = last = time.monotonic()

    def show(text: str, share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINE_EVERY_S:
            last = now
            minutes, seconds = divmod(int(now - begun), 60)
            note(f"{title}: {text}, {100 * share:.0f} % after {minutes}:{seconds:02d}")

    return show


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Put the file's name in front of an AudioError that names neither a file nor an option."""
    try:
        yield
    except AudioError as error:
        says = in_options(str(error))
        if says.startswith(path):
            raise
        raise AudioError(says if blames_an_option(says) else f"{path}: {says}") from error


def check_output(path: str, inputs: list[str | None], suffixes: tuple[str, ...]) -> None:
    """Refuse, before any work is done, an output that cannot be written or is one of the inputs.

    Raises
    ------
    ConfigError
    """
    if path == STDIO and ".wav" in suffixes:
        return
    out = Path(path)
    if out.suffix.lower() not in suffixes:
        accepted = " or ".join(filter(None, (", ".join(suffixes[:-1]), suffixes[-1])))
        raise ConfigError(f"{path}: suffix {out.suffix!r} found; {accepted} needed")
    if out.is_dir():
        raise ConfigError(f"{path}: is a folder; a file's name is needed")
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"{path}: no such folder: {out.parent}")
    for name in inputs:
        if name not in (None, STDIO) and Path(name).exists() and out.exists() and out.samefile(name):
            raise ConfigError(f"{path}: is an input as well; another name is needed")


def check_writable(path: str) -> None:
    """Refuse, before any work is done, a folder in which no file can be made: of two outputs none is written.

    Raises
    ------
    ConfigError
    """
    import tempfile

    if path == STDIO:
        return
    try:
        with tempfile.TemporaryFile(dir=Path(path).resolve().parent):
            pass
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        says = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be written: {says}") from error


def check_streams(out: str, json: bool) -> None:
    """Refuse audio and JSON on the same stdout."""
    if json and out == STDIO:
        raise ConfigError("-: standard output holds the audio, --json needs it too; write to a file")


def replace_file(path: str, content: bytes) -> None:
    """Write beside and rename: the file is whole, or as it was before.

    Raises
    ------
    BittrueError
    """
    from firmware_model import pcm_writer

    try:
        pcm_writer.replace_file(Path(path).resolve(), content)  # through a symbolic link, as any writer would
    except OSError as error:
        raise BittrueError(f"{path}: cannot be written: {error.strerror or error}") from error


def _widest(columns: list[str], rows: list[list[str]]) -> int:
    """Columns of a terminal that the table takes: what is in its cells, and two blanks between them."""
    from rich.cells import cell_len

    cells = [*(heading.split("\n") for heading in columns)]
    widths = [max(map(cell_len, [*lines, *(row[i] for row in rows)])) for i, lines in enumerate(cells)]
    return sum(widths) + 3 * len(widths)


def silence_stdout() -> None:
    """What is still buffered goes nowhere: flushing it at exit would complain."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is no real file
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - stays open to the end


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _jsonable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
