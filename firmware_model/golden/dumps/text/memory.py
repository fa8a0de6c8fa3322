"""Memory as a debugger shows it, lines with addresses: gdb's `x/`, OpenOCD's `mdh`, J-Link's `mem16`."""

import re
from contextlib import ExitStack
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from firmware_model.case import Node
from firmware_model.golden.dumps.dump_values import Stored
from firmware_model.golden.dumps.text.debugger import HEAD, PROMPT, require_short
from firmware_model.golden.dumps.text.integers import Gathered, Text, as_hex_words
from firmware_model.golden.dumps.text.lines import read_lines, shown
from fixedpoint.errors import AudioError

# "0x20000010 <buf+16>:\t1\t2" of gdb, "0x20000010: 0001 ffff" of OpenOCD, "20000010 = 0001 FFFF" of J-Link
_LINE = re.compile(r"^(?:(0x[0-9a-fA-F]{1,16})(?:\s+<([^>]*)>)?:|([0-9a-fA-F]{8}) =)(.*)$")
_WORD_BYTES = (1, 2, 4, 8)


class _Line(NamedTuple):
    """number : in the file;  symbol : that the address is in, without the offset;  tab : gdb's mark"""

    number: int
    address: int
    symbol: str
    cells: list[str]
    tab: bool


def is_memory(path: Path) -> bool:
    """Whether a text file begins with lines of memory."""
    return any(_LINE.match(PROMPT.sub("", line.strip())) for line in islice(read_lines(path), HEAD))


def memory_lines(path: Path, node: Node, dtype: np.dtype | None, files: ExitStack) -> Stored:
    """Values of a node, interleaved, in lines of memory.

    Parameters
    ----------
    dtype : of the values, where the debugger showed bytes

    Raises
    ------
    AudioError
        Lines that are lost by their addresses, memory that could not be read, words of another width.
    """
    require_short(path)
    lines, others = _lines(path)
    cells = [cell for line in lines for cell in line.cells]
    widths = {len(cell) for cell in cells}
    words = as_hex_words(cells[0]) if cells and len(widths) == 1 and not lines[0].tab else None
    text = words if words and all(words.value(cell) is not None for cell in cells) else Text()
    blocks = [(line, [_value(path, line, cell, text) for cell in line.cells]) for line in lines]
    size, stretches = _require_whole(path, blocks)
    gathered = Gathered(path, files, 4 * text.digits)
    values = [value for _, found in blocks for value in found]
    if size and 8 * size < node.fmt.bits:
        if size > 1 or dtype is None:
            raise AudioError(
                f"{path}: words of {size} bytes found, {node.fmt.bits // 8} needed for {node.name}; "
                "--dtype says of what they are the bytes, such as --dtype int16"
            )
        values = _of_bytes(path, values, dtype)
    gathered.add(values)
    how = f"hexadecimal words of {text.digits} digits" if text.hexadecimal else "integers"
    guess = f"a debugger's memory, {how}"
    if stretches > 1:
        guess += f", {stretches} stretches in turn"
    if others:
        guess += f", {others} other lines left out"
    return gathered.stored(node, False, "integers as text", guess)


def _lines(path: Path) -> tuple[list[_Line], int]:
    """Lines of memory, and how many others there are."""
    lines, others = [], 0
    for number, line in enumerate(read_lines(path), 1):
        bare = PROMPT.sub("", line.strip())
        found = _LINE.match(bare)
        if found:
            symbol = (found[2] or "").partition("+")[0]
            cells = found[4].replace(",", " ").split()
            lines.append(_Line(number, int(found[1] or found[3], 16), symbol, cells, "\t" in found[4]))
        elif bare:
            others += 1
    return lines, others


def _value(path: Path, line: _Line, cell: str, text: Text) -> int:
    value = text.value(cell)
    if value is None:
        found = shown(" ".join(line.cells))
        raise AudioError(f"{path}: line {line.number}: {found} found; integers needed behind the address")
    return value


def _require_whole(path: Path, blocks: list[tuple[_Line, list[int]]]) -> tuple[int, int]:
    """(bytes of a word, 0 where one line cannot tell; stretches of memory) of lines that follow each other.

    A new stretch may begin where one did before, or at another symbol.
    """
    sizes: dict[int, int] = {}
    for (line, values), (after, _) in pairwise(blocks):
        size, left = divmod(after.address - line.address, max(1, len(values)))
        if values and not left and size in _WORD_BYTES:
            sizes[size] = sizes.get(size, 0) + 1
    size = max(sizes, key=lambda each: sizes[each], default=0)
    starts = {blocks[0][0].address}
    stretches = 1
    for (line, values), (after, _) in pairwise(blocks):
        needed = line.address + size * len(values)
        if not values:
            raise AudioError(f"{path}: line {line.number}: no values found behind the address")
        if size and after.address == needed:
            continue
        if after.address not in starts and (after.symbol == line.symbol or not after.symbol):
            raise AudioError(
                f"{path}: line {after.number}: address {after.address:#x} found, {needed:#x} needed: "
                "lines are lost"
            )
        starts.add(after.address)
        stretches += 1
    return size, stretches


def _of_bytes(path: Path, values: list[int], dtype: np.dtype) -> list[int]:
    content = bytes(value & 0xFF for value in values)
    if len(content) % dtype.itemsize:
        raise AudioError(f"{path}: {len(content)} bytes found; a multiple of {dtype.itemsize} needed")
    return [int(value) for value in np.frombuffer(content, dtype)]
