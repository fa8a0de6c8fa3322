"""Arrays as a debugger prints them: gdb's `print`, with repeats and nested braces."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import numpy as np

from firmware_model.case import Node
from firmware_model.golden.dumps.dump_values import LAYOUTS, Stored
from firmware_model.golden.dumps.text.integers import Gathered, Text
from firmware_model.golden.dumps.text.lines import read_lines, shown
from fixedpoint.errors import AudioError

HEAD = 64  # lines by which a form is known
MOST_BYTES = 64 << 20  # of text, which is held in memory
PROMPT = re.compile(r"^(?:\(gdb\)|J-Link>|>)\s*")
_ARRAY = re.compile(r"^(?:\$[0-9]+\s*=\s*|[A-Za-z_][\w.\[\]>-]*\s*=\s*)?\{")
_TOKEN = re.compile(
    r"(?P<mark>[{},])|<repeats (?P<times>[0-9]{1,9}) times>|(?P<more>\.\.\.)"
    r"|(?P<label>[A-Za-z_]\w*\s*=|\[[0-9]+\]\s*=|\$[0-9]+\s*=)"
    r"|(?P<int>[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+))(?:\s+'(?:\\.|[^'\\])[^']*')?(?!\w|\.\d)"
    r"|(?P<space>\s+)"
)
_MOST_VALUES = 1 << 26
_MOST_DEPTH = 8


def is_array(path: Path) -> bool:
    """Whether a text file begins as gdb prints an array."""
    return any(_ARRAY.match(PROMPT.sub("", line.strip())) for line in islice(read_lines(path), HEAD))


def require_short(path: Path) -> None:
    """Refuse text that is too long to be held."""
    if (size := path.stat().st_size) > MOST_BYTES:
        raise AudioError(
            f"{path}: {size} bytes of a debugger's text found; at most {MOST_BYTES} accepted; "
            "dump binary memory (gdb) writes a raw file"
        )


def array_print(path: Path, node: Node, layout: str | None, files: ExitStack) -> Stored:
    """Values of a node in arrays that gdb printed, one behind another.

    Parameters
    ----------
    layout : of rows, where the shape of the arrays does not say it

    Raises
    ------
    AudioError
        An array that was cut, or is not rectangular; rows that may lie in either way.
    """
    require_short(path)
    rows, arrays = len(node.rows), [_shaped(path, flat, shape) for flat, shape in _arrays(path)]
    if not arrays:
        raise AudioError(f"{path}: {node.name}: no values found; at least one of each row needed")
    if rows > 1 and len(arrays) == rows and len({a.shape for a in arrays}) == 1 and arrays[0].ndim == 1:
        if layout is None:
            raise AudioError(
                f"{path}: {rows} arrays found, for {rows} rows of {node.name}; --layout planar (a row each) "
                "or interleaved (in turn) accepted"
            )
        arrays = [np.stack(arrays)] if layout == LAYOUTS[1] else arrays
    gathered = Gathered(path, files)
    for array in arrays:
        gathered.add([int(value) for value in _steps_of_rows(path, node, array, layout).ravel()])
    shapes = " and ".join("x".join(map(str, array.shape)) for array in arrays[:2])
    many = f"{len(arrays)} arrays in turn" if len(arrays) > 1 else "an array"
    guess = f"gdb's print of {many} of {shapes}{' ...' if len(arrays) > 2 else ''}"
    return gathered.stored(node, False, "integers as text", guess)


def _steps_of_rows(path: Path, node: Node, array: np.ndarray, layout: str | None) -> np.ndarray:
    """(steps, rows) of an array of any shape: one of its axes has the rows, or it is flat."""
    rows = len(node.rows)
    axes = [k for k in range(array.ndim) if array.shape[k] == rows]
    if rows == 1:
        return array.reshape(-1, 1)
    if array.ndim == 1 or not axes:
        if array.size % rows:
            raise AudioError(
                f"{path}: {array.size} values found; a multiple of {rows} needed for {node.name}"
            )
        if layout == LAYOUTS[1]:
            return array.reshape(rows, -1).T
        return array.reshape(-1, rows)
    if len(axes) > 1 and layout is None:
        found = "x".join(map(str, array.shape))
        raise AudioError(
            f"{path}: an array of {found} found, of which either may be the {rows} rows of {node.name}; "
            f"--layout {LAYOUTS[1]} or {LAYOUTS[0]} accepted"
        )
    axis = axes[0] if layout == LAYOUTS[1] or len(axes) == 1 else axes[-1]
    return np.moveaxis(array, axis, -1).reshape(-1, rows)


def _shaped(path: Path, flat: list[int], shape: tuple[int, ...]) -> np.ndarray:
    return np.array(flat, object).reshape(shape)


def _arrays(path: Path) -> Iterator[tuple[list[int], tuple[int, ...]]]:
    """(values, shape) of each array in braces; lines between them that hold no braces are left out."""
    text = "\n".join(PROMPT.sub("", line.strip()) for line in read_lines(path))
    at = 0
    while (begin := text.find("{", at)) >= 0:
        flat, shape, at = _array(path, text, begin, 1)
        yield flat, shape


def _array(path: Path, text: str, at: int, depth: int) -> tuple[list[int], tuple[int, ...], int]:
    """(values, shape, place behind it) of the braces that open at `at`."""
    if depth > _MOST_DEPTH:
        raise AudioError(f"{path}: braces over {_MOST_DEPTH} deep found; arrays of integers needed")
    flat: list[int] = []
    inner: list[tuple[int, ...]] = []  # shapes of the elements, () of an integer
    last: list[int] = []
    at += 1
    while True:
        if at < len(text) and text[at] == "{":
            last, shape, at = _array(path, text, at, depth + 1)
            flat += last
            inner.append(shape)
            continue
        token = _TOKEN.match(text, at)
        if token is None:
            found = shown(text[at : at + 50]) if at < len(text) else "the file's end"
            raise AudioError(f"{path}: {found} found in an array; integers and braces needed")
        at = token.end()
        if token["mark"] == "}":
            break
        if token["more"]:
            raise AudioError(
                f"{path}: array cut off with ... found; set print elements 0 (gdb) prints all of it"
            )
        if token["int"]:
            value = Text().value(token["int"])
            if value is None:
                raise AudioError(f"{path}: an integer beyond 64 bits found")
            last = [value]
            flat.append(value)
            inner.append(())
        elif token["times"]:
            times = int(token["times"]) - 1
            if not inner or len(flat) + times * len(last) > _MOST_VALUES:
                raise AudioError(f"{path}: {shown(token[0])} found; a value before it, and fewer needed")
            flat += last * times
            inner += inner[-1:] * times
    if len(set(inner)) > 1 or not inner:
        raise AudioError(
            f"{path}: an array that is empty or not rectangular found; integers in equal rows needed"
        )
    return flat, (len(inner), *inner[0]), at
