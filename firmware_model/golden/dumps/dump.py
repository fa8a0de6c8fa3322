"""Dumps of a device: a file or a folder that holds one or more nodes of a case, or its input."""

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from firmware_model.case import Case, Node
from firmware_model.golden.dumps import dump_files
from firmware_model.golden.dumps.dump_values import DTYPES, LAYOUTS, Stored, Values, dtype_of
from fixedpoint.errors import AudioError, ConfigError
from fixedpoint.qformat import Q15

INPUT = "input"  # name of a file or array that holds the input that the device was given
_RAW = {".bin": None, ".raw": None, ".s8": "int8", ".s16": "int16", ".s32": "int32"}
_SOUND = (".wav", ".flac")
SUFFIXES = (*_RAW, ".npz", ".npy", ".wav", ".flac", ".csv", ".txt", ".hex", ".ihex")


class Form(NamedTuple):
    """What to take a raw file for: dtype None is that of the node; node None goes by the file's name."""

    dtype: str | None = None
    layout: str = "interleaved"
    node: str | None = None


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
    if form.dtype not in (None, *DTYPES):
        raise ConfigError(f"dtype={form.dtype!r}: must be one of {', '.join(DTYPES)}")
    if form.layout not in LAYOUTS:
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
    return _open(Path(path), input_node(case), case, form._replace(dtype=None), files)


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
    elif path.suffix.lower() == ".npz":
        for name, member in dump_files.npz_members(path, files):
            node = _node(case, name, f"{path}: array")
            yield node.name, dump_files.array_values(f"{path}: {name}", member, node)
    else:
        node = _node(case, form.node, "node") if form.node else _by_name(path, case)
        yield node.name, _open(path, node, case, form, files)


def _files_of_nodes(folder: Path, case: Case, ignored: list[str]) -> list[tuple[Path, Node]]:
    """Files of a folder that are named after a node; of one name the first of .bin, WAV or FLAC, .npz."""
    chosen = []
    for file in sorted(folder.iterdir()):
        suffix, node = file.suffix.lower(), _node_or_none(case, file.stem)
        better = {".npz": (".bin", *_SOUND), ".wav": (".bin",), ".flac": (".bin",)}.get(suffix, ())
        spare = any(file.with_suffix(other).exists() for other in better)
        if node is None or suffix not in SUFFIXES or spare:
            ignored.append(file.name)
        else:
            chosen.append((file, node))
    return chosen


def _by_name(path: Path, case: Case) -> Node:
    """The node that a single file is named after, else the output."""
    node = _node_or_none(case, path.stem)
    return case.output if node is None or node.name == INPUT else node


def _open(path: Path, node: Node, case: Case, form: Form, files: ExitStack) -> Values:
    suffix = path.suffix.lower()
    if suffix in _SOUND:
        return dump_files.sound_values(path, node, case.fs_hz, files)
    if suffix == ".npz":
        members = dict(dump_files.npz_members(path, files))
        member = next((m for name, m in members.items() if _node_or_none(case, name) == node), None)
        if member is None:
            raise AudioError(f"{path}: arrays {', '.join(members) or 'none'} found; {node.name} needed")
        return dump_files.array_values(f"{path}: {node.name}", member, node)
    if suffix == ".npy":
        return dump_files.array_values(str(path), files.enter_context(open(path, "rb")), node)
    if suffix in (".csv", ".txt"):
        return dump_files.csv_values(path, node, files)
    dtype = dtype_of(form.dtype or _RAW.get(suffix) or node.fmt.dtype.name)
    planar = form.layout == "planar"
    if suffix in (".hex", ".ihex"):
        content = dump_files.hex_bytes(path)
        return Stored(io.BytesIO(content), 0, len(content), dtype, len(node.rows), planar, True)
    if suffix in _RAW:
        file = files.enter_context(open(path, "rb"))  # noqa: SIM115
        size = path.stat().st_size
        return Stored(file, 0, size, dtype, len(node.rows), planar, True)
    raise AudioError(f"{path}: suffix {path.suffix!r} found; {', '.join(SUFFIXES)} or a folder needed")
