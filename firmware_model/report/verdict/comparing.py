"""Two sweeps compared row by row: what got better and worse, and whether that is more than chance."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import wilcoxon

from acoustic_sim.sweep.statistics import Rate, compare_paired
from firmware_model.cli.terminal.output import Step, check_output, counted, replace_file
from firmware_model.report.measures import short
from firmware_model.report.page import Section, Table, page
from firmware_model.report.sections import condition_in_words
from firmware_model.report.source import Source, read
from firmware_model.report.verdict.deciding import mean_interval
from firmware_model.report.verdict.pairs import Pairs, Row, pair
from firmware_model.report.verdict.quantities import Trials, better_of, measures_of, trials_of

STAGES = ("read", "compare")
_SURE = 0.05  # largest p, after Holm's correction, of what is called a difference
_SAME = "no difference shown"
_MOST_ROWS = 10  # of each kind that are listed; --json has all


class Change(NamedTuple):
    """What became of one quantity.

    first, second : share or mean in each sweep, with the interval of a share
    difference : second less first, of a measure with its 95 % limits
    risen, fallen : pairs in which it is larger, and smaller, in the second sweep, the largest change first
    p : of the paired test; better : whether it rose for the better, None where nobody says
    """

    name: str
    words: str
    unit: str
    test: str
    of: str
    first: Any
    second: Any
    difference: tuple[float, float, float] | None
    alone: tuple[int, int] | None
    risen: list[tuple[Row, Row, float, float]]
    fallen: list[tuple[Row, Row, float, float]]
    p: float
    better: bool | None


def compare(folders: tuple[str, str], out: str | None, step: Step) -> dict[str, Any]:
    """Compare two sweeps; the page goes to `out` where that is given.

    Raises
    ------
    ConfigError, BittrueError
        No results, two products, no row in common, a file that cannot be written.
    """
    if out is not None:
        check_output(out, [], (".html", ".htm"))
    step(STAGES[0])
    sources = read(folders[0]), read(folders[1])
    pairs = pair(*sources, folders)
    step(STAGES[1])
    changes = _changes(sources, pairs)
    adjusted = _holm([change.p for change in changes])
    verdicts = [_verdict(change, p) for change, p in zip(changes, adjusted, strict=True)]
    findings = [*_rows_in_words(pairs, folders), *map(_in_words, changes, adjusted, verdicts)]
    tables = [table for change in changes for table in _tables(change, sources)]
    if out is not None:
        title = f"{folders[0]} and {folders[1]}"
        changed = Section("Rows that changed", tables=tables)
        replace_file(out, page(title, findings, [_summary(changes, adjusted, verdicts), changed]).encode())
    return {
        "first": folders[0],
        "second": folders[1],
        "product": sources[0].meta["product"],
        "arithmetic": list(pairs.arithmetic),
        "differs": pairs.differs,
        "rows": len(pairs.both),
        "only_first": [row["row"] for row in pairs.only[0]],
        "only_second": [row["row"] for row in pairs.only[1]],
        "errors_first": [row["row"] for row in pairs.errors[0]],
        "errors_second": [row["row"] for row in pairs.errors[1]],
        "errors_both": pairs.both_failed,
        "compared": [
            _as_json(change, p, verdict, sources)
            for change, p, verdict in zip(changes, adjusted, verdicts, strict=True)
        ],
        "findings": findings,
        "files": [] if out is None else [out],
    }


def in_words(facts: dict[str, Any]) -> str:
    """The findings, and the rows that changed."""
    lines = list(facts["findings"])
    for change in facts["compared"]:
        for kind in ("better", "worse", "rose", "fell"):
            rows = change[kind]
            if rows and (change["kind"] == "share" or change["verdict"] != _SAME):
                lines += ["", f"{kind}, {change['measure']}: {counted(len(rows), 'row')}"]
                lines += [f"  {_row_in_words(row)}" for row in rows[:_MOST_ROWS]]
                lines += [f"  and {len(rows) - _MOST_ROWS} more"] if len(rows) > _MOST_ROWS else []
    return "\n".join(lines + [f"written: {path}" for path in facts["files"]])


def _changes(sources: tuple[Source, Source], pairs: Pairs) -> list[Change]:
    first, second = (trials_of(source) for source in sources)
    found = [_of_trials(name, first[name], second[name], pairs) for name in first if name in second]
    told, better = measures_of(sources[0]), better_of(sources[0])
    there = set(measures_of(sources[1]))
    found += [_of_measure(name, told[name], better.get(name), pairs) for name in told if name in there]
    return [change for change in found if change is not None]


def _of_trials(name: str, first: Trials, second: Trials, pairs: Pairs) -> Change | None:
    """McNemar's test on the trials of the rows that both have."""
    rows, before, after = [], [], []
    for a, b in pairs.both:
        x, y = first.of.get(a["row"]), second.of.get(b["row"])
        if x is None or y is None:
            continue
        n = min(len(x), len(y))
        before.append(x[:n])
        after.append(y[:n])
        rows.append((a, b, float(x[:n].sum()), float(y[:n].sum())))
    total = sum(map(len, before))
    if not total:
        return None
    x, y = np.concatenate(before), np.concatenate(after)
    paired = compare_paired(x, y)
    uneven = sum(len(first.of[a["row"]]) != len(second.of[b["row"]]) for a, b, *_ in rows)
    of = f"{counted(total, first.noun)} in {counted(len(rows), 'row')}"
    if uneven:
        of += f", in {uneven} of which one sweep has more {first.noun}s, which do not count"
    return Change(
        name,
        first.words,
        "",
        "McNemar",
        of,
        Rate(int(x.sum()), total),
        Rate(int(y.sum()), total),
        None,
        (paired.first_only, paired.second_only),
        *_moved(rows),
        paired.p,
        not first.fewer_is_better,
    )


def _of_measure(name: str, told: tuple[str, str, str], better: str | None, pairs: Pairs) -> Change | None:
    """Wilcoxon's signed-rank test on the differences, and Student's interval of their mean."""
    rows = [
        (a, b, float(a[name]), float(b[name]))
        for a, b in pairs.both
        if a.get(name) is not None and b.get(name) is not None
    ]
    if not rows:
        return None
    d = np.array([y - x for _, _, x, y in rows])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few rows, which have a p all the same
        p = float(wilcoxon(d).pvalue) if np.any(d) else 1.0
    absent = len(pairs.both) - len(rows)
    return Change(
        name,
        told[0],
        told[1],
        "Wilcoxon",
        counted(len(rows), "row") + (f", {absent} more without a value" if absent else ""),
        float(np.mean([x for _, _, x, _ in rows])),
        float(np.mean([y for *_, y in rows])),
        (float(d.mean()), *mean_interval(d)),
        None,
        *_moved(rows),
        p,
        None if better is None else better == "more",
    )


def _moved(rows: Sequence[tuple[Row, Row, float, float]]) -> tuple[list[Any], list[Any]]:
    """Rows in which it rose, and in which it fell, the largest change first."""
    ordered = sorted(rows, key=lambda row: (-abs(row[3] - row[2]), row[0]["row"]))
    return [row for row in ordered if row[3] > row[2]], [row for row in ordered if row[3] < row[2]]


def _holm(p: Sequence[float]) -> list[float]:
    """Holm's correction: the chance of any false difference among all of them stays what it is for one."""
    adjusted, highest = [1.0] * len(p), 0.0
    for rank, index in enumerate(np.argsort(p, kind="stable")):
        highest = max(highest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = highest
    return adjusted


def _verdict(change: Change, p: float) -> str:
    if p >= _SURE:
        return _SAME
    if change.alone is not None:
        rose = change.alone[1] > change.alone[0]
    else:
        assert change.difference is not None
        rose = change.difference[0] > 0
    if change.better is None:
        return "rose" if rose else "fell"
    return "better" if rose == change.better else "worse"


def _rows_in_words(pairs: Pairs, names: tuple[str, str]) -> list[str]:
    """What was compared with what, and what was not."""
    lines = [f"{counted(len(pairs.both), 'row')} of {names[0]} and {names[1]} compared, arithmetic "]
    lines[0] += " and ".join(dict.fromkeys(pairs.arithmetic)) + "."
    lines += [f"What differs: {'; '.join(pairs.differs)}."] if pairs.differs else []
    for name, only, failed in zip(names, pairs.only, pairs.errors, strict=True):
        if only:
            lines.append(f"{counted(len(only), 'row')} only {name} has, not compared: {_numbers(only)}.")
        if failed:
            lines.append(f"{counted(len(failed), 'row')} failed in {name} alone: {_numbers(failed)}.")
    if pairs.both_failed:
        lines.append(f"{counted(pairs.both_failed, 'row')} failed in both.")
    return lines


def _numbers(rows: Sequence[Row]) -> str:
    """ "rows 3, 4, 9 and 12 more"."""
    shown = ", ".join(str(row["row"]) for row in rows[:_MOST_ROWS])
    return f"row {shown}" + (f" and {len(rows) - _MOST_ROWS} more" if len(rows) > _MOST_ROWS else "")


def _in_words(change: Change, p: float, verdict: str) -> str:
    name = f"{change.words[0].upper()}{change.words[1:]}"
    tested = f"{change.test} p = {_p(p)}: {verdict}."
    if change.alone is not None:
        alone = f"only before {change.alone[0]}, only after {change.alone[1]}, of {change.of}"
        return f"{name}: {change.first} before, {change.second} after; {alone}; {tested}"
    assert change.difference is not None
    mean, low, high = change.difference
    limits = f" ({short(low)} to {short(high)})" if np.isfinite(low) else ""
    ends = f"{short(change.first)} before, {short(change.second)} after" + (
        f" ({change.unit})" if change.unit else ""
    )
    moved = f"{mean:+.3g}".replace("-", "−")
    rows = f"rose in {len(change.risen)}, fell in {len(change.fallen)} of {change.of}"
    return f"{name}: {ends}, {moved}{limits} in the mean; {rows}; {tested}"


def _p(p: float) -> str:
    return "1" if p == 1 else f"{p:.2g}"


def _moves(change: Change) -> dict[str, list[Any]]:
    """Rows by what became of them, in the words of the quantity."""
    if change.better is None:
        return {"rose": change.risen, "fell": change.fallen}
    better, worse = (change.risen, change.fallen) if change.better else (change.fallen, change.risen)
    return {"better": better, "worse": worse}


def _as_json(change: Change, p: float, verdict: str, sources: tuple[Source, Source]) -> dict[str, Any]:
    facts: dict[str, Any] = {"measure": change.name, "verdict": verdict, "p": p, "p_alone": change.p}
    facts |= {"test": change.test, "of": change.of}
    if change.alone is not None:
        facts |= {"kind": "share", "first": change.first.as_json(), "second": change.second.as_json()}
        facts |= {"first_only": change.alone[0], "second_only": change.alone[1]}
    else:
        assert change.difference is not None
        mean, low, high = change.difference
        facts |= {"kind": "mean", "first": change.first, "second": change.second}
        facts |= {"difference": mean, "low": low, "high": high}
    moves = {"better": [], "worse": [], "rose": [], "fell": []} | _moves(change)
    return facts | {
        kind: [
            {
                "first_row": a["row"],
                "second_row": b["row"],
                "first": x,
                "second": y,
                "condition": condition_in_words(sources[0], a),
            }
            for a, b, x, y in rows
        ]
        for kind, rows in moves.items()
    }


def _row_in_words(row: Mapping[str, Any]) -> str:
    numbers = str(row["first_row"])
    if row["second_row"] != row["first_row"]:
        numbers += f" and {row['second_row']}"
    return f"row {numbers}: {short(row['first'])} before, {short(row['second'])} after; {row['condition']}"


def _summary(changes: Sequence[Change], adjusted: Sequence[float], verdicts: Sequence[str]) -> Section:
    rows = []
    for change, p, verdict in zip(changes, adjusted, verdicts, strict=True):
        ends = [
            str(value) if isinstance(value, Rate) else f"{short(value)} {change.unit}".rstrip()
            for value in (change.first, change.second)
        ]
        counts = [str(len(change.risen)), str(len(change.fallen))]
        rows.append([change.words, verdict, *ends, *counts, change.test, _p(p)])
    heads = ["", "verdict", "before", "after", "rows risen", "rows fallen", "test", "p"]
    text = (
        "Tests are paired and take rows and trials as independent; p is corrected for their number (Holm). "
        "Listed below are the rows that changed most."
    )
    return Section("What changed", [text], tables=[Table(heads, rows, left=2)])


def _tables(change: Change, sources: tuple[Source, Source]) -> list[Table]:
    tables = []
    for kind, rows in _moves(change).items():
        shown = [
            [str(a["row"]), str(b["row"]), condition_in_words(sources[0], a), short(x), short(y)]
            for a, b, x, y in rows[:_MOST_ROWS]
        ]
        if shown:
            note = f"{change.words}, {kind}: {counted(len(rows), 'row')}"
            note += f", of which the {_MOST_ROWS} that changed most" if len(rows) > _MOST_ROWS else ""
            heads = ["row before", "row after", "condition", "before", "after"]
            tables.append(Table(heads, shown, left=3, note=note))
    return tables
