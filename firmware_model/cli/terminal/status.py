"""Exit statuses, and the one line on stderr that goes with each failure."""

import errno
import os
from collections.abc import Callable, Iterable

import typer

from firmware_model import product
from firmware_model.cli.terminal.messages import in_options, of_usage, shortened
from firmware_model.cli.terminal.output import BROKEN_PIPE_STATUS, note, silence_stdout
from fixedpoint import remarks
from fixedpoint.errors import BittrueError

DETECTED, NOT_DETECTED, MISUSE, INTERNAL_ERROR, INTERRUPTED = 0, 1, 2, 70, 130
_JSON = "--json"  # with it, messages are in full
_OF_A_STREAM = (errno.ENOSPC, errno.EIO, errno.EBADF)

# The root of all usage errors; typer does not export it, and took it from click before it had its own.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def run(app: typer.Typer, arguments: list[str], beside: Callable[[], Iterable[str]] = tuple) -> int:
    """Run a command line and return its exit status; whatever is wrong is one line on stderr.

    Parameters
    ----------
    arguments : without the program's name
    beside : asked at the end for further lines; one that was told already is not told again

    Notes
    -----
    A fault of the program itself is status 70, so that a script does not take it for bad input, and one of an
    installed product's code is status 2; with BITTRUE_DEBUG set both are raised.
    """
    remarks.taken()
    told, ended = _run(app, arguments)
    of_files = remarks.taken() if ended != MISUSE else ()  # what is refused is one line
    for line in dict.fromkeys([*told, *of_files, *beside()]):
        note(line if _JSON in arguments else shortened(line))
    return ended


def _run(app: typer.Typer, arguments: list[str]) -> tuple[list[str], int]:
    """(what went wrong, exit status)."""
    try:
        status = app(arguments, prog_name="bittrue", standalone_mode=False)
        return [], status if isinstance(status, int) else DETECTED
    except _UsageError as error:
        return _failed(of_usage(error), MISUSE)
    except SystemExit as ended:
        # Of typer: what --install-completion and a shell's completion end with; or its answer to EPIPE while
        # it writes the help, whose status, 1, would read "not detected".
        if ended.code == 1:
            return [], BROKEN_PIPE_STATUS
        return [], ended.code if isinstance(ended.code, int) else DETECTED
    except (KeyboardInterrupt, typer.Abort):
        return [], INTERRUPTED
    except BittrueError as error:
        return _failed(in_options(str(error)), MISUSE)
    except OSError as error:
        if error.filename is None and error.errno in _OF_A_STREAM:  # the help, which typer writes
            silence_stdout()
            return _failed(f"standard output: cannot be written: {error.strerror}", MISUSE)
        return _failed(f"{error.filename or 'system'}: {error.strerror or error}", MISUSE)
    except MemoryError:
        return _failed("the input is too long for this machine's memory", MISUSE)
    except Exception as error:
        if os.environ.get("BITTRUE_DEBUG"):
            raise
        blamed = product.blamed(error)
        if blamed:
            return _failed(f"{blamed} (BITTRUE_DEBUG=1 shows the way there)", MISUSE)
        what = f"{type(error).__name__}: {error}"
        return _failed(f"{what} (a fault in bittrue; BITTRUE_DEBUG=1 shows where)", INTERNAL_ERROR)


def _failed(line: str, status: int) -> tuple[list[str], int]:
    return [line], status
