"""The main section of a watermark's sweep: marks missed, and by what."""

from typing import NamedTuple

import numpy as np

from acoustic_sim.sweep.statistics import Rate
from firmware_model.report.factors import PROGRAMME, Factor
from firmware_model.report.page import Picture, Section, Table, chart
from firmware_model.watermark.params import WatermarkConfig
from firmware_model.watermark.report import plot
from firmware_model.watermark.report.detectors import MOST_CURVES
from firmware_model.watermark.report.trials import FEW_MISSED, Findings, Trials, misses, misses_by_two
from firmware_model.watermark.report.words import (
    at,
    limits_in_words,
    reach_by_in_words,
    reach_in_words,
    spread_in_words,
    with_limits,
)

MOST_PANELS = 3
LEAST_MARKS = 6  # at a point of a curve that shows one combination alone
SNR_HEARD, SNR_STEP_DB = "snr_db_at_microphone", 3.0


class Crossed(NamedTuple):
    """Miss rates with nothing averaged but programmes and repeats.

    panel, by : the factors with a panel, and with a curve, for each level
    rates : of each panel, of each curve, at each level of the factor drawn along
    """

    panel: Factor
    by: Factor
    rates: list[list[list[Rate]]]


def crossed(found: Findings) -> Crossed | None:
    """The two factors that change misses most, the greater with the curves; None where they fill no grid.

    Nothing is crossed where no mark is missed, and where combinations have fewer than LEAST_MARKS marks.
    """
    along = found.along
    few = [one for one in found.others if one.name != PROGRAMME and len(one.labels) <= MOST_CURVES]
    if along is None or along.places is None or len(few) < 2 or not found.overall.found:
        return None
    by, panel = few[:2]
    if len(panel.labels) > MOST_PANELS:
        by, panel = panel, by
    if len(panel.labels) > MOST_PANELS:
        return None
    level = panel.level[found.trials.row]
    rates = [
        misses_by_two(found.trials, along, by, found.threshold, level == k) for k in range(len(panel.labels))
    ]
    least = min(rate.total for curves in rates for curve in curves for rate in curve)
    return Crossed(panel, by, rates) if least >= LEAST_MARKS else None


def reach_of(found: Findings) -> str:
    """Up to where few are missed, by what matters most: at each level of it, where that is known."""
    whole, most = crossed(found), found.matters_most
    if whole is None:
        return reach_in_words(found, most)
    return reach_by_in_words(found, whole.panel if most is whole.panel else whole.by)


def missed(found: Findings) -> Section:
    """Pictures and tables of the marks missed."""
    along, by, whole = found.along, drawn(found.others), crossed(found)
    counts = (
        f"Marks missed {at(found.operating)}, with 95 % Wilson limits, which take marks as independent; "
        "those of a row share its room, noise and programme."
    )
    pictures, tables = [], [_number_of_marks(found)]
    if whole is not None and along is not None:
        names = [whole.by.of_level(j) for j in range(len(whole.by.labels))]
        shown = f"each {whole.panel.words} by itself, {reach_by_in_words(found, whole.by)}."
        alt = chart("the share of marks missed", along.words, names, f"{shown[0].upper()}{shown[1:]}")
        pictures.append(Picture("missed", _draw_crossed(found, along, whole), alt, counts))
        counts = "The same, what else varies averaged over."
        tables = [_combinations(along, whole), *tables]
    elif by and along is not None:
        tables.append(_two_way(found, along, by[0]))
    panels = [_averaged(found, along, one) for one in by[:MOST_PANELS]] if along is not None else []
    if not panels:
        panels = [(reach_in_words(found, along), [("", found.rates)], False)]
    names = [name for _, curves, _ in panels for name, _ in curves]
    says = ". ".join(title for title, *_ in panels)
    alt = chart("the share of marks missed", "" if along is None else along.words, names, f"{says}.")
    name = "missed" if whole is None else "missed-by"
    pictures.append(Picture(name, plot.misses(panels, along), alt, counts))
    pictures += _by_snr_heard(found, whole)
    return Section("Marks missed", [reach_of(found) + "."], pictures, tables)


def drawn(others: list[Factor]) -> list[Factor]:
    """Those with few enough levels for curves; the programme only where there is nothing else."""
    few = [factor for factor in others if len(factor.labels) <= MOST_CURVES]
    return [factor for factor in few if factor.name != PROGRAMME][: MOST_PANELS - 1] + [
        factor for factor in few if factor.name == PROGRAMME
    ]


def _draw_crossed(found: Findings, along: Factor, whole: Crossed) -> bytes:
    panels = []
    names = [whole.by.of_level(j) for j in range(len(whole.by.labels))]
    for k, rates in enumerate(whole.rates):
        title = f"{whole.panel.words} {whole.panel.of_level(k)}\n{limits_in_words(along, names, rates)}"
        panels.append((title, list(zip(names, rates, strict=True)), whole.by.places is not None))
    return plot.misses(panels, along, reach_by_in_words(found, whole.by), of_curves=whole.by.title)


def _averaged(found: Findings, along: Factor, one: Factor) -> plot.Panel:
    rates = misses_by_two(found.trials, along, one, found.threshold)
    names = [one.of_level(i) for i in range(len(one.labels))]
    return spread_in_words(found, one), list(zip(names, rates, strict=True)), one.places is not None


def _by_snr_heard(found: Findings, whole: Crossed | None) -> list[Picture]:
    """Over the SNR at the microphone, where that follows from something else."""
    heard = [row.get(SNR_HEARD) for row in found.trials.rows]
    if whole is None or None in heard or len(set(heard)) <= len({row["snr_db"] for row in found.trials.rows}):
        return []
    snr = _in_steps(np.array(heard))
    other = whole.panel
    rates = misses_by_two(found.trials, snr, other, found.threshold)
    names = [other.of_level(j) for j in range(len(other.labels))]
    limits = limits_in_words(snr, names, rates)
    title = f"{snr.words} with at most {100 * FEW_MISSED:g} % missed,\nby {other.words}: {limits}"
    panel = (title, list(zip(names, rates, strict=True)), other.places is not None)
    caption = (
        f"The same marks over the SNR that is left at the microphone, in steps of {SNR_STEP_DB:g} dB: how "
        f"much of the difference between the panels above is the SNR, and how much {other.words} itself."
    )
    alt = chart("the share of marks missed", snr.words, names, f"{title}.")
    return [Picture("missed-snr", plot.misses([panel], snr, of_curves=other.title), alt, caption)]


def _in_steps(snr_db: np.ndarray) -> Factor:
    """Levels a step wide, centred on its multiples."""
    places, level = np.unique(SNR_STEP_DB * np.round(snr_db / SNR_STEP_DB) + 0.0, return_inverse=True)
    return Factor(SNR_HEARD, tuple(f"{place:g}" for place in places), places, level)


def _number_of_marks(found: Findings) -> Table:
    """One mark alone, and up to max_marks added, at this threshold and, if another, at the shipped one."""
    along, shipped = found.along, WatermarkConfig().threshold
    thresholds = {found.threshold: f"{found.threshold:.2f}"} | {shipped: f"{shipped:g} (shipped)"}
    columns = [
        misses(found.trials, scores, along, threshold)
        for threshold in thresholds
        for scores in (found.trials.score, found.trials.one)
    ]
    labels = ["all rows"] if along is None else [along.of_level(i) for i in range(len(along.labels))]
    most = WatermarkConfig().max_marks
    heads = ["" if along is None else along.words, "marks"]
    for words in thresholds.values():
        heads += [f"missed at {words}, up to {most} marks added", f"at {words}, one alone"]
    rows = [
        [label, str(column[0].total), *map(with_limits, column)]
        for label, column in zip(labels, zip(*columns, strict=True), strict=True)
    ]
    heard = _snr_heard(found.trials, along)
    if heard:
        heads.insert(2, "SNR at the microphone, dB")
        for row, text in zip(rows, heard, strict=True):
            row.insert(2, text)
    return Table(heads, rows)


def _snr_heard(found: Trials, along: Factor | None) -> list[str]:
    """From least to most at each level; [] where a row does not say."""
    heard = np.array([row.get(SNR_HEARD) for row in found.rows], np.float64)
    if not np.isfinite(heard).all():
        return []
    level = np.zeros(len(heard), int) if along is None else along.level
    texts = []
    for i in range(1 if along is None else len(along.labels)):
        here = heard[level == i]
        texts.append(f"{here.min():.1f} to {here.max():.1f}".replace("-", "−") if len(here) else "–")
    return texts


def _two_way(found: Findings, along: Factor, by: Factor) -> Table:
    rates = misses_by_two(found.trials, along, by, found.threshold)
    heads = [along.words, *(f"{by.words} {by.of_level(j)}" for j in range(len(by.labels)))]
    rows = [[along.of_level(i), *(with_limits(row[i]) for row in rates)] for i in range(len(along.labels))]
    return Table(heads, rows, note=f"Marks missed, with up to {WatermarkConfig().max_marks} marks added.")


def _combinations(along: Factor, whole: Crossed) -> Table:
    heads = [whole.panel.words, whole.by.words, *(along.of_level(i) for i in range(len(along.labels)))]
    rows = [
        [whole.panel.of_level(k), whole.by.of_level(j), *map(with_limits, curve)]
        for k, curves in enumerate(whole.rates)
        for j, curve in enumerate(curves)
    ]
    note = f"Marks missed, with up to {WatermarkConfig().max_marks} marks added; 95 % Wilson limits."
    return Table(heads, rows, left=2, note=note)
