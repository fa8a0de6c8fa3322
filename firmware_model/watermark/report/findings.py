"""The page of a watermark's sweep: what its pictures and tables show, in sentences and in JSON."""

from typing import Any

import numpy as np

from firmware_model.cli.terminal.output import counted
from firmware_model.report.page import Picture, Section, chart
from firmware_model.report.plot import PERCENT, heat_maps
from firmware_model.report.sections import Heard, worst_rows
from firmware_model.watermark.report import plot
from firmware_model.watermark.report.detectors import compared, false_alarms
from firmware_model.watermark.report.missed import drawn, missed, reach_of
from firmware_model.watermark.report.trials import Findings, latencies, misses_by_two, worst
from firmware_model.watermark.report.words import (
    all_of,
    at,
    comparison_in_words,
    largest_difference,
    lowest_in_words,
    percent,
    threshold_in_words,
)


def lead(found: Findings) -> list[str]:
    """The findings, a sentence each."""
    marks = all_of(len(found.trials.score), "mark")
    lines = [
        f"{reach_of(found)} {at(found.operating)}. Of {marks}, {percent(found.overall)} missed; "
        f"{lowest_in_words(found)}."
    ]
    lines += [comparison_in_words(comparison) for comparison in found.comparisons]
    lines.append(threshold_in_words(found))
    return lines


def sections(found: Findings, heard: Heard | None) -> list[Section]:
    """All sections of the watermark's own."""
    made: list[Section | None] = [missed(found), _scores(found), false_alarms(found)]
    made += [compared(found, comparison) for comparison in found.comparisons]
    made += [_by_two(found), _latency(found), _worst(found, heard)]
    return [section for section in made if section is not None]


def facts(found: Findings) -> dict[str, Any]:
    """What --json prints."""
    along = found.along
    labels = ("all",) if along is None else along.labels
    operating = found.operating
    seconds, _ = latencies(found.trials.rows)
    no_limits = {} if operating.how == "fitted" else {"low": None, "high": None}
    return {
        "arithmetic": found.device,
        "marks": len(found.trials.score),
        "false_alarms_per_hour": operating.per_hour,
        "threshold": operating.threshold._asdict() | {"how": operating.how} | no_limits,
        "unmarked_hours": found.trials.unmarked_hours,
        "unmarked_excerpts": found.trials.excerpts,
        "missed": found.overall.as_json(),
        "along": None if along is None else along.name,
        "missed_along": [
            {"level": label} | rate.as_json() for label, rate in zip(labels, found.rates, strict=True)
        ],
        "compared": [
            {
                "arithmetic": comparison.other,
                "rows": comparison.pairs,
                **comparison.paired._asdict(),
                "p": comparison.paired.p,
                "odds": comparison.paired.odds,
                "score_difference_max": largest_difference(comparison),
            }
            for comparison in found.comparisons
        ],
        "latency_s": {
            "median": float(np.median(seconds)) if len(seconds) else None,
            "largest": float(seconds.max()) if len(seconds) else None,
        },
        "worst_rows": [row["row"] for row, _ in worst(found.trials, found.threshold)],
    }


# --- sections --------------------------------------------------------------------------------


def _scores(found: Findings) -> Section:
    """How far the marks are from the threshold, missed or not."""
    along = found.along
    n_levels = 1 if along is None else len(along.labels)
    level = np.zeros(len(found.trials.row), int) if along is None else along.level[found.trials.row]
    panels = []
    for by in drawn(found.others)[:2]:
        kind = by.level[found.trials.row]
        curves = [
            (by.of_level(j), [found.trials.score[(kind == j) & (level == i)] for i in range(n_levels)])
            for j in range(len(by.labels))
            if (kind == j).any()
        ]
        medians = [float(np.median(np.concatenate(levels))) for _, levels in curves]
        first, last = (f"{medians[k]:.1f} with {curves[k][0]}" for k in (0, -1))
        title = f"By {by.words}: median {first}, {last}"
        panels.append((title, curves, by.places is not None))
    if not panels:
        whole = [found.trials.score[level == i] for i in range(n_levels)]
        panels = [("Scores of marks", [("", whole)], False)]
    caption = "Median and the middle 90 % of the scores of marks; dashed is the threshold."
    words = lowest_in_words(found)
    png = plot.scores(panels, along, found.operating)
    says = f"{words[0].upper()}{words[1:]}."
    names = [name for _, curves, _ in panels for name, _ in curves]
    alt = chart("the scores of marks", "" if along is None else along.words, names, says)
    return Section("Margin to the threshold", [says], [Picture("scores", png, alt, caption)])


def _by_two(found: Findings) -> Section | None:
    along = found.along
    if along is None or not found.others:
        return None
    panels = []
    for factor in found.others[:2]:
        rates = misses_by_two(found.trials, along, factor, found.threshold)
        values = np.array([[100 * rate.value for rate in row] for row in rates])
        if np.nanmax(values, initial=0.0) > 0:
            j, i = np.unravel_index(np.nanargmax(values), values.shape)
            where = f"{along.of_level(int(i))}, {factor.words} {factor.of_level(int(j))}"
            panels.append((f"Most are missed at {where}", along, factor, values))
    if not panels:
        return None
    png = heat_maps(panels, PERCENT, ".0f")
    caption = f"Marks missed {at(found.operating)}, in per cent; what else varies is averaged over."
    alt = f"Heat maps of the share of marks missed. {'; '.join(title for title, *_ in panels)}."
    return Section("Two axes at a time", pictures=[Picture("two-axes", png, alt, caption)])


def _latency(found: Findings) -> Section | None:
    seconds, row = latencies(found.trials.rows)
    if not len(seconds):
        return None
    level = np.zeros(len(row), int) if found.along is None else found.along.level[row]
    n_levels = 1 if found.along is None else len(found.along.labels)
    title = (
        f"Reported {np.median(seconds):.2f} s after a mark's end in the median, {seconds.max():.2f} s at most"
    )
    png = plot.latency([seconds[level == i] for i in range(n_levels)], found.along, title)
    caption = (
        f"Of {all_of(len(seconds), 'mark')} found at the shipped threshold; box of quartiles, whiskers from "
        "least to most."
    )
    alt = chart(
        "the time from a mark's end to its report", found.along.words if found.along else "", [], title
    )
    return Section("Detection latency", pictures=[Picture("latency", png, alt, caption)])


def _worst(found: Findings, heard: Heard | None) -> Section:
    rows = []
    for row, rate in worst(found.trials, found.threshold):
        scores = sorted(row["mark_scores"])
        what = f"{rate.found} of {counted(rate.total, 'mark')} missed, median score {np.median(scores):.2f}"
        rows.append((row, what))
    return worst_rows(found.source, rows, heard)
