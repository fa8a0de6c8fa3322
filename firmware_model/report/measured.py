"""A sweep by what was measured in its rows: each measure over the axes, and arithmetics compared."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from firmware_model.report.factors import ARITHMETIC, Factor, choose
from firmware_model.report.measures import Measure, cells_of, level_names, measures_of, medians_of, short
from firmware_model.report.page import Picture, Section, Table, chart
from firmware_model.report.plot import heat_maps, places, ticks
from firmware_model.report.sections import WORST, Heard, worst_rows
from firmware_model.report.source import DEVICE, Source
from firmware_model.report.style import INK, MARKERS, colours, dress, label_ends, new_figure, png


class Told(NamedTuple):
    """What a page is to say.

    measures : outcome -> (words, unit, what it is)
    lead : outcomes whose findings stand at the top; of an empty one the first three
    worst : outcome by which the worst rows are chosen, the highest first; "" for none
    title : of the first section
    compared : of measures, along and by, a section that stands first, or None
    """

    measures: Mapping[str, tuple[str, str, str]]
    lead: tuple[str, ...] = ()
    worst: str = ""
    title: str = "What was measured"
    compared: Callable[[Sequence[Measure], Factor, Factor], Section | None] = lambda *_: None

    @property
    def leading(self) -> tuple[str, ...]:
        return self.lead or tuple(self.measures)[:3]


def analyse(
    source: Source, heard: Heard | None, told: Told
) -> tuple[list[str], list[Section], dict[str, Any]]:
    """Findings, sections and what --json prints."""
    names = source.arithmetics
    device = DEVICE if DEVICE in names else names[0]
    chosen = [i for i, row in enumerate(source.rows) if row[ARITHMETIC] == device]
    rows = [source.rows[i] for i in chosen]
    along, others = choose(source.factors)
    along = None if along is None else along.at(chosen)
    others = [factor.at(chosen) for factor in others]
    measures = measures_of(rows, told.measures)
    leading = [m for m in measures if m.name in told.leading]
    differences = _differences(source, device, told)
    by = others[0] if others and source.crossed else None
    lead = [line for m in leading if (line := _in_words(m, along, by))]
    lead += [_difference_in_words(device, other, found, told) for other, found in differences.items()]
    sections = [_overview(measures, along, by, "measures", told.title)]
    if along is not None and by is not None:
        compared = told.compared(measures, along, by)
        if compared is not None:
            lead.insert(0, compared.paragraphs[0])
            sections.insert(0, compared)
        sections.append(_by_two(leading, along, by))
    elif not source.crossed:
        for one in others[:MOST_ALONE]:
            lead += [line for m in leading if (line := _in_words(m, one, None))]
            sections.append(_overview(measures, one, None, f"measures-{one.name}", told.title))
    if differences:
        sections.append(_compared(device, differences, told))
    by_worst = next((m for m in measures if m.name == told.worst), None)
    if by_worst is not None:
        value = by_worst.value
        order = [i for i in np.argsort(-value) if np.isfinite(value[i])][:WORST]
        worst = [(rows[i], f"{by_worst.words} {value[i]:.1f} {by_worst.unit}".rstrip()) for i in order]
        sections.append(worst_rows(source, worst, heard))
    facts = {
        "arithmetic": device,
        "measured": [
            {"measure": m.name, "level": label, "median": value}
            for m in measures
            for label, value in zip(level_names(along), medians_of(m.value, along), strict=True)
        ],
        "compared": [
            {
                "arithmetic": other,
                "measure": name,
                "largest_difference": float(np.abs(d).max()),
                "rows": len(d),
            }
            for other, found in differences.items()
            for name, d in found.items()
        ],
    }
    return lead, sections, facts


_LETTERS = 48  # of a panel's title
MOST_ALONE = 3  # factors of a hypercube beside the first, each by itself


def _differences(source: Source, device: str, told: Told) -> dict[str, dict[str, np.ndarray]]:
    """Other arithmetic -> measure -> device's minus the other's, of rows alike in all else."""
    names = ["programme", "repeat", "seed", *(name for name in source.axes if name != ARITHMETIC)]
    cells: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {}
    for row in source.rows:
        cells.setdefault(row[ARITHMETIC], {})[tuple(str(row[name]) for name in names)] = row
    own = cells.pop(device)
    found: dict[str, dict[str, np.ndarray]] = {}
    for other, rows in cells.items():
        pairs = [(own[cell], row) for cell, row in rows.items() if cell in own]
        for name in told.measures:
            both = [
                (a[name], b[name]) for a, b in pairs if a.get(name) is not None and b.get(name) is not None
            ]
            if both:
                found.setdefault(other, {})[name] = np.array([float(a) - float(b) for a, b in both])
    return found


def _overview(
    measures: Sequence[Measure], along: Factor | None, by: Factor | None, name: str, first: str
) -> Section:
    varying = [m for m in measures if np.ptp(m.value[np.isfinite(m.value)]) > 0] or list(measures[:1])
    still = [m for m in measures if m not in varying]
    picture = _draw(varying, along, by)
    what = "; ".join(f"{m.words}: {m.told[2]}" for m in measures)
    caption = f"Medians over all else that varies, shaded from the least to the most. {what}."
    if still:
        same = ", ".join(f"{m.words} {short(m.value[np.isfinite(m.value)][0])}" for m in still)
        caption += f" The same in all rows: {same}."
    heads = ["" if along is None else along.words, *(m.title for m in measures)]
    columns = [medians_of(m.value, along) for m in measures]
    rows = [
        [label, *map(short, values)]
        for label, values in zip(level_names(along), zip(*columns, strict=True), strict=True)
    ]
    title = first if along is None else f"What {along.words} does"
    names = [] if by is None else [by.of_level(j) for j in range(len(by.labels))]
    alt = chart(
        ", ".join(m.title for m in varying),
        "" if along is None else along.words,
        names,
        ". ".join(filter(None, (_in_words(m, along, by) for m in varying))),
    )
    return Section(title, pictures=[Picture(name, picture, alt, caption)], tables=[Table(heads, rows)])


def _draw(measures: Sequence[Measure], along: Factor | None, by: Factor | None) -> bytes:
    """A panel for each measure, a curve for each level of `by`."""
    columns = min(3, len(measures))
    n_rows = -(-len(measures) // columns)
    figure, axes = new_figure(4.3 * columns, 3.1 * n_rows, n_rows, columns)
    for one, measure in zip(axes.ravel(), measures, strict=False):
        _draw_measure(one, measure, along, by)
        title = _in_words(measure, along, by) or measure.title
        lines = title.replace(": ", ":\n").split("\n")
        dress(one, "\n".join(textwrap.fill(line, _LETTERS) for line in lines))  # panels are narrow
        one.title.set_fontsize(8.5)
        one.set_ylabel(measure.title)
    for one in axes.ravel()[len(measures) :]:
        one.set_axis_off()
    return png(figure)


def _draw_measure(axes: Any, measure: Measure, along: Factor | None, by: Factor | None) -> None:
    n_curves = 1 if by is None else len(by.labels)
    palette = colours(n_curves, by is not None and by.places is not None)
    ends = []
    for j in range(n_curves):
        which = np.ones(len(measure.value), bool) if by is None else by.level == j
        where = places(along)
        low, middle, high = (
            np.array([pick(cell) if len(cell) else np.nan for cell in cells_of(measure.value, along, which)])
            for pick in (np.min, np.median, np.max)
        )
        known = np.isfinite(middle)
        style = "-" if along is None or along.places is not None else "none"
        axes.plot(
            where[known],
            middle[known],
            color=palette[j],
            marker=MARKERS[j % len(MARKERS)],
            markersize=4,
            linewidth=1.6,
            linestyle=style,
        )
        if style == "-":
            axes.fill_between(
                where[known], low[known], high[known], color=palette[j], alpha=0.15, linewidth=0
            )
        else:
            axes.vlines(where[known], low[known], high[known], color=palette[j], alpha=0.4, linewidth=4)
        if by is not None and known.any():
            ends.append((where[known][-1], middle[known][-1], by.of_level(j), palette[j]))
    ticks(axes, along)
    axes.tick_params(colors=INK)
    if ends:
        label_ends(axes, ends)


def _by_two(measures: Sequence[Measure], along: Factor, by: Factor) -> Section:
    pictures = []
    for measure in measures:
        cells = [
            medians_of(np.where(by.level == j, measure.value, np.nan), along) for j in range(len(by.labels))
        ]
        values = np.array(cells)
        if not np.isfinite(values).any():
            continue
        j, i = np.unravel_index(np.nanargmax(values), values.shape)
        title = f"Most {measure.words} at {along.of_level(int(i))}, {by.words} {by.of_level(int(j))}"
        drawn = heat_maps([(title, along, by, values)], measure.title, ".1f")
        alt = f"Heat map of the median {measure.title} at each {along.words} and {by.words}. {title}."
        pictures.append(Picture(f"map-{measure.name}", drawn, alt, f"Median {measure.title}."))
    return Section("Two axes at a time", pictures=pictures)


def _compared(device: str, differences: dict[str, dict[str, np.ndarray]], told: Told) -> Section:
    rows = [
        [other, told.measures[name][0], str(len(d)), f"{d.mean():+.2g}", f"{np.abs(d).max():.2g}"]
        for other, found in differences.items()
        for name, d in found.items()
    ]
    heads = [f"{device} minus", "measure", "rows", "mean", "largest"]
    return Section(
        f"{device} against {', '.join(differences)}",
        [_difference_in_words(device, other, found, told) for other, found in differences.items()],
        tables=[Table(heads, rows, left=2)],
    )


def _difference_in_words(device: str, other: str, found: dict[str, np.ndarray], told: Told) -> str:
    parts = [
        f"{told.measures[name][0]} {np.abs(d).max():.2g} {told.measures[name][1]}".rstrip()
        for name, d in found.items()
    ]
    return f"{device} and {other} differ at most by: {', '.join(parts)}."


def _in_words(measure: Measure, along: Factor | None, by: Factor | None) -> str:
    """Who has least and who most; of one curve what it does; of neither the median."""
    words, unit, _ = measure.told
    name = f"{words[0].upper()}{words[1:]}"
    if along is None:
        return f"{name} {short(medians_of(measure.value, None)[0])} {unit}".rstrip()
    if along.places is None:
        return _ranked(name, unit, measure.value, along)
    if by is not None:
        last = len(along.labels) - 1
        value = np.where(along.level == last, measure.value, np.nan)
        return _ranked(f"{name} at {along.of_level(last)}", unit, value, by)
    return _change_in_words(measure, along)


def _ranked(what: str, unit: str, value: np.ndarray, by: Factor) -> str:
    """The levels with the least and the most, by medians; "" where fewer than two are known."""
    medians = {
        by.of_level(j): median for j, median in enumerate(medians_of(value, by)) if np.isfinite(median)
    }
    if len(medians) < 2:
        return ""
    least, most = (pick(medians, key=lambda name: medians[name]) for pick in (min, max))
    ends = f"{short(medians[least])} {least}, {short(medians[most])} {most}"
    return f"{what}: {ends}" + (f" ({unit})" if unit else "")


def _change_in_words(measure: Measure, along: Factor) -> str:
    """From the first level to the last, where both are known."""
    words, unit, _ = measure.told
    medians = medians_of(measure.value, along)
    if not (np.isfinite(medians[0]) and np.isfinite(medians[-1])):
        return ""
    return (
        f"{words[0].upper()}{words[1:]} {short(medians[0])} to {short(medians[-1])} {unit}".rstrip()
        + f" from {along.of_level(0)} to {along.of_level(len(along.labels) - 1)}"
    )
