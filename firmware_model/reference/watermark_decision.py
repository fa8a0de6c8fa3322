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
    score = np.empty(len(by_marks))
    peaks: list[Peak] = []
    held = None
    last = -math.inf
    for hop, values in enumerate(by_marks.tolist()):
        fresh = hop - last - model.lockout_hops
        allowed = [z for i, z in enumerate(values) if i == 0 or i * model.mark_hops <= fresh]
        score[hop] = value = max(allowed)
        if value >= model.threshold and fresh >= 0 and (held is None or value > held[1]):
            fewest = next(m for m, z in enumerate(allowed, 1) if z >= model.threshold)
            held = (hop, value, fewest)
        if held is not None and hop - held[0] >= model.hold_hops:
            peaks.append(Peak(hop, *held))
            last = held[0]
            held = None
    if held is not None:
        peaks.append(Peak(len(score), *held))
    return score, peaks
