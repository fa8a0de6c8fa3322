"""What a sweep of the watermark says: misses at a false-alarm rate, and arithmetics compared."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from acoustic_sim.sweep.statistics import Paired, Rate, compare_paired, counted_threshold, miss_rate
from acoustic_sim.sweep.tails import Estimate, Tail, fit_exponential, fitted_peaks
from firmware_model.report.factors import ARITHMETIC, PROGRAMME, Factor, choose
from firmware_model.report.sections import WORST
from firmware_model.report.source import DEVICE, Source
from firmware_model.watermark.commands.calibration import LEAST_PEAKS, PEAKS_FROM
from firmware_model.watermark.params import WatermarkConfig

LEAST_EXCERPTS = 5  # of fewer, drawn again, there are too few different draws for limits: 35 of four
MOST_EXTRAPOLATED = 30.0  # times the hours heard, up to which a fit is trusted with it
FEW_MISSED = 0.05  # up to where a title says that the detector works


class Trials(NamedTuple):
    """Marks and unmarked stretches of some rows, flat.

    score : (marks,) float, with up to the detector's number of marks added
    one : (marks,) float, of the mark alone
    row : (marks,) int, index of the row in `rows`
    unmarked : (stretches,) float, largest scores of keys that mark nothing
    unmarked_row : (stretches,) int
    """

    rows: list[dict[str, Any]]
    score: np.ndarray
    one: np.ndarray
    row: np.ndarray
    unmarked: np.ndarray
    unmarked_row: np.ndarray

    @property
    def unmarked_hours(self) -> float:
        """Hours that one key would have listened."""
        return len(self.unmarked) * WatermarkConfig().mark_seconds / 3600

    @property
    def excerpts(self) -> int:
        """Of which the unmarked stretches are: rows of one seed hear the same, with the same keys."""
        return len({self.rows[index]["seed"] for index in np.unique(self.unmarked_row)})


class Operating(NamedTuple):
    """The threshold that misses are counted at.

    threshold : with 95 % limits where it is fitted; else its limits are its value
    per_hour : false alarms that it stands for
    how : "counted", "fitted", or "shipped" where too little was listened to, or too few excerpts
    tail : of the scores that unmarked sound gives, where it is fitted
    """

    threshold: Estimate
    per_hour: float
    how: str
    tail: Tail | None = None


class Comparison(NamedTuple):
    """An arithmetic against the device's, on marks that both heard in the same PCM.

    first, second : (marks,) float, the scores of the device's and of the other
    factor_level : (marks,) int, level of the factor drawn along
    hops_differ : hops at which they decide differently, summed over rows; None if the rows do not say
    """

    other: str
    pairs: int
    paired: Paired
    first: np.ndarray
    second: np.ndarray
    factor_level: np.ndarray
    hops_differ: int | None


class Findings:
    """What the rows of one arithmetic, the device's, say; and how the others compare with it.

    Attributes
    ----------
    along : factor that misses are drawn along
    others : what else varies, the one that changes misses most first, the programme last
    """

    def __init__(self, source: Source) -> None:
        names = source.arithmetics
        self.source = source
        self.device = DEVICE if DEVICE in names else names[0]
        chosen = [i for i, row in enumerate(source.rows) if row[ARITHMETIC] == self.device]
        self.trials = trials([source.rows[i] for i in chosen])
        along, others = choose(source.factors)
        self.along = None if along is None else along.at(chosen)
        self.others = [factor.at(chosen) for factor in others]
        per_hour = source.meta["settings"]["false_alarms_per_hour"]
        self.operating = operating_point(self.trials, per_hour)
        self.threshold = self.operating.threshold.value
        self.rates = misses(self.trials, self.trials.score, self.along, self.threshold)
        self.others.sort(key=lambda one: (one.name == PROGRAMME, -self.spread(one)))
        self.comparisons = compare(source.rows, source.axes, along, self.threshold)

    def spread(self, factor: Factor) -> float:
        """From the level that misses least to the one that misses most."""
        rates = misses(self.trials, self.trials.score, factor, self.threshold)
        known = [rate.value for rate in rates if rate.total]
        return max(known) - min(known) if known else 0.0

    @property
    def matters_most(self) -> Factor | None:
        """The axis with the largest spread of misses; of equals, and in a hypercube, the one drawn along.

        In a hypercube a spread is that of all axes: the more levels, the more of it is chance.
        """
        if not self.source.crossed:
            return self.along
        axes = [one for one in (self.along, *self.others) if one is not None and one.name != PROGRAMME]
        return max(axes, key=self.spread, default=self.along)

    @property
    def overall(self) -> Rate:
        """Misses of all marks."""
        return miss_rate(self.trials.score, self.threshold)


def trials(rows: Sequence[dict[str, Any]]) -> Trials:
    """The marks and unmarked stretches of rows without error."""
    marks = [row["mark_scores"] or [] for row in rows]
    ones = [row["one_mark_scores"] or [] for row in rows]
    unmarked = [row["impostor_scores"] or [] for row in rows]
    return Trials(
        list(rows),
        _flat(marks),
        _flat(ones),
        np.repeat(np.arange(len(rows)), [len(scores) for scores in marks]),
        _flat(unmarked),
        np.repeat(np.arange(len(rows)), [len(scores) for scores in unmarked]),
    )


def missed_by_row(rows: Sequence[dict[str, Any]], threshold: float) -> dict[int, np.ndarray]:
    """Number of a row -> (marks,) bool, whether each of its marks stays below the threshold."""
    return {row["row"]: _flat([row["mark_scores"] or []]) < threshold for row in rows}


def latencies(rows: Sequence[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Of each mark that was found, seconds from its end to its report, and the index of its row."""
    known = [
        (seconds, index)
        for index, row in enumerate(rows)
        for seconds in row.get("mark_latencies_s") or []  # rows of older versions have none
        if seconds is not None
    ]
    return np.array([seconds for seconds, _ in known]), np.array([index for _, index in known], int)


def operating_point(found: Trials, per_hour: float) -> Operating:
    """The threshold with a false-alarm rate, from the scores of keys that mark nothing.

    Notes
    -----
    Within what was heard it is counted; beyond, an exponential is fitted to the highest scores, as
    `calibrate` does, with limits from redrawn seeds: rows of one seed hear the same excerpt and noise. With
    fewer than LEAST_EXCERPTS there are no such limits, and nothing is fitted.
    """
    hours, shipped = found.unmarked_hours, WatermarkConfig().threshold
    high = found.unmarked >= PEAKS_FROM
    scores = found.unmarked[high]
    if len(scores) < LEAST_PEAKS or per_hour * hours * MOST_EXTRAPOLATED < 1:
        return Operating(Estimate(shipped, shipped, shipped), per_hour, "shipped")
    if per_hour * hours >= fitted_peaks(len(scores)):
        counted = counted_threshold(scores, per_hour * hours)
        return Operating(Estimate(counted, counted, counted), per_hour, "counted")
    if found.excerpts < LEAST_EXCERPTS:
        return Operating(Estimate(shipped, shipped, shipped), per_hour, "shipped")
    seeds = np.array([row["seed"] for row in found.rows])
    peaks = np.stack([seeds[found.unmarked_row[high]], scores], axis=1)
    fit = fit_exponential(peaks, len(set(seeds)), hours, np.random.default_rng(1))
    return Operating(fit.threshold(per_hour), per_hour, "fitted", fit.tail)


def misses(found: Trials, scores: np.ndarray, along: Factor | None, threshold: float) -> list[Rate]:
    """Miss rate at each level of a factor; of all marks without one."""
    if along is None:
        return [miss_rate(scores, threshold)]
    level = along.level[found.row]
    return [miss_rate(scores[level == i], threshold) for i in range(len(along.labels))]


def misses_by_two(
    found: Trials, along: Factor, by: Factor, threshold: float, where: np.ndarray | bool = True
) -> list[list[Rate]]:
    """Miss rate at each level of `by` (outer) and of `along`; `where` is (marks,) bool, those that count."""
    level, other = along.level[found.row], by.level[found.row]
    return [
        [
            miss_rate(found.score[(other == j) & (level == i) & where], threshold)
            for i in range(len(along.labels))
        ]
        for j in range(len(by.labels))
    ]


def compare(
    rows: Sequence[dict[str, Any]], axes: Sequence[str], along: Factor | None, threshold: float
) -> list[Comparison]:
    """Every other arithmetic against the device's.

    Parameters
    ----------
    rows : without errors, of all arithmetics; `along.level` is that of these rows
    axes : names that, with programme, repeat and seed, say which rows are pairs
    """
    names = ["programme", "repeat", "seed", *(name for name in axes if name != ARITHMETIC)]
    found: dict[str, dict[tuple[Any, ...], int]] = {}
    for index, row in enumerate(rows):
        cell = tuple(str(row[name]) for name in names)
        found.setdefault(row[ARITHMETIC], {})[cell] = index
    device = found.pop(DEVICE, {})
    comparisons = []
    for other, cells in found.items():
        pairs = [(device[cell], index) for cell, index in cells.items() if cell in device]
        if pairs:
            comparisons.append(_comparison(rows, other, pairs, along, threshold))
    return comparisons


def worst(found: Trials, threshold: float) -> list[tuple[dict[str, Any], Rate]]:
    """The ten rows with the largest share of missed marks; of equals, those with the lowest median score."""
    judged = []
    for index, row in enumerate(found.rows):
        scores = found.score[found.row == index]
        if len(scores):
            missed = miss_rate(scores, threshold)
            judged.append((-missed.value, float(np.median(scores)), row["row"], row, missed))
    return [(row, missed) for *_, row, missed in sorted(judged, key=lambda item: item[:3])[:WORST]]


def reach(rates: Sequence[Rate]) -> int | None:
    """The last level up to which, from the first on, at most FEW_MISSED are missed; None: not even there."""
    last = None
    for index, rate in enumerate(rates):
        if not rate.total:
            continue
        if rate.value > FEW_MISSED:
            break
        last = index
    return last


def _comparison(
    rows: Sequence[dict[str, Any]],
    other: str,
    pairs: Sequence[tuple[int, int]],
    along: Factor | None,
    threshold: float,
) -> Comparison:
    first = [rows[a]["mark_scores"] or [] for a, _ in pairs]
    second = [rows[b]["mark_scores"] or [] for _, b in pairs]
    common = [min(len(x), len(y)) for x, y in zip(first, second, strict=True)]
    x = _flat([scores[:n] for scores, n in zip(first, common, strict=True)])
    y = _flat([scores[:n] for scores, n in zip(second, common, strict=True)])
    levels = np.zeros(len(pairs), int) if along is None else along.level[[a for a, _ in pairs]]
    differ = [rows[b]["hops_differ"] for _, b in pairs] + [rows[a]["hops_differ"] for a, _ in pairs]
    said = [int(n) for n in differ if n is not None]
    return Comparison(
        other,
        len(pairs),
        compare_paired(x >= threshold, y >= threshold),
        x,
        y,
        np.repeat(levels, common),
        sum(said) if said else None,
    )


def _flat(lists: Sequence[Sequence[float]]) -> np.ndarray:
    return np.array([value or 0.0 for values in lists for value in values], np.float64)  # None: no score
