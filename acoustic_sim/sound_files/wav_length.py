"""How many samples a WAV file holds: by its header where that agrees with the file, else by one rule.

The rule, for RIFF, RIFX, RF64 and BW64 alike, in every reader:

- A length that can be none, 0, from 0x7FFF0000 to 0x80000000, or from 0xFFFF0000, as streams and interrupted
  recorders leave it, and one that was wrapped past 4 GiB, count as not known: read to the end, with a remark.
- Chunks behind the samples (LIST, bext, id3) are none of them, also where the length is not known.
- Any other length that the file contradicts, in either direction, is refused: which is right cannot be known.
"""

import re
import struct
from typing import BinaryIO, NamedTuple

from acoustic_sim.sound_files.samples import Samples, SoundError

_KINDS = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}  # -> byte order
_UNCOMPRESSED = (1, 3, 0xFFFE)  # formats: PCM, float, and either with more about it
_IN_DS64 = 0xFFFF_FFFF  # of RF64 and BW64: the length stands in the chunk ds64
_WRAP = 1 << 32
_PLACEHOLDERS = ((0x7FFF_0000, 0x8000_0000), (0xFFFF_0000, 0xFFFF_FFFF), (1 << 62, 1 << 64))
_MOST_CHUNKS = 4096  # ahead of the samples; files have up to a dozen
_TAIL = 1 << 20  # bytes at the end in which chunks behind samples of unknown length are looked for
# Chunks of metadata that writers put behind the samples.
_METADATA = frozenset(
    name.ljust(4).encode()
    for name in re.findall(
        r"\w+",
        "LIST bext iXML axml aXML id3 ID3 cue smpl inst fact PEAK JUNK junk PAD pad FLLR chna _PMX afsp DISP "
        "acid strc plst cart umid minf elm1 regn ovwf levl link LGWV AFAn ResU mext qlty r64m SyLp CDif MD5",
    )
)
_ANY_METADATA = re.compile(b"|".join(map(re.escape, sorted(_METADATA))))
_TAGS = (b"TAG", b"APETAGEX", b"3DI")  # of MP3 files, which some programs put behind any file


class _Header(NamedTuple):
    """kind : its first four bytes;  fmt : content of that chunk;  start : byte of the first sample
    declared : bytes of samples
    """

    kind: bytes
    fmt: bytes
    start: int
    declared: int

    @property
    def order(self) -> str:
        """Of bytes."""
        return _KINDS[self.kind]

    @property
    def frame(self) -> int:
        """Bytes of a sample of all channels, or of a block of a compressed format."""
        kind, channels, _, _, stated, bits = self.facts
        least = channels * -(-bits // 8)
        # Writers get it wrong, which libsndfile mends; 24 bits may stand in 4 bytes.
        wrong = kind in _UNCOMPRESSED and (stated < least or stated % max(1, channels))
        return max(1, least if wrong else stated)

    def seconds(self, size: int) -> float:
        """Of so many bytes."""
        kind, _, fs_hz, a_second, _, _ = self.facts
        return size / max(1, fs_hz * self.frame if kind in _UNCOMPRESSED else a_second)

    @property
    def facts(self) -> tuple[int, ...]:
        """Format, channels, sample rate, bytes a second, bytes of a frame, bits of a sample."""
        return struct.unpack_from(self.order + "HHIIHH", self.fmt)


def wav_samples(file: BinaryIO, size: int) -> Samples | None:
    """Where a WAV's samples lie; None of what is no WAV, or has no samples.

    Parameters
    ----------
    file : seekable;  size : of it, bytes

    Raises
    ------
    SoundError
        A length that the file contradicts, a second file, a second chunk of samples.
    """
    header = _read_header(file, size)
    if header is None:
        return None
    here = size - header.start
    is_open = _is_open(header.declared)
    stop = size if header.declared == here else _without_chunks(file, header.order, header.start, size)
    found = stop - header.start
    missing = found - header.declared
    is_wrapped = missing >= _WRAP and missing % _WRAP <= 1  # 1: a byte of padding
    if header.declared <= here:
        kind = _behind(file, header, size, zeros=not is_wrapped)
        # A recorder that was interrupted before it wrote the length may have recorded silence.
        if kind == "chunks" or (kind != "more" and header.declared):
            return _as_declared(header, size, kind)
    elif not is_open:
        raise SoundError(f"cut short: {here} of {header.declared} bytes of audio found")
    if not is_open and not is_wrapped:
        raise SoundError(
            f"{here} bytes of audio ({header.seconds(here):.3f} s) found up to the end of the file, "
            f"{header.declared} ({header.seconds(header.declared):.3f} s) declared by the header; "
            "both must agree (sox --ignore-length, ffmpeg -ignore_length 1 write a header that does)"
        )
    found -= found % header.frame
    if not found:
        return Samples(_new_header(header, 0), header.start, header.start)
    why = (
        f"the header gives no length ({header.declared:#x})"
        if is_open
        else "the header's length is wrapped past 4 GiB"
    )
    return Samples(
        _new_header(header, found),
        header.start,
        header.start + found,
        f"{why}; read to the end of the file: {header.seconds(found):.3f} s",
    )


def _is_open(declared: int) -> bool:
    """Whether a length is one that is written before the true one is known; of 64 bits, the largest ones."""
    return declared == 0 or any(low <= declared <= high for low, high in _PLACEHOLDERS)


def _as_declared(header: _Header, size: int, kind: str) -> Samples | None:
    if header.declared < header.frame:
        return None
    stop = header.start + header.declared - header.declared % header.frame
    says = []
    if kind != "chunks":
        behind = f"{size - header.start - header.declared}{' zero' if kind == 'zeros' else ''} bytes"
        says.append(f"{behind} behind the declared samples are not read")
    if header.declared % header.frame:
        says.append(f"{header.declared % header.frame} of {header.frame} bytes of a last frame are not read")
    # libsndfile knows all of them but BW64.
    new = _new_header(header, stop - header.start) if header.kind == b"BW64" else b""
    return Samples(new, header.start, stop, "; ".join(says))


def _read_header(file: BinaryIO, size: int) -> _Header | None:
    file.seek(0)
    head = file.read(12)
    order = _KINDS.get(head[:4])
    if order is None or head[8:] != b"WAVE":
        return None
    at, fmt, in_ds64 = 12, b"", None
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        chunk = file.read(8)
        if len(chunk) < 8:
            return None
        name, length = chunk[:4], struct.unpack(order + "I", chunk[4:])[0]
        if name == b"data":
            if head[:4] in (b"RF64", b"BW64") and in_ds64 is not None and length == _IN_DS64:
                length = in_ds64
            return _Header(head[:4], fmt, at + 8, length) if len(fmt) >= 16 else None
        if name == b"ds64":
            in_ds64 = struct.unpack("<QQ", file.read(16).ljust(16, b"\0"))[1]
        if name == b"fmt ":
            fmt = file.read(min(length, 1 << 10))
        at += 8 + length + length % 2
        if at >= size:
            return None
    return None


def _behind(file: BinaryIO, header: _Header, size: int, zeros: bool) -> str:
    """Behind the declared end: "chunks" or nothing, "zeros" if asked for, "less" than a frame, "more"."""
    end = header.start + header.declared
    if end == size:
        return "chunks"
    # Samples that end at an odd byte are followed by one of padding, which some writers leave out.
    places = (end + 1, end) if header.declared % 2 else (end,)
    if any(_are_chunks(file, header.order, place, size) for place in places):
        return "chunks"
    less = size - end < header.frame
    file.seek(end)
    while zeros and (block := file.read(_TAIL)):
        zeros = block == bytes(len(block))
    return "zeros" if zeros else "less" if less else "more"


def _are_chunks(file: BinaryIO, order: str, at: int, size: int) -> bool:
    """Whether chunks fill a file from `at` to its end; behind one known by name, anything may lie.

    Raises
    ------
    SoundError
        One of them holds samples, too, or is another file.
    """
    more_samples = of_metadata = False
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        chunk = file.read(12)
        name, known = chunk[:4], chunk[:4] in _METADATA
        if not chunk or chunk.startswith(_TAGS):
            break
        if name in _KINDS and chunk[8:] == b"WAVE":
            raise SoundError("a second WAV file found behind the first; one needed")
        if len(chunk) < 8 or not all(0x20 <= letter < 0x7F for letter in name):
            return of_metadata
        end = at + 8 + struct.unpack(order + "I", chunk[4:8])[0]
        if end > size:
            if not known:
                return of_metadata
            break
        of_metadata |= known
        more_samples |= name == b"data"
        file.seek(end)
        at = end + (end % 2 and file.read(1) in (b"", b"\0"))  # some writers leave the padding out
    if more_samples:
        raise SoundError("a second chunk of samples found behind the first; one needed")
    return True


def _without_chunks(file: BinaryIO, order: str, start: int, size: int) -> int:
    """Where samples of unknown length end: at the first of the chunks of metadata that end with the file."""
    first = max(start, size - _TAIL)
    file.seek(first)
    tail = file.read(size - first)
    at = len(tail)
    # From the back: a chunk that ends where the next one begins, perhaps after a byte of padding.
    for place in [found.start() for found in _ANY_METADATA.finditer(tail)][::-1]:
        if place + 8 <= at:
            end = place + 8 + struct.unpack_from(order + "I", tail, place + 4)[0]
            at = place if end in (at, at - 1) else at
    return first + at


def _new_header(header: _Header, size: int) -> bytes:
    """Of `size` bytes of samples: RIFF or RIFX, RF64 beyond 4 GiB."""
    fmt = (
        b"fmt "
        + struct.pack(header.order + "I", len(header.fmt))
        + header.fmt
        + b"\0" * (len(header.fmt) % 2)
    )
    if 20 + len(fmt) + size < _WRAP:
        kind = header.kind if header.order == ">" else b"RIFF"
        riff = struct.pack(header.order + "I", 12 + len(fmt) + size)
        return kind + riff + b"WAVE" + fmt + b"data" + struct.pack(header.order + "I", size)
    if header.order == ">":
        raise SoundError("a big-endian WAV beyond 4 GiB found; at most 4 GiB accepted")
    ds64 = struct.pack("<4sIQQQI", b"ds64", 28, 48 + len(fmt) + size, size, size // header.frame, 0)
    return b"RF64\xff\xff\xff\xffWAVE" + ds64 + fmt + b"data\xff\xff\xff\xff"
