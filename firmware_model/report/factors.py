"""What varied in a sweep, as a report shows it: levels in order, their labels, and the level of each row."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ARITHMETIC, PROGRAMME = "arithmetic", "programme"
MOST_LEVELS = 16  # of numbers; more are put into BINS bins of equal counts
BINS = 8
LEAST_IN_BIN = 4  # samples of a hypercube, of which each is at a place of its own
_FILES = (".wav", ".flac", ".toml")
_ABSENT = {"strength_db": "default"}  # what None means, where it is not "none"
# Name of an axis in words, and its unit.
WORDS = {
    "distance_m": ("distance", "m"),
    "room_m": ("room", "m"),
    "rt60_s": ("RT60", "s"),
    "rir": ("room response", ""),
    "loudspeaker": ("loudspeaker", ""),
    "volume_db": ("volume", "dB"),
    "codec": ("codec", ""),
    "resample_hz": ("resampling", "Hz"),
    "snr_db": ("SNR", "dB"),
    "snr_1m_db": ("SNR at 1 m", "dB"),
    "snr_db_at_microphone": ("SNR at the microphone", "dB"),
    "noise": ("noise", ""),
    "clip_dbfs": ("clipping level", "dBFS"),
    "drift_ppm": ("clock drift", "ppm"),
    "key": ("key", ""),
    "mode": ("mode", ""),
    "strength_db": ("strength", "dB"),
    "profile": ("profile", ""),
    ARITHMETIC: ("arithmetic", ""),
    PROGRAMME: ("programme", ""),
}


_UNITS = {"dbfs": "dBFS", "db": "dB", "hz": "Hz", "ms": "ms", "mm": "mm", "ppm": "ppm", "s": "s", "m": "m"}


def words_of(name: str) -> tuple[str, str]:
    """An axis in words, and its unit: of one that is not known here by the end of its name."""
    if name in WORDS:
        return WORDS[name]
    stem, _, unit = name.rpartition("_")
    return (stem.replace("_", " "), _UNITS[unit]) if stem and unit in _UNITS else (name.replace("_", " "), "")


class Factor(NamedTuple):
    """An axis of the plan, or the programme.

    name : column of the table
    labels : of each level, without its unit
    places : (levels,) float, numbers to draw at, ascending; None where the levels are kinds
    level : (rows,) int, the level of each row
    """

    name: str
    labels: tuple[str, ...]
    places: np.ndarray | None
    level: np.ndarray

    @property
    def words(self) -> str:
        """What varies: "distance"."""
        return words_of(self.name)[0]

    @property
    def unit(self) -> str:
        return words_of(self.name)[1]

    @property
    def title(self) -> str:
        """For an axis: "distance (m)"."""
        return f"{self.words} ({self.unit})" if self.unit else self.words

    def at(self, rows: Sequence[int] | np.ndarray) -> "Factor":
        """The same levels, for some of the rows."""
        return self._replace(level=self.level[np.asarray(rows, int)])

    def of_level(self, index: int) -> str:
        """A level with its unit, for a sentence: "6 m", "opus-16"."""
        label = self.labels[index]
        return f"{label} {self.unit}" if self.unit and label[-1].isdigit() else label


def factors(rows: Sequence[dict[str, Any]], axes: Sequence[str], samples: int = 0) -> list[Factor]:
    """Everything but the arithmetic that has more than one value, in the order of `axes`, the programme last.

    Parameters
    ----------
    rows : of the results
    axes : names of the axes that vary
    samples : of a hypercube, 0 of another plan: numbers that all differ are put into bins
    """
    names = [name for name in (*axes, PROGRAMME) if name != ARITHMETIC]
    found = [factor(name, [row[name] for row in rows], samples) for name in names]
    return [one for one in found if len(one.labels) > 1]


def choose(found: Sequence[Factor]) -> tuple[Factor | None, list[Factor]]:
    """The factor to draw along, and the others: the first of numbers, or else the first."""
    if not found:
        return None, []
    along = next((one for one in found if one.places is not None), found[0])
    return along, [one for one in found if one is not along]


def factor(name: str, values: Sequence[Any], samples: int = 0) -> Factor:
    """Levels of one column; `samples` as of `factors`."""
    numbers = [value for value in values if isinstance(value, (int, float)) and value is not None]
    many = len(set(numbers)) > MOST_LEVELS or 2 * LEAST_IN_BIN <= len(set(numbers)) == samples
    if len(numbers) == len(values) and many:
        bins = min(BINS, samples // LEAST_IN_BIN) if samples else BINS
        return _binned(name, np.array(numbers, np.float64), bins)
    distinct = list(dict.fromkeys(map(_hashable, values)))
    if numbers:  # with None, which comes last
        distinct.sort(key=lambda value: (value is None, value if value is not None else 0.0))
    places = np.array(distinct, np.float64) if len(numbers) == len(values) and numbers else None
    index = {value: i for i, value in enumerate(distinct)}
    level = np.array([index[_hashable(value)] for value in values], int)
    return Factor(name, tuple(_labels(name, distinct)), places, level)


def _binned(name: str, values: np.ndarray, bins: int) -> Factor:
    """Bins with as many rows each as can be."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    level = np.clip(np.searchsorted(edges, values, "right") - 1, 0, len(edges) - 2)
    to = "–" if edges[0] >= 0 else " … "  # a dash beside a minus sign is hard to read
    labels = tuple(f"{low:.3g}{to}{high:.3g}" for low, high in pairwise(edges))
    places = np.array([np.median(values[level == i]) for i in range(len(labels))])
    return Factor(name, labels, places, level)


def _labels(name: str, values: Sequence[Any]) -> list[str]:
    """Files by their stem, where that tells them apart."""
    texts = [text_of(name, value) for value in values]
    stems = [Path(text).stem if Path(text).suffix.lower() in _FILES else text for text in texts]
    return stems if len(set(stems)) == len(stems) else texts


def text_of(name: str, value: Any) -> str:
    """A value in words, without its unit."""
    if value is None:
        return _ABSENT.get(name, "none")
    if isinstance(value, (tuple, list)):
        return " × ".join(f"{side:g}" for side in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
