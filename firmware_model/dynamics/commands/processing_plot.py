"""The picture of a processed recording: waveforms, gains over time, static curves, band responses."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from firmware_model.dynamics.commands.processing import Done, Picture
from firmware_model.dynamics.commands.processing_report import arithmetic, channels, difference, level
from firmware_model.dynamics.gain_computer import reduction_q24
from firmware_model.dynamics.processor import init_probes, process_frame
from firmware_model.dynamics.settings.params import DynamicsConfig
from firmware_model.dynamics.settings.tuning import LOG2_PER_DB, quantise
from firmware_model.dynamics.state import init_state
from firmware_model.report.envelope import Envelope

_DPI = 120
_INK, _GRID = "#333333", "#dddddd"
_INPUT, _OUTPUT, _LIMIT = "#8a8f98", "#0b62a8", "#b3261e"
_BANDS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")  # Okabe and Ito
_LEVELS_DB = np.arange(-80.0, 0.01, 0.25)
_FLOOR_DB = -60.0  # of the responses
_RESPONSES = 500  # frequencies drawn
_NAME_LENGTH = 48  # of a file's name in the title


def draw(path: str, source: str, done: Done) -> bytes:
    """The picture, in the format that the suffix of `path` names.

    Parameters
    ----------
    path : .png, .pdf or .svg
    source : name of the input
    """
    figure = Figure(figsize=(11, 13), layout=ConstrainedLayoutEngine(h_pad=0.08, hspace=0.02))
    FigureCanvasAgg(figure)
    figure.suptitle(_title(source, done), fontsize=11, color=_INK, parse_math=False)
    grid = figure.add_gridspec(5, 2, height_ratios=[1, 1, 1.5, 0.7, 2.2])
    top = figure.add_subplot(grid[0, :])
    over_time = [top, *(figure.add_subplot(grid[row, :], sharex=top) for row in (1, 2, 3))]
    assert done.picture is not None
    _draw_waveforms(over_time[0], over_time[1], done, done.picture)
    _draw_band_gains(over_time[2], done.config, done.picture)
    _draw_limiter(over_time[3], done.config, done.picture)
    curves, responses = figure.add_subplot(grid[4, 0]), figure.add_subplot(grid[4, 1])
    _draw_static_curves(curves, done.config)
    _draw_responses(responses, done.config)
    top.set_xlim(0, done.facts["seconds"])
    for axes in over_time[:-1]:
        axes.tick_params(labelbottom=False)
    over_time[-1].set_xlabel("time (s)")
    for axes in (*over_time, curves, responses):
        _dress(axes)
    figure.align_ylabels([*over_time, curves])
    handles, labels = over_time[2].get_legend_handles_labels()
    font = {"fontsize": 9, "title_fontsize": 9, "title": "bands (Hz)"}
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False, **font)
    for line in legend.get_lines():
        line.set_linewidth(3)
    content = io.BytesIO()
    suffix = Path(path).suffix.lower().removeprefix(".")
    # Without a date, and with identifiers that are not random, the same recording gives the same file.
    metadata: dict[str, Any] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(suffix, {})
    with rc_context({"svg.hashsalt": source}):
        figure.savefig(content, format=suffix, dpi=_DPI, metadata=metadata)
    return content.getvalue()


def band_responses(config: DynamicsConfig) -> tuple[np.ndarray, np.ndarray]:
    """Responses of the integer crossover, from an impulse through its kernels.

    Returns
    -------
    freq_hz : (m,) float64, 20 Hz to half the sample rate, even on a logarithmic axis
    h : (bands, m) complex128

    Notes
    -----
    1.3 s of response or more: the poles of a section of 20 Hz fall by 60 dB in 0.08 s. Error: at most 7e-7 of
    the pass-band, -123 dB (measured at 1 kHz and all sample rates; test_process.py beside it in tests/).
    """
    params = quantise(config)
    samples = 1 << (int(1.3 * config.fs_hz) - 1).bit_length()
    x_q15 = np.zeros((config.channels, samples), np.int16)
    x_q15[0, 0] = 1 << 14
    probes = init_probes(params, samples)
    process_frame(params, init_state(params), x_q15, np.empty_like(x_q15), probes)
    h = np.fft.rfft(probes.band_q27[:: config.channels] * 2.0**-26, axis=1)  # the impulse is 2**-1
    highest = samples // 2
    bins = np.geomspace(20 * samples / config.fs_hz, highest, _RESPONSES)
    bins = np.unique(np.clip(np.round(bins).astype(int), 1, highest))
    return bins * config.fs_hz / samples, h[:, bins]


def static_curves_dbfs(config: DynamicsConfig, in_dbfs: np.ndarray) -> np.ndarray:
    """(bands, n) level out of each band for a steady sine that goes in, by peak, dBFS.

    The curve is the integer gain computer's; an RMS detector reads 3 dB less than the peak of a sine.
    """
    params = quantise(config)
    out_dbfs = np.empty((len(config.working_bands), len(in_dbfs)))
    for i, band in enumerate(config.working_bands):
        read_dbfs = in_dbfs - (20 * np.log10(np.sqrt(2)) if band.detector == "rms" else 0)
        levels_q24 = np.round(read_dbfs * LOG2_PER_DB * 2**24).astype(np.int64)
        reduction = np.array([reduction_q24(params.curve, i, level) for level in levels_q24]) / 2**24
        out_dbfs[i] = in_dbfs + band.makeup_db - reduction / LOG2_PER_DB
        if band.limiter_threshold_dbfs is not None:
            out_dbfs[i] = np.minimum(out_dbfs[i], band.limiter_threshold_dbfs)
    return out_dbfs


def _title(source: str, done: Done) -> str:
    facts = done.facts
    name, profile = (_shortened(Path(path).name) for path in (source, facts["profile"]))
    lines = [
        f"{name}, profile {profile}{arithmetic(facts)}, {facts['fs_hz']} Hz {channels(facts)}, "
        f"latency {facts['latency_ms']:.2f} ms"
    ]
    if facts["max_error_lsb"] is not None:
        lines.append(f"Q15 against float: {difference(facts)}")
    return "\n".join(lines)


def _shortened(name: str) -> str:
    """A name with its middle left out where it is long."""
    half = _NAME_LENGTH // 2
    return name if len(name) <= _NAME_LENGTH else f"{name[:half]}…{name[-half:]}"


def _draw_waveforms(before: Any, after: Any, done: Done, picture: Picture) -> None:
    """Input and output, one above the other on the same scale."""
    threshold = 10 ** (done.config.limiter.threshold_dbfs / 20)
    heights = [threshold]
    for axes, pcm, colour, side in (
        (before, picture.x_q15, _INPUT, "in"),
        (after, picture.y_q15, _OUTPUT, "out"),
    ):
        time_s, low, high = _steps(pcm, 1 / done.config.fs_hz)
        axes.fill_between(
            time_s, low.min(axis=0) / 32768, high.max(axis=0) / 32768, color=colour, linewidth=0.5
        )
        heights += [-int(low.min()) / 32768, int(high.max()) / 32768]
        peak, loudness = done.facts[f"peak_{side}_dbfs"], done.facts[f"loudness_{side}_lufs"]
        words = [f"{side}put"] + (["both channels"] if len(low) == 2 else [])
        words += [f"peak {level(peak, ' dBFS')}"] if peak is not None else ["silent"]
        words += [level(loudness, " LUFS")] if loudness is not None else []
        _head(axes, ", ".join(words))
        axes.set_ylabel("full scale = 1")
    for sign in (-1, 1):
        after.axhline(sign * threshold, color=_LIMIT, linewidth=0.9, linestyle="--")
    _head(after, f"limiter threshold {done.config.limiter.threshold_dbfs:g} dBFS", "right", _LIMIT)
    for axes in (before, after):
        axes.set_ylim(-1.08 * max(heights), 1.08 * max(heights))


def _draw_band_gains(axes: Any, config: DynamicsConfig, picture: Picture) -> None:
    """Mean per column, and a shade from the smallest to the largest."""
    gains = picture.bands_db
    widths = _nested_widths(picture.meet)
    time_s, low, high = _steps(gains, config.control_samples / config.fs_hz)
    middle = _last_twice(gains.mean)
    for i, (low_hz, high_hz) in enumerate(config.ranges_hz):
        axes.fill_between(time_s, low[i], high[i], color=_BANDS[i], alpha=0.25, linewidth=0)
        axes.plot(
            time_s, middle[i], color=_BANDS[i], linewidth=widths[i], label=f"{low_hz:.6g} to {high_hz:.6g}"
        )
    axes.set_ylim(*_limits(low.min(), high.max()))
    axes.set_ylabel("dB")
    _head(axes, "gain of each band: compressor with make-up, and band limiter")


def _draw_limiter(axes: Any, config: DynamicsConfig, picture: Picture) -> None:
    """The deepest attenuation per column."""
    time_s, low, _ = _steps(picture.limiter_db, config.control_samples / config.fs_hz)
    axes.fill_between(time_s, low[0], 0, color=_LIMIT, linewidth=0.5)
    axes.set_ylim(_limits(low.min(), 0)[0], 0.3)
    axes.set_ylabel("dB")
    _head(axes, "gain of the full-band limiter")


def _draw_static_curves(axes: Any, config: DynamicsConfig) -> None:
    out_dbfs = static_curves_dbfs(config, _LEVELS_DB)
    axes.plot(_LEVELS_DB, _LEVELS_DB, color=_GRID, linewidth=1.2)
    meet = np.array([[np.allclose(curve, above, atol=0.01) for above in out_dbfs] for curve in out_dbfs])
    for i, width in enumerate(_nested_widths(meet)):
        axes.plot(_LEVELS_DB, out_dbfs[i], color=_BANDS[i], linewidth=width)
    axes.set_xlim(_LEVELS_DB[0], 0)
    axes.set_ylim(*_limits(max(out_dbfs.min(), -100), max(out_dbfs.max(), 0)))
    for set_locator in (axes.xaxis.set_major_locator, axes.yaxis.set_major_locator):
        set_locator(MaxNLocator(nbins=9, steps=[1, 2]))
    axes.set_xlabel("steady sine in (dBFS)")
    axes.set_ylabel("out (dBFS)")
    _head(axes, "static curve and limiter of each band")


def _draw_responses(axes: Any, config: DynamicsConfig) -> None:
    freq_hz, h = band_responses(config)
    with np.errstate(divide="ignore"):
        bands_db, sum_db = 20 * np.log10(np.abs(h)), 20 * np.log10(np.abs(h.sum(axis=0)))
    axes.semilogx(freq_hz, sum_db, color=_INK, linewidth=3.2, alpha=0.35, label="sum of the bands")
    for i, response_db in enumerate(np.maximum(bands_db, -200)):
        axes.semilogx(freq_hz, response_db, color=_BANDS[i], linewidth=1.5)
    axes.set_xlim(20, config.fs_hz / 2)
    axes.set_ylim(_FLOOR_DB, max(6.0, sum_db.max()) + 4)  # the legend lies above the curves
    ticks = [f for f in (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000) if f <= config.fs_hz / 2]
    axes.set_xticks(ticks)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda f, _: f"{f / 1000:g}k" if f >= 1000 else f"{f:g}"))
    axes.xaxis.minorticks_off()
    axes.set_xlabel("frequency (Hz)")
    axes.set_ylabel("dB")
    axes.legend(loc="upper center", borderaxespad=0, frameon=False, fontsize=9)
    _head(axes, "response of the integer crossover")


def _steps(x: Envelope, step_s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time (m,), and smallest and largest value (rows, m) of each column.

    step_s : seconds from one value to the next
    """
    time_s = np.append(x.edges, x.n) * step_s  # up to the end, so that one value is a line as well
    return time_s, _last_twice(x.low), _last_twice(x.high)


def _last_twice(columns: np.ndarray) -> np.ndarray:
    return np.append(columns, columns[:, -1:], axis=1)


def _nested_widths(meet: np.ndarray) -> list[float]:
    """Widths that show curves which lie on each other: each is wider than the ones drawn over it.

    meet : (curves, curves) bool, whether a curve and a later one lie on each other
    """
    return [1.5 + 2.0 * int(meet[i, i + 1 :].sum()) for i in range(len(meet))]


def _limits(low: float, high: float) -> Sequence[float]:
    """Of an axis in dB, with some room, and not narrower than 2 dB."""
    room = max(0.06 * (high - low), (2 - (high - low)) / 2, 0.3)
    return low - room, high + room


def _head(axes: Any, text: str, side: str = "left", colour: str = _INK) -> None:
    axes.set_title(text, loc=side, fontsize=10, color=colour)


def _dress(axes: Any) -> None:
    axes.grid(color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, labelsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
