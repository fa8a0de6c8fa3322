"""Where in a folder of sources an error comes from: its file and line, of Numba's errors too."""

import os
import re

from fixedpoint.errors import BittrueError

_NAMED = r"(?:File \"|\bat )([^\s\"]+\.py)(?:\", line | \()(\d+)"  # in Numba's messages


def place(error: BaseException, folder: str) -> str:
    """ "gate/cases.py:28", the innermost line of a folder's files that led to an error; "" where none did."""
    import traceback  # here: `bittrue --help` can do without

    calls = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if _of_numba(error):  # which compiles what it does not call
        calls += [(os.path.abspath(file), int(line)) for file, line in re.findall(_NAMED, str(error))]
    found = [
        (file, line) for file, line in calls if folder and file.startswith(folder.rstrip(os.sep) + os.sep)
    ]
    if not found:
        return ""
    from fixedpoint.subset.finding import shown  # here for the same reason

    return f"{shown(found[-1][0])}:{found[-1][1]}"


def in_a_line(error: BaseException, folder: str = "") -> str:
    """What an error says; of one that was not raised on purpose, its place in the folder and its kind too."""
    words = " ".join(str(error).split())
    if isinstance(error, BittrueError):
        return words
    if _of_numba(error):
        words = "Numba cannot compile this; `bittrue check` names what leaves the kernel subset"
    at = place(error, folder)
    return f"{at}: {type(error).__name__}: {words}" if at else f"{type(error).__name__}: {words}"


def _of_numba(error: BaseException) -> bool:
    return type(error).__module__.startswith("numba.")
