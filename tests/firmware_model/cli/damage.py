"""Damage to files, drawn by a seed: of bytes, RIFF chunks, words in texts, arrays, cells in a database."""

import io
import re
import sqlite3
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

Damage = Callable[[bytes, np.random.Generator], bytes]

_SIZES = (0, 1, 2, 7, 255, 0x7FFF, 0xFFFF, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_F000, 0xFFFF_FFFF)
_WORDS = (
    *(
        "nan",
        "-inf",
        "1e999",
        "-1",
        "0",
        "1.5",
        "123456789012345678901234567890",
        "true",
        "null",
        "x",
        '""',
        "''",
    ),
    *(
        "[]",
        "{}",
        "[[]]",
        "1979-05-27",
        "a.b",
        "=",
        "\0",
        "\n",
        "é",
        "\ufeff",
        "[" * 2000,
        "-0",
        "0x10",
        "1_0",
        "''' ",
    ),
)
_DTYPES = ("<f8", "|O", ">i2", "<U3", "|V4", "|b1", "<c8", "<M8[s]", "<i8", "|S0", "x", "<i2,<i4")


def bytes_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """One to three of: bits, bytes, sizes, cuts, insertions, repetitions; half in the first 100 bytes."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        n = len(data)
        at = int(rng.integers(min(n, 100) if rng.random() < 0.5 else n)) if n else 0
        kind = rng.integers(8)
        if not n or kind == 0:
            data[at:at] = rng.bytes(int(rng.integers(1, 40)))
        elif kind == 1:
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            data[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF]))
        elif kind == 3:
            at &= ~1
            data[at : at + 4] = struct.pack("<I", int(rng.choice(_SIZES)))
        elif kind == 4:
            del data[at:]
        elif kind == 5:
            del data[at : at + int(rng.integers(1, 200))]
        elif kind == 6:
            data[at:at] = data[at : at + int(rng.integers(1, 200))]
        else:
            data[at:at] = bytes(int(rng.integers(1, 200)))
    return bytes(data)


def chunks_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """RIFF chunks in another order, twice, missing, of another size, name or content."""
    chunks, at = [], 12
    while at + 8 <= len(content):
        size = struct.unpack_from("<I", content, at + 4)[0]
        chunks.append([content[at : at + 4], size, content[at + 8 : at + 8 + size + size % 2]])
        at += 8 + size + size % 2
    i = int(rng.integers(len(chunks)))
    kind = rng.integers(6)
    if kind == 0:
        rng.shuffle(chunks)
    elif kind == 1:
        chunks.insert(int(rng.integers(len(chunks) + 1)), list(chunks[i]))
    elif kind == 2:
        del chunks[i]
    elif kind == 3:
        chunks[i][1] = int(rng.choice([*_SIZES, chunks[i][1] - 1, chunks[i][1] + 1])) & 0xFFFFFFFF
    elif kind == 4:
        chunks[i][0] = bytes(rng.choice([b"data", b"fmt ", b"LIST", b"ds64", b"fact", b"\0\0\0\0", b"RIFF"]))
    else:
        chunks[i][2] = bytes_damaged(bytes(chunks[i][2]), rng)
    body = b"".join(name + struct.pack("<I", size) + data for name, size, data in chunks)
    return content[:4] + struct.pack("<I", (4 + len(body)) & 0xFFFFFFFF) + content[8:12] + body


def text_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Words replaced, lines missing, twice, or elsewhere; now and then bytes."""
    if rng.random() < 0.3:
        return bytes_damaged(content, rng)
    text = content.decode("utf-8", "surrogateescape")
    for _ in range(rng.integers(1, 3)):
        lines = text.splitlines(keepends=True) or [""]
        i, j = rng.integers(len(lines), size=2)
        kind = rng.integers(6)
        if kind == 0:
            del lines[i]
        elif kind == 1:
            lines.insert(j, lines[i])
        elif kind == 2:
            lines[i], lines[j] = lines[j], lines[i]
        else:
            words = list(re.finditer(r"[\w.+-]+|\"[^\"]*\"|\[[^\]]*\]", lines[i]))
            if words:
                word = words[int(rng.integers(len(words)))]
                new = str(rng.choice(np.array(_WORDS, object)))
                lines[i] = lines[i][: word.start()] + new + lines[i][word.end() :]
        text = "".join(lines)
    return text.encode("utf-8", "surrogateescape")


def npy_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """The header's dtype, order or shape replaced; else bytes."""
    if rng.random() < 0.4 or content[:6] != b"\x93NUMPY":
        return bytes_damaged(content, rng)
    size = struct.unpack_from("<H", content, 8)[0]
    header = content[10 : 10 + size].decode("latin1").strip()
    shape = rng.choice(
        np.array(["()", "(0,)", "(-1,)", "(1, 0)", "(2, 2, 2)", "(9999999999999,)", "(1e3,)"], object)
    )
    edit = (
        (r"'descr': '[^']*'", f"'descr': '{rng.choice(np.array(_DTYPES, object))}'"),
        (r"'shape': \([^)]*\)", f"'shape': {shape}"),
        (r"False", "True"),
        (r"'shape'", "'form'"),
    )[int(rng.integers(4))]
    header = re.sub(edit[0], lambda _: edit[1], header)
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    return content[:8] + struct.pack("<H", len(header)) + header.encode("latin1") + content[10 + size :]


def npz_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """A member damaged, missing, twice or renamed in a whole archive; else bytes."""
    if rng.random() < 0.5:
        return bytes_damaged(content, rng)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [[name, archive.read(name)] for name in archive.namelist()]
    i = int(rng.integers(len(members)))
    kind = rng.integers(5)
    if kind == 0:
        members[i][0] = str(rng.choice(["x.npy", "../x.npy", "output", "input.npy", ".npy", "a/b.npy"]))
    elif kind == 1:
        del members[i]
    else:
        members[i][1] = npy_damaged(members[i][1], rng)
    out = io.BytesIO()
    method = int(rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]))
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)  # without the time of day
    return out.getvalue()


def sqlite_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """A cell replaced, a table or column gone or of another name, in a whole database; else bytes."""
    if rng.random() < 0.4:
        return bytes_damaged(content, rng)
    with tempfile.NamedTemporaryFile(suffix=".sqlite") as file:
        Path(file.name).write_bytes(content)
        connection = sqlite3.connect(file.name)
        connection.execute("PRAGMA journal_mode = DELETE")
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        table = str(rng.choice(names))
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
        column = str(rng.choice(columns))
        values = [
            None,
            "",
            "{}",
            "[]",
            "null",
            "[1, 2",
            "nan",
            -1,
            2**62,
            1e308,
            float("inf"),
            b"\0\xff",
            "é\0",
            "7",
        ]
        values += ['{"a": []}', '"x"', "[null]", '["x", {}]', "[NaN]", '[{"bittrue": 1}]', "[[[]]]"]
        kind = rng.integers(8)
        try:
            if kind == 0:
                connection.execute(f'DROP TABLE "{table}"')
            elif kind == 1:
                connection.execute(f'ALTER TABLE "{table}" RENAME COLUMN "{column}" TO "other"')
            elif kind == 2:
                connection.execute(f'DELETE FROM "{table}" WHERE rowid % 2')
            else:
                value = values[int(rng.integers(len(values)))]
                (rows,) = connection.execute(f'SELECT max(rowid) FROM "{table}"').fetchone()
                where = (
                    "" if rng.random() < 0.2 else f" WHERE rowid = {int(rng.integers(1, (rows or 1) + 1))}"
                )
                connection.execute(f'UPDATE "{table}" SET "{column}" = ?{where}', (value,))
            connection.commit()
        except sqlite3.Error:  # a column that keys need
            return bytes_damaged(content, rng)
        finally:
            connection.close()
        return Path(file.name).read_bytes()


OF_SUFFIX: dict[str, tuple[Damage, ...]] = {
    ".wav": (bytes_damaged, chunks_damaged),
    ".npy": (npy_damaged,),
    ".npz": (npz_damaged,),
    ".sqlite": (sqlite_damaged,),
    **dict.fromkeys((".csv", ".txt", ".hex", ".toml", ".json"), (text_damaged,)),
}


def damaged(name: str, content: bytes, rng: np.random.Generator) -> bytes:
    """A file of a name, by what is done to its kind; now and then nothing, or no file's content at all."""
    whole = rng.random()
    if whole < 0.02:
        return b""
    if whole < 0.04:
        return content
    kinds = OF_SUFFIX.get(Path(name).suffix, (bytes_damaged,))
    return kinds[int(rng.integers(len(kinds)))](content, rng)
