"""Tables of integers: CSV with commas, semicolons, tabs or spaces, exports of logic analysers."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path

import numpy as np

from firmware_model.case import Node
from firmware_model.golden.dumps.dump_values import Stored
from firmware_model.golden.dumps.text.columns import Chosen, choose
from firmware_model.golden.dumps.text.integers import Gathered, Text, as_hex_words
from firmware_model.golden.dumps.text.lines import read_lines, shown
from fixedpoint.errors import AudioError

_HEAD = 64  # lines by which columns are told apart
_CLOCK_ERROR = 0.01  # share by which a time column may differ from the case's rate
_DECIMAL_INDEX = re.compile(r"[0-9]{1,18}")
_SPI = {"mosi", "miso"}
_DATA = ("data", "result")  # kinds of lines of a logic analyser that hold values


def table_values(
    path: Path, node: Node, fs_hz: int, columns: str | None, dtype: np.dtype | None, files: ExitStack
) -> Stored:
    """Values of a node in a table: a line for each step, a column for each row, perhaps a line of headings.

    Parameters
    ----------
    fs_hz : rate of the node's case, to which a column of times is held
    columns : that the user names, None where the file says which
    dtype : of the values, where the table holds their bytes, as exports of SPI do

    Raises
    ------
    AudioError
        A line that is not as the others, lines that are missing by the index or the time, another rate.
    ConfigError
        Columns that the file does not have.
    """
    text = _how_written(path, node, columns)
    lines = _cells(path)
    head = list(islice(lines, _HEAD))
    headings = head.pop(0)[1] if head and _is_heading(head[0][1]) else []
    if not head:
        raise AudioError(f"{path}: {node.name}: no values found; at least one of each row needed")
    chosen = choose(path, node, columns, headings, [cells for _, cells in head])
    if dtype is not None:
        chosen = chosen._replace(time=None)  # of bytes, not of steps
    gathered = Gathered(path, files, 4 * text.digits)
    reader = _Reader(path, node, chosen, text, len(headings) or len(head[0][1]), fs_hz)
    for number, cells in chain(head, lines):
        if found := reader.read(number, cells):
            gathered.add(found)
    spi = bool(headings) and not _SPI.isdisjoint(headings[k].casefold() for k in chosen.values)
    if dtype is not None and gathered.of_bytes(dtype):
        reader.said.append(f"bytes of {dtype.name}")
    elif spi and node.fmt.bits > 8 and gathered.are_bytes:
        raise AudioError(
            f"{path}: bytes of SPI found; --dtype says of what, such as --dtype {node.fmt.dtype.name}-be"
        )
    reader.end()
    guess = "; ".join(filter(None, (*reader.said, chosen.why)))
    if text.hexadecimal:
        guess = "; ".join(filter(None, (f"hexadecimal words of {text.digits} digits", guess)))
    return gathered.stored(node, False, "integers as text", guess)


def _cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(number of the line, its cells), without empty lines and remarks."""
    for number, line in enumerate(read_lines(path), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        mark = next((mark for mark in (";", "\t", ",") if mark in bare), None)
        cells = bare.strip(mark).split(mark) if mark else bare.split()
        yield number, [cell.strip().strip("\"'").strip() for cell in cells]


def _is_heading(cells: list[str]) -> bool:
    """Whether a line holds names, none of which begins as numbers do: 0.5, -1e-3, 0x1g."""
    return not (any(re.match(r"[+-]?\.?\d", cell) for cell in cells) or all(map(as_hex_words, cells)))


def _how_written(path: Path, node: Node, columns: str | None) -> Text:
    """Hexadecimal words without a prefix, if there is one cell that can be nothing else."""
    headings: list[str] | None = None
    chosen: Chosen | None = None
    for _, cells in _cells(path):
        if headings is None:
            headings = cells if _is_heading(cells) else []
            if headings:
                continue
        if chosen is None:
            head = [cells for _, cells in islice(_cells(path), _HEAD) if cells != headings]
            chosen = choose(path, node, columns, headings, head)
        for column in chosen.values:
            cell = cells[column] if column < len(cells) else ""
            if Text().value(cell) is None:
                return as_hex_words(cell) or Text()
    return Text()


class _Reader:
    """Takes line after line, and holds each to those before."""

    def __init__(self, path: Path, node: Node, chosen: Chosen, text: Text, count: int, fs_hz: int) -> None:
        self._path, self._node, self._chosen, self._text = path, node, chosen, text
        self._count, self._fs_hz = count, fs_hz
        self._before = self._last = 0  # indices
        self._first_s = self._last_s = 0.0
        self._steps = 0
        self._half: list[int] = []  # of a step whose rows come in lines of their own
        self._padded = False
        self.said: list[str] = []

    def read(self, number: int, cells: list[str]) -> list[int] | None:
        """Values of one step; None where the line is not the last of one."""
        chosen = self._chosen
        if chosen.kind is not None and chosen.kind < len(cells) and cells[chosen.kind] not in _DATA:
            return None
        if len(cells) != self._count:
            needed = f"{self._count} needed" + ("" if chosen.why else f" for {self._node.name}")
            raise self._refused(number, f"{len(cells)} columns found, {needed}")
        values = []
        for column in chosen.values:
            value = self._text.value(cells[column])
            if value is None:
                what = "integers" if not self._text.hexadecimal else f"{self._text.digits} hex digits"
                raise self._refused(number, f"{shown(','.join(cells))} found; {what} needed")
            self._padded = self._padded or re.match(r"[+-]?0[0-9]", cells[column]) is not None
            values.append(value)
        if chosen.channel is not None:
            return self._row_of_a_step(number, cells, values[0])
        self._check_order(number, cells)
        return values

    def _row_of_a_step(self, number: int, cells: list[str], value: int) -> list[int] | None:
        """Rows in lines of their own, which must take turns; half a step at the start is left out."""
        name, rows = cells[self._chosen.channel or 0], self._chosen.rows
        if name not in rows:
            return None
        if name != rows[len(self._half)]:
            if self._steps or self._half:
                raise self._refused(
                    number, f"channel {name} found, {rows[len(self._half)]} needed: one is lost"
                )
            self.said = [f"begins with channel {name}, whose value is left out"]
            return None
        self._half.append(value)
        if len(self._half) < len(rows):
            return None
        step, self._half = self._half, []
        self._check_order(number, cells)
        return step

    def _check_order(self, number: int, cells: list[str]) -> None:
        """Hold a step's index or time to the ones before."""
        chosen = self._chosen
        if chosen.counter is not None:
            index = _DECIMAL_INDEX.fullmatch(cells[chosen.counter])
            if index is None:
                raise self._refused(number, f"index {shown(cells[chosen.counter])} found; an integer needed")
            value = int(cells[chosen.counter])
            if self._steps > 1 and value - self._last != self._last - self._before:
                raise self._refused(
                    number,
                    f"index {value} found after {self._last}, {2 * self._last - self._before} needed: "
                    "lines are lost or twice",
                )
            self._before, self._last = self._last, value
        if chosen.time is not None and (time := _seconds(cells[chosen.time])) is not None:
            if self._steps == 0:
                self._first_s = time
            self._last_s = time
        self._steps += 1

    def end(self) -> None:
        """Say how integers are written, and hold the mean distance of times to the node's rate."""
        if self._padded and not self._text.hexadecimal:
            self.said.insert(0, "zero-padded decimal integers")
        span = self._last_s - self._first_s
        if self._steps < 3 or span <= 0:
            return
        found, needed = (self._steps - 1) / span, self._fs_hz / self._node.step
        if abs(found / needed - 1) > _CLOCK_ERROR:
            raise AudioError(
                f"{self._path}: {found:.5g} steps a second found by the times, {needed:g} needed for "
                f"{self._node.name}; lines are lost, or the dump is of another rate"
            )

    def _refused(self, number: int, why: str) -> AudioError:
        return AudioError(f"{self._path}: line {number}: {why}")


def _seconds(cell: str) -> float | None:
    """A time; None where it is not in seconds, such as a date."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if abs(value) < 1e12 else None  # not nan
