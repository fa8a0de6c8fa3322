"""The tables of a plan's TOML file, checked value by value; what is wrong is collected, not raised."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from acoustic_sim.programmes.excitation import KINDS, MAX_SECONDS
from acoustic_sim.programmes.programme import extent
from acoustic_sim.sweep.axes import (
    OF_A_SIMULATED_ROOM,
    SNR_AT_1M,
    SNR_AT_MICROPHONE,
    Axis,
    Products,
    read_sound,
)
from acoustic_sim.sweep.design import DESIGNS, FACTORIAL, HYPERCUBE, Levels, Span
from fixedpoint.errors import BittrueError, ConfigError, did_you_mean, meant_or_accepted

MAX_STEPS = 10_000
_TABLES = ("programme", "axes")
_SETTINGS = ("product", "design")
# name: (default, lowest, highest, whether an integer)
_NUMBERS: dict[str, tuple[Any, float, float, bool]] = {
    "seed": (0, 0, 2**31 - 1, True),
    "samples": (None, 1, 1_000_000, True),
    "repeats": (1, 1, 10_000, True),
    "false_alarms_per_hour": (0.1, 1e-6, 1000, False),
    "impostor_keys": (8, 0, 64, True),
}


class Problems:
    """What is wrong with a plan, and which files it names.

    folder : of the plan;  files : absolute path -> as the plan has it
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, str] = {}
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """One more problem."""
        self._lines.append(line)

    def __len__(self) -> int:
        return len(self._lines)

    def raise_for(self, path: str | Path) -> None:
        """ConfigError with all of them, if there are any."""
        if self._lines:
            raise ConfigError(f"{path}: {'; '.join(dict.fromkeys(self._lines))}")


def read_settings(table: dict[str, Any], products: tuple[str, ...], problems: Problems) -> dict[str, Any]:
    """Everything beside the tables, defaults filled in."""
    _name_unknown(table, (*_SETTINGS, *_NUMBERS, *_TABLES), "", problems)
    settings = {"product": products[0], "design": FACTORIAL}
    for name, accepted in (("product", products), ("design", DESIGNS)):
        value = table.get(name, settings[name])
        if value in accepted:
            settings[name] = value
        else:
            problems.add(
                f"{name}={value!r}: must be one of {', '.join(accepted)}{did_you_mean(value, accepted, '; ')}"
            )
    if "product" not in table:
        problems.add(f"product: missing; must be one of {', '.join(products)}")
    numbers = {name: _number(table, name, problems) for name in _NUMBERS}
    if settings["design"] == HYPERCUBE and "samples" not in table:
        problems.add(f"samples: missing; a {HYPERCUBE} needs their number")
    if settings["design"] == FACTORIAL and "samples" in table:
        problems.add(f"samples={table['samples']!r}: only a {HYPERCUBE} has them")
    return settings | numbers | {"samples": numbers["samples"] or 0}


def _number(table: dict[str, Any], name: str, problems: Problems) -> Any:
    default, low, high, whole = _NUMBERS[name]
    value = table.get(name, default)
    if name in table and not (_is_number(value, whole) and low <= value <= high):
        kind = "an integer in" if whole else "in"
        problems.add(f"{name}={value!r}: must be {kind} [{low:g}, {high:.10g}]")
        return default
    return value


def read_programme(
    table: Any, checks: Mapping[str, Callable[[Any], object]], problems: Problems
) -> tuple[tuple[str, ...], float]:
    """What is played, kinds and absolute paths, and for how many seconds.

    checks : "programme" of a file's path, and "seconds" of a `programme.Extent`, where the product asks
    """
    if not isinstance(table, dict):
        problems.add("[programme]: missing; a table with synthesise or files is needed")
        return (), 1.0
    _name_unknown(table, ("synthesise", "files", "seconds"), "programme.", problems)
    found = []
    for kind in _list(table, "synthesise", problems):
        if kind in KINDS:
            found.append(kind)
        else:
            accepted = f"must be one of {', '.join(KINDS)}{did_you_mean(kind, KINDS, '; ')}"
            problems.add(f"programme.synthesise={kind!r}: {accepted}")
    for name in _list(table, "files", problems):
        check = checks.get("programme")
        path = _accepted("programme.files", "a WAV or FLAC file", read_sound, name, problems, check)
        if path is not None:
            problems.files[path] = name
            found.append(path)
    if not table.get("synthesise") and not table.get("files"):
        problems.add("[programme]: nothing to play; synthesise or files is needed")
    if len(set(found)) < len(found):
        problems.add("[programme]: the same programme twice; use repeats for more of it")
    seconds = table.get("seconds", 8)
    if not _is_number(seconds, False) or not 0.1 <= seconds <= MAX_SECONDS:
        problems.add(f"programme.seconds={seconds!r}: must be in [0.1, {MAX_SECONDS}]")
        seconds = 8
    elif "seconds" in checks:
        _name_too_short(found, float(seconds), checks["seconds"], problems)
    return tuple(found), float(seconds)


def _name_too_short(
    programmes: Iterable[str], seconds: float, check: Callable[[Any], object], problems: Problems
) -> None:
    for programme in programmes:
        try:
            check(extent(programme, seconds))
        except BittrueError as error:
            problems.add(f"programme.seconds={seconds:g}: {error}")


def _list(table: dict[str, Any], name: str, problems: Problems) -> list[Any]:
    value = table.get(name, [])
    if isinstance(value, list):
        return value
    problems.add(f"programme.{name}={value!r}: must be a list")
    return []


def read_axes(
    table: Any,
    settings: Mapping[str, Any],
    products: Products,
    problems: Problems,
) -> dict[str, Levels]:
    """The levels of every axis of the product."""
    product, design = settings["product"], settings["design"]
    asked = products[product]()
    axes, checks = {axis.name: axis for axis in asked.axes}, asked.checks
    if not isinstance(table, dict):
        problems.add(f"axes={table!r}: must be a table")
        table = {}
    _name_unknown_axes(table, product, products, problems)
    levels: dict[str, Levels] = {name: (axis.default,) for name, axis in axes.items()}
    for name, axis in axes.items():
        if name in table:
            levels[name] = _levels(axis, table[name], design, checks.get(name), problems)
    if "rir" in table:
        for name in OF_A_SIMULATED_ROOM:
            if name in table:
                problems.add(f"axes.{name}: a measured room has its own; drop {name} or rir")
            levels[name] = (None,)
    _name_second_snr(table, problems)
    return levels


def _name_second_snr(table: dict[str, Any], problems: Problems) -> None:
    for other, why in (
        (SNR_AT_MICROPHONE, "says the SNR at the microphone, which follows from the one at 1 m"),
        ("rir", "does not say what its level would be at 1 m"),
    ):
        if SNR_AT_1M in table and other in table:
            problems.add(f"axes.{SNR_AT_1M}: {other} {why}; drop {SNR_AT_1M} or {other}")


def _name_unknown_axes(table: dict[str, Any], product: str, products: Products, problems: Problems) -> None:
    known = [axis.name for axis in products[product]().axes]
    owners: dict[str, str] = {}
    if any(name not in known for name in table):  # only then are the other products asked
        owners = {axis.name: owner for owner, asked in products.items() for axis in asked().axes}
    for name in table:
        if name in owners and name not in known:
            problems.add(f"axes.{name}: an axis of {owners[name]}; {product} has {', '.join(known)}")
    _name_unknown({name: None for name in table if name not in owners}, known, "axes.", problems)


def _levels(
    axis: Axis, value: Any, design: str, check: Callable[[Any], object] | None, problems: Problems
) -> Levels:
    where = f"axes.{axis.name}"
    if isinstance(value, dict):
        return _span(axis, value, design, check, problems)
    # Three numbers are one room; a list of anything else is an axis.
    one_room = axis.column is list and isinstance(value, list) and all(_is_number(v, False) for v in value)
    given = value if isinstance(value, list) and not one_room else [value]
    if not given:
        problems.add(f"{where}=[]: must hold at least one value")
    found, seen = [], []
    for each in given:
        before = len(problems)
        value = _accepted(where, axis.accepted, axis.read, each, problems, check)
        found.append(value)
        if len(problems) > before:
            continue
        if isinstance(value, str) and Path(value).is_absolute():  # nothing but a file's name is
            problems.files[value] = each
        same = None if value is None else axis.compared(value)
        if same in seen:
            problems.add(f"{where}={each if value is None else value!r}: given twice")
        seen.append(same)
    return tuple(found) or (axis.default,)


def _span(
    axis: Axis, table: dict[str, Any], design: str, check: Callable[[Any], object] | None, problems: Problems
) -> Levels:
    where, before = f"axes.{axis.name}", len(problems)
    if not axis.spans:
        problems.add(f"{where}: no numbers to span; must be {axis.accepted}")
        return (axis.default,)
    _name_unknown(table, ("from", "to", "steps", "scale"), f"{where}.", problems)
    ends = []
    for end in ("from", "to"):
        if end not in table:
            problems.add(f"{where}.{end}: missing")
        elif not _is_number(table[end], False):
            problems.add(f"{where}.{end}={table[end]!r}: must be a number")
        else:
            ends.append(_accepted(f"{where}.{end}", axis.accepted, axis.read, table[end], problems, check))
    scale, steps = table.get("scale", "linear"), table.get("steps")
    if scale not in ("linear", "log"):
        problems.add(f"{where}.scale={scale!r}: must be linear or log")
    if steps is None and design == FACTORIAL:
        problems.add(f"{where}.steps: missing; a {FACTORIAL} design needs their number")
    if steps is not None and not (_is_number(steps, True) and 2 <= steps <= MAX_STEPS):
        problems.add(f"{where}.steps={steps!r}: must be an integer in [2, {MAX_STEPS}]")
    if steps is None and axis.column is int:
        problems.add(f"{where}: whole numbers only; give a list")
    if len(problems) > before:
        return (axis.default,)
    if not ends[0] < ends[1]:
        problems.add(f"{where}: from={ends[0]:g} must be below to={ends[1]:g}")
    elif scale == "log" and ends[0] <= 0:
        problems.add(f"{where}.from={ends[0]:g}: must be above 0 for a log scale")
    else:
        span = Span(ends[0], ends[1], steps, scale == "log")
        return span if steps is None else tuple(dict.fromkeys(axis.column(v) for v in span.all()))
    return (axis.default,)


def _accepted(
    where: str,
    accepted: str,
    read: Callable[[Any, Path], Any],
    value: Any,
    problems: Problems,
    check: Callable[[Any], object] | None = None,
) -> Any:
    """The value as it is used, or None and a problem."""
    found = value
    try:
        found = read(value, problems.folder)
        if check is not None and found is not None:
            check(found)
    except BittrueError as error:  # says all there is to say, and most often begins with the argument
        says, name = str(error).replace(repr(found), repr(value)), where.removeprefix("axes.")
        problems.add(f"axes.{says}" if says.startswith(name) else f"{where}={value!r}: {says}")
        return None
    except ValueError as error:
        says = f"{error}; " if str(error) else ""
        problems.add(f"{where}={value!r}: {says}must be {accepted}")
        return None
    return found


def _name_unknown(table: Mapping[str, Any], known: Iterable[str], prefix: str, problems: Problems) -> None:
    known = list(known)
    for key in table:
        if key not in known:
            shown = key if key.isprintable() else repr(key)
            if prefix and key in (*_SETTINGS, *_NUMBERS):
                says = "unknown here; it belongs above the tables, [programme] and [axes]"
            else:
                says = f"unknown; {meant_or_accepted(key, known)}"
            problems.add(f"{prefix}{shown}: {says}")


def _is_number(value: Any, whole: bool) -> bool:
    return isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
