"""What `vectors` writes: all of its files, or none."""

import shlex
from pathlib import Path
from typing import Any

from firmware_model import cli_output as output
from firmware_model.golden.export_vectors import file_facts
from fixedpoint.errors import ConfigError


def check_folder(folder: str) -> None:
    """Refuse, before any work is done, what cannot be the folder to write to.

    Raises
    ------
    ConfigError
    """
    if not folder:
        raise ConfigError("DIR '': a folder's name is needed")
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{folder}: is a file; a folder's name is needed")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{folder}: no such folder: {path.parent}")


def write(folder: str, files: dict[str, bytes], force: bool) -> list[dict[str, Any]]:
    """Write the files, each of them whole; facts of each.

    Raises
    ------
    ConfigError
        One of them is there already and `force` is not given: nothing is written then.
    BittrueError
        The disk or the folder refuses.
    """
    root = Path(folder)
    there = [path for path in files if (root / path).exists()]
    if there and not force:
        more = f" and {output.counted(len(there) - 1, 'other')}" if len(there) > 1 else ""
        raise ConfigError(f"{root / there[0]}: exists{more}; add --force to replace")
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        output.replace_file(str(root / path), content)
    return [file_facts(path, content) for path, content in files.items()]


def report(folder: str, cases: list[str], files: list[dict[str, Any]]) -> str:
    """What was written, and what to do with it."""
    kilobytes = sum(each["bytes"] for each in files) / 1024
    named = shlex.quote(f"./{folder}" if folder.startswith("-") else folder)
    return (
        f"{folder}: {output.counted(len(files), 'file')}, {kilobytes:.0f} kB; vectors of {', '.join(cases)}\n"
        f"try the test: make -C {named} DEVICE=replay.c\n"
        f'test yours:   make -C {named} check-{cases[0]} DEVICE="$PWD/your.c"'
    )
