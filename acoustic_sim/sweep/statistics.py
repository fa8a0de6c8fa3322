"""What rows of a sweep say of a detector: rates with their limits, the DET curve, two detectors compared."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

CONFIDENCE = 0.95
LEAST_DISCORDANT = 6  # of fewer, not even n : 0 has p < 0.05: 2/2^5 = 0.0625, 2/2^6 = 0.031


class Rate(NamedTuple):
    """Found out of a total, with the 95 % Wilson interval."""

    found: int
    total: int

    @property
    def value(self) -> float:
        """Share found, 0 to 1; NaN of nothing."""
        return self.found / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Limits of the 95 % Wilson interval, 0 to 1. It takes trials as independent."""
        if not self.total:
            return 0.0, 1.0
        limits = binomtest(self.found, self.total).proportion_ci(CONFIDENCE, method="wilson")
        return float(limits.low), float(limits.high)

    def __str__(self) -> str:
        if not self.total:
            return "-"
        low, high = (100 * limit for limit in self.interval)
        # Cut off, not rounded: 94.96 is not 95.0, and 100.0 means every one.
        return f"{1000 * self.found // self.total / 10:.1f} % ({low:.1f}–{high:.1f})"

    def as_json(self) -> dict[str, Any]:
        """Counts, rate and limits."""
        low, high = self.interval
        return {
            "found": self.found,
            "total": self.total,
            "rate": round(self.value, 5) if self.total else None,
            "low": round(low, 5),
            "high": round(high, 5),
        }


class Paired(NamedTuple):
    """Two detectors on the same trials: how often both, one alone and neither found what was there.

    Notes
    -----
    McNemar's test in its exact form (McNemar, Psychometrika 12, 1947): only the trials count that one of the
    two found alone; were both as good, each would have half of them. The odds are those of a trial that only
    one found having been found by the first; their limits are Clopper and Pearson's. Both take trials as
    independent.
    """

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def trials(self) -> int:
        """Trials in all."""
        return sum(self)

    @property
    def discordant(self) -> int:
        """Trials that only one of the two found."""
        return self.first_only + self.second_only

    @property
    def can_tell(self) -> bool:
        """Whether the trials that only one found are enough for any split of them to be beyond chance."""
        return self.discordant >= LEAST_DISCORDANT

    @property
    def p(self) -> float:
        """Probability of a split at least as uneven, were both detectors as good; 1 if they never differ."""
        return float(binomtest(self.first_only, self.discordant).pvalue) if self.discordant else 1.0

    @property
    def odds(self) -> float:
        """first_only : second_only; inf if the second found nothing alone, NaN if they never differ."""
        if not self.discordant:
            return float("nan")
        return self.first_only / self.second_only if self.second_only else float("inf")

    @property
    def odds_interval(self) -> tuple[float, float]:
        """95 % limits of the odds, exact; 0 and inf if they never differ."""
        if not self.discordant:
            return 0.0, float("inf")
        limits = binomtest(self.first_only, self.discordant).proportion_ci(CONFIDENCE, method="exact")
        low, high = (p / (1 - p) if p < 1 else float("inf") for p in (float(limits.low), float(limits.high)))
        return low, high


class DetCurve(NamedTuple):
    """The detection error trade-off (Martin et al., Eurospeech 1997): one point for each threshold.

    threshold : (n,) float, ascending, each score of the unmarked trials once
    false_alarm : (n,) float, share of unmarked trials that reach it
    miss : (n,) float, share of marked trials that do not
    """

    threshold: np.ndarray
    false_alarm: np.ndarray
    miss: np.ndarray


def compare_paired(first: ArrayLike, second: ArrayLike) -> Paired:
    """Count what two detectors found in the same trials.

    Parameters
    ----------
    first, second : (trials,) bool
    """
    a, b = np.asarray(first, bool), np.asarray(second, bool)
    both, neither = np.count_nonzero(a & b), np.count_nonzero(~a & ~b)
    return Paired(int(both), int(np.count_nonzero(a & ~b)), int(np.count_nonzero(b & ~a)), int(neither))


def miss_rate(marked: ArrayLike, threshold: float) -> Rate:
    """Share of marked trials whose score stays below the threshold."""
    scores = np.asarray(marked, np.float64)
    return Rate(int(np.count_nonzero(scores < threshold)), len(scores))


def det_curve(unmarked: ArrayLike, marked: ArrayLike) -> DetCurve:
    """Misses against false alarms at every threshold that the unmarked trials can tell apart.

    Parameters
    ----------
    unmarked : (n,) float, scores of trials that hold no mark
    marked : (m,) float, scores of trials that hold one
    """
    nothing, something = np.sort(np.asarray(unmarked, float)), np.sort(np.asarray(marked, float))
    threshold = np.unique(nothing)
    false_alarm = 1 - np.searchsorted(nothing, threshold, "left") / max(len(nothing), 1)
    miss = np.searchsorted(something, threshold, "left") / max(len(something), 1)
    return DetCurve(threshold, false_alarm, miss)


def counted_threshold(unmarked: ArrayLike, allowed: float) -> float:
    """Smallest threshold that at most `allowed` of the unmarked scores reach: just above one of them.

    Parameters
    ----------
    unmarked : (n,) float
    allowed : number of false alarms, 0 or more, not necessarily whole
    """
    scores = np.sort(np.asarray(unmarked, np.float64))[::-1]
    whole = math.floor(allowed)
    return float(np.nextafter(scores[whole], np.inf)) if whole < len(scores) else -math.inf
