"""A recording that comes in pieces, heard by the Q15 detector, the float64 reference, or both."""

from typing import Any

import numpy as np

from firmware_model.watermark.detector import Detector
from firmware_model.watermark.key import Key
from firmware_model.watermark.measures import metrics
from firmware_model.watermark.measures.float_twin import float_detector
from firmware_model.watermark.params import WatermarkConfig


class Listener:
    """Both detectors on the same samples; scores are compared and counted as they come, none is kept.

    Parameters
    ----------
    arith : "q15", "float" or "both"

    Attributes
    ----------
    detections : a list for each arithmetic, that of Q15 first
    max_score : highest integrated score of the first arithmetic; None before the first hop
    score_error_max, decisions_differ, hops : as of `metrics`, of both
    """

    def __init__(self, keys: list[Key], config: WatermarkConfig, arith: str = "both") -> None:
        self._config = config
        self._q15 = Detector(keys, config) if arith != "float" else None
        self._float = float_detector(keys, config) if arith != "q15" else None
        names = ("q15", "float") if arith == "both" else (arith,)
        self.detections: list[list[Any]] = [[] for _ in names]
        self._waiting = [np.empty((0, len(keys))) for _ in names]
        self.max_score: float | None = None
        self.score_error_max = 0.0
        self.decisions_differ = self.hops = 0

    def push(self, pcm: np.ndarray) -> tuple[np.ndarray, ...]:
        """Take samples, (n,) int16, Q1.15.

        Returns
        -------
        integrated scores that have come from all arithmetics: (hops, keys) float64 of each
        """
        found: list[Any] = []
        if self._q15 is not None:
            found.append(self._q15.hear(pcm))
        if self._float is not None:
            found.append(self._float.push(pcm / 32768.0))
        for detections, new in zip(self.detections, found, strict=True):
            detections += new.detections
        return self._compared([new.integrated for new in found])

    def finish(self) -> tuple[np.ndarray, ...]:
        """At the end of the recording, the rest; returns as `push`."""
        scores = [np.empty((0, line.shape[1])) for line in self._waiting]
        if self._q15 is not None:
            self.detections[0] += self._q15.flush()
        if self._float is not None:
            rest = self._float.finish()
            self.detections[-1] += rest.detections
            scores[-1] = rest.integrated
        return self._compared(scores)

    def _compared(self, scores: list[np.ndarray]) -> tuple[np.ndarray, ...]:
        """One arithmetic runs ahead of the other: its scores wait."""
        lines = [np.concatenate(pair) for pair in zip(self._waiting, scores, strict=True)]
        hops = min(map(len, lines))
        self._waiting = [line[hops:] for line in lines]
        ready = tuple(line[:hops] for line in lines)
        if hops:
            highest = float(ready[0].max())
            self.max_score = highest if self.max_score is None else max(self.max_score, highest)
        if len(ready) == 2:
            self.score_error_max = max(self.score_error_max, metrics.score_error_max(*ready))
            self.decisions_differ += metrics.decisions_differ(*ready, self._config.threshold)
        self.hops += hops
        return ready
