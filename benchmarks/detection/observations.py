"""What the detection benchmark measured, before a threshold is laid on it; kept in a file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fixedpoint.errors import ConfigError


@dataclass
class Observations:
    """Everything that was measured, before a threshold is laid on it.

    marks : rows of MARK, at the known place of every mark: single-mark score, and the best score over the
        marks of its run so far
    cells : rows of CELL: one for each host, room, noise level and drift
    score_error : (2, 99) float: percentiles 1..99 of |Q15 - float| over all hops, of the detectors'
        integrated scores, and of the single-mark scores (the largest of the patterns)
    facts : host by host;  names : all hosts, which host indices count in
    """

    INDICES = ("host", "room", "snr_db", "drift_ppm", "mark")
    SCORES = ("z_q15", "z_float", "score_q15", "score_float")
    MARK = np.dtype([(name, "i2") for name in INDICES] + [(name, "f4") for name in SCORES])
    CELL = np.dtype(
        [
            ("host", "i2"),
            ("room", "i2"),
            ("snr_db", "i2"),
            ("drift_ppm", "i2"),
            ("noise", "U24"),
            ("hops", "i4"),
            ("other_decision", "i4"),
            ("score_error_max", "f4"),
            ("z_error_max", "f4"),
            ("on_grid", "i4"),
            ("off_grid", "i4"),
        ]
    )

    marks: np.ndarray
    cells: np.ndarray
    score_error: np.ndarray
    facts: list[dict[str, Any]]
    names: list[str]
    seconds: float
    strength_db: float

    @classmethod
    def join(
        cls, results: Sequence[Any], names: list[str], seconds: float, strength_db: float
    ) -> "Observations":
        """Of the hosts' results."""
        errors = np.concatenate([result.score_error for result in results], axis=1)
        return cls(
            marks=np.concatenate([result.marks for result in results]),
            cells=np.concatenate([result.cells for result in results]),
            score_error=np.percentile(errors, np.arange(1, 100), axis=1).T,
            facts=[result.facts for result in results],
            names=names,
            seconds=seconds,
            strength_db=strength_db,
        )

    def save(self, path: Path) -> None:
        """Scores rounded to 1/100: the tables can be made again for another threshold."""
        path.parent.mkdir(parents=True, exist_ok=True)
        packed: dict[str, Any] = {name: self.marks[name] for name in self.INDICES}
        packed |= {name: np.round(self.marks[name] * 100).astype(np.int16) for name in self.SCORES}
        rest = {"facts": self.facts, "names": self.names, "seconds": self.seconds}
        rest["strength_db"] = self.strength_db
        np.savez_compressed(
            path, cells=self.cells, score_error=self.score_error, rest=json.dumps(rest), **packed
        )

    @classmethod
    def load(cls, path: Path) -> "Observations":
        """What `save` wrote."""
        if not path.is_file():
            raise ConfigError(f"{path}: no such file; run once without --again")
        with np.load(path) as kept:
            marks = np.empty(len(kept["host"]), cls.MARK)
            for name in cls.INDICES:
                marks[name] = kept[name]
            for name in cls.SCORES:
                marks[name] = kept[name] / np.float32(100)
            return cls(marks, kept["cells"], kept["score_error"], **json.loads(str(kept["rest"])))
