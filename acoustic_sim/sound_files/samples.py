"""What the readers of headers have in common: where samples lie, and the error of a file that contradicts."""

from typing import NamedTuple


class SoundError(ValueError):
    """A file that cannot be taken: what was found and what is accepted, without its name."""


class Samples(NamedTuple):
    """Where the samples lie, and what to say.

    header : one that fits them, empty if the file's does;  start, stop : bytes of the file
    """

    header: bytes
    start: int
    stop: int
    remark: str = ""
