"""Lines of a text file: its encoding by its byte order mark, which is no part of the first line."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from fixedpoint.errors import AudioError

_MARKS = (  # the longest first: UTF-32's little-endian mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MOST_SHOWN = 40  # characters of a user's line in a message
_MOST_LINE = 1 << 26  # characters: gdb prints an array in one line


def encoding_of(head: bytes) -> str:
    """Of a file that begins so; UTF-8 without a mark."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")


def looks_like_text(head: bytes) -> bool:
    """Whether a file that begins so holds numbers as text, whatever its name says."""
    encoding = encoding_of(head)
    try:
        text = head[: len(head) // 4 * 4].decode(encoding)  # samples may begin as a mark does
    except UnicodeError:
        return False
    bare = text.translate({ord(mark): " " for mark in "\t\r\n,;"})
    printable = len(bare) >= 8 and all(0x20 <= ord(each) < 0x7F for each in bare)
    return printable and " " in bare and any(each.isdigit() for each in bare)


def read_lines(path: Path) -> Iterator[str]:
    """Lines without their ends, which may be LF, CRLF or CR.

    Raises
    ------
    AudioError
        Not text, or a line without an end.
    """
    with open(path, "rb") as file:
        encoding = encoding_of(file.read(4))
    number = 0
    with open(path, encoding=encoding) as file:
        try:
            while line := file.readline(_MOST_LINE):
                number += 1
                if len(line) == _MOST_LINE:
                    raise AudioError(f"{path}: line {number}: over {_MOST_LINE} characters; shorter needed")
                if "\0" in line:
                    raise AudioError(f"{path}: line {number}: a zero byte found; text needed")
                yield line.rstrip("\n")
        except UnicodeError as error:
            raise AudioError(f"{path}: after line {number}: not {encoding.upper()} text") from error


def shown(text: str) -> str:
    """A piece of a user's file for a message."""
    text = text.strip()
    return repr(text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "...")
