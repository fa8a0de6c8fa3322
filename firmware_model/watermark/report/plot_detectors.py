"""Pictures of a watermark's sweep on detectors: DET curves, and two arithmetics side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, NullLocator

from acoustic_sim.sweep.statistics import det_curve, miss_rate
from acoustic_sim.sweep.tails import Tail
from firmware_model.cli.terminal.output import counted
from firmware_model.report.factors import Factor
from firmware_model.report.style import FAINT, KINDS, THRESHOLD, colours, dress, new_figure, png
from firmware_model.watermark.params import WatermarkConfig
from firmware_model.watermark.report.plot import Curve, draw_misses, highest
from firmware_model.watermark.report.trials import Comparison, Operating

_MISS_TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)


def arithmetics(
    curves: Sequence[Curve], along: Factor | None, comparison: Comparison, operating: Operating, title: str
) -> bytes:
    """Two arithmetics side by side: their miss rates, and the scores of each mark against each other."""
    figure, axes = new_figure(11.2, 4.4, 1, 2)
    misses_axes, scores = axes[0]
    draw_misses(misses_axes, along, curves, ordered=False, top=highest(curves))
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
    """DET curves, in panels; dotted is the law that is fitted to the highest unmarked scores.

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
                fitted = fitted_curve(
                    operating.tail, operating.per_hour, (per_hour[-1], curve.miss[-1]), scores
                )
                one.plot(fitted[0], _visible(fitted[1]), color=colour, linewidth=1.3, linestyle=":")
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


def fitted_curve(
    tail: Tail, wanted: float, counted_to: tuple[float, float], scores: np.ndarray
) -> np.ndarray:
    """False alarms per hour and misses by the law, (2, n): through the wanted rate, on from what was counted.

    Parameters
    ----------
    counted_to : the last counted point, false alarms per hour and share missed
    """
    first, last = (
        tail.threshold(rate) for rate in (max(counted_to[0], wanted), min(counted_to[0], wanted / 3))
    )
    beyond = np.linspace(first, last, 40)
    points = [(tail.per_hour(threshold), miss_rate(scores, threshold).value) for threshold in beyond]
    return np.array([counted_to, *points] if counted_to[0] >= wanted else points).T


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
