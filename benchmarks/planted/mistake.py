"""A porting mistake: edits of a product's exported C, and what a cause must say to name it."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from fixedpoint.errors import ConfigError

Edit = Callable[[str], str]


class Mistake(NamedTuple):
    """What is planted, and how it is judged.

    kind : the sort of mistake;  where : function, parameter or state, in words
    case : golden case whose C it is planted in
    first : first wrong node among those that the firmware's memory shows
    named : patterns, each of which must be found in "kind: text" of a cause that names it
    edits : of the source
    """

    kind: str
    where: str
    case: str
    first: str
    named: tuple[str, ...]
    edits: tuple[Edit, ...]

    def plant(self, source: str) -> str:
        """The source with the mistake in it.

        Raises
        ------
        ConfigError
            What it changes does not stand in the source, or not once, or is not changed.
        """
        for edit in self.edits:
            source = edit(source)
        return source

    def is_named_by(self, kind: str, text: str) -> bool:
        """Whether a cause says what is wrong."""
        return all(re.search(pattern, f"{kind}: {text}", re.IGNORECASE) for pattern in self.named)


def text(old: str, new: str) -> Edit:
    """Replace a passage, its white space aside."""
    pattern = r"\s+".join(re.escape(word) for word in old.split())
    return lambda source: _once(pattern, lambda _: new, source, old)


def table(name: str, change: Callable[[np.ndarray], Iterable[int]]) -> Edit:
    """Replace the values of a table, "table_section" or "LOG2", by what they are made into."""
    pattern = rf"(\b{re.escape(name)}\[[^\]]+\] = \{{)([^}}]*)(\}};)"

    def changed(found: re.Match[str]) -> str:
        words = found[2].replace("INT32_MIN", str(-(1 << 31))).split(",")
        values = np.array([int(word) for word in words if word.strip()], np.int64)
        others = np.array([*change(values)], np.int64)
        if np.array_equal(values, others):
            raise ConfigError(f"{name!r}: changes nothing")
        return f"{found[1]} {', '.join(str(value) for value in others.tolist())} {found[3]}"

    return lambda source: _once(pattern, changed, source, name)


def entry(name: str, old: int, new: int) -> Edit:
    """Replace one value of a table, which it has once."""

    def changed(values: np.ndarray) -> np.ndarray:
        if np.count_nonzero(values == old) != 1:
            raise ConfigError(f"{name}: {old}: {np.count_nonzero(values == old)} times found, once needed")
        return np.where(values == old, new, values)

    return table(name, changed)


def to_16_bits(values: np.ndarray) -> np.ndarray:
    """32-bit coefficients rounded to their upper half."""
    return np.minimum((values + (1 << 15)) >> 16, 32767) << 16


def _once(pattern: str, change: Callable[[re.Match[str]], str], source: str, what: str) -> str:
    found = len(re.findall(pattern, source))
    if found != 1:
        raise ConfigError(f"{what!r}: {found} times found in the C, once needed")
    changed = re.sub(pattern, change, source)
    if changed == source:
        raise ConfigError(f"{what!r}: changes nothing")
    return changed
