"""How many samples a FLAC file holds: by its header where that agrees with its last frame.

A header without a length, 0, as an encoder leaves it that writes into a pipe, is given the one found; a
length that the last frame contradicts is refused. The last frame is the one whose own checksums end with the
file; where there is none, as behind damage or a tag, the header is left to the decoder.
"""

from functools import cache
from typing import BinaryIO

from acoustic_sim.sound_files.samples import Samples, SoundError

_STREAMINFO = 42  # bytes of "fLaC", a block's header, and the block that must come first
_TOTAL = 21  # byte of STREAMINFO in which the 36 bits of its length begin, with the lower half of the byte
_MOST_TAIL = 1 << 20  # bytes; a frame of two channels and 24 bits has at most 0.4 MB


def flac_length(file: BinaryIO, size: int) -> Samples | None:
    """All of a file, with a header that has the length; None of what is no FLAC file.

    Parameters
    ----------
    file : seekable;  size : of it, bytes

    Raises
    ------
    SoundError
        A length that the file contradicts, or that is not known and cannot be found.
    """
    first = _behind_tag(file)
    file.seek(first)
    head = file.read(_STREAMINFO)
    if len(head) < _STREAMINFO or head[:4] != b"fLaC" or head[4] & 0x7F:
        return None
    declared = int.from_bytes(head[_TOTAL : _TOTAL + 5], "big") & (1 << 36) - 1
    fs_hz = int.from_bytes(head[18:21], "big") >> 4
    found = _last_sample(file, first + _STREAMINFO, size, int.from_bytes(head[10:12], "big"))
    if declared and found in (None, declared):
        return Samples(b"", 0, size)
    if found is None:
        raise SoundError(
            "FLAC without a length in its header found, and no whole frame at its end; cut short"
        )
    if declared > found:
        raise SoundError(f"cut short: {found} of {declared} frames found")
    if declared:
        raise SoundError(f"{found} samples found, {declared} declared by the header; both must agree")
    five = (head[_TOTAL] & 0xF0) << 32 | found
    header = head[:_TOTAL] + five.to_bytes(5, "big") + head[_TOTAL + 5 :]
    seconds = f": {found / fs_hz:.3f} s" if fs_hz else ""
    return Samples(
        header, first + _STREAMINFO, size, f"the header has no length; read to the end of the file{seconds}"
    )


def _behind_tag(file: BinaryIO) -> int:
    """Where the file begins behind an ID3v2 tag, which some programs put ahead of any file."""
    file.seek(0)
    head = file.read(10)
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    return 10 + sum((byte & 0x7F) << 7 * i for i, byte in enumerate(reversed(head[6:])))


def _last_sample(file: BinaryIO, begin: int, size: int, block: int) -> int | None:
    """Samples up to the end of the last frame, which must end with the file.

    begin : of the frames, or of further metadata;  size : of the file
    block : samples of a frame, where all but the last have as many
    """
    first = max(begin, size - _MOST_TAIL)
    file.seek(first)
    tail = file.read(size - first)
    at = len(tail)
    while (at := tail.rfind(b"\xff", 0, at)) >= 0:
        if tail[at + 1 : at + 2] in (b"\xf8", b"\xf9"):
            frame = _frame(tail, at, block)
            if frame is not None and _crc16(tail[at:]) == 0:
                return frame
    return None


def _frame(tail: bytes, at: int, block: int) -> int | None:
    """The sample behind a frame by its header; None where there is no header."""
    fixed = tail[at + 1] == 0xF8
    head = tail[at : at + 16]
    if len(head) < 8 or head[3] & 1 or head[3] >> 4 > 10:
        return None
    number = _number(head)
    if number is None:
        return None
    value, place = number
    code = head[2] >> 4
    if code == 0:
        return None
    if code in (6, 7):
        samples = int.from_bytes(head[place : place + code - 5], "big") + 1
        place += code - 5
    else:
        samples = 192 if code == 1 else 576 << code - 2 if code < 6 else 256 << code - 8
    place += {12: 1, 13: 2, 14: 2}.get(head[2] & 0x0F, 0)
    if place >= len(head) or _crc8(head[:place]) != head[place]:
        return None
    return (value * block if fixed else value) + samples


def _number(head: bytes) -> tuple[int, int] | None:
    """(frame's or sample's number, the byte behind it), coded as UTF-8 does it, in up to 7 bytes."""
    lead = head[4]
    if lead < 0x80:
        return lead, 5
    more = 7 - (~lead & 0xFF).bit_length()
    rest = head[5 : 5 + more]
    if not 1 <= more <= 6 or len(rest) < more or any(byte >> 6 != 0b10 for byte in rest):
        return None
    value = lead & (0x3F >> more)
    for byte in rest:
        value = value << 6 | byte & 0x3F
    return value, 5 + more


@cache
def _table(bits: int, polynomial: int) -> tuple[int, ...]:
    """Of a checksum, most significant bit first: the remainder of each byte."""
    top, values = 1 << bits - 1, []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & (1 << bits) - 1
        values.append(value)
    return tuple(values)


def _crc8(data: bytes) -> int:
    table, value = _table(8, 0x07), 0
    for byte in data:
        value = table[value ^ byte]
    return value


def _crc16(data: bytes) -> int:
    """0 of a frame with its own checksum behind it."""
    table, value = _table(16, 0x8005), 0
    for byte in data:
        value = (value << 8 & 0xFF00) ^ table[value >> 8 ^ byte]
    return value
