"""Which columns of a table hold a node: as the user says, or by headings, or because nothing else can."""

import itertools
import re
from typing import NamedTuple

from firmware_model.case import Node
from fixedpoint.errors import AudioError, ConfigError, meant_or_accepted

_TIME = re.compile(r"(time|t|seconds|timestamp|start_time)\b.*|.*\[s\]", re.IGNORECASE)
_INDEX = re.compile(r"(index|idx|n|no|nr|#|sample|samples|i|count|step|frame|packet id)", re.IGNORECASE)
_CHANNEL = re.compile(r"(channel|slot)", re.IGNORECASE)
_VALUE = re.compile(r"(value|data)", re.IGNORECASE)
_MOST_COLUMNS = 1 << 12
HOW = "--columns says which, such as --columns 2 or --columns left,right"


class Chosen(NamedTuple):
    """Columns of a node, counted from 0.

    values : one for each of the node's rows, or one that holds all rows in turn, by `channel`
    channel : column with the channel that a line's value is of;  rows : these channels, one for each row
    counter, time : that are checked
    kind : of what a line holds, only those of data are read
    why : how they were found, "" where there is nothing to find
    """

    values: tuple[int, ...]
    channel: int | None = None
    rows: tuple[str, ...] = ()
    counter: int | None = None
    time: int | None = None
    kind: int | None = None
    why: str = ""


def parse_columns(text: str, headings: list[str], count: int) -> tuple[int, ...]:
    """Columns that the user names: headings, numbers from 1, or ranges of them, with commas between.

    Raises
    ------
    ConfigError
    """
    found: list[int] = []
    for part in text.split(","):
        name = part.strip()
        places = [k for k, heading in enumerate(headings) if heading.casefold() == name.casefold()]
        if len(places) > 1:
            raise ConfigError(f"--columns {name}: {len(places)} columns have this heading; numbers accepted")
        numbers = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", name)
        if places:
            found += places
        elif numbers is None:
            accepted = meant_or_accepted(name, headings) if headings else "the file has no headings"
            raise ConfigError(f"--columns {name}: no such heading; {accepted}; or numbers from 1 to {count}")
        else:
            first, last = int(numbers[1]), int(numbers[2] or numbers[1])
            if not 1 <= first <= last <= count:
                raise ConfigError(f"--columns {name}: must be in [1, {count}], the columns of the file")
            found += range(first - 1, last)
    if len(set(found)) < len(found):
        raise ConfigError(f"--columns {text}: a column twice; once accepted")
    return tuple(found)


def choose(
    path: object, node: Node, asked: str | None, headings: list[str], lines: list[list[str]]
) -> Chosen:
    """Columns of a node.

    Parameters
    ----------
    asked : by the user;  headings : [] if there are none;  lines : the first ones, as cells

    Raises
    ------
    AudioError
        Another number of columns or channels than rows, where nothing says which.
    ConfigError
        Columns that the file does not have.
    """
    count, rows = len(headings) or len(lines[0]), len(node.rows)
    if count > _MOST_COLUMNS:
        raise AudioError(f"{path}: {count} columns found; at most {_MOST_COLUMNS} accepted")
    if asked is not None:
        return _asked(node, asked, headings, count)
    by_heading = _by_heading(path, node, headings, lines)
    if by_heading is not None:
        return by_heading
    if count == rows and not any(map(_TIME.fullmatch, headings)):
        return Chosen(tuple(range(count)))
    if count == rows + 1:
        rest = tuple(range(1, count))
        if headings and _TIME.fullmatch(headings[0]):
            return Chosen(rest, time=0, why=f"{_named(rest)} after a time")
        if headings and _INDEX.fullmatch(headings[0]):
            return Chosen(rest, counter=0, why=f"{_named(rest)} after an index")
        first, others = (
            counts_up([line[0] for line in lines]),
            [counts_up([line[k] for line in lines if k < len(line)]) for k in rest],
        )
        if first and not any(others) and len(lines) > 2:
            return Chosen(rest, counter=0, why=f"{_named(rest)} after an index in column 1")
        if is_time([line[0] for line in lines]):
            return Chosen(rest, time=0, why=f"{_named(rest)} after a time in column 1")
    needed = f"{rows} needed for {node.name}"
    raise AudioError(f"{path}: {count} columns found, {needed}" + (f"; {HOW}" if count > rows else ""))


def _asked(node: Node, asked: str, headings: list[str], count: int) -> Chosen:
    parts = [part.partition("@") for part in asked.split(",")]
    channels = tuple(channel.strip() for _, mark, channel in parts if mark)
    if channels:
        values = tuple({parse_columns(name, headings, count)[0] for name, _, _ in parts})
        column = next((k for k, heading in enumerate(headings) if _CHANNEL.fullmatch(heading)), None)
        if column is None or len(values) > 1 or len(channels) != len(parts):
            raise ConfigError(
                f"--columns {asked}: one column of values and a column headed channel needed for @CHANNEL"
            )
    else:
        values, column = parse_columns(asked, headings, count), None
    if len(channels or values) != len(node.rows):
        raise ConfigError(
            f"--columns {asked}: {len(channels or values)} columns named, {len(node.rows)} needed for "
            f"{node.name}"
        )
    left = [k for k, heading in enumerate(headings) if k not in values]
    time = next((k for k in left if _TIME.fullmatch(headings[k])), None)
    kind = next((k for k in left if headings[k].casefold() == "type"), None)
    why = _named(values) + (f" of channel {', '.join(channels)}" if channels else "")
    return Chosen(values, column, channels, time=time, kind=kind, why=why)


def _by_heading(path: object, node: Node, headings: list[str], lines: list[list[str]]) -> Chosen | None:
    """Columns that are headed as the node's rows are, or as a logic analyser heads what it decoded."""
    names = [heading.casefold() for heading in headings]
    rows = [row.casefold() for row in node.rows]
    if len(set(names)) < len(names):
        return None
    time = next((k for k, name in enumerate(names) if _TIME.fullmatch(name)), None)
    if len(names) > len(rows) and all(row in names for row in rows):
        found = tuple(map(names.index, rows))
        return Chosen(found, time=time, why=f"{_named(found)} by their headings")
    if len(rows) == 1 and len(names) > 1 and node.name.casefold() in names:
        found = (names.index(node.name.casefold()),)
        return Chosen(found, time=time, why=f"{_named(found)} by its heading")
    channel = [k for k, name in enumerate(names) if _CHANNEL.fullmatch(name)]
    value = [k for k, name in enumerate(names) if _VALUE.fullmatch(name)]
    if time is not None and len(channel) == len(value) == 1:
        kind = names.index("type") if "type" in names else None
        channels = tuple(sorted({line[channel[0]] for line in lines if len(line) == len(names)} - {""}))
        if len(channels) != len(rows):
            said = ",".join(f"{headings[value[0]]}@{name}" for name in channels[: len(rows)])
            raise AudioError(
                f"{path}: channels {', '.join(channels[:8])} found, {len(rows)} needed for {node.name}; "
                f"--columns says which, such as --columns {said}"
            )
        why = f"{_named(tuple(value))} of a logic analyser's export, channels {', '.join(channels)}"
        return Chosen(tuple(value), channel[0], channels, time=time, kind=kind, why=why)
    if time is not None and len(value) == 1 and len(rows) == 1:
        kind = names.index("type") if "type" in names else None
        return Chosen(tuple(value), time=time, kind=kind, why=f"{_named(tuple(value))} after a time")
    return None


def _named(columns: tuple[int, ...]) -> str:
    """ "column 2", "columns 2-3", "columns 2, 5"."""
    if len(columns) == 1:
        return f"column {columns[0] + 1}"
    if columns == tuple(range(columns[0], columns[-1] + 1)):
        return f"columns {columns[0] + 1}-{columns[-1] + 1}"
    return f"columns {', '.join(str(column + 1) for column in columns)}"


def counts_up(cells: list[str]) -> bool:
    """Whether cells are integers that go up, most of them by the same amount: others are lost lines."""
    if not all(re.fullmatch(r"[0-9]{1,18}", cell) for cell in cells):
        return False
    steps = [int(b) - int(a) for a, b in itertools.pairwise(cells)]
    usual = max(steps, key=steps.count, default=0)
    return min(steps, default=0) > 0 and 2 * steps.count(usual) > len(steps)


def is_time(cells: list[str]) -> bool:
    """Whether cells are numbers with a point, each larger than the one before."""
    if len(cells) < 3 or not all(re.fullmatch(r"[+-]?[0-9]+\.[0-9]+(e[+-]?[0-9]+)?", c, re.I) for c in cells):
        return False
    values = [float(cell) for cell in cells]
    return all(a < b for a, b in itertools.pairwise(values))
