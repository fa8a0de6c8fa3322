"""Sections of a sweep's page that every product has: what was swept, the worst rows, the rows that failed."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from firmware_model.cli.terminal.output import counted, number
from firmware_model.report.factors import ARITHMETIC, text_of, words_of
from firmware_model.report.page import Picture, Section, Table
from firmware_model.report.plot import spectrogram
from firmware_model.report.source import Source
from fixedpoint.errors import BittrueError

# Row -> what the microphone heard, (n,) int16 or float, and its rate in Hz.
Heard = Callable[[int], tuple[np.ndarray, int]]
_OF_A_HYPERCUBE = "A Latin hypercube: between the levels of one axis the other axes differ as well."
WORST = 10  # rows that are shown
MOST_ERRORS = 20  # kinds of errors that are listed


def swept(source: Source, note: str = "") -> Section:
    """The plan, its axes, what it ran on, and what it cost; `note` is a sentence of the product's, or ""."""
    meta = source.meta
    settings = meta["settings"]
    text = (
        f"Plan {meta['path']} (digest {meta['digest'][:12]}), {settings['design']}, seed {settings['seed']}, "
        f"{counted(settings['repeats'], 'repeat')}, {settings['seconds']:g} s of each programme."
    )
    axes = [[words_of(name)[0], *_values(name, values)] for name, values in meta["axes"].items()]
    axes.append(["programme", "", ", ".join(map(str, meta["programmes"]))])
    versions = [
        [str(run + 1), ", ".join(f"{name} {v}" for name, v in found.items())]
        for run, found in enumerate(meta["versions"])
    ]
    return Section(
        "What was swept",
        [text, *filter(None, (note, _cost(source)))],
        tables=[
            Table(["axis", "unit", "values"], axes, left=3),
            Table(["run", "versions"], versions, left=2),
        ],
    )


def rows_in_words(source: Source) -> str:
    """How far the sweep is."""
    done, wanted = len(source.rows) + len(source.failed), source.meta["rows"]
    rows = counted(wanted, "row") if done == wanted else f"{done} of {counted(wanted, 'row')} so far"
    errors = f", {counted(len(source.failed), 'error')}" if source.failed else ""
    text = f"{rows}{errors}; arithmetic {', '.join(source.arithmetics)}."
    return text if source.crossed else f"{text} {_OF_A_HYPERCUBE}"


def all_failed_in_words(source: Source) -> str:
    """That there is no row without error, and the most frequent one."""
    (error, count), *others = Counter(row["error"] for row in source.failed).most_common()
    most = f", {count} of {len(source.failed)} in this one" if others else ""
    return f"Every row so far ended in an error{most}: {error}"


def plan_text(source: Source) -> Section:
    """The plan as it was written."""
    return Section("The plan", code=source.meta["plan"].rstrip())


def worst_rows(source: Source, worst: Sequence[tuple[dict[str, Any], str]], heard: Heard | None) -> Section:
    """Pictures of rows, each with the command that reproduces it.

    Parameters
    ----------
    worst : rows, and what is bad about each
    heard : None leaves the spectrograms out
    """
    pictures = []
    for place, (row, what) in enumerate(worst, 1):
        caption = f"Row {row['row']}: {what}. {condition_in_words(source, row)}."
        png = b""
        if heard is not None:
            try:
                pcm, fs_hz = heard(row["row"])
                png = spectrogram(pcm, fs_hz, f"row {row['row']}: what the microphone heard")
            except BittrueError as error:
                caption += f" Its spectrogram could not be computed: {error}."
        command = source.command(row["row"], f" --wav row-{row['row']}.wav")
        alt = (
            f"Spectrogram of what the microphone heard in row {row['row']}: frequency over time, brighter "
            f"where louder. {what}."
        )
        pictures.append(Picture(f"worst-{place:02d}-row-{row['row']}", png, alt, caption, command))
    title = f"The {len(pictures)} worst rows" if len(pictures) > 1 else "The worst row"
    text = "Each with the command that computes it again and writes what was heard."
    return Section(title, [source.plan.says if source.plan.plan is None else text], pictures)


def failed_rows(source: Source) -> Section | None:
    """Errors, the most frequent first, with one row to look at each; None if there are none."""
    if not source.failed:
        return None
    counts = Counter(row["error"] for row in source.failed)
    first = {row["error"]: row["row"] for row in reversed(source.failed)}
    rows = [
        [error, str(n), source.command(first[error]) or f"row {first[error]}"]
        for error, n in counts.most_common(MOST_ERRORS)
    ]
    text = f"{counted(len(source.failed), 'row')} ended in an error and count nowhere else on this page."
    return Section(
        "Rows that failed", [text], tables=[Table(["error", "rows", "first of them"], rows, left=3)]
    )


def condition_in_words(source: Source, row: dict[str, Any]) -> str:
    """What of a row varies in the plan."""
    index = source.index.get(row["row"])
    parts = []
    if index is not None:
        for factor in source.factors:
            exact = row[factor.name]
            value = (
                f"{exact:g} {factor.unit}"
                if isinstance(exact, float)
                else factor.of_level(factor.level[index])
            )
            parts.append(f"{factor.words} {value}")
    if len(source.arithmetics) > 1:
        parts.append(f"arithmetic {row[ARITHMETIC]}")
    return ", ".join([*parts, f"repeat {row['repeat']}"])


def _values(name: str, values: Sequence[Any]) -> tuple[str, str]:
    """Unit, and the values in words; of many numbers the range."""
    unit = words_of(name)[1]
    numbers = [value for value in values if isinstance(value, (int, float))]
    if len(numbers) == len(values) and len(values) > 20:
        return unit, f"{len(values)} values from {min(values):g} to {max(values):g}"
    texts = [text_of(name, value) for value in values]
    return unit, ", ".join(texts)


def _cost(source: Source) -> str:
    seconds = [timing.seconds for timing in source.timings.values()]
    if not seconds:
        return ""
    again = sum(timing.attempts > 1 for timing in source.timings.values())
    median = number(float(np.median(seconds)), 2, " s")
    text = f"A row took {median} of a worker in the median, all of them {sum(seconds) / 60:.1f} min"
    return text + (f"; {counted(again, 'row')} had to be begun again." if again else ".")
