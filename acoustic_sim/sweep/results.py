"""The table of a sweep: a SQLite file that each row reaches as it comes, and that a kill does not harm."""

import json
import math
import platform
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from acoustic_sim.sweep.axes import AXES
from acoustic_sim.sweep.design import Condition
from acoustic_sim.sweep.plan import Plan
from fixedpoint.errors import BittrueError, ConfigError

FILE, LOCK = "results.sqlite", "results.lock"
_SQL = {float: "REAL", int: "INTEGER", bool: "INTEGER", str: "TEXT", list: "TEXT"}
_PACKAGES = ("bittrue", "numpy", "scipy", "numba", "pyroomacoustics", "soxr", "av")
_BUSY_SECONDS = 10.0
_SCHEMA = 1


class Timing(NamedTuple):
    """What a row cost; kept apart from it, since it is another in each run.

    seconds : of the worker;  worker : its name;  attempts : how often the row was begun
    """

    seconds: float
    worker: str
    attempts: int = 1


class ResultsError(BittrueError):
    """A results file that cannot be used, or not be written to."""


class Results:
    """Rows of one plan, in FOLDER/results.sqlite.

    Attributes
    ----------
    folder : of the file
    meta : what the file says about itself: plan (its text), path (of the plan), digest, product, settings,
        axes, outcome, versions (one entry for each set that wrote to it), rows (of the plan)

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
        self.meta: dict[str, Any] = {}

    @classmethod
    def open(
        cls,
        folder: str | Path,
        plan: Plan,
        outcome: Mapping[str, type],
        versions: Mapping[str, str] | None = None,
    ) -> "Results":
        """The results of a plan, to go on with; folder and file are made where there are none.

        Parameters
        ----------
        outcome : name of each part -> float, int, bool, str or list
        versions : what else, beside the packages' versions, tells how rows are computed

        Raises
        ------
        ConfigError
            The file there is of another plan, of another version, or no results file.
        ResultsError
            The folder cannot be written to, or another process is writing to it.
        """
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultsError(f"{folder}: cannot be made: {error.strerror or error}") from error
        is_new = not (folder / FILE).exists()
        if not is_new:
            _refuse_another(folder, plan, outcome)  # before anything is written
        lock = _locked(folder)
        try:
            with _named(folder, "cannot be written"):
                connection = _connect(f"{(folder / FILE).absolute().as_uri()}?mode=rwc")
                found = cls(folder, connection, lock)
                found._plan = plan
                found._create(plan, outcome, dict(versions or {}))
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
        with _named(folder, "cannot be read"):
            found = cls(folder, _connect(f"{(folder / FILE).absolute().as_uri()}?mode=ro"), None)
            found.meta = _read_meta(found._connection)
        return found

    def _create(self, plan: Plan, outcome: Mapping[str, type], versions: dict[str, str]) -> None:
        """Tables where there are none, and what is known of this run."""
        run = _versions() | versions
        known = _read_meta(self._connection) if _has_tables(self._connection) else {}
        runs = known.get("versions", [])
        self.meta = _meta_of(plan, outcome) | {"versions": runs if run in runs else [*runs, run]}
        columns = _columns(plan, outcome)
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
        lists = {axis.name for axis in AXES[self.meta["product"]] if axis.column is list}
        lists |= {name for name, kind in outcome.items() if kind == "list"}
        flags = {name for name, kind in outcome.items() if kind == "bool"}
        with self._named("cannot be read"):
            cursor = self._connection.execute("SELECT * FROM rows ORDER BY row")
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, _python_values(names, row, lists, flags), strict=True)) for row in cursor]

    def timings(self) -> dict[int, Timing]:
        """What each row cost."""
        with self._named("cannot be read"):
            found = self._connection.execute("SELECT row, seconds, worker, attempts FROM timing ORDER BY row")
            return {row: Timing(*rest) for row, *rest in found}

    def close(self) -> None:
        """Fold the journal into the file; nothing is lost where this is never called."""
        with suppress(sqlite3.Error):
            self._connection.close()
        if self._lock is not None:
            self._lock.close()

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _named(self, what: str) -> Any:
        return _named(self.folder, what)


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def _locked(folder: Path) -> sqlite3.Connection:
    """A lock that ends with the process, however it ends; SQLite knows how on every system."""
    with _named(folder, "cannot be written", LOCK):
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


def _refuse_another(folder: Path, plan: Plan, outcome: Mapping[str, type]) -> None:
    with _named(folder, "cannot be read"):
        connection = _connect(f"{(folder / FILE).absolute().as_uri()}?mode=ro")
        try:
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("damaged")
            if not _has_tables(connection):
                if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise ConfigError(f"{folder / FILE}: not a results file; give another folder")
                return  # killed before it held anything
            meta = _read_meta(connection)
        finally:
            connection.close()
    if meta.get("digest") != plan.digest:
        raise ConfigError(
            f"{folder}: holds results of another plan ({meta.get('path')}, {str(meta.get('digest'))[:12]}), "
            f"this is {plan.path}, {plan.digest[:12]}; give another folder"
        )
    if meta.get("schema") != _SCHEMA or meta.get("outcome") != _kinds(outcome):
        raise ConfigError(f"{folder}: holds results of another version of bittrue; give another folder")


def _has_tables(connection: sqlite3.Connection) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('meta', 'rows', 'timing')"
    return connection.execute(query).fetchone()[0] == 3


def _read_meta(connection: sqlite3.Connection) -> dict[str, Any]:
    try:
        return {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM meta")}
    except (ValueError, TypeError) as error:
        raise sqlite3.DatabaseError("its table meta is damaged") from error


def _meta_of(plan: Plan, outcome: Mapping[str, type]) -> dict[str, Any]:
    settings = {
        name: getattr(plan, name)
        for name in (
            "seed",
            "design",
            "samples",
            "repeats",
            "false_alarms_per_hour",
            "impostor_keys",
            "seconds",
        )
    }
    return {
        "schema": _SCHEMA,
        "plan": plan.text,
        "path": plan.path,
        "digest": plan.digest,
        "product": plan.product,
        "programmes": [plan.as_written(programme) for programme in plan.programmes],
        "settings": settings,
        "axes": {name: [plan.as_written(value) for value in values] for name, values in plan.axes.items()},
        "outcome": _kinds(outcome),
        "rows": len(plan.conditions()),
    }


def _kinds(outcome: Mapping[str, type]) -> dict[str, str]:
    return {name: kind.__name__ for name, kind in outcome.items()}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _columns(plan: Plan, outcome: Mapping[str, type]) -> dict[str, type]:
    """Of `rows`, between its number and its error."""
    columns: dict[str, type] = {"programme": str, "repeat": int, "seed": int}
    columns |= {axis.name: axis.column for axis in AXES[plan.product]}
    twice = sorted(set(columns | {"row": int, "error": str}) & set(outcome))
    if twice:
        raise ValueError(f"outcome {', '.join(twice)}: an axis has this name")
    return columns | dict(outcome)


def _sql_value(value: Any) -> Any:
    """A value as SQLite holds it; lists as JSON."""
    if hasattr(value, "tolist"):  # NumPy's
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return json.dumps([_sql_value(item) for item in value], separators=(",", ":"))
    return value


def _python_values(names: list[str], row: tuple[Any, ...], lists: set[str], flags: set[str]) -> Iterator[Any]:
    for name, value in zip(names, row, strict=True):
        if name in lists and isinstance(value, str) and value[:1] == "[":
            yield json.loads(value)
        elif name in flags and value is not None:
            yield bool(value)
        else:
            yield value


@contextmanager
def _named(folder: Path, what: str, file: str = FILE) -> Iterator[None]:
    """SQLite's errors with the file they are about."""
    try:
        yield
    except sqlite3.Error as error:
        says = str(error)
        if "not a database" in says or "malformed" in says:
            raise ConfigError(
                f"{folder / file}: not a results file, or damaged; give another folder"
            ) from error
        raise ResultsError(f"{folder / file}: {what}: {says}; the rows in it are as they were") from error
