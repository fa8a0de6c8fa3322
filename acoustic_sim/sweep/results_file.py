"""The SQLite file of a sweep: opening it, locking it, and its errors in one line."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fixedpoint.errors import BittrueError, ConfigError

FILE, LOCK = "results.sqlite", "results.lock"
_BUSY_SECONDS = 10.0


class ResultsError(BittrueError):
    """A results file that cannot be used, or not be written to."""


def connect(folder: Path, mode: str) -> sqlite3.Connection:
    """The file, `mode` "ro" to read or "rwc" to write; transactions are begun by hand."""
    uri = f"{(folder / FILE).absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


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


def read_meta(connection: sqlite3.Connection) -> dict[str, Any]:
    """The table `meta`."""
    try:
        return {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM meta")}
    except (ValueError, TypeError) as error:
        raise sqlite3.DatabaseError("its table meta is damaged") from error


@contextmanager
def named(folder: Path, what: str, file: str = FILE) -> Iterator[None]:
    """SQLite's errors with the file they are about."""
    try:
        yield
    except sqlite3.Error as error:
        if type(error) is sqlite3.DatabaseError:  # its subclasses say what else can go wrong
            says = f"{folder / file}: not a results file, or damaged ({error}); give another folder"
            raise ConfigError(says) from error
        raise ResultsError(f"{folder / file}: {what}: {error}; the rows in it are as they were") from error
