"""What `simulate` found, as a table for people."""

from pathlib import Path
from typing import Any

from firmware_model.cli.terminal.output import counted, number, table
from firmware_model.watermark.params import WatermarkConfig


def report(rows: list[dict[str, Any]], config: WatermarkConfig) -> str:
    """The table, one row per file, and a summary below it."""
    headings = ["file", "marks", "found\nwith 1 mark\nQ15 / float"]
    headings += [f"found\nwith up to {config.max_marks}\nQ15 / float", "miss"]
    headings += ["stray\nQ15 / float", "score\nerror", "hops that\ndiffer", "blocks\nbit-exact"]
    headings += ["WSR\ndB", "NMR\ndB"]
    cells = []
    names = _shown_names([row["file"] for row in rows])
    for name, row in zip(names, rows, strict=True):
        q15, reference_, blocks = row["q15"], row["float"], row["bit_exact_blocks"]
        cells.append(
            [
                name,
                str(row["marks"]),
                *(f"{q15[count]} / {reference_[count]}" for count in ("one_mark", "found")),
                str(row["miss"]),
                f"{q15['strays']} / {reference_['strays']}",
                number(row["score_error_max"], 3),
                f"{row['decisions_differ']} of {row['hops']}",
                f"{blocks['equal']} of {blocks['total']}",
                number(row["wsr_db"]),
                number(row["nmr_db"]),
            ]
        )
    return f"{table(headings, cells)}\n\n{_summary(rows, config)}"


def _shown_names(paths: list[str]) -> list[str]:
    """Names without folders, where that tells the files apart."""
    names = [Path(path).name for path in paths]
    return names if len(set(names)) == len(names) else paths


def _summary(rows: list[dict[str, Any]], config: WatermarkConfig) -> str:
    marks, hops = sum(row["marks"] for row in rows), sum(row["hops"] for row in rows)
    q15, reference_ = (
        [sum(row[name][count] for row in rows) for count in ("one_mark", "found")]
        for name in ("q15", "float")
    )
    differ = sum(row["decisions_differ"] for row in rows)
    error = max(row["score_error_max"] for row in rows)
    equal = sum(row["bit_exact_blocks"]["equal"] for row in rows)
    total = sum(row["bit_exact_blocks"]["total"] for row in rows)
    names = _shown_names([row["file"] for row in rows])
    disagree = [name for name, row in zip(names, rows, strict=True) if not row["agree"]]
    lines = [
        f"{counted(len(rows), 'file')}, {counted(marks, 'mark')}: Q15 found {q15[0]} with one mark "
        f"and {q15[1]} with up to {config.max_marks} added, float {reference_[0]} and {reference_[1]}.",
        f"Q15 and float decide differently at {differ} of {hops} hops; scores differ by at most {error:.3f}, "
        f"{100 * error / config.threshold:.2f} % of the threshold.",
        f"{equal} of {total} randomly sized blocks gave the same bits as whole hops.",
    ]
    if disagree:
        lines.append(f"Q15 and float report different detections in: {', '.join(disagree)}.")
    return "\n".join(lines)
