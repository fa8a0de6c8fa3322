"""What `check` prints and writes: a live table, a report, JUnit XML, annotations for GitHub."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from firmware_model.cli.terminal import ci, output
from firmware_model.golden.conformance.check import FAILED, KINDS, PASSED, SKIPPED, Result, source_of

STATUSES = (PASSED, FAILED, SKIPPED)


class Tally:
    """Results so far, counted by kind and status."""

    def __init__(self, items: Iterable[str]) -> None:
        self.results: list[Result] = []
        self.items = list(items)
        kinds = [item.partition(":")[0] for item in self.items]
        self.expected = {kind: kinds.count(kind) for kind in KINDS if kind in kinds}

    def add(self, result: Result) -> None:
        self.results.append(result)

    def count(self, status: str, kind: str | None = None) -> int:
        return sum(r.status == status and kind in (None, r.kind) for r in self.results)

    def rows(self) -> list[list[str]]:
        """Kind, how many of how many are done, and of which status."""
        rows = []
        for kind, expected in self.expected.items():
            counts = [self.count(status, kind) for status in STATUSES]
            rows.append([kind, f"{sum(counts)}/{expected}", *map(str, counts)])
        return rows


@contextmanager
def live_table(tally: Tally) -> Iterator[Any]:
    """A table on stderr, where that is a terminal, of the tally; yields what to call with a result."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield tally.add
        return
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    def drawn() -> Table:
        running = tally.items[len(tally.results) :][:1]
        table = Table("kind", "done", *STATUSES, box=None, caption=" ".join(running), caption_justify="left")
        for row in tally.rows():
            table.add_row(*row)
        return table

    with Live(drawn(), console=Console(stderr=True), transient=True) as live:

        def add(result: Result) -> None:
            tally.add(result)
            live.update(drawn())

        yield add


def report(tally: Tally, seconds: float) -> str:
    """Counts, what was measured against the references, and each failure on a line."""
    results = sorted(tally.results)
    lines = [f"{r.item}: {r.says}" for r in results if r.status == PASSED and r.says]
    skipped: dict[str, int] = {}
    for r in results:
        if r.status == SKIPPED:
            skipped[r.says] = skipped.get(r.says, 0) + 1
    lines += [f"skipped {output.counted(count, 'item')}: {says}" for says, count in skipped.items()]
    failed = sorted((r for r in results if r.status == FAILED), key=lambda r: list(KINDS).index(r.kind))
    lines += [f"FAILED {r.item}: {r.says}" for r in failed]
    # Bits are of interest once all kernels keep to the subset.
    lines += [_next_step(r) for r in failed if r.kind == "case" and failed[0].kind != "subset"][:1]
    counts = ", ".join(f"{tally.count(status)} {status}" for status in STATUSES)
    table = output.table(["kind", "done", *STATUSES], tally.rows())
    parts = [table, "\n".join(lines), f"{counts} in {seconds:.1f} s"]
    return "\n\n".join(part for part in parts if part)


def _next_step(result: Result) -> str:
    """What tells more of a product that differs: its golden output, compared as if it were a dump."""
    case = result.name
    return f"for the likely cause: bittrue vectors DIR {case} && bittrue compare {case} DIR/{case}/output.bin"


def facts(tally: Tally, seconds: float) -> dict[str, Any]:
    """The same for machines."""
    cases: list[dict[str, Any]] = []
    for result in sorted(tally.results):
        first = result.first_difference
        row = {"item": result.item, "status": result.status, "says": result.says}
        times = {"seconds": round(result.seconds, 3)}
        cases.append(row | times | {"first_difference": first._asdict() if first else None})
    counts = {status: tally.count(status) for status in STATUSES}
    return {"cases": cases, **counts, "seconds": round(seconds, 3)}


def junit(tally: Tally) -> bytes:
    """JUnit XML: a suite for each kind."""
    return ci.junit("bittrue check", [_suite(tally, kind, count) for kind, count in tally.expected.items()])


def _suite(tally: Tally, kind: str, count: int) -> ci.Suite:
    results = sorted(result for result in tally.results if result.kind == kind)
    return ci.Suite(kind, count, [_case(result) for result in results])


def _case(result: Result) -> ci.Case:
    failure, skipped = (result.says if result.status == status else None for status in (FAILED, SKIPPED))
    return ci.Case(f"bittrue.{result.kind}", result.name, result.seconds, failure, skipped)


def annotations(tally: Tally) -> list[str]:
    """A workflow command of GitHub for each failure; a kernel's points at its source."""
    lines = []
    for result in sorted(tally.results):
        if result.status == FAILED:
            lines.append(ci.annotation(result.item, result.says, *(source_of(result) or ())))
    return lines
