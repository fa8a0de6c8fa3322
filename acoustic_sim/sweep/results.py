"""The table of a sweep: a SQLite file that each row reaches as it comes, and that a kill does not harm."""

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from acoustic_sim.sweep.design import Condition
from acoustic_sim.sweep.plan import Plan
from acoustic_sim.sweep.results_file import (
    FILE,
    LOCK,
    ResultsError,
    check_meta,
    check_row,
    check_timing,
    connect,
    connect_to_read,
    has_tables,
    list_in,
    locked,
    named,
    read_meta,
    require_tables,
)
from acoustic_sim.sweep.results_meta import columns_of, meta_of, refuse_another, versions_here
from fixedpoint.errors import BittrueError, ConfigError

_SQL = {float: "REAL", int: "INTEGER", bool: "INTEGER", str: "TEXT", list: "TEXT"}


class Timing(NamedTuple):
    """What a row cost; kept apart from it, since it is another in each run.

    seconds : of the worker;  worker : its name;  attempts : how often the row was begun
    """

    seconds: float
    worker: str
    attempts: int = 1


class Results:
    """Rows of one plan, in FOLDER/results.sqlite.

    Attributes
    ----------
    folder : of the file
    meta : what the file says about itself: plan (its text), path (of the plan, as given), absolute_path,
        digest, product, settings, axes, outcome, versions (one entry for each set that wrote to it), rows
        (of the plan), files (that the plan names -> SHA-256 of the content)

    Notes
    -----
    Tables: `meta`; `rows`, one for each condition that is done, with a column for each axis and each part
    of the outcome, or an error; `timing`. Lists are JSON text; NaN and infinities, which SQL and JSON do not
    have, are NULL. `rows` holds nothing of when and where it was computed. One transaction a row, in the WAL
    journal: who reads meanwhile sees whole rows, and a killed process leaves those that were committed.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: sqlite3.Connection | None) -> None:
        self.folder = folder
        self._connection = connection
        self._lock = lock
        self._plan: Plan | None = None
        self._made: list[Path] = []  # by `open`, the innermost first
        self.meta: dict[str, Any] = {}

    @classmethod
    def open(
        cls,
        folder: str | Path,
        plan: Plan,
        outcome: Mapping[str, type],
        code: Mapping[str, str] | None = None,
    ) -> "Results":
        """The results of a plan, to go on with; folder and file are made where there are none.

        Parameters
        ----------
        outcome : name of each part -> float, int, bool, str or list
        code : name -> what else than bittrue's version decides the rows, such as a hash of kernels

        Raises
        ------
        ConfigError
            The file there is of another plan, of another version, or no results file.
        ResultsError
            The folder cannot be written to, or another process is writing to it.
        """
        folder = Path(folder)
        try:
            made = [
                path for path in (folder / FILE, folder / LOCK, folder, *folder.parents) if not path.exists()
            ]
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultsError(f"{folder}: cannot be made: {error.strerror or error}") from error
        code = code or {}
        if (folder / FILE).exists():
            refuse_another(folder, plan, outcome, code)  # before anything is written
        lock = locked(folder)
        try:
            with named(folder, "cannot be written"):
                connection = connect(folder, "rwc")
                found = cls(folder, connection, lock)
                found._plan, found._made = plan, made
                found._create(plan, outcome, versions_here(code))
        except BaseException:
            lock.close()
            raise
        return found

    @classmethod
    def read(cls, folder: str | Path) -> "Results":
        """Results to look at; a sweep may be writing to them.

        Raises
        ------
        ConfigError
            No results there, or a file that is none.
        """
        folder = Path(folder)
        if not (folder / FILE).is_file():
            raise ConfigError(f"{folder}: no {FILE} found; a folder that bittrue sweep has written is needed")
        with named(folder, "cannot be read"):
            connection = connect_to_read(folder)
            try:
                if not require_tables(connection):
                    says = "no rows yet; the sweep that made it was ended as it began, or has just begun"
                    raise ConfigError(f"{folder / FILE}: {says}")
                found = cls(folder, connection, None)
                found.meta = read_meta(connection)
                check_meta(found.meta)
            except BaseException:
                connection.close()
                raise
        return found

    def _create(self, plan: Plan, outcome: Mapping[str, type], run: dict[str, str]) -> None:
        """Tables where there are none, and what is known of this run."""
        known = read_meta(self._connection) if has_tables(self._connection) else {}
        runs = known.get("versions", [])
        self.meta = meta_of(plan, outcome) | {"versions": runs if run in runs else [*runs, run]}
        columns = columns_of(plan, outcome)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may take the last rows, no more
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT)")
            listed = ", ".join(f'"{name}" {_SQL[kind]}' for name, kind in columns.items())
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS rows (row INTEGER PRIMARY KEY, {listed}, error TEXT)"
            )
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS timing "
                "(row INTEGER PRIMARY KEY, seconds REAL, worker TEXT, attempts INTEGER)"
            )
            entries = [(key, json.dumps(value)) for key, value in self.meta.items()]
            self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", entries)
        marks = ", ".join("?" * (len(columns) + 2))
        self._insert = f"INSERT INTO rows VALUES ({marks})"
        self._outcome = dict(outcome)

    def missing(self) -> tuple[Condition, ...]:
        """The plan's conditions that have no row yet."""
        assert self._plan is not None
        with self._named("cannot be read"):
            done = {row for (row,) in self._connection.execute("SELECT row FROM rows")}
        return tuple(condition for condition in self._plan.conditions() if condition.row not in done)

    def counts(self) -> tuple[int, int]:
        """How many rows there are, and how many of them are errors."""
        with self._named("cannot be read"):
            return self._connection.execute("SELECT count(*), count(error) FROM rows").fetchone()

    def errors(self) -> list[tuple[str, int]]:
        """Each error's line and its number of rows, the most frequent first."""
        query = "SELECT error, count(*) FROM rows WHERE error IS NOT NULL GROUP BY error ORDER BY 2 DESC, 1"
        with self._named("cannot be read"):
            return self._connection.execute(query).fetchall()

    def add(self, condition: Condition, outcome: Mapping[str, Any] | str, timing: Timing) -> None:
        """Keep a row: its outcome, or the error's line.

        Raises
        ------
        ResultsError
            The file cannot be written; the rows in it are as they were.
        """
        assert self._plan is not None
        if not isinstance(outcome, str) and set(outcome) != set(self._outcome):
            outcome = f"outcome: {', '.join(sorted(set(outcome) ^ set(self._outcome)))} missing or unknown"
        error, parts = (outcome, {}) if isinstance(outcome, str) else (None, outcome)
        row = (
            condition.row,
            self._plan.as_written(condition.programme),
            condition.repeat,
            condition.seed,
            *(_sql_value(self._plan.as_written(value)) for value in condition.values.values()),
            *(_sql_value(parts.get(name)) for name in self._outcome),
            error,
        )
        with self._named("cannot be written"), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(self._insert, row)
            self._connection.execute("INSERT OR REPLACE INTO timing VALUES (?, ?, ?, ?)", (row[0], *timing))

    def forget_errors(self) -> int:
        """Take away the rows that are errors, so that they are missing; how many there were."""
        with self._named("cannot be written"), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            return self._connection.execute("DELETE FROM rows WHERE error IS NOT NULL").rowcount

    def rows(self) -> list[dict[str, Any]]:
        """Every row that is done, by number; lists and flags as such."""
        outcome = self.meta["outcome"]
        lists = {name for name, kind in outcome.items() if kind == "list"}
        flags = {name for name, kind in outcome.items() if kind == "bool"}
        with self._named("cannot be read"):
            cursor = self._connection.execute("SELECT * FROM rows ORDER BY row")
            names = [column[0] for column in cursor.description]
            levels = self.meta["axes"]  # of axes that vary, which may be rooms
            of_rooms = {
                name for name in names if any(isinstance(each, list) for each in levels.get(name, [[]]))
            } - {*outcome, "programme", "error"}
            rows = []
            for row in cursor:
                check_row(names, row, self.meta)
                rows.append(dict(zip(names, _python_values(names, row, lists, of_rooms, flags), strict=True)))
            return rows

    def timings(self) -> dict[int, Timing]:
        """What each row cost."""
        with self._named("cannot be read"):
            found = self._connection.execute("SELECT row, seconds, worker, attempts FROM timing ORDER BY row")
            timings = {row: Timing(*rest) for row, *rest in found}
            for row, timing in timings.items():
                check_timing(row, *timing)
            return timings

    def close(self) -> None:
        """Fold the journal into the file; nothing is lost where this is never called."""
        with suppress(sqlite3.Error):
            if self._lock is not None:  # without a journal, a read-only folder is no obstacle to readers
                self._connection.execute("PRAGMA busy_timeout = 0")
                self._connection.execute("PRAGMA journal_mode = DELETE")
        with suppress(sqlite3.Error):
            self._connection.close()
        if self._lock is not None:
            self._lock.close()

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Where a sweep was refused before its first row, such as by its cluster, nothing new stays."""
        refused = kind is not None and issubclass(kind, BittrueError) and FILE in {p.name for p in self._made}
        if refused and self.counts()[0] == 0:
            self._remove_made()
        else:
            self.close()

    def _remove_made(self) -> None:
        """Take away the files that `open` made, while the lock is held, and then its folders."""
        folders = [path for path in self._made if path.is_dir()]
        for path in self._made:
            if path not in folders:
                path.unlink(missing_ok=True)
        self.close()
        for path in folders:
            with suppress(OSError):  # in use by now
                path.rmdir()

    def _named(self, what: str) -> Any:
        return named(self.folder, what)


def _sql_value(value: Any) -> Any:
    """A value as SQLite holds it; lists, and lists of them, as JSON."""
    plain = _plain(value)
    return json.dumps(plain, separators=(",", ":")) if isinstance(plain, list) else plain


def _plain(value: Any) -> Any:
    """Without NumPy's types, NaN and infinities."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _python_values(
    names: list[str], row: tuple[Any, ...], lists: set[str], of_rooms: set[str], flags: set[str]
) -> Iterator[Any]:
    for name, value in zip(names, row, strict=True):
        is_list = isinstance(value, str) and value[:1] == "[" and value[-1:] == "]"
        if is_list and (name in lists or name in of_rooms):
            yield list_in(value, name in of_rooms)
        elif name in flags and value is not None:
            yield bool(value)
        else:
            yield value
