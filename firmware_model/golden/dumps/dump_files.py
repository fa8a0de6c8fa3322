"""The forms in which a dump may come, each opened as `dump_values`: WAV, FLAC, NPZ, NPY, CSV, Intel HEX."""

import io
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np

from firmware_model.case import Node
from firmware_model.golden.dumps.dump_values import Sound, Stored
from firmware_model.pcm_file import open_pcm
from fixedpoint.errors import AudioError

_MOST_HEX_BYTES = 6 << 20  # of text: intelhex holds some 130 bytes for each byte of data
# What zipfile and its decompressors raise; RuntimeError: encrypted; OSError without a number: bzip2's.
_DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, OSError)
_LINES = 1 << 16  # of a CSV file, read at a time
_SOUND_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


def sound_values(path: Path, node: Node, fs_hz: int, files: ExitStack) -> Sound:
    """Samples of a node from a WAV or FLAC file, whose format is as wide as the node's.

    fs_hz : rate of the node's case
    """
    path.stat()  # that there is no such file is said in the words of other forms
    file = files.enter_context(open_pcm(path))
    if node.step == 1 and file.samplerate != fs_hz:
        raise AudioError(f"{path}: {file.samplerate} Hz found, {fs_hz} Hz needed")
    if file.channels != len(node.rows):
        raise AudioError(f"{path}: {file.channels} channels found, {len(node.rows)} needed for {node.name}")
    bits = _SOUND_BITS.get(file.subtype, 0)
    if bits != node.fmt.bits:
        raise AudioError(f"{path}: {file.subtype} found, PCM_{node.fmt.bits} needed for {node.name}")
    return Sound(file, 32 - bits)


def npz_members(path: Path, files: ExitStack) -> Iterator[tuple[str, IO[bytes]]]:
    """(name, .npy file) of an NPZ file's arrays, each in a temporary file instead of in memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                file = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
                with archive.open(name) as member:
                    while block := member.read(1 << 20):
                        file.write(block)
                file.seek(0)
                yield name.removesuffix(".npy"), file
    except _DAMAGED_ZIP as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the file, not of what it holds
            raise
        raise AudioError(f"{path}: no NPZ file, or damaged: {error}") from error


def array_values(name: str, file: IO[bytes], node: Node) -> Stored:
    """Values of an .npy file: (rows, steps), (steps, rows), or (steps,) of a single row."""
    try:
        version = np.lib.format.read_magic(file)
        read_header = {1: np.lib.format.read_array_header_1_0}.get(
            version[0], np.lib.format.read_array_header_2_0
        )
        shape, columns_first, dtype = read_header(file)
    except (ValueError, TokenError, SyntaxError, RecursionError, MemoryError, TypeError) as error:
        says = next(iter(str(error).splitlines()), type(error).__name__)
        raise AudioError(f"{name}: no NumPy array, or damaged: {says}") from error
    if dtype.kind not in "iu":
        raise AudioError(f"{name}: {dtype} found; integers needed")
    rows, offset = len(node.rows), file.tell()
    if len(shape) == 1 and rows == 1:
        shape = (1, *shape)
    if len(shape) != 2 or rows not in shape:
        raise AudioError(f"{name}: shape {shape} found; ({rows}, steps) needed")
    planar = (shape[0] == rows) != columns_first
    size = int(np.prod(shape)) * dtype.itemsize
    if file.seek(0, io.SEEK_END) < offset + size:
        raise AudioError(f"{name}: cut short: {file.tell() - offset} of {size} bytes found")
    return Stored(file, offset, size, dtype, rows, planar, False)


def csv_values(path: Path, node: Node, files: ExitStack) -> Stored:
    """Values of a text file: a line for each step, a column for each row, perhaps a line of headings."""
    rows = len(node.rows)
    file = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    with open(path, encoding="utf-8", errors="replace") as text:
        block: list[list[int]] = []
        headings = True  # may come, until there was a line
        for number, line in enumerate(text, 1):
            cells = re.split(r"[,;\s]+", line.strip().strip(",;"))
            if cells == [""] or line.lstrip().startswith("#"):
                continue
            try:
                block.append([int(cell, 0) for cell in cells])
            except ValueError:
                if headings and not any(map(_is_number, cells)):
                    headings = False
                    continue
                raise AudioError(f"{path}: line {number}: {line.strip()!r} found; integers needed") from None
            headings = False
            if len(cells) != rows:
                raise AudioError(
                    f"{path}: line {number}: {len(cells)} columns found, {rows} needed for {node.name}"
                )
            if len(block) == _LINES:
                file.write(_packed(path, block))
                block = []
        file.write(_packed(path, block))
    return Stored(file, 0, file.tell(), np.dtype("<i8"), rows, False, False, "integers as text")


def _is_number(cell: str) -> bool:
    """Whether a cell begins as numbers do: 0.5, -1e-3, 0x1g."""
    return re.match(r"[+-]?\.?\d", cell) is not None


def _packed(path: Path, block: list[list[int]]) -> bytes:
    try:
        return np.array(block, "<i8").tobytes()
    except OverflowError as error:
        raise AudioError(f"{path}: an integer beyond 64 bits found") from error


def hex_bytes(path: Path) -> bytes:
    """Data of an Intel HEX file, from its lowest address; there may be no gaps."""
    from intelhex import HexReaderError, IntelHex

    size = path.stat().st_size
    if size > _MOST_HEX_BYTES:
        raise AudioError(
            f"{path}: {size} bytes of text found; at most {_MOST_HEX_BYTES} accepted; use a raw file"
        )
    content: Any = IntelHex()
    try:
        content.loadhex(str(path))
    except (HexReaderError, UnicodeDecodeError) as error:
        raise AudioError(f"{path}: no Intel HEX file, or damaged: {error}") from error
    segments = content.segments()
    if len(segments) > 1:
        raise AudioError(
            f"{path}: gap from 0x{segments[0][1]:x} to 0x{segments[1][0]:x} found; none accepted"
        )
    return bytes(content.tobinarray())
