"""Tables of the false-alarm benchmark."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import norm

from acoustic_sim.sweep.tails import block_hops, fit_block_maxima, fit_exponential, poisson_limits
from benchmarks.harness.report import Table, verdict
from firmware_model.watermark.params import WatermarkConfig

RATE_TARGET = 0.1  # per hour: one in ten hours
HOURS_TARGET = 20.0
THRESHOLDS = (4.0, 4.25, 4.5, 4.75, 5.0, 5.3, 5.5, 6.0)
TAIL_FROM = (2.0, 3.0, 3.5, 4.0, 4.5)


def summarise(
    results: Sequence[Any],
    streams: Sequence[str],
    heard: Sequence[str],
    parts: dict[str, list[tuple[str, float]]],
    config: WatermarkConfig,
    z_edges: np.ndarray,
) -> tuple[list[Table], dict[str, Any]]:
    """Tables and JSON of the streams' results; the first three tables are for docs/benchmarks.md."""
    by_class, classes = _by_class(results, streams, heard, parts)
    fits, extrapolations = _extrapolated(results, config)
    at, rates = _by_threshold(results)
    shape, shapes = _shape(results, streams)
    counts = np.sum([result.z_counts for result in results], axis=0)
    data = {
        "threshold": config.threshold,
        "keys": _keys(results),
        "classes": classes,
        "extrapolated": extrapolations,
        "peaks_per_key_hour_above": rates,
        "z": shapes,
        "z_histogram": {"edges": [round(float(e), 1) for e in z_edges], "counts": counts.tolist()},
        "false_alarms": [
            {
                "stream": r.stream,
                "heard": r.heard,
                "key": key,
                "file": _file_at(parts[r.stream], time_s),
                "time_s": round(time_s, 2),
                "score": round(score, 3),
                "marks": marks,
            }
            for r in results
            for key, time_s, score, marks in r.detections
        ],
    }
    return [by_class, fits, at, shape], data


def _keys(results: Sequence[Any]) -> int:
    first = results[0]
    return sum(r.keys for r in results if (r.stream, r.heard) == (first.stream, first.heard))


def _hours(results: Sequence[Any]) -> float:
    return sum(r.seconds * r.keys for r in results) / 3600


def _by_class(
    results: Sequence[Any],
    streams: Sequence[str],
    heard: Sequence[str],
    parts: dict[str, list[tuple[str, float]]],
) -> tuple[Table, list[dict[str, Any]]]:
    columns = [
        "audio",
        "heard",
        "audio min",
        "key-hours",
        "false alarms",
        "per hour (95 %)",
        "target",
        "largest score",
    ]
    note = (
        "Through the Q15 detector, with exact Poisson limits. Drum loops play on at their own steady tempo."
    )
    table, data = Table(f"False alarms with {_keys(results)} keys", columns, note), []

    def add(label: str, place: str, chosen: list[Any]) -> None:
        hours, count = _hours(chosen), sum(len(r.detections) for r in chosen)
        low, high = poisson_limits(count, hours)
        top = max(float(r.block_max.max()) for r in chosen)
        minutes = sum(r.seconds * r.keys for r in chosen) / _keys(results) / 60
        total = label == "all"
        target = verdict(count / hours, RATE_TARGET, at_least=False) if total else ""
        rate = f"{count / hours:.3f} ({low:.3f}–{high:.3f})"
        table.add(label, place, f"{minutes:.1f}", f"{hours:.1f}", count, rate, target, f"{top:.2f}")
        data.append(
            {
                "audio": label,
                "heard": place,
                "audio_minutes": round(minutes, 2),
                "key_hours": round(hours, 2),
                "false_alarms": count,
                "per_hour": round(count / hours, 5),
                "low": round(low, 5),
                "high": round(high, 5),
                "largest_score": round(top, 3),
            }
        )

    for stream in streams:
        add(stream, "everywhere", [r for r in results if r.stream == stream])
    for place in heard:
        add("everything", place, [r for r in results if r.heard == place])
    add("all", "everywhere", list(results))
    hours = _hours(results)
    table.add("", "key-hours", "", f"{hours:.1f}", "", "", verdict(hours, HOURS_TARGET), "")
    return table, data


def _extrapolated(results: Sequence[Any], config: WatermarkConfig) -> tuple[Table, list[dict[str, Any]]]:
    """Fits over all streams; rows of the block maxima are audio, columns keys."""
    rng = np.random.default_rng(1)
    rows, peaks, first = [], [], 0
    for place in dict.fromkeys((r.stream, r.heard) for r in results):
        batches = [r for r in results if (r.stream, r.heard) == place]
        maxima = np.concatenate([r.block_max for r in batches], axis=1)
        rows.append(maxima)
        for r in batches:
            # What comes after the last whole block is counted with it.
            block = np.minimum(r.peaks[:, 0], len(maxima) - 1) + first
            peaks.append(np.stack([block, r.peaks[:, 1]], axis=1))
        first += len(maxima)
    block_hours = block_hops(config.fs_hz, config.hop) * config.hop / config.fs_hz / 3600
    maxima = np.concatenate(rows)
    fits = fit_block_maxima(maxima, block_hours, rng)
    fits.append(fit_exponential(np.concatenate(peaks), len(maxima), _hours(results), rng))
    note = (
        f"From {maxima.size} blocks of 30 s; limits by drawing the blocks of audio again. A Gumbel or an "
        "exponential tail falls more slowly than a Gaussian's, so that these two overestimate."
    )
    table = Table("Extrapolated to the threshold", ["fit", "per hour (95 %)", "one in hours", "target"], note)
    data = []
    for fit in fits:
        per_hour, low, high = fit.per_hour(config.threshold)
        hours_each = f"{1 / per_hour:.0f}" if per_hour > 0 else "∞"
        target = verdict(per_hour, RATE_TARGET, at_least=False)
        table.add(fit.name, f"{per_hour:.4f} ({low:.4f}–{high:.4f})", hours_each, target)
        figures = {"per_hour": per_hour, "low": low, "high": high}
        data.append({"fit": fit.name} | {name: round(value, 7) for name, value in figures.items()})
    return table, data


def _by_threshold(results: Sequence[Any]) -> tuple[Table, dict[str, float]]:
    """Peaks that reach other thresholds, counted half a mark apart."""
    hours = _hours(results)
    score = np.concatenate([r.peaks[:, 1] for r in results])
    note = "Peaks of the integrated score that reach a threshold, half a mark apart."
    table = Table("False alarms at other thresholds", ["threshold", "peaks", "per hour (95 %)"], note)
    rates = {}
    for threshold in THRESHOLDS:
        count = int(np.count_nonzero(score >= threshold))
        low, high = poisson_limits(count, hours)
        table.add(f"{threshold:g}", count, f"{count / hours:.3f} ({low:.3f}–{high:.3f})")
        rates[f"{threshold:g}"] = round(count / hours, 5)
    return table, rates


def _shape(results: Sequence[Any], streams: Sequence[str]) -> tuple[Table, list[dict[str, Any]]]:
    columns = ["audio", "scores", "mean", "sd", "kurtosis", *(f"P(z > {u:g}) / Gauss" for u in TAIL_FROM)]
    note = "Single-mark scores against the standard Gaussian; neighbouring hops are correlated."
    table, data = Table("Distribution of the single-mark score", columns, note), []
    for stream in (*streams, "all"):
        chosen = [r for r in results if stream in (r.stream, "all")]
        n, s1, s2, s3, s4 = np.sum([r.z_powers for r in chosen], axis=0)
        mean, variance = s1 / n, s2 / n - (s1 / n) ** 2
        fourth = s4 / n - 4 * mean * s3 / n + 6 * mean**2 * s2 / n - 3 * mean**4
        counts = np.sum([r.z_counts for r in chosen], axis=0)
        edges = np.round(np.arange(-10, 10.05, 0.1), 1)
        ratios = [float(counts[edges[:-1] >= u - 1e-9].sum() / n / norm.sf(u)) for u in TAIL_FROM]
        kurtosis = fourth / variance**2
        cells = [f"{ratio:.2f}" for ratio in ratios]
        table.add(stream, int(n), f"{mean:.3f}", f"{np.sqrt(variance):.3f}", f"{kurtosis:.2f}", *cells)
        row = {"audio": stream, "scores": int(n), "mean": float(mean), "sd": float(np.sqrt(variance))}
        row |= {"kurtosis": float(kurtosis)} | dict(zip(map(str, TAIL_FROM), ratios, strict=True))
        data.append({k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()})
    return table, data


def _file_at(parts: list[tuple[str, float]], time_s: float) -> str:
    return [name for name, start_s in parts if start_s <= max(time_s, 0)][-1]
