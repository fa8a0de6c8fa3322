"""The SQLite file of a sweep: opening it, locking it, and its errors in one line."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from fixedpoint.errors import BittrueError, ConfigError

FILE, LOCK = "results.sqlite", "results.lock"
_BUSY_SECONDS = 10.0
_NEEDS_TO_WRITE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


class ResultsError(BittrueError):
    """A results file that cannot be used, or not be written to."""


def connect(folder: Path, mode: str) -> sqlite3.Connection:
    """The file, `mode` "ro" to read or "rwc" to write; transactions are begun by hand."""
    uri = f"{(folder / FILE).absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def connect_to_read(folder: Path) -> sqlite3.Connection:
    """The file as it is, also in a folder that cannot be written to.

    Raises
    ------
    sqlite3.Error
    ResultsError
        Only whoever can write there can read it.

    Notes
    -----
    Readers of a WAL journal share memory in a file beside it, which a killed sweep may leave them to make.
    Where they cannot, an empty journal and no writer leave a file that nobody changes, to be read as such.
    """
    connection = connect(folder, "ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
        return connection
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in _NEEDS_TO_WRITE:  # of an extended code, the primary one
            raise
        journal = folder / f"{FILE}-wal"
        if _is_written_to(folder):
            why = "a sweep is writing to it"
        elif journal.exists() and journal.stat().st_size:
            why = f"a sweep that was killed left rows in {journal.name}"
        else:
            return connect(folder, "ro&immutable=1")
        says = f"{why}, and you cannot write to the folder; read a copy of it"
        raise ResultsError(f"{folder / FILE}: {says}") from error
    except BaseException:
        connection.close()
        raise


def _is_written_to(folder: Path) -> bool:
    """Whether another process holds the lock; nothing is written to find out."""
    if not (folder / LOCK).exists():
        return False
    uri = f"{(folder / LOCK).absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=0)) as lock:
            lock.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return False


def locked(folder: Path) -> sqlite3.Connection:
    """A lock that ends with the process, however it ends; SQLite knows how on every system."""
    with named(folder, "cannot be written", LOCK):
        lock = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            lock.close()
            if "locked" not in str(error):
                raise
            raise ResultsError(f"{folder}: another sweep is writing to it; wait for it or end it") from error
        except BaseException:
            lock.close()
            raise
    return lock


def has_tables(connection: sqlite3.Connection) -> bool:
    """Whether it is a results file; one that was killed as it was made has no table at all."""
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('meta', 'rows', 'timing')"
    return connection.execute(query).fetchone()[0] == 3


def require_tables(connection: sqlite3.Connection) -> bool:
    """Whether there are tables at all; raises sqlite3.DatabaseError where they are others'."""
    if has_tables(connection):
        return True
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise sqlite3.DatabaseError("it holds other tables")
    return False


def read_meta(connection: sqlite3.Connection) -> dict[str, Any]:
    """The table `meta`."""
    entries = connection.execute("SELECT key, value FROM meta").fetchall()
    try:
        return {key: json.loads(value) for key, value in entries}
    except (ValueError, TypeError, RecursionError) as error:
        raise sqlite3.DatabaseError("its table meta is damaged") from error


# What the table `meta` holds of a plan, and of what kind; digests, paths and files may be missing.
_META: dict[str, type] = {
    **dict.fromkeys(("plan", "path", "digest", "product"), str),
    **dict.fromkeys(("settings", "axes", "outcome"), dict),
    **dict.fromkeys(("programmes", "versions"), list),
    "rows": int,
}
_OPTIONAL: dict[str, type] = {"absolute_path": str, "files": dict, "schema": int}
_SETTINGS = ("seed", "samples", "repeats", "seconds", "false_alarms_per_hour", "impostor_keys")
# Kind of a column -> what SQLite gives for it; None, where there is no finite number, goes with each.
_CELLS: dict[str, tuple[type, ...]] = {
    "float": (float, int),
    "int": (int,),
    "bool": (int,),
    "str": (str,),
    "list": (str,),
}
_OF_EVERY_ROW = {"row": "int", "programme": "str", "repeat": "int", "seed": "int", "error": "str"}


def check_meta(meta: Mapping[str, Any]) -> None:
    """Raise sqlite3.DatabaseError unless the table `meta` says all that a sweep writes there."""
    wrong = [key for key, kind in _META.items() if not isinstance(meta.get(key), kind)]
    wrong += [key for key, kind in _OPTIONAL.items() if not isinstance(meta.get(key, kind()), kind)]
    if not wrong:
        settings = meta["settings"]
        if not isinstance(settings.get("design"), str) or not all(
            isinstance(settings.get(name), (int, float)) for name in _SETTINGS
        ):
            wrong.append("settings")
        if not all(isinstance(values, list) and values for values in meta["axes"].values()):
            wrong.append("axes")
        if not all(isinstance(kind, str) and kind in _CELLS for kind in meta["outcome"].values()):
            wrong.append("outcome")
        if not meta["versions"] or not all(isinstance(run, dict) for run in meta["versions"]):
            wrong.append("versions")
    if wrong:
        raise sqlite3.DatabaseError(f"its table meta is damaged: {', '.join(wrong)}")


def check_row(names: Sequence[str], row: Sequence[Any], meta: Mapping[str, Any]) -> None:
    """Raise sqlite3.DatabaseError unless the cells of a row are of their columns' kinds."""
    kinds = _OF_EVERY_ROW | meta["outcome"]
    missing = {*kinds, *meta["axes"]} - set(names)
    if missing:
        raise sqlite3.DatabaseError(f"its table rows has no column {', '.join(sorted(missing))}")
    for name, value in zip(names, row, strict=True):
        kind = kinds.get(name)
        needed = (name in _OF_EVERY_ROW and name != "error") or None not in meta["axes"].get(name, [None])
        if value is None and not needed:
            continue
        accepted = _CELLS[kind] if kind else _of_levels(meta["axes"].get(name, ()))
        if not isinstance(value, accepted) or (kind == "list" and str(value)[:1] + str(value)[-1:] != "[]"):
            raise sqlite3.DatabaseError(f"row {row[0]!r}, {name}: {type(value).__name__} found")


def check_timing(row: Any, seconds: Any, worker: Any, attempts: Any) -> None:
    """Raise sqlite3.DatabaseError unless a row of the table `timing` is of its columns' kinds."""
    kinds = isinstance(row, int), isinstance(seconds, (float, int)), isinstance(attempts, int)
    if not all(kinds) or not isinstance(worker, str) or not 0 <= seconds < 1e9:
        raise sqlite3.DatabaseError(f"row {row!r} of its table timing is damaged")


def _of_levels(levels: Sequence[Any]) -> tuple[type, ...]:
    """Kinds of an axis's cells: numbers, where all of its levels are."""
    numbers = levels and all(level is None or isinstance(level, (float, int)) for level in levels)
    return (float, int) if numbers else (float, int, str)


def list_in(text: str, of_an_axis: bool) -> list[Any]:
    """A list as a cell holds it: of numbers, of an outcome also of lists, and of None where there is none.

    Raises
    ------
    sqlite3.DatabaseError
    """

    def plain(value: Any) -> bool:
        if isinstance(value, (list, type(None))):
            return not of_an_axis and all(map(plain, value or ()))
        return isinstance(value, (int, float))

    try:
        found = json.loads(text)
        if isinstance(found, list) and all(map(plain, found)):
            return found
    except (ValueError, RecursionError) as error:
        raise sqlite3.DatabaseError("a list in its table rows is damaged") from error
    raise sqlite3.DatabaseError("a list in its table rows is damaged")


@contextmanager
def named(folder: Path, what: str, file: str = FILE) -> Iterator[None]:
    """SQLite's errors with the file they are about."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:  # names of tables that are no UTF-8
        # subclasses of DatabaseError say what else can go wrong
        if type(error) is sqlite3.DatabaseError or isinstance(error, UnicodeDecodeError):
            says = f"{folder / file}: not a results file, or damaged ({error}); give another folder"
            raise ConfigError(says) from error
        raise ResultsError(f"{folder / file}: {what}: {error}; the rows in it are as they were") from error
