"""What a results file says about itself, and whether a plan may go on with it."""

import hashlib
import platform
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from acoustic_sim.sweep.plan import Plan
from acoustic_sim.sweep.results_file import check_meta, connect_to_read, named, read_meta, require_tables
from fixedpoint.errors import ConfigError

_PACKAGES = ("bittrue", "numpy", "scipy", "numba", "pyroomacoustics", "soxr", "av")
_SETTINGS = ("seed", "design", "samples", "repeats", "seconds", "false_alarms_per_hour", "impostor_keys")
_SCHEMA = 1


def meta_of(plan: Plan, outcome: Mapping[str, type]) -> dict[str, Any]:
    """What the table `meta` says of a plan."""
    return {
        "schema": _SCHEMA,
        "plan": plan.text,
        "path": plan.path,
        "absolute_path": str(Path(plan.path).resolve()),
        "digest": plan.digest,
        "product": plan.product,
        "programmes": [plan.as_written(programme) for programme in plan.programmes],
        "settings": {name: getattr(plan, name) for name in _SETTINGS},
        "axes": {name: [plan.as_written(value) for value in values] for name, values in plan.axes.items()},
        "outcome": _names(outcome),
        "rows": len(plan.conditions()),
        "files": _contents(plan),
    }


def _contents(plan: Plan) -> dict[str, str]:
    """File that the plan names -> SHA-256 of its content, by which a changed one is named."""
    found = {}
    for path, name in plan.files.items():
        with open(path, "rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _names(outcome: Mapping[str, type]) -> dict[str, str]:
    return {name: kind.__name__ for name, kind in outcome.items()}


def columns_of(plan: Plan, outcome: Mapping[str, type]) -> dict[str, type]:
    """Columns of `rows`, between its number and its error.

    Raises
    ------
    ValueError
        A part of the outcome has an axis's name.
    """
    columns: dict[str, type] = {"programme": str, "repeat": int, "seed": int}
    columns |= {axis.name: axis.column for axis in plan.table}
    twice = sorted(set(columns | {"row": int, "error": str}) & set(outcome))
    if twice:
        raise ValueError(f"outcome {', '.join(twice)}: an axis has this name")
    return columns | dict(outcome)


def versions_here(code: Mapping[str, str]) -> dict[str, str]:
    """What computes here: Python, the packages, and what `code` adds."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found | dict(code)


def refuse_another(folder: Path, plan: Plan, outcome: Mapping[str, type], code: Mapping[str, str]) -> bool:
    """Raise ConfigError unless the file is one that this plan and this version can go on with.

    Returns whether it has tables; a sweep that was killed as it began leaves none.
    """
    with named(folder, "cannot be read"):
        connection = connect_to_read(folder)
        try:
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("its pages do not fit together")
            if not require_tables(connection):
                return False
            meta = read_meta(connection)
            check_meta(meta)
            names = [name for _, name, *_ in connection.execute("PRAGMA table_info(rows)")]
        finally:
            connection.close()
    if meta.get("digest") != plan.digest:
        raise ConfigError(f"{folder}: {_what_differs(meta, plan)}; give another folder")
    here = {name: value for name, value in versions_here(code).items() if name == "bittrue" or name in code}
    there = meta["versions"][-1]
    same = {name: there.get(name) for name in here} == here
    same &= names == ["row", *columns_of(plan, outcome), "error"]
    if meta.get("schema") != _SCHEMA or meta.get("outcome") != _names(outcome) or not same:
        raise ConfigError(
            f"{folder}: holds results of another version ({_in_words(there, here)}); "
            f"this is {_in_words(here, here)}; give another folder"
        )
    return True


def _what_differs(meta: Mapping[str, Any], plan: Plan) -> str:
    """Files by name where it is their content."""
    before = meta.get("files", {})  # older results have none
    changed = [name for name, digest in _contents(plan).items() if before.get(name, digest) != digest]
    if meta.get("plan") == plan.text and plan.files:
        which = ", ".join(changed) or "a file that it names"
        return f"holds results of {plan.path} as it was before {which} changed"
    also = f"; {', '.join(changed)} changed as well" if changed else ""
    return (
        f"holds results of another plan ({meta.get('path')}, {str(meta.get('digest'))[:12]}); "
        f"this is {plan.path}, {plan.digest[:12]}{also}"
    )


def _in_words(versions: Mapping[str, str], names: Iterable[str]) -> str:
    return ", ".join(f"{name} {str(versions.get(name))[:12]}" for name in names)
