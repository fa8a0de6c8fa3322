"""Limits against a sweep's rows: what was measured, with its 95 % interval, and whether that will do."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t as student

from acoustic_sim.sweep.statistics import CONFIDENCE, Rate
from firmware_model.report.factors import ARITHMETIC, text_of
from firmware_model.report.page import Section, Table
from firmware_model.report.source import Source
from firmware_model.report.verdict.limits import Limit, Where, load
from firmware_model.report.verdict.quantities import Trials, device_of, numbers_of, trials_of
from fixedpoint.errors import ConfigError, meant_or_accepted

_ENOUGH = 10_000_000  # trials, beyond which no number is named
_MOST_NAMED = 6  # values of a column, in an error


class Decided(NamedTuple):
    """A limit, and what the rows say of it.

    value : share, mean, or worst row; None where every row that is meant ended in an error
    lower, upper : ends of the 95 % interval; of the worst row its value
    of : what was counted, "300 marks, 12 rows"
    errors : rows that are meant and ended in an error
    """

    limit: Limit
    value: float | None
    lower: float | None
    upper: float | None
    of: str
    errors: int
    says: str

    @property
    def deciding(self) -> float | None:
        """The end of the interval that the limit is held against."""
        return self.lower if self.limit.at_least else self.upper

    @property
    def ok(self) -> bool:
        """Whether the limit is kept, by every row that is meant, with the confidence of the interval."""
        end = self.deciding
        if end is None or self.errors:
            return False
        return end >= self.limit.bound if self.limit.at_least else end <= self.limit.bound

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "name": self.limit.name,
            "value": self.value,
            "upper": self.upper,
            "ok": self.ok,
            "lower": self.lower,
            "measure": self.limit.measure,
            "at_least" if self.limit.at_least else "at_most": self.limit.bound,
            "where": [str(condition) for condition in self.limit.where],
            "line": self.limit.line,
            "of": self.of,
            "errors": self.errors,
            "says": self.says,
        }


def decide(path: str, source: Source) -> list[Decided]:
    """Every limit of a file.

    Raises
    ------
    ConfigError
        The file or a limit cannot be used, a limit is about no row, or rows are missing.
    """
    limits = load(path)
    done, wanted = len(source.rows) + len(source.failed), source.meta["rows"]
    if done < wanted:
        raise ConfigError(
            f"{source.meta['path']}: {done} of {wanted} rows so far; limits are held against all of them"
        )
    trials = trials_of(source)
    decided = []
    for limit in limits:
        try:
            decided.append(_decide(limit, source, trials))
        except ConfigError as error:
            raise ConfigError(f"{path}: limit {limit.name!r}: {error}") from error
    return decided


def in_words(decided: Decided) -> str:
    """One line: "missed at home: 1.2 % (0.5 to 2.9), at most 5 %, of 300 marks, 25 rows: kept"."""
    limit = decided.limit
    verdict = "kept" if decided.ok else f"VIOLATED: {decided.says}"
    return f"limit {limit.name}: {limit.measure} {measured(decided)}, {limit.asks}; {decided.of}: {verdict}"


def measured(decided: Decided) -> str:
    """ "0.012 (0.005 to 0.029)"; "none" where no row could be computed."""
    if decided.value is None or decided.lower is None or decided.upper is None:
        return "none"
    if decided.limit.each_row:
        return f"{decided.value:.4g}"
    return f"{decided.value:.4g} ({decided.lower:.4g} to {decided.upper:.4g})"


def section(decided: Sequence[Decided]) -> Section:
    """For the page."""
    rows = [
        [
            each.limit.name,
            f"{each.limit.measure} {each.limit.asks}",
            ", ".join(map(str, each.limit.where)) or "all rows",
            "kept" if each.ok else f"violated: {each.says}",
            measured(each),
            each.of,
        ]
        for each in decided
    ]
    heads = ["limit", "asks", "where", "verdict", "measured (95 % limits)", "of"]
    text = f"{lead(decided)} The end of the 95 % interval that is nearer to the limit decides, not the value."
    return Section("Limits", [text], tables=[Table(heads, rows, left=4)])


def lead(decided: Sequence[Decided]) -> str:
    """How many are kept."""
    kept = sum(each.ok for each in decided)
    broken = ", ".join(each.limit.name for each in decided if not each.ok)
    return f"{kept} of {len(decided)} limits kept" + (f"; violated: {broken}." if broken else ".")


def _decide(limit: Limit, source: Source, trials: Mapping[str, Trials]) -> Decided:
    everything = [*source.rows, *source.failed]
    axes = _axes(source)
    _require_known(limit, source, trials, axes)
    where = limit.where
    if ARITHMETIC not in {condition.column for condition in where}:
        where = (*where, _of_the_device(source))
    rows = [row for row in source.rows if _is_meant(row, where)]
    # A row that failed has no outcome: a condition on one cannot say that it is not meant.
    failed = [row for row in source.failed if _is_meant(row, [each for each in where if each.column in axes])]
    if not rows and not failed:
        raise ConfigError(f"matches no row; {_why_none(limit, everything)}")
    errors = len(failed)
    if not rows:
        return Decided(limit, None, None, None, "no row without error", errors, f"all {errors} rows failed")
    if limit.measure in trials:
        found = _of_trials(limit, trials[limit.measure], rows)
    else:
        found = _of_measure(limit, rows)
    return found._replace(errors=errors, says=_says(found._replace(errors=errors), trials, rows))


def _of_trials(limit: Limit, trials: Trials, rows: Sequence[dict[str, Any]]) -> Decided:
    if not 0 <= limit.bound <= 1:
        raise ConfigError(f"{limit.asks}: {limit.measure} is a share, from 0 to 1: 5 % is 0.05")
    each = [trials.of.get(row["row"], np.zeros(0, bool)) for row in rows]
    total = sum(map(len, each))
    if not total:
        raise ConfigError(f"no {trials.noun} in the rows that match; there is nothing to count")
    of = f"{total} {trials.noun}{'' if total == 1 else 's'} in {_rows(len(rows))}"
    if limit.each_row:
        shares = [float(one.mean()) for one in each if len(one)]
        worst = min(shares) if limit.at_least else max(shares)
        return Decided(limit, worst, worst, worst, of, 0, "")
    rate = Rate(int(sum(one.sum() for one in each)), total)
    return Decided(limit, rate.value, *rate.interval, of, 0, "")


def _of_measure(limit: Limit, rows: Sequence[dict[str, Any]]) -> Decided:
    values = np.array([float(row[limit.measure]) for row in rows if row[limit.measure] is not None])
    if not len(values):
        raise ConfigError(f"{limit.measure} has no value in the {_rows(len(rows))} that match")
    absent = len(rows) - len(values)
    of = _rows(len(values)) + (f", {absent} more without a value" if absent else "")
    if limit.each_row:
        worst = float(values.min() if limit.at_least else values.max())
        return Decided(limit, worst, worst, worst, of, 0, "")
    low, high = mean_interval(values)
    if len(values) < 2:
        raise ConfigError("one row matches; the mean of at least 2 has an interval, or give each_row = true")
    return Decided(limit, float(values.mean()), low, high, of, 0, "")


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """Student's 95 % interval of the mean; without end of a single value. It takes values as independent."""
    if len(values) < 2:
        return -np.inf, np.inf
    half = student.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def _says(found: Decided, trials: Mapping[str, Trials], rows: Sequence[dict[str, Any]]) -> str:
    """Why a limit is not kept; "" of one that is."""
    if found.ok or found.value is None:
        return ""
    limit = found.limit
    parts = [f"{_rows(found.errors)} ended in an error"] if found.errors else []
    inside = found.value >= limit.bound if limit.at_least else found.value <= limit.bound
    end = found.deciding
    assert end is not None
    if not inside and limit.each_row:
        parts.append(f"the worst row has {found.value:.4g}")
    elif not inside:
        parts.append(f"{found.value:.4g} measured")
    elif not _keeps(limit, end):
        side = "lower" if limit.at_least else "upper"
        parts.append(f"{found.value:.4g} would do, the {side} end of its interval {end:.4g} does not")
        if limit.measure in trials:
            total = sum(len(trials[limit.measure].of.get(row["row"], ())) for row in rows)
            parts.append(_needed(limit, found.value, total))
    return "; ".join(filter(None, parts))


def _keeps(limit: Limit, end: float) -> bool:
    return end >= limit.bound if limit.at_least else end <= limit.bound


def _needed(limit: Limit, share: float, total: int) -> str:
    """How many trials it would take if the share stays as it is; "" where none would do."""

    def enough(n: int) -> bool:
        low, high = Rate(round(share * n), n).interval
        return _keeps(limit, low if limit.at_least else high)

    most = total
    while not enough(most):
        most *= 2
        if most > _ENOUGH:
            return ""
    least = most // 2
    while most - least > max(1, most // 100):
        middle = (least + most) // 2
        least, most = (least, middle) if enough(middle) else (middle, most)
    return f"about {most} would be enough at this share"


def _axes(source: Source) -> set[str]:
    """Columns that say what a row is, whatever came of it."""
    some = (source.rows or source.failed)[0]
    return set(some) - set(source.meta["outcome"]) - {"error"}


def _require_known(limit: Limit, source: Source, trials: Mapping[str, Trials], axes: set[str]) -> None:
    """Refuse names that no column has."""
    measures = [*trials, *numbers_of(source)]
    if limit.measure not in measures and source.rows:
        raise ConfigError(
            f"measure {limit.measure!r}: no such column; {meant_or_accepted(limit.measure, measures)}"
        )
    columns = [*sorted(axes), *numbers_of(source)]
    for condition in limit.where:
        if condition.column not in columns:
            accepted = meant_or_accepted(condition.column, columns)
            raise ConfigError(f"where.{condition.column}: no such column; {accepted}")


def _of_the_device(source: Source) -> Where:
    device = device_of(source.rows or source.failed)
    return Where(ARITHMETIC, device, "", 0.0, (device,))


def _is_meant(row: dict[str, Any], where: Sequence[Where]) -> bool:
    return all(condition.holds(row[condition.column]) for condition in where)


def _why_none(limit: Limit, rows: Sequence[dict[str, Any]]) -> str:
    """The first condition that no row fulfils, and what there is."""
    for condition in limit.where:
        if not any(condition.holds(row[condition.column]) for row in rows):
            values = list(dict.fromkeys(text_of(condition.column, row[condition.column]) for row in rows))
            more = f" and {len(values) - _MOST_NAMED} more" if len(values) > _MOST_NAMED else ""
            there = ", ".join(values[:_MOST_NAMED]) + more
            return f"{condition} asked for, {condition.column} is {there}"
    if not limit.where:
        return "there is none"
    return f"no row fulfils all of: {', '.join(map(str, limit.where))}"


def _rows(n: int) -> str:
    return f"{n} row" if n == 1 else f"{n} rows"
