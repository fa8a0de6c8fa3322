"""How audible the mark is: every host at the shipped strength, marked at the file's own rate.

ViSQOL in audio mode (1 to 4.73) on both signals at 48 kHz, PESQ wide band (1 to 4.64) on speech at 16 kHz:
marked against unmarked. Neither was made for this task; both commonly stand in for listening tests.
"""

import argparse
from typing import Any

import numpy as np
import soxr

from benchmarks.harness.pool import run_tasks
from benchmarks.harness.report import Table, arguments, publish, rounded, run, verdict
from benchmarks.material.hosts import CLASSES, SPEECH, host_names, load_host
from firmware_model.pcm import to_q15
from firmware_model.watermark.embedding.embedder import DEFAULT_STRENGTHS_DB, embed
from fixedpoint.errors import ConfigError

MODES = tuple(DEFAULT_STRENGTHS_DB)
VISQOL_FS_HZ, PESQ_FS_HZ = 48000, 16000
VISQOL_TARGET = 4.6
PESQ_MEDIAN_TARGET, PESQ_LEAST_TARGET = 4.0, 3.6
Q15_LIMIT = (-1.0 - 0.5 / 32768, 1.0 - 0.5 / 32768)  # beyond, RND to Q1.15 saturates
QUICK_HOSTS = ("ibm_piano", "sonicpi_loop_garzul", "cmu_arctic_us_aew_a0001")

Row = dict[str, Any]


def measure_host(name: str, mode: str, strength_db: float) -> Row:
    """Mark a host and measure what changed."""
    from pesq import pesq
    from visqol import VisqolApi

    host = load_host(name)
    marked = embed(host.samples, host.fs_hz, host.key, mode=mode, strength_db=strength_db)
    before, after = to_q15(host.samples) / 32768, to_q15(marked.y) / 32768
    api = VisqolApi()
    api.create(mode="audio")
    visqol = api.measure_from_arrays(
        _at(VISQOL_FS_HZ, host.fs_hz, before), _at(VISQOL_FS_HZ, host.fs_hz, after), VISQOL_FS_HZ
    ).moslqo
    row: Row = {"host": name, "class": host.kind, "mode": mode, "strength_db": strength_db}
    row |= {"fs_hz": host.fs_hz, "seconds": round(host.seconds, 2), "visqol": round(float(visqol), 3)}
    if host.kind == SPEECH:
        narrow = (_at(PESQ_FS_HZ, host.fs_hz, x) for x in (before, after))
        row["pesq_wb"] = round(float(pesq(PESQ_FS_HZ, *narrow, "wb")), 3)
    row["clipped"] = _beyond(marked.y)
    row["clipped_unmarked"] = _beyond(host.samples)
    row |= {"wsr_db": rounded(marked.wsr_db), "nmr_db": rounded(marked.nmr_db)}
    return row


def _beyond(x: np.ndarray) -> int:
    return int(np.count_nonzero((x < Q15_LIMIT[0]) | (x >= Q15_LIMIT[1])))


def _at(to_hz: int, from_hz: int, x: np.ndarray) -> np.ndarray:
    return x if to_hz == from_hz else soxr.resample(x, from_hz, to_hz, "VHQ")


def summarise(rows: list[Row]) -> tuple[list[Table], Row]:
    """A table of classes with the targets, and one of hosts."""
    columns = ["mode", "class", "hosts", "ViSQOL least", "median", "target"]
    columns += ["PESQ-WB least", "median", "targets", "clipped", "NMR dB", "WSR dB"]
    note = "Informed is what the detection benchmark plays. NMR and WSR are medians over hosts."
    by_class, data = Table("Quality by class", columns, note), []
    for mode in dict.fromkeys(row["mode"] for row in rows):
        for kind in CLASSES:
            chosen = [row for row in rows if (row["mode"], row["class"]) == (mode, kind)]
            if not chosen:
                continue
            visqol = [row["visqol"] for row in chosen]
            pesq = [row["pesq_wb"] for row in chosen if "pesq_wb" in row]
            clipped = sum(row["clipped"] for row in chosen)
            pesq_cells = ["-", "-", "-"]
            if pesq:
                targets = verdict(min(pesq), PESQ_LEAST_TARGET), verdict(np.median(pesq), PESQ_MEDIAN_TARGET)
                pesq_cells = [f"{min(pesq):.2f}", f"{np.median(pesq):.2f}", ", ".join(targets)]
            by_class.add(
                mode,
                kind,
                len(chosen),
                f"{min(visqol):.2f}",
                f"{np.median(visqol):.2f}",
                verdict(min(visqol), VISQOL_TARGET),
                *pesq_cells,
                f"{clipped} {'yes' if clipped == 0 else '**NO**'}",
                f"{_median(chosen, 'nmr_db'):.1f}",
                f"{_median(chosen, 'wsr_db'):.1f}",
            )
            data.append(
                {
                    "mode": mode,
                    "class": kind,
                    "hosts": len(chosen),
                    "visqol_least": min(visqol),
                    "visqol_median": round(float(np.median(visqol)), 3),
                    "pesq_wb_least": min(pesq, default=None),
                    "pesq_wb_median": round(float(np.median(pesq)), 3) if pesq else None,
                    "clipped": clipped,
                }
            )
    modes = list(dict.fromkeys(row["mode"] for row in rows))
    measures = ("ViSQOL", "PESQ-WB", "clipped", "NMR dB", "WSR dB")
    by_host = Table(
        "Quality by host", ["host", "class", *(f"{mode} {m}" for mode in modes for m in measures)]
    )
    for name in dict.fromkeys(row["host"] for row in rows):
        cells: list[str] = []
        for mode in modes:
            row = next(row for row in rows if (row["host"], row["mode"]) == (name, mode))
            kind = row["class"]
            cells += [_flag(row["visqol"], VISQOL_TARGET), _flag(row.get("pesq_wb"), PESQ_LEAST_TARGET)]
            cells += [str(row["clipped"]), _text(row["nmr_db"]), _text(row["wsr_db"])]
        by_host.add(name, kind, *cells)
    return [by_class, by_host], {"summary": data, "hosts": rows}


def _median(rows: list[Row], name: str) -> float:
    values = [row[name] for row in rows if row[name] is not None]
    return float(np.median(values)) if values else float("nan")


def _flag(value: float | None, target: float) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if value >= target else f"{value:.2f} **NO**"


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strength", type=float, help="of the mark, dB, in both modes")
    parser.add_argument("--hosts", nargs="+", help="only these")


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__, _options)
    names = host_names()
    wanted = options.hosts or (QUICK_HOSTS if options.quick else names)
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ConfigError(f"--hosts {unknown[0]}: no such host; accepted are {', '.join(names)}")
    strengths = (
        {mode: options.strength for mode in MODES} if options.strength is not None else DEFAULT_STRENGTHS_DB
    )
    tasks = [(name, mode, strengths[mode]) for name in wanted for mode in MODES]
    rows = run_tasks("quality", measure_host, tasks, options.jobs)
    tables, data = summarise(rows)
    publish("quality", options.folder, tables, {"strength_db": strengths, **data}, in_readme=1)


if __name__ == "__main__":
    run(main)
