"""Sections of a watermark's sweep on false alarms, and on one arithmetic against another."""

import numpy as np

from acoustic_sim.sweep.statistics import miss_rate
from acoustic_sim.sweep.tails import poisson_limits
from firmware_model.report.factors import Factor
from firmware_model.report.page import Picture, Section, Table, chart
from firmware_model.watermark.params import WatermarkConfig
from firmware_model.watermark.report import plot_detectors as plot
from firmware_model.watermark.report.trials import Comparison, Findings, misses
from firmware_model.watermark.report.words import (
    comparison_in_words,
    p_in_words,
    probability,
    threshold_in_words,
    with_limits,
)

MOST_CURVES = 7  # of a panel


def false_alarms(found: Findings) -> Section:
    made = Section("False alarms and the threshold", [threshold_in_words(found)])
    scores, hours = found.trials.unmarked, found.trials.unmarked_hours
    if not len(scores):
        return made
    thresholds = sorted({round(found.threshold, 2), WatermarkConfig().threshold})
    rows = []
    for threshold in thresholds:
        count = int(np.count_nonzero(scores >= threshold))
        low, high = poisson_limits(count, hours)
        rate = f"{count / hours:.3f} ({low:.3f}–{high:.3f})"
        rows.append(
            [f"{threshold:g}", str(count), rate, with_limits(miss_rate(found.trials.score, threshold))]
        )
    note = (
        "Counted where keys that mark nothing were looked for; exact Poisson limits, which take stretches as "
        "independent."
    )
    made.tables.append(Table(["threshold", "false alarms", "per hour (95 %)", "marks missed"], rows, 0, note))
    fitted = found.operating.tail is not None  # and drawn up to the threshold and beyond
    if not miss_rate(found.trials.score, max(scores.max(), found.threshold if fitted else 0.0)).found:
        made.paragraphs.append(
            f"No mark scores less than the highest unmarked stretch, {scores.max():.2f}: "
            "there is no trade-off to draw."
        )
        return made
    panels = []
    for factor in [factor for factor in (found.along, *found.others[:1]) if factor is not None]:
        levels = _shown_levels(found, factor)
        level = factor.level[found.trials.row]
        curves = [(factor.of_level(i), found.trials.score[level == i]) for i in levels]
        panels.append((f"Misses against false alarms, by {factor.words}", curves, factor.places is not None))
    if not panels:
        panels = [("Misses against false alarms", [("", found.trials.score)], False)]
    caption = "DET curves: each point is a threshold. False alarms are those of all rows together"
    caption += "; dotted is the exponential fit to the highest of them." if fitted else "."
    names = [name for _, curves, _ in panels for name, _ in curves]
    alt = chart("the share of marks missed", "false alarms per hour, a point for each threshold", names)
    made.pictures.append(Picture("det", plot.det(panels, scores, found.operating), alt, caption))
    return made


def compared(found: Findings, comparison: Comparison) -> Section:
    along, paired = found.along, comparison.paired
    n_levels = 1 if along is None else len(along.labels)
    levels = [comparison.factor_level == i for i in range(n_levels)]
    curves = [
        (name, [miss_rate(scores[level], found.threshold) for level in levels])
        for name, scores in ((found.device, comparison.first), (comparison.other, comparison.second))
    ]
    title = f"McNemar's test: {p_in_words(paired.p)}"
    if not paired.can_tell:
        title = "Too few marks to tell them apart" if paired.discordant else "Both miss the same"
    png = plot.arithmetics(curves, along, comparison, found.operating, title)
    caption = f"The same PCM through {found.device} and {comparison.other}; {comparison.pairs} pairs of rows."
    odds = "–"
    if paired.discordant:
        low, high = paired.odds_interval
        odds = f"{_odds(paired.odds)} ({low:.2f}–{_odds(high)})"
    table = Table(
        [
            "marks",
            "both found",
            f"{found.device} alone",
            f"{comparison.other} alone",
            "neither",
            "odds (95 %)",
            "p",
        ],
        [[*map(str, (paired.trials, *paired)), odds, probability(paired.p)]],
        left=0,
        note="McNemar's exact test, which takes marks as independent; those of a row share its room, noise "
        "and programme. The odds are those of a mark that only one of them found.",
    )
    paragraphs = [comparison_in_words(comparison)]
    if comparison.hops_differ is not None:
        paragraphs.append(
            f"At the shipped threshold they decide differently at {comparison.hops_differ} hops."
        )
    alt = chart(
        "marks missed, and of the scores of both on the same marks",
        "" if along is None else along.words,
        [found.device, comparison.other],
        f"{title}.",
    )
    name = "".join(c if c.isalnum() else "-" for c in comparison.other)
    return Section(
        f"{found.device} against {comparison.other}",
        paragraphs,
        [Picture(f"against-{name}", png, alt, caption)],
        [table],
    )


def _shown_levels(found: Findings, factor: Factor) -> list[int]:
    """Of many levels: numbers evenly, of kinds those that miss most."""
    if factor.places is not None:
        return np.unique(np.linspace(0, len(factor.labels) - 1, MOST_CURVES).round().astype(int)).tolist()
    rates = misses(found.trials, found.trials.score, factor, found.threshold)
    worst_first = sorted(range(len(rates)), key=lambda i: -rates[i].value if rates[i].total else 1.0)
    return sorted(worst_first[:MOST_CURVES])


def _odds(value: float) -> str:
    return "∞" if np.isinf(value) else f"{value:.2f}"
