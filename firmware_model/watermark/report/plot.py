"""Pictures of a watermark's sweep: misses, DET curves, arithmetics side by side, heat maps, latency."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter

from acoustic_sim.sweep.statistics import Rate
from firmware_model.report.factors import Factor
from firmware_model.report.plot import places, ticks
from firmware_model.report.style import (
    INK,
    KINDS,
    MARKERS,
    THRESHOLD,
    colours,
    dress,
    label_ends,
    new_figure,
    png,
)
from firmware_model.watermark.report.trials import Operating

Curve = tuple[str, Sequence[Rate]]  # name, and a rate for each level of the factor drawn along
Panel = tuple[str, Sequence[Curve], bool]  # title, curves, whether these have an order
MOST_CURVES = 7
MOST_COLUMNS = 3
_LETTERS_PER_IN = 10.5  # of a bold title
_LETTERS_OF_LABELS = 10  # of a line beside a panel
_DODGE = 0.006  # of the width, between curves, so that their limits do not hide each other


def misses(panels: Sequence[Panel], along: Factor | None, finding: str = "", of_curves: str = "") -> bytes:
    """Miss rate against a factor, panels side by side, with Wilson limits.

    Parameters
    ----------
    finding : above all panels;  of_curves : what their names are values of
    """
    columns = min(len(panels), MOST_COLUMNS)
    many = along is not None and along.places is None and len(along.labels) > 8
    columns = 1 if many else columns
    n_rows = -(-len(panels) // columns)
    width_in = 9.0 if many else (5.6, 5.6, 4.5)[columns - 1] * columns
    figure, axes = new_figure(width_in, 3.9 * n_rows, n_rows, columns, sharey=True)
    if finding:
        wrapped = textwrap.fill(finding, round(_LETTERS_PER_IN * width_in))
        figure.suptitle(wrapped, x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
    top = max(highest(curves) for _, curves, _ in panels)
    for one, (title, curves, ordered) in zip(axes.ravel(), panels, strict=False):
        draw_misses(one, along, curves, ordered, top)
        dress(one, title)
        if of_curves:
            below = textwrap.fill(of_curves, _LETTERS_OF_LABELS)  # where the names of curves end
            one.annotate(below, (1.02, -0.03), xycoords="axes fraction", va="top", fontsize=8, color=INK)
    for one in axes[:, 0]:
        one.set_ylabel("marks missed")
    for one in axes.ravel()[len(panels) :]:
        one.set_axis_off()
    return png(figure)


def scores(
    panels: Sequence[tuple[str, Sequence[tuple[str, Sequence[np.ndarray]]], bool]],
    along: Factor | None,
    operating: Operating,
) -> bytes:
    """Median and the middle 90 % of the marks' scores at each level, beside the threshold.

    Parameters
    ----------
    panels : title; name of each curve and the scores at each level; whether the curves have an order
    """
    figure, axes = new_figure(5.6 * len(panels), 3.9, 1, len(panels), sharey=True)
    where = places(along)
    connected = along is None or along.places is not None
    for one, (title, curves, ordered) in zip(axes[0], panels, strict=True):
        ends = []
        for index, ((name, levels), colour) in enumerate(
            zip(curves, colours(len(curves), ordered), strict=True)
        ):
            has = np.array([len(level) > 0 for level in levels])
            low, middle, high = np.array(
                [np.percentile(level, (5, 50, 95)) for level in levels if len(level)]
            ).T
            x = where[has] if connected else where[has] + 0.6 / len(curves) * (index - (len(curves) - 1) / 2)
            marker = MARKERS[index % len(MARKERS)]
            if connected:
                one.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
                one.plot(x, middle, color=colour, marker=marker, markersize=5, linewidth=1.6)
            else:
                spread = [middle - low, high - middle]
                one.errorbar(x, middle, yerr=spread, color=colour, marker=marker, linestyle="none", capsize=2)
            ends.append((x[-1], middle[-1], name, colour))
        one.axhline(operating.threshold.value, color=THRESHOLD, linewidth=1, linestyle="--")
        one.set_ylim(bottom=min(0.0, one.get_ylim()[0]))
        ticks(one, along)
        dress(one, title)
        if len(curves) > 1:
            label_ends(one, ends)
    axes[0, 0].set_ylabel("score of a mark")
    return png(figure)


def latency(seconds: Sequence[np.ndarray], along: Factor | None, title: str) -> bytes:
    """Spread of the latency at each level: median, quartiles, and whiskers over all."""
    figure, axes = new_figure(8.0, 3.6)
    one = axes[0, 0]
    style = {"color": KINDS[0], "linewidth": 1.2}
    one.boxplot(
        seconds,
        positions=range(len(seconds)),
        whis=(0, 100),
        widths=0.55,
        boxprops=style,
        whiskerprops=style,
        capprops=style,
        medianprops={"color": KINDS[1], "linewidth": 2},
    )
    ticks(one, along, beside=True)
    one.set_ylabel("from the mark's end\nto its report (s)")
    one.set_ylim(bottom=min(0.0, one.get_ylim()[0]))
    dress(one, title)
    return png(figure)


def highest(curves: Sequence[Curve]) -> float:
    """The highest limit of any rate that is known, and no less than 5 %."""
    return max([0.05, *(rate.interval[1] for _, rates in curves for rate in rates if rate.total)])


def draw_misses(axes: Any, along: Factor | None, curves: Sequence[Curve], ordered: bool, top: float) -> None:
    """Rates with their limits, up to `top`; names at the ends."""
    where = places(along)
    span = where[-1] - where[0] if len(where) > 1 else 1.0
    connected = along is None or along.places is not None
    ends = []
    styles = zip(curves, colours(len(curves), ordered), strict=True)
    for index, ((name, rates), colour) in enumerate(styles):
        has = np.array([rate.total > 0 for rate in rates])
        value = np.array([rate.value for rate in rates])
        low, high = np.array([rate.interval for rate in rates]).T
        dodge = _DODGE * span if connected else 0.6 / len(curves)
        x = where + (index - (len(curves) - 1) / 2) * dodge
        axes.errorbar(
            x[has],
            value[has],
            yerr=[np.maximum(value - low, 0)[has], np.maximum(high - value, 0)[has]],
            color=colour,
            marker=MARKERS[index % len(MARKERS)],
            markersize=5,
            linewidth=1.6,
            linestyle="-" if connected else "none",
            elinewidth=0.8,
            capsize=2,
        )
        if has.any():
            ends.append((x[has][-1], value[has][-1], name, colour))
    axes.set_ylim(-0.03 * top, 1.03 * top)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda p, _: f"{100 * p:g} %"))
    ticks(axes, along)
    if len(curves) > 1:
        label_ends(axes, ends)
