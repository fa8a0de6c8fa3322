"""Pictures that reports of every product draw: heat maps, spectrograms, and axes with levels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from firmware_model.report.factors import Factor
from firmware_model.report.style import INK, new_figure, png

PERCENT = "%"
_LEAST_TICK = 0.065  # of the width, between two labels
_DARK = 0.55  # of the colour scale: above it, ink is dark


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
        if np.diff(along.places).min(initial=np.inf) > _LEAST_TICK * np.ptp(along.places):
            axes.set_xticks(along.places, [f"{place:.3g}".replace("-", "−") for place in along.places])
        return
    slanted = sum(map(len, along.labels)) > 40
    options = {"rotation": 40, "ha": "right"} if slanted else {}
    axes.set_xticks(range(len(along.labels)), along.labels, **options)
    axes.set_xlim(-0.5, len(along.labels) - 0.5)
