"""The whole processor on real recordings: fixed point against the float64 twin's output in 16 bits."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.dynamics.programmes import PEAK_DBFS, load_programme
from benchmarks.harness.report import Table, rounded, verdict
from firmware_model.dynamics.cases.configurations import reference_model
from firmware_model.dynamics.processor import DynamicsProbes
from firmware_model.dynamics.settings.params import DynamicsConfig
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.stream import pad_for_latency, process
from firmware_model.reference import processor as reference

WITHIN_TARGET, MOST_TARGET_LSB, SNR_TARGET_DB = 99.9, 2, 90.0
AUDIBLE_DBFS = -60.0  # gains count in control blocks in which the band is above this
ACTIVE_DB = 0.1  # a limiter counts as working from here on
DB_PER_LOG2 = 20 * np.log10(2)

Row = dict[str, Any]


def compare(y_q15: np.ndarray, twin: np.ndarray) -> Row:
    """Differences between 16-bit output and a float output rounded to 16 bits.

    Parameters
    ----------
    y_q15 : (channels, n) int16
    twin : (channels, n) float64, full scale 1.0; rounded half up and limited to 16 bits here

    Returns
    -------
    samples, equal, within_1 : counts;  most_lsb : largest difference
    signal, noise : energies in LSB^2, of the rounded float output and of the difference
    """
    rounded_twin = np.clip(np.floor(twin * 32768 + 0.5), -32768, 32767)
    difference = np.abs(y_q15 - rounded_twin)
    return {
        "samples": difference.size,
        "equal": int(np.count_nonzero(difference == 0)),
        "within_1": int(np.count_nonzero(difference <= 1)),
        "most_lsb": int(difference.max()),
        "signal": float(np.sum(rounded_twin**2)),
        "noise": float(np.sum(difference**2)),
    }


def snr_db(row: Row) -> float:
    """Energy of the float output over that of the difference; infinite where the bits are equal."""
    if row["noise"] == 0:
        return float("inf")
    return float(10 * np.log10(row["signal"] / row["noise"])) if row["signal"] > 0 else float("-inf")


def gain_changes(config: DynamicsConfig, probes: DynamicsProbes) -> Row:
    """How much the compressors and limiters of a recording worked.

    Returns
    -------
    counted : band control blocks above -60 dBFS;  reduction_db : sum over them of the compressors' gain
    reduction, make-up not counted, negative where upward compression raises
    most_reduction_db, most_boost_db : largest either way
    band_limiter_db, limiter_db : largest attenuation;  blocks, limited : control blocks, and those in which
    the full-band limiter took away 0.1 dB or more
    """
    makeup_db = np.array([band.makeup_db for band in config.working_bands])[:, None]
    gain_db = 20 * np.log10(np.maximum(probes.gain_q27, 1) * 2.0**-27)
    counts = probes.level_q24 * (DB_PER_LOG2 * 2.0**-24) > AUDIBLE_DBFS
    reduction_db = (makeup_db - gain_db)[counts]
    bands_db = _attenuation_db(probes.band_attenuation_q31)
    limiter_db = _attenuation_db(probes.attenuation_q31)
    return {
        "counted": int(counts.sum()),
        "reduction_db": float(reduction_db.sum()),
        "most_reduction_db": float(reduction_db.max(initial=0)),
        "most_boost_db": max(0.0, -float(reduction_db.min(initial=0))),
        "band_limiter_db": float(bands_db.max(initial=0)),
        "limiter_db": float(limiter_db.max(initial=0)),
        "blocks": limiter_db.size,
        "limited": int(np.count_nonzero(limiter_db >= ACTIVE_DB)),
    }


def _attenuation_db(attenuation_q31: np.ndarray) -> np.ndarray:
    return np.abs(20 * np.log10(1 - attenuation_q31 * 2.0**-31))


def measure_recording(path: Path, profile: str) -> Row:
    """Process one recording both ways."""
    x_q15, fs_hz = load_programme(path)
    config = load_profile(profile, fs_hz, 1)
    n, late = x_q15.shape[1], config.latency_samples
    done = process(x_q15, config, probes=True)
    assert done.probes is not None
    twin = reference.process(pad_for_latency(x_q15, config) / 32768.0, reference_model(config))
    row = compare(done.y_q15, twin.y[:, late : late + n]) | gain_changes(config, done.probes)
    return row | {"least_snr_db": snr_db(row)}


_SUMMED = ("samples", "equal", "within_1", "signal", "noise", "counted", "reduction_db", "blocks", "limited")


def pooled(rows: list[Row]) -> Row:
    """Counts and energies added up, the worst of what is an extreme; the SNR is the least of a file."""
    out: Row = {name: sum(row[name] for row in rows) for name in _SUMMED}
    out["least_snr_db"] = min(row["least_snr_db"] for row in rows)
    extremes = ("most_lsb", "most_reduction_db", "most_boost_db", "band_limiter_db", "limiter_db")
    return out | {name: max(row[name] for row in rows) for name in extremes}


def measure_programme(name: str, paths: list[Path], profile: str) -> Row:
    """One row: a recording, or many clips pooled."""
    rows = [measure_recording(path, profile) for path in paths]
    return {"programme": name, "profile": profile, "files": len(rows), **pooled(rows)}


def total(rows: list[Row], profile: str) -> Row:
    """All recordings of a profile."""
    chosen = [row for row in rows if row["profile"] == profile]
    files = sum(row["files"] for row in chosen)
    return {"programme": "all", "profile": profile, "files": files, **pooled(chosen)}


def facts(row: Row) -> Row:
    """For JSON."""
    kept = {name: row[name] for name in ("programme", "profile", "files", "samples", "equal", "within_1")}
    mean = row["reduction_db"] / row["counted"] if row["counted"] else 0.0
    return kept | {
        "max_difference_lsb": row["most_lsb"],
        "least_snr_db": rounded(row["least_snr_db"]),
        "mean_reduction_db": rounded(mean),
        "most_reduction_db": rounded(row["most_reduction_db"]),
        "most_boost_db": rounded(row["most_boost_db"]),
        "most_band_limiting_db": rounded(row["band_limiter_db"]),
        "most_limiting_db": rounded(row["limiter_db"]),
        "limiter_active_share": rounded(row["limited"] / row["blocks"], 4),
    }


_COLUMNS = [
    "equal bits %",
    "within 1 LSB %",
    "largest LSB",
    "least SNR dB",
    "compressors mean / most dB",
    "upward most dB",
    "band limiters most dB",
    "limiter most dB",
    "limiter works %",
]
_NOTE = (
    f"One channel at {PEAK_DBFS:g} dBFS peak, at the file's own rate; the 16-bit output against that of the"
    " float64 twin, rounded to 16 bits. Reductions are of the bands above"
    f" {AUDIBLE_DBFS:g} dBFS; the limiter works in control blocks in which it takes {ACTIVE_DB} dB or more."
)


def tabulate_totals(rows: list[Row]) -> Table:
    """A row for each profile, with the targets."""
    columns = ["profile", "files", *_COLUMNS[:2], "target", _COLUMNS[2], "target", _COLUMNS[3], "target"]
    table = Table("Whole chain, fixed point against float64", [*columns, *_COLUMNS[4:]], _NOTE)
    for row in rows:
        cells = _cells(row)
        within = 100 * row["within_1"] / row["samples"]
        table.add(
            row["profile"],
            row["files"],
            *cells[:2],
            verdict(within, WITHIN_TARGET),
            cells[2],
            verdict(row["most_lsb"], MOST_TARGET_LSB, at_least=False),
            cells[3],
            verdict(row["least_snr_db"], SNR_TARGET_DB),
            *cells[4:],
        )
    return table


def tabulate_programmes(rows: list[Row], profile: str) -> Table:
    """A row for each recording of one profile."""
    table = Table(f"Whole chain by recording, {profile}", ["recording", *_COLUMNS], _NOTE)
    for row in rows:
        if row["profile"] == profile:
            table.add(row["programme"], *_cells(row))
    return table


def _cells(row: Row) -> list[str]:
    mean = row["reduction_db"] / row["counted"] if row["counted"] else 0.0
    snr = row["least_snr_db"]
    return [
        _percent(row["equal"], row["samples"]),
        _percent(row["within_1"], row["samples"]),
        str(row["most_lsb"]),
        f"{snr:.1f}" if np.isfinite(snr) else "equal",
        f"{mean:.1f} / {row['most_reduction_db']:.1f}",
        f"{row['most_boost_db']:.1f}",
        f"{row['band_limiter_db']:.1f}",
        f"{row['limiter_db']:.1f}",
        f"{100 * row['limited'] / row['blocks']:.1f}",
    ]


def _percent(part: int, whole: int) -> str:
    """Cut off, not rounded: 100 means every one."""
    return f"{100_000 * part // whole / 1000:.3f}"
