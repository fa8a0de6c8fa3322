"""From single-mark scores to detections, in float64: integration over marks and peak picking."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_model.reference.watermark_model import WatermarkModel

Array = NDArray[np.float64]


class Peak(NamedTuple):
    """A peak of the score: hop at which it was reported (hops of the signal if at its end), its own hop."""

    report_hop: int
    hop: int
    score: float
    marks: int


def integrate(z: Array, model: WatermarkModel) -> Array:
    """Best score over patterns for each number of consecutive marks, of one key.

    Parameters
    ----------
    z : (hops, max_marks) float64, single-mark scores of each pattern; 0 before the start
    model : WatermarkModel

    Returns
    -------
    (hops, max_marks) float64, column M - 1 is max over p of Z_{M,p}

    Notes
    -----
    Z_{M,p}(t) = sum_{i<M} z_{t - i R h, (p - i) mod max_marks} / sqrt(M): the mark i marks ago had the
    pattern i before. With one pattern for all marks a rhythm as long as a mark would add up by itself.
    """
    total = np.zeros_like(z)
    best = np.empty_like(z)
    for i in range(model.max_marks):
        delay = min(i * model.mark_hops, len(z))
        # Column p of the roll is pattern (p - i) mod max_marks.
        total[delay:] += np.roll(z[: len(z) - delay], i, axis=1)
        best[:, i] = total.max(axis=1) / math.sqrt(i + 1)
    return best


class Decision:
    """Integration and peaks of one key's scores that come in pieces.

    State: the scores of max_marks - 1 marks, the candidate, and the hop of the last reported peak.
    """

    def __init__(self, model: WatermarkModel) -> None:
        self._model = model
        self._past = np.zeros(((model.max_marks - 1) * model.mark_hops, model.max_marks))
        self._picker = _Picker(model)

    def push(self, z: Array) -> tuple[Array, list[Peak]]:
        """The next single-mark scores, (hops, max_marks) -> score (hops,), the peaks that were reported."""
        line = np.concatenate([self._past, z])
        by_marks = integrate(line, self._model)[len(self._past) :]
        self._past = line[len(z) :]
        return self._picker.push(by_marks)

    def finish(self) -> list[Peak]:
        """At the end of the signal a candidate is reported."""
        return self._picker.finish()


def pick_peaks(by_marks: Array, model: WatermarkModel) -> tuple[Array, list[Peak]]:
    """Score and its peaks, of one key.

    Parameters
    ----------
    by_marks : (hops, max_marks) float64, column M - 1 the best score over M marks, from `integrate`
    model : WatermarkModel

    Returns
    -------
    score : (hops,) float64
    peaks : list of Peak, in the order of their reports

    Notes
    -----
    score_t is the largest over the M with M = 1 or (M-1) R h <= t - t_last - lockout_hops, t_last being the
    hop of the last reported peak: marks that were reported are not added again. marks_t is the smallest of
    these M whose score is at least the threshold.
    At each hop t, first: if score_t >= threshold and t - t_last >= lockout_hops, and there is no candidate
    or score_t is above its score, t is the candidate. Then: a candidate that is hold_hops old is reported.
    At the end of the signal a candidate is reported.
    """
    picker = _Picker(model)
    score, peaks = picker.push(by_marks)
    return score, peaks + picker.finish()


class _Picker:
    """`pick_peaks` of scores that come in pieces."""

    def __init__(self, model: WatermarkModel) -> None:
        self._model = model
        self._held: tuple[int, float, int] | None = None
        self._last = -math.inf
        self._hop = 0

    def push(self, by_marks: Array) -> tuple[Array, list[Peak]]:
        model, held, last = self._model, self._held, self._last
        score = np.empty(len(by_marks))
        peaks: list[Peak] = []
        for i, values in enumerate(by_marks.tolist()):
            hop = self._hop + i
            fresh = hop - last - model.lockout_hops
            allowed = [z for m, z in enumerate(values) if m == 0 or m * model.mark_hops <= fresh]
            score[i] = value = max(allowed)
            if value >= model.threshold and fresh >= 0 and (held is None or value > held[1]):
                fewest = next(m for m, z in enumerate(allowed, 1) if z >= model.threshold)
                held = (hop, value, fewest)
            if held is not None and hop - held[0] >= model.hold_hops:
                peaks.append(Peak(hop, *held))
                last = held[0]
                held = None
        self._held, self._last = held, last
        self._hop += len(by_marks)
        return score, peaks

    def finish(self) -> list[Peak]:
        held, self._held = self._held, None
        return [] if held is None else [Peak(self._hop, *held)]
