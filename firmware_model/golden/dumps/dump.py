"""Dumps of a device: a file or a folder that holds one or more nodes of a case, or its input."""

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

from firmware_model.case import Case, Node
from firmware_model.golden.dumps import dump_files, kinds
from firmware_model.golden.dumps.dump_values import (
    DTYPES,
    LAYOUTS,
    RAW_DTYPES,
    WORDS_OF_24,
    Stored,
    Values,
    dtype_of,
)
from firmware_model.golden.dumps.text import debugger, memory
from firmware_model.golden.dumps.text.table import table_values
from fixedpoint.errors import AudioError, ConfigError
from fixedpoint.qformat import Q15

_MOST_FRACTION_BITS = 63
INPUT = "input"  # name of a file or array that holds the input that the device was given
_RAW = {".bin": None, ".raw": None, ".s8": "int8", ".s16": "int16", ".s24": "int24", ".s32": "int32"}


class Form(NamedTuple):
    """What to take a file for, where it does not say.

    dtype : one of RAW_DTYPES, None that of the node;  layout : None interleaved
    node : that a single file holds, None goes by the file's name
    columns : of a table, "2,3" or "left,right", of a node "band=4-9"
    fraction_bits : of the file's integers, None those of the node
    """

    dtype: str | None = None
    layout: str | None = None
    node: str | None = None
    columns: tuple[str, ...] = ()
    fraction_bits: int | None = None

    def shift(self, node: Node) -> int:
        """Bits of the file's integers below the node's last one.

        Raises
        ------
        ConfigError
        """
        bits = node.fmt.n if self.fraction_bits is None else self.fraction_bits
        if not 0 <= bits <= _MOST_FRACTION_BITS:
            raise ConfigError(f"fraction_bits={bits}: must be in [0, {_MOST_FRACTION_BITS}]")
        return bits - node.fmt.n


AS_THE_NODE = Form()


class Dump(NamedTuple):
    """What a file or folder holds.

    nodes : by name, in signal-flow order;  input : what the device was given, if it is there
    files : that are open; they close at the end of `with`
    ignored : names of a folder's files that were not read
    """

    path: str
    nodes: dict[str, Values]
    input: Values | None
    files: ExitStack
    ignored: tuple[str, ...] = ()

    def __enter__(self) -> "Dump":
        return self

    def __exit__(self, *error: Any) -> None:
        self.files.__exit__(*error)  # who opened a file says of an error within it which file it was


def read_dump(path: str, case: Case, form: Form = AS_THE_NODE) -> Dump:
    """Open a file or a folder of files.

    Raises
    ------
    AudioError
        Unreadable, empty, another number of rows or another rate than the case's, not integers.
    ConfigError
        A node that the case does not have, another dtype or layout.
    """
    if form.dtype not in (None, *RAW_DTYPES):
        raise ConfigError(f"dtype={form.dtype!r}: must be one of {', '.join(RAW_DTYPES)}")
    if form.layout not in (None, *LAYOUTS):
        raise ConfigError(f"layout={form.layout!r}: must be one of {', '.join(LAYOUTS)}")
    if form.node is not None:
        _node(case, form.node, "node")
    with ExitStack() as files:
        found: dict[str, Values] = {}
        ignored: list[str] = []
        for name, values in _entries(Path(path), case, form, files, ignored):
            if name in found:
                raise AudioError(f"{path}: node {name} found twice; once needed")
            if values.steps == 0:
                raise AudioError(f"{path}: {name}: no values found; at least one of each row needed")
            found[name] = values
        nodes = {node.name: found[node.name] for node in case.nodes if node.name in found}
        if not nodes:
            raise AudioError(f"{path}: no node found; at least one of {_names(case)} needed")
        return Dump(path, nodes, found.get(INPUT), files.pop_all(), tuple(ignored))


def read_input(path: str, case: Case, files: ExitStack, form: Form = AS_THE_NODE) -> Values:
    """Open the input that the device was given: any form of a dump, int16; `files` closes it.

    Raises
    ------
    AudioError
    """
    own = Form(layout=form.layout)  # the rest is said of the dump
    return _open(Path(path), input_node(case), case, own, files)


def input_node(case: Case) -> Node:
    """The input as if it were a node."""
    labels = ("mono",) if case.channels == 1 else ("left", "right")
    return Node(INPUT, Q15, labels, 1)


def _names(case: Case) -> str:
    return ", ".join(node.name for node in case.nodes)


def _node_or_none(case: Case, name: str) -> Node | None:
    for node in (*case.nodes, input_node(case)):
        if name == node.name or re.fullmatch(rf"{node.name}_q\d+", name):
            return node
    return None


def _node(case: Case, name: str, what: str) -> Node:
    if node := _node_or_none(case, name):
        return node
    raise ConfigError(f"{what} {name!r}: must be one of {_names(case)}")


def _entries(
    path: Path, case: Case, form: Form, files: ExitStack, ignored: list[str]
) -> Iterator[tuple[str, Values]]:
    """(node's name, values) of all that a file or folder holds; adds to `ignored`."""
    if path.is_dir():
        for file, node in _files_of_nodes(path, case, ignored):
            yield node.name, _open(file, node, case, form, files)
    elif kinds.kind_of(path, form.dtype is not None)[0] == kinds.NPZ:
        for name, member in dump_files.npz_members(path, files):
            node = _node(case, name, f"{path}: array")
            values = dump_files.array_values(f"{path}: {name}", member, node, form.shift(node))
            yield node.name, values._replace(guess=kinds.kind_of(path, form.dtype is not None)[1])
    else:
        for node, columns in _columns_of(path, case, form):
            yield node.name, _open(path, node, case, form, files, columns)


def _columns_of(path: Path, case: Case, form: Form) -> Iterator[tuple[Node, str | None]]:
    """(node, its columns) of a single file: one node, or several by --columns NODE=COLUMNS."""
    single = _node(case, form.node, "node") if form.node else _by_name(path, case)
    for columns in form.columns or ("",):
        name, mark, rest = columns.partition("=")
        yield (_node(case, name, "--columns: node"), rest) if mark else (single, columns or None)


def _files_of_nodes(folder: Path, case: Case, ignored: list[str]) -> list[tuple[Path, Node]]:
    """Files of a folder that are named after a node; of one name the first of .bin, WAV or FLAC, .npz."""
    chosen = []
    for file in sorted(folder.iterdir()):
        suffix, node = file.suffix.lower(), _node_or_none(case, file.stem)
        better = {".npz": (".bin", ".wav", ".flac"), ".wav": (".bin",), ".flac": (".bin",)}.get(suffix, ())
        spare = any(file.with_suffix(other).exists() for other in better)
        if node is None or suffix not in kinds.SUFFIXES or spare:
            ignored.append(file.name)
        else:
            chosen.append((file, node))
    return chosen


def _by_name(path: Path, case: Case) -> Node:
    """The node that a single file is named after, else the output."""
    node = _node_or_none(case, path.stem)
    return case.output if node is None or node.name == INPUT else node


def _open(
    path: Path, node: Node, case: Case, form: Form, files: ExitStack, columns: str | None = None
) -> Values:
    """One node in a file, whose content decides where it has a mark of its own, else the file's name."""
    kind, guess = kinds.kind_of(path, form.dtype is not None)
    if columns is not None and kind != kinds.TEXT:
        raise ConfigError(f"--columns {columns}: {path} is no text; a table needed")
    shift = form.shift(node)
    if kind == kinds.SOUND:
        given = None if form.fraction_bits is None else shift
        values = dump_files.sound_values(path, node, case.fs_hz, given, files)
    elif kind == kinds.NPZ:
        members = dict(dump_files.npz_members(path, files))
        member = next((m for name, m in members.items() if _node_or_none(case, name) == node), None)
        if member is None:
            raise AudioError(f"{path}: arrays {', '.join(members) or 'none'} found; {node.name} needed")
        values = dump_files.array_values(f"{path}: {node.name}", member, node, shift)
    elif kind == kinds.NPY:
        file = files.enter_context(open(path, "rb"))  # noqa: SIM115
        values = dump_files.array_values(str(path), file, node, shift)
    elif kind == kinds.TEXT:
        values = _text(path, node, case, form, columns, files)._replace(shift=shift)
    else:
        values = _raw(path, kind, node, form, files)._replace(shift=shift)
    return values._replace(guess="; ".join(filter(None, (guess, values.guess))))


def _text(path: Path, node: Node, case: Case, form: Form, columns: str | None, files: ExitStack) -> Stored:
    if columns is None and debugger.is_array(path):
        return debugger.array_print(path, node, form.layout, files)
    dtype = None if form.dtype is None or form.dtype in WORDS_OF_24 else dtype_of(form.dtype)
    if columns is None and memory.is_memory(path):
        return memory.memory_lines(path, node, dtype, files)
    return table_values(path, node, case.fs_hz, columns, dtype, files)


def _raw(path: Path, kind: str, node: Node, form: Form, files: ExitStack) -> Stored:
    if kind == kinds.HEX:
        content = dump_files.hex_bytes(path)
        file: IO[bytes] = io.BytesIO(content)
        size = len(content)
    else:
        file = files.enter_context(open(path, "rb"))  # noqa: SIM115
        size = path.stat().st_size
    dtype = form.dtype or _RAW.get(path.suffix.lower()) or node.fmt.dtype.name
    assumed = Stored(file, 0, size, dtype_of(DTYPES[0]), len(node.rows), form.layout == LAYOUTS[1], True)
    return assumed.read_as(dtype)
