"""How the pictures of reports look: colours that all can tell apart, labels at the curves themselves."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, GRID, FAINT = "#333333", "#dddddd", "#8a8f98"
THRESHOLD = "#b3261e"
KINDS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe and Ito
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_ORDERED = "viridis"  # dark to light, in grey as well; its pale end is left out
_DPI = 110
_LEAST_GAP = 0.055  # between labels, of the height of the axes
_HIGHEST = 0.98  # of a label's middle: above it is the title


def new_figure(width_in: float, height_in: float, rows: int = 1, columns: int = 1, **options: Any) -> Any:
    """A figure and its axes, (rows, columns)."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def png(figure: Figure) -> bytes:
    """The picture; the same figure gives the same bytes."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_DPI, metadata={"Software": None})
    return content.getvalue()


def colours(n: int, ordered: bool) -> list[Any]:
    """`n` colours: of one scale where the curves have an order."""
    if not ordered:
        return [KINDS[i % len(KINDS)] for i in range(n)]
    return [colormaps[_ORDERED](place) for place in np.linspace(0.0, 0.8, max(n, 2))][:n]


def dress(axes: Any, title: str = "") -> None:
    """Grid, ticks, and the title at the left."""
    if title:
        axes.set_title(title, loc="left", fontsize=10, color=INK, parse_math=False)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def label_ends(axes: Any, ends: Sequence[tuple[float, float, str, Any]]) -> None:
    """Names of curves to the right of their ends, moved apart where they would lie on each other.

    Parameters
    ----------
    ends : of each curve the x and y of its last point in data units, its name and colour
    """
    inverse = axes.transAxes.inverted()
    heights = [inverse.transform(axes.transData.transform((x, y)))[1] for x, y, *_ in ends]
    for index, height in zip(np.argsort(heights, kind="stable"), _apart(sorted(heights)), strict=True):
        x, y, name, colour = ends[index]
        axes.annotate(
            name,
            xy=(x, y),
            xycoords="data",
            xytext=(1.02, height),
            textcoords="axes fraction",
            fontsize=9,
            color=colour,
            va="center",
            annotation_clip=False,
            parse_math=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3},
        )


def _apart(heights: Sequence[float]) -> list[float]:
    """Ascending heights, at least _LEAST_GAP from each other, as near as can be to where they were."""
    n = len(heights)
    gap = min(_LEAST_GAP, 1.0 / max(n, 1))
    found = [max(0.0, min(1.0, height)) for height in heights]
    for _ in range(200):
        moved = False
        for i in range(n - 1):
            lack = gap - (found[i + 1] - found[i])
            if lack > 1e-9:
                found[i] -= lack / 2
                found[i + 1] += lack / 2
                moved = True
        shift = max(0.0, -found[0]) if n else 0.0
        found = [height + shift for height in found]
        over = max(0.0, found[-1] - _HIGHEST) if n else 0.0
        found = [height - over for height in found]
        if not moved:
            break
    return found
