"""The README's few figures: cells of the benchmarks' tables, each with the command that measured it."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from fixedpoint.errors import ConfigError


class Figure(NamedTuple):
    """One line of the README's table.

    benchmark, table : NAME.json in benchmarks/results, and the title of a table in it
    rows : first cells of the rows, as many as it takes to tell them apart
    columns : headings; the first of that name counts
    text : what is shown, with {} for each column of each row in turn
    """

    says: str
    benchmark: str
    table: str
    rows: tuple[tuple[str, ...], ...]
    columns: tuple[str, ...]
    text: str


_CLASSES, _NEAR = "Detection by class and room", ("RT60 to 0.5 s", "15, 20")
_DEVICE, _SPEAKER = "Cost on the device", "At equal excursion on the loudspeaker model"
_WHOLE = "Whole chain, fixed point against float64"
_BOTH = "one mark {}, up to four {}"

FIGURES = (
    Figure(
        "marks of speech found in Q15, rooms of RT60 to 0.5 s, SNR 15 and 20 dB",
        "detection",
        _CLASSES,
        (("speech", *_NEAR),),
        ("one mark", "four marks"),
        _BOTH,
    ),
    Figure(
        "the same: marks of sustained music",
        "detection",
        _CLASSES,
        (("sustained music", *_NEAR),),
        ("one mark", "four marks"),
        _BOTH,
    ),
    Figure(
        "hops at which Q15 and float64 decide alike",
        "detection",
        "Q15 against the float64 reference",
        (("hops with the same decision, %",),),
        ("measured",),
        "{} %",
    ),
    Figure(
        "false alarms per hour with one key, limits of 95 %",
        "false_alarms",
        "False alarms with 256 keys",
        (("all", "everywhere"),),
        ("per hour (95 %)",),
        "{}",
    ),
    Figure(
        "ViSQOL of marked speech, informed: least, median",
        "quality",
        "Quality by class",
        (("informed", "speech"),),
        ("ViSQOL least", "median"),
        "{}, {}",
    ),
    Figure(
        "dynamics processor against float64: largest difference, least SNR over all recordings",
        "dynamics",
        _WHOLE,
        (("smart-speaker",),),
        ("largest LSB", "least SNR dB"),
        "{} LSB, {} dB",
    ),
    Figure(
        "`smart-speaker` less `conventional` at equal cone excursion: bass, loudness, distortion; mean",
        "dynamics",
        _SPEAKER,
        (("mean",),),
        ("bass, dB more", "loudness, LU more", "distortion, dB more"),
        "{} dB, {} LU, {} dB",
    ),
    Figure(
        "the same: recordings on which all three meet their targets",
        "dynamics",
        _SPEAKER,
        (("all three met by",),),
        ("target",),
        "{}",
    ),
    Figure(
        "detector on a Cortex-M4: MIPS, RAM, flash",
        "device",
        _DEVICE,
        (("watermark-detector",),),
        ("MIPS", "RAM", "flash"),
        "{}, {} bytes, {} bytes",
    ),
    Figure(
        "dynamics processor on a Cortex-M4, 48 kHz mono: MIPS, RAM, flash",
        "device",
        _DEVICE,
        (("mbdp-smart-speaker",),),
        ("MIPS", "RAM", "flash"),
        "{}, {} bytes, {} bytes",
    ),
    Figure(
        "detector on one core of the machine measured, a recording of 10 min",
        "cost",
        "Speed of the Q15 detector, one key",
        (("10 min",),),
        ("times real time",),
        "{} times real time",
    ),
    Figure(
        "`bittrue check`, all of it: kernels to be compiled, kernels in the cache",
        "exactness",
        "bittrue check",
        (("to be compiled",), ("in the cache",)),
        ("seconds",),
        "{} s, {} s",
    ),
    Figure(
        "a sweep of 1000 rows, 8 s of audio each, 2 processes",
        "sweep",
        "A distance sweep, 1 to 15 m, 8 s of audio a row",
        (("1000",),),
        ("minutes",),
        "{} minutes",
    ),
)


def summary(results: Path) -> str:
    """The table in Markdown, from the JSON in a folder of results.

    Raises
    ------
    ConfigError
        A benchmark has no results, or they have no such cell.
    """
    lines = ["| what | measured | by |", "|---|---|---|"]
    for figure in FIGURES:
        target = figure.benchmark.replace("_", "-")
        lines.append(f"| {figure.says} | {_cells(figure, results)} | `make bench-{target}` |")
    return "\n".join(lines) + "\n"


def _cells(figure: Figure, results: Path) -> str:
    path = results / f"{figure.benchmark}.json"
    if not path.is_file():
        raise ConfigError(f"benchmark {figure.benchmark}: no {path.name} in benchmarks/results, run it first")
    tables: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["tables"]
    try:
        table = next(table for table in tables if table["title"] == figure.table)
        found = [_row(table["rows"], first) for first in figure.rows]
        return figure.text.format(
            *(row[table["columns"].index(name)] for row in found for name in figure.columns)
        )
    except (StopIteration, ValueError) as error:
        raise ConfigError(
            f"{path.name}: no {figure.columns} of {figure.rows} in table {figure.table!r}"
        ) from error


def _row(rows: list[list[str]], first: tuple[str, ...]) -> list[str]:
    return next(row for row in rows if tuple(row[: len(first)]) == first)
