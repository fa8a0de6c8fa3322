"""The picture of a simulation: what the microphone heard, and the scores of both arithmetics."""

import io
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from firmware_model.cli.terminal.output import counted, replace_file
from firmware_model.watermark.commands.simulation import Trace

MAX_FILES = 4  # on one page
_DPI = 120
_INK, _GRID = "#333333", "#dddddd"
_WAVE, _Q15, _FLOAT, _THRESHOLD = "#8a8f98", "#0b62a8", "#e8871e", "#b3261e"
_MARKS = ("#e9f1f8", "#d3e3f1")  # alternate, so that back-to-back marks can be told apart


def plot(path: str, traces: list[Trace], caption: str) -> None:
    """Draw up to `MAX_FILES` files, two panels each, and write the picture whole or not at all.

    Parameters
    ----------
    path : .png, .pdf or .svg
    caption : one line below the title, the settings

    Raises
    ------
    BittrueError
        The file cannot be written.
    """
    traces = traces[:MAX_FILES]
    height_in = 1.0 + 3.8 * len(traces)
    figure = Figure(figsize=(11, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(caption, fontsize=10, color=_INK)
    panels = figure.subplots(2 * len(traces), 1, height_ratios=[1, 1.9] * len(traces), squeeze=False)[:, 0]
    for i, trace in enumerate(traces):
        wave, score = panels[2 * i], panels[2 * i + 1]
        _draw_wave(wave, trace)
        _draw_scores(score, trace)
        for axes in (wave, score):
            _dress(axes, trace)
    handles, labels = panels[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    content = io.BytesIO()
    suffix = Path(path).suffix.lower().removeprefix(".")
    # Without a date the same simulation gives the same file.
    metadata: dict[str, Any] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(suffix, {})
    with rc_context({"svg.hashsalt": path}):
        figure.savefig(content, format=suffix, dpi=_DPI, metadata=metadata)
    replace_file(path, content.getvalue())


def _draw_wave(axes: Any, trace: Trace) -> None:
    """Envelope of the PCM: smallest and largest sample per column."""
    low, high = trace.pcm.low[0] / 32768, trace.pcm.high[0] / 32768
    time_s = trace.pcm.edges / trace.config.fs_hz
    axes.fill_between(time_s, low, high, color=_WAVE, linewidth=0.4, edgecolor=_WAVE)
    limit = 1.1 * max(-low.min(), high.max(), 1 / 32768)
    axes.set_ylim(-limit, limit)
    axes.set_ylabel("microphone\n(full scale = 1)")
    axes.tick_params(labelbottom=False)
    axes.set_title(
        f"{Path(trace.path).name}: {counted(len(trace.heard_s), 'mark')} played, "
        f"{counted(len(trace.detections_q15), 'detection')} in Q15",
        loc="left",
        fontsize=10,
        color=_INK,
    )


def _draw_scores(axes: Any, trace: Trace) -> None:
    """Scores against the start of the mark that would end at each hop: peaks lie where marks begin."""
    config = trace.config
    for scores, style in (
        (trace.reference, {"color": _FLOAT, "linewidth": 3.2, "alpha": 0.75, "label": "float64 reference"}),
        (trace.q15, {"color": _Q15, "linewidth": 1.0, "label": "Q15"}),
    ):
        hops, values = scores.line()
        latency = config.mark_samples + (config.fft_size - config.hop) // 2
        axes.plot(((hops + 1) * config.hop - latency) / config.fs_hz, values, **style)
    axes.axhline(config.threshold, color=_THRESHOLD, linewidth=1.0, linestyle="--", label="threshold")
    for detections, marker, colour, size, label in (
        (trace.detections_float, "o", _FLOAT, 9, "detection, float64"),
        (trace.detections_q15, "v", _Q15, 6, "detection, Q15"),
    ):
        axes.plot(
            [detection.time_s for detection in detections],
            [detection.score for detection in detections],
            marker,
            color=colour if marker == "v" else "none",
            markeredgecolor=colour,
            markersize=size,
            linestyle="none",
            label=label,
        )
    for detection in trace.detections_q15:
        if detection.marks > 1:
            axes.annotate(
                f"{detection.marks} marks",
                (detection.time_s, detection.score),
                xytext=(0, 8),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=_Q15,
            )
    both = (trace.q15, trace.reference)
    top = max(config.threshold, *(scores.high.max() for scores in both))
    bottom = min(0.0, *(scores.low.min() for scores in both))
    axes.set_ylim(bottom - 0.05 * (top - bottom), top + 0.16 * (top - bottom))
    axes.set_ylabel("score\n(standard deviations)")
    axes.set_xlabel("start of the mark, as heard by the microphone (s)")


def _dress(axes: Any, trace: Trace) -> None:
    """What both panels share: shaded marks, time axis, grid."""
    config = trace.config
    for i, start_s in enumerate(trace.heard_s):
        axes.axvspan(
            start_s,
            start_s + config.mark_seconds,
            color=_MARKS[i % 2],
            linewidth=0,
            zorder=0,
            label="marks as played" if i == 1 else None,
        )
    seconds = trace.frames / config.fs_hz
    axes.set_xlim(-0.01 * seconds, seconds)  # room for a detection at the very start
    axes.grid(axis="y", color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, labelsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
