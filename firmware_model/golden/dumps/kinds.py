"""What kind of file a dump is: by a mark that its content begins with, else by its name."""

from pathlib import Path

from firmware_model.golden.dumps.text.lines import looks_like_text
from fixedpoint.errors import AudioError

RAW, SOUND, NPY, NPZ, TEXT, HEX = "raw integers", "sound", "NumPy array", "NPZ", "text", "Intel HEX"
SUFFIXES = {
    **dict.fromkeys((".bin", ".raw", ".s8", ".s16", ".s24", ".s32"), RAW),
    **{".npz": NPZ, ".npy": NPY, ".wav": SOUND, ".flac": SOUND},
    **dict.fromkeys((".csv", ".txt", ".tsv", ".log"), TEXT),
    **{".hex": HEX, ".ihex": HEX},
}
_WAVES = (b"RIFF", b"RIFX", b"RF64", b"BW64")
_NAMES = {SOUND: "a sound file", NPY: "a NumPy array", NPZ: "an NPZ file", TEXT: "text"}
_HEAD = 4096


def kind_of(path: Path, is_raw: bool) -> tuple[str, str]:
    """(kind, what to say where the name says otherwise).

    Parameters
    ----------
    is_raw : whether the user says what a raw file holds: then a raw file's content has no say

    Raises
    ------
    AudioError
        A name of no form, or a form that no dump has.
    """
    named = SUFFIXES.get(path.suffix.lower())
    if named is None:
        raise AudioError(f"{path}: suffix {path.suffix!r} found; {', '.join(SUFFIXES)} or a folder needed")
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    held = _by_content(head)
    if head.startswith(b"\x7fELF"):
        raise AudioError(f"{path}: an ELF file found; the memory of the device needed, not its program")
    if named == HEX:
        return (HEX, "") if held in (None, TEXT) and _is_intel(head) else (held or HEX, "")
    if held in (None, named) or (named == RAW and is_raw) or (held == TEXT and named != RAW):
        return named, ""
    return held, f"{_NAMES[held]}, by its content"


def _by_content(head: bytes) -> str | None:
    if (head[:4] in _WAVES and head[8:12] == b"WAVE") or head[:4] == b"fLaC":
        return SOUND
    if head.startswith(b"\x93NUMPY"):
        return NPY
    if head.startswith(b"PK\x03\x04"):
        return NPZ
    return TEXT if looks_like_text(head) else None


def _is_intel(head: bytes) -> bool:
    """Whether text begins as Intel HEX does; else it is a table of hexadecimal words."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b":") or not looks_like_text(head)
