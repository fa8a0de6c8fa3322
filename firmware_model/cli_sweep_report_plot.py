"""Pictures of a watermark's sweep: misses, DET curves, arithmetics side by side, heat maps, latency."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, NullLocator

from acoustic_sim.sweep.statistics import Rate, det_curve, miss_rate
from firmware_model.cli_output import counted
from firmware_model.cli_plot_style import (
    FAINT,
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
from firmware_model.cli_sweep_report_factors import Factor
from firmware_model.cli_sweep_report_watermark import Comparison, Operating
from firmware_model.watermark.params import WatermarkConfig

Curve = tuple[str, Sequence[Rate]]  # name, and a rate for each level of the factor drawn along
MOST_CURVES = 7
PERCENT = "%"
_DODGE = 0.006  # of the width, between curves, so that their limits do not hide each other
_MISS_TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)
_DARK = 0.55  # of the colour scale: above it, ink is dark


def misses(panels: Sequence[tuple[str, Sequence[Curve], bool]], along: Factor | None) -> bytes:
    """Miss rate against a factor, a panel for each other factor, with Wilson limits.

    Parameters
    ----------
    panels : title; the curves; whether these have an order
    """
    n_rows, columns = -(-len(panels) // 2), min(len(panels), 2)
    many = along is not None and along.places is None and len(along.labels) > 8
    columns, n_rows = (1, len(panels)) if many else (columns, n_rows)
    figure, axes = new_figure(9.0 if many else 5.6 * columns, 3.9 * n_rows, n_rows, columns, sharey=True)
    for one, (title, curves, ordered) in zip(axes.ravel(), panels, strict=False):
        _draw_misses(one, along, curves, ordered)
        dress(one, title)
        one.set_ylabel("marks missed")
    for one in axes.ravel()[len(panels) :]:
        one.set_axis_off()
    return png(figure)


def arithmetics(
    curves: Sequence[Curve], along: Factor | None, comparison: Comparison, operating: Operating, title: str
) -> bytes:
    """Two arithmetics side by side: their miss rates, and the scores of each mark against each other."""
    figure, axes = new_figure(11.2, 4.4, 1, 2)
    misses_axes, scores = axes[0]
    _draw_misses(misses_axes, along, curves, ordered=False)
    misses_axes.set_ylabel("marks missed")
    dress(misses_axes, title)
    x, y, threshold = comparison.first, comparison.second, operating.threshold.value
    apart = (x >= threshold) != (y >= threshold)
    scores.plot(x[~apart], y[~apart], ".", color=KINDS[0], markersize=3, alpha=0.5, linestyle="none")
    scores.plot(x[apart], y[apart], "D", color=KINDS[1], markersize=5, linestyle="none")
    low, high = min(x.min(), y.min(), 0.0), max(x.max(), y.max(), threshold)
    scores.plot([low, high], [low, high], color=FAINT, linewidth=0.8, zorder=0)
    scores.axhline(threshold, color=THRESHOLD, linewidth=0.8, linestyle="--")
    scores.axvline(threshold, color=THRESHOLD, linewidth=0.8, linestyle="--")
    scores.set_xlabel("score of a mark, q15")
    scores.set_ylabel(f"score of the same mark, {comparison.other}")
    largest = float(np.abs(x - y).max())
    differ = f"{counted(int(apart.sum()), 'decision')} on a mark apart"
    dress(scores, f"Scores differ by at most {largest:.2g}; {differ}")
    return png(figure)


def det(
    panels: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]], bool]],
    unmarked: np.ndarray,
    operating: Operating,
) -> bytes:
    """DET curves, in panels; dotted beyond the scores that unmarked sound gave.

    Parameters
    ----------
    panels : title; name of each curve and the scores of its marks; whether the curves have an order
    unmarked : (stretches,) float, of all rows: the threshold is one for all
    """
    columns = len(panels)
    figure, axes = new_figure(5.6 * columns, 4.4, 1, columns, sharey=True)
    stretches_per_hour = 3600 / WatermarkConfig().mark_seconds
    for one, (title, curves, ordered) in zip(axes[0], panels, strict=True):
        one.set_xscale("log")
        one.set_yscale("logit", nonpositive="clip")
        one.set_ylim(5e-4, 0.995)
        named = []
        for (name, scores), colour in zip(curves, colours(len(curves), ordered), strict=True):
            if not len(scores):
                continue
            curve = det_curve(unmarked, scores)
            per_hour = curve.false_alarm * stretches_per_hour
            one.plot(per_hour, _visible(curve.miss), color=colour, linewidth=1.6)
            if operating.tail is not None:
                beyond = np.linspace(
                    curve.threshold[-1], operating.tail.threshold(operating.per_hour / 3), 40
                )
                miss = [miss_rate(scores, threshold).value for threshold in beyond]
                fitted = [operating.tail.per_hour(threshold) for threshold in beyond]
                one.plot(fitted, _visible(miss), color=colour, linewidth=1.3, linestyle=":")
            named.append((name, colour))
        one.axvline(operating.per_hour, color=THRESHOLD, linewidth=1, linestyle="--")
        at = f" {operating.per_hour:g} per hour"
        one.text(operating.per_hour, 0.99, at, fontsize=8, color=THRESHOLD, va="top")
        one.yaxis.set_minor_locator(NullLocator())
        one.set_yticks(_MISS_TICKS)
        one.yaxis.set_major_formatter(FuncFormatter(lambda p, _: f"{100 * p:g} %"))
        one.set_xlabel("false alarms per hour")
        dress(one, title)
        _list_names(one, named)
    axes[0, 0].set_ylabel("marks missed")
    return png(figure)


def heat_maps(panels: Sequence[tuple[str, Factor, Factor, np.ndarray]], unit: str, form: str) -> bytes:
    """A value at each pair of levels, written into its cell.

    Parameters
    ----------
    panels : title; factor along x; factor along y; (levels y, levels x) float, NaN where there is none
    unit : of the value, for the colour bar;  form : of a cell, for `format`
    """
    width = sum(max(4.6, 1.6 + 0.62 * len(x.labels)) for _, x, *_ in panels)
    height = max(2.2 + 0.42 * len(y.labels) for _, _, y, *_ in panels)
    figure, axes = new_figure(width, max(3.0, height), 1, len(panels))
    for one, (title, x, y, value) in zip(axes[0], panels, strict=True):
        known = value[np.isfinite(value)]
        low = float(known.min(initial=0.0)) if unit == PERCENT else float(known.min())
        scale = float(known.max()) - low or 1.0
        image = one.imshow(value, aspect="auto", origin="lower", cmap="cividis", vmin=low, vmax=low + scale)
        for j, i in np.argwhere(np.isfinite(value)):
            ink = "#000000" if (value[j, i] - low) / scale > _DARK else "#ffffff"
            one.text(i, j, format(value[j, i], form), ha="center", va="center", fontsize=8, color=ink)
        ticks(one, x, beside=True)
        one.set_yticks(range(len(y.labels)), y.labels)
        one.set_ylabel(y.title)
        one.set_title(title, loc="left", fontsize=10, color=INK, parse_math=False)
        one.tick_params(colors=INK, labelsize=9, length=0)
        figure.colorbar(image, ax=one, label=unit, shrink=0.85)
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


def spectrogram(pcm: np.ndarray, fs_hz: int, title: str) -> bytes:
    """What the microphone heard, 90 dB of it.

    Parameters
    ----------
    pcm : (n,) int16 or float
    """
    x = pcm.astype(np.float64) / (32768.0 if pcm.dtype == np.int16 else 1.0)
    figure, axes = new_figure(7.2, 2.3)
    one = axes[0, 0]
    size = min(1024, len(x))
    x = x + 1e-9 * np.random.default_rng(0).normal(size=len(x))  # silence has no logarithm
    *_, image = one.specgram(x, NFFT=size, Fs=fs_hz, noverlap=size // 2, cmap="magma", scale="dB")
    top = float(image.get_array().max())
    image.set_clim(top - 90, top)
    one.set_xlabel("time (s)", fontsize=9)
    one.set_ylabel("Hz", fontsize=9)
    one.set_title(title, loc="left", fontsize=9, color=INK, parse_math=False)
    one.tick_params(colors=INK, labelsize=8)
    figure.colorbar(image, ax=one, label="dB")
    return png(figure)


def _draw_misses(axes: Any, along: Factor | None, curves: Sequence[Curve], ordered: bool) -> None:
    """Rates with their limits; names at the ends."""
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
    axes.set_ylim(-0.02, max(0.05, min(1.02, axes.get_ylim()[1])))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda p, _: f"{100 * p:g} %"))
    ticks(axes, along)
    if len(curves) > 1:
        label_ends(axes, ends)


def _visible(miss: np.ndarray | Sequence[float]) -> np.ndarray:
    """Shares of 0 and 1, which this scale does not have, at its edges."""
    return np.clip(miss, 6e-4, 0.994)


def _list_names(axes: Any, named: Sequence[tuple[str, Any]]) -> None:
    """Names in the order of the curves; where these end, many lie on each other."""
    for index, (name, colour) in enumerate(named):
        axes.text(
            1.02,
            0.97 - 0.07 * index,
            name,
            transform=axes.transAxes,
            fontsize=9,
            color=colour,
            va="top",
            parse_math=False,
        )


def places(along: Factor | None) -> np.ndarray:
    if along is None:
        return np.zeros(1)
    return along.places if along.places is not None else np.arange(len(along.labels), dtype=float)


def ticks(axes: Any, along: Factor | None, beside: bool = False) -> None:
    """Levels at their places; kinds, and what stands side by side, at 0, 1, 2 ..."""
    if along is None:
        axes.set_xticks([0], ["all rows"])
        return
    axes.set_xlabel(along.title)
    if along.places is not None and not beside:
        if len(along.labels) <= 10:
            axes.set_xticks(along.places, [f"{place:.3g}".replace("-", "−") for place in along.places])
        return
    slanted = sum(map(len, along.labels)) > 40
    options = {"rotation": 40, "ha": "right"} if slanted else {}
    axes.set_xticks(range(len(along.labels)), along.labels, **options)
    axes.set_xlim(-0.5, len(along.labels) - 0.5)
