"""What `vectors` writes: all of its files, or none."""

import json
import os
import secrets
import shlex
from pathlib import Path
from typing import Any

from firmware_model.cli.terminal import output
from firmware_model.golden.vectors.export import MANIFEST, file_facts
from fixedpoint.errors import BittrueError, ConfigError


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
    """Write the files, all of them or none; facts of each.

    Raises
    ------
    ConfigError
        One of them is there already and `force` is not given, or there are other cases, which the new
        Makefile and manifest would not know: nothing is written then.
    BittrueError
        The disk or the folder refuses.
    """
    root = Path(folder)
    others = _cases_in(root) - {path.split("/")[0] for path in files}
    if others:
        found = min(others)
        if len(others) > 1:
            found += f" and {output.counted(len(others) - 1, 'other case')}"
        raise ConfigError(f"{folder}: holds {found}; name all of its cases too, or write to another folder")
    there = [path for path in files if (root / path).exists()]
    if there and not force:
        more = f" and {output.counted(len(there) - 1, 'other')}" if len(there) > 1 else ""
        raise ConfigError(f"{root / there[0]}: exists{more}; add --force to replace")
    try:
        _write_all(root, files)
    except OSError as error:
        raise BittrueError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return [file_facts(path, content) for path, content in files.items()]


def _cases_in(root: Path) -> set[str]:
    """Cases that an earlier call wrote here and that are still there; none where no manifest of ours is."""
    try:
        names = [case["name"] for case in json.loads((root / MANIFEST).read_bytes())["cases"]]
        return {name for name in names if (root / name).is_dir()}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _write_all(root: Path, files: dict[str, bytes]) -> None:
    """Write all of it into a folder within, then move; on failure (an interrupt too) nothing new is left."""
    made: list[Path] = []  # folders, outermost first
    moved: list[Path] = []  # files that were not there before
    stage = root / f".{secrets.token_hex(8)}.part"
    try:
        for path in (root, stage, *dict.fromkeys((root / name).parent for name in files)):
            if not path.is_dir():
                path.mkdir()
                made.append(path)
        for i, content in enumerate(files.values()):
            (stage / str(i)).write_bytes(content)
        for i, name in enumerate(files):
            new = not (root / name).exists()
            os.replace(stage / str(i), root / name)
            if new:
                moved.append(root / name)
        stage.rmdir()
    except BaseException:
        for path in [*moved, *stage.glob("*")]:
            path.unlink()
        for path in reversed(made):
            path.rmdir()
        raise


def report(folder: str, cases: list[str], files: list[dict[str, Any]]) -> str:
    """What was written, and what to do with it."""
    kilobytes = sum(each["bytes"] for each in files) / 1024
    named = shlex.quote(f"./{folder}" if folder.startswith("-") else folder)
    return (
        f"{folder}: {output.counted(len(files), 'file')}, {kilobytes:.0f} kB; vectors of {', '.join(cases)}\n"
        f"try the test: make -C {named} DEVICE=replay.c\n"
        f'test yours:   make -C {named} check-{cases[0]} DEVICE="$PWD/your.c"'
    )
