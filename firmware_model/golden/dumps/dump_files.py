"""The binary forms in which a dump may come, each opened as `dump_values`: WAV, FLAC, NPZ, NPY; Intel HEX."""

import io
import lzma
import math
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
from firmware_model.golden.dumps.dump_values import Stored
from firmware_model.golden.dumps.text.lines import read_lines
from firmware_model.pcm_file import open_pcm
from fixedpoint.errors import AudioError

_MOST_HEX_BYTES = 6 << 20  # of text: intelhex holds some 130 bytes for each byte of data
# What zipfile and its decompressors raise; RuntimeError: encrypted; OSError without a number: bzip2's.
_DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, OSError)
_FRAMES = 1 << 16  # of a sound file, read at a time
_MOST_MEMBERS = 256  # of an NPZ file
_SOUND_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


def sound_values(path: Path, node: Node, fs_hz: int, shift: int | None, files: ExitStack) -> Stored:
    """Samples of a node from a WAV or FLAC file, whose format is as wide as the node's.

    All are read here, into a temporary file, so that a damaged one is known before anything is compared.

    fs_hz : rate of the node's case
    shift : bits below the node's last one, as the user says; None: none, and no other width is taken
    """
    path.stat()  # that there is no such file is said in the words of other forms
    with open_pcm(path) as file:
        steps_hz = fs_hz / node.step
        if file.samplerate not in (fs_hz, steps_hz):
            raise AudioError(f"{path}: {file.samplerate} Hz found, {steps_hz:g} Hz needed for {node.name}")
        if file.channels != len(node.rows):
            raise AudioError(
                f"{path}: {file.channels} channels found, {len(node.rows)} needed for {node.name}"
            )
        bits = _SOUND_BITS.get(file.subtype, 0)
        if bits == 0 or (shift is None and bits != node.fmt.bits):
            other = f"; --fraction-bits {node.fmt.n + bits - node.fmt.bits} takes it" * (bits > node.fmt.bits)
            raise AudioError(
                f"{path}: {file.subtype} found, PCM_{node.fmt.bits} needed for {node.name}{other}"
            )
        spool = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        while len(block := file.read(_FRAMES, dtype="int32", always_2d=True)):
            spool.write((block >> (32 - bits)).astype("<i4").tobytes())
        size, how = spool.tell(), f"{file.format} {file.subtype}"
        if size != 4 * file.frames * file.channels:
            raise AudioError(f"{path}: cut short: {size // 4 // file.channels} of {file.frames} frames found")
    return Stored(spool, 0, size, np.dtype("<i4"), len(node.rows), False, False, how, shift=shift or 0)


def npz_members(path: Path, files: ExitStack) -> Iterator[tuple[str, IO[bytes]]]:
    """(name, .npy file) of an NPZ file's arrays, each in a temporary file instead of in memory."""
    members = []
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) > _MOST_MEMBERS:
                raise AudioError(f"{path}: {len(names)} arrays found; at most {_MOST_MEMBERS} accepted")
            for name in names:
                file = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
                with archive.open(name) as member:
                    while block := member.read(1 << 20):
                        file.write(block)
                file.seek(0)
                members.append((name.removesuffix(".npy"), file))
    except AudioError:
        raise
    except _DAMAGED_ZIP as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the file, not of what it holds
            raise
        raise AudioError(f"{path}: no NPZ file, or damaged: {error}") from error
    yield from members


def array_values(name: str, file: IO[bytes], node: Node, shift: int = 0) -> Stored:
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
    size = math.prod(shape) * dtype.itemsize
    if file.seek(0, io.SEEK_END) < offset + size:
        raise AudioError(f"{name}: cut short: {file.tell() - offset} of {size} bytes found")
    return Stored(file, offset, size, dtype, rows, planar, False, shift=shift)


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
        content.loadhex(io.StringIO("\n".join(read_lines(path))))
    except (HexReaderError, ValueError, KeyError, TypeError, IndexError) as error:
        if isinstance(error, AudioError):
            raise
        raise AudioError(f"{path}: no Intel HEX file, or damaged: {error}") from error
    segments = content.segments()
    if len(segments) > 1:
        raise AudioError(
            f"{path}: gap from 0x{segments[0][1]:x} to 0x{segments[1][0]:x} found; none accepted"
        )
    return bytes(content.tobinarray())
