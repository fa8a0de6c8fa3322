"""Porting mistakes planted in the exported C, one at a time: what `bittrue compare` says of the dumps."""

import json
import os
import re
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.exactness import time_command
from benchmarks.harness.report import ROOT, Table, arguments, progress_console, publish, run, verdict
from benchmarks.planted import (
    dynamics_arithmetic,
    dynamics_runs,
    example,
    firmware,
    watermark_arithmetic,
    watermark_runs,
)
from benchmarks.planted.mistake import Mistake
from benchmarks.planted.reading import READ
from benchmarks.planted.verdict import Outcome, Verdict, judge
from firmware_model.device.export.product import CProduct, product_of_case
from firmware_model.golden.cases import find_case
from fixedpoint.errors import ConfigError

EXAMPLE = ROOT / "examples/own_product"
MISTAKES = tuple(
    mistake
    for part in (dynamics_arithmetic, dynamics_runs, watermark_arithmetic, watermark_runs, example)
    for mistake in part.MISTAKES
)
DUMPS = ("nodes", "output")
RIGHTLY, SECONDS = 85.0, 60.0  # per cent named rightly; of the slowest search
_QUICK = 12  # mistakes of a trial


class Tried(NamedTuple):
    """A mistake with one of its dumps."""

    mistake: Mistake
    dump: str
    verdict: Verdict
    seconds: float


@contextmanager
def example_installed(folder: Path) -> Iterator[dict[str, str]]:
    """The example as an installed package, here and, by this environment, in commands."""
    info = folder / "bittrue_dcgate-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bittrue-dcgate\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[bittrue.products]\ndcgate = dcgate.product:PRODUCT\n")
    path = [str(EXAMPLE), str(folder)]
    sys.path[:0] = path
    try:
        yield {"PYTHONPATH": os.pathsep.join(path)}
    finally:
        for each in path:
            sys.path.remove(each)


@cache
def exported(name: str) -> CProduct:
    """The C of a case."""
    return product_of_case(find_case(name))


def dump_of(mistake: Mistake, folder: Path) -> dict[str, np.ndarray]:
    """Nodes that the C with the mistake gives.

    Raises
    ------
    ConfigError
        The mistake cannot be planted.
    """
    product = exported(mistake.case)
    try:
        source = mistake.plant(product.source)
        return firmware.run(find_case(mistake.case), product, source, folder, READ[mistake.case])
    except ConfigError as error:
        raise ConfigError(f"{mistake.kind}, {mistake.where}, {mistake.case}: {error}") from error


def try_mistake(
    mistake: Mistake, nodes: dict[str, np.ndarray], dump: str, folder: Path, environment: dict[str, str]
) -> Tried | None:
    """Hand a dump of all the nodes, or of the output alone, to `bittrue compare`; None: the output is right.

    Raises
    ------
    ConfigError
        The mistake alters no node.
    """
    name = find_case(mistake.case).output.name
    held = nodes if dump == "nodes" else {name: nodes[name]}
    path = folder / "dump.npz"
    np.savez(path, allow_pickle=False, **held)
    ran = time_command(["compare", mistake.case, str(path), "--json"], environment)
    if ran.status == 0 and dump == "output":
        return None
    if ran.status != 1:
        what = f"{mistake.kind}, {mistake.where}, {mistake.case}"
        raise ConfigError(f"{what}: status {ran.status} found, 1 expected: {ran.output}")
    return Tried(mistake, dump, judge(mistake, json.loads(ran.output), tuple(held)), ran.seconds)


def tables(tried: list[Tried]) -> list[Table]:
    """The totals, and each mistake."""
    totals = Table(
        "Planted mistakes: totals",
        [
            "dump",
            "mistakes",
            *Outcome,
            "named rightly, %",
            "target",
            "first node right",
            "slowest, s",
            "target",
        ],
        "Falsely: a cause is stated, and not what was planted. Among equals: of others that fit, one is.",
    )
    for dump in dict.fromkeys(each.dump for each in tried):
        some = [each for each in tried if each.dump == dump]
        counts = {outcome: sum(each.verdict.outcome == outcome for each in some) for outcome in Outcome}
        share = 100 * counts[Outcome.RIGHTLY] / len(some)
        slowest = max(each.seconds for each in some)
        first = sum(each.verdict.first for each in some)
        within = verdict(slowest, SECONDS, at_least=False)
        totals.add(
            dump,
            len(some),
            *counts.values(),
            f"{share:.0f}",
            verdict(share, RIGHTLY),
            first,
            f"{slowest:.0f}",
            within,
        )
    rows = Table(
        "Planted mistakes",
        ["kind", "planted in", "case", *(f"named from {dump}" for dump in DUMPS), "first node", "seconds"],
        "First node: of the nodes that the firmware's memory shows, and whether it was told from them.",
    )
    for mistake in dict.fromkeys(each.mistake for each in tried):
        by_dump = {each.dump: each for each in tried if each.mistake is mistake}
        named = [by_dump[dump].verdict.outcome.value if dump in by_dump else "-" for dump in DUMPS]
        right = all(each.verdict.first for each in by_dump.values())
        seconds = ", ".join(f"{by_dump[dump].seconds:.0f}" for dump in DUMPS if dump in by_dump)
        rows.add(
            mistake.kind,
            mistake.where,
            mistake.case,
            *named,
            f"{mistake.first} {'yes' if right else '**NO**'}",
            seconds,
        )
    return [totals, rows]


def facts(each: Tried) -> dict[str, Any]:
    """What the JSON file holds of it."""
    mistake = each.mistake
    return {
        "kind": mistake.kind,
        "where": mistake.where,
        "case": mistake.case,
        "dump": each.dump,
        "named": each.verdict.outcome.value,
        "said": each.verdict.said,
        "first_node": each.verdict.first,
        "seconds": round(each.seconds, 1),
    }


def in_words(each: Tried) -> str:
    """A line for the terminal."""
    mistake, said = each.mistake, each.verdict
    what = f"{mistake.kind}, {mistake.where}, {mistake.case}, {each.dump}"
    return f"{what}: {said.outcome}: {said.said} ({each.seconds:.0f} s)"


def _add_choice(parser: ArgumentParser) -> None:
    parser.add_argument("--only", metavar="REGEX", help="those whose kind, place or case match; a trial")


def main() -> None:
    """Plant, run, compare and publish."""
    options = arguments(__doc__, _add_choice)
    chosen = [m for m in MISTAKES if re.search(options.only or "", f"{m.kind}, {m.where}, {m.case}")]
    chosen = chosen[:: max(1, len(chosen) // _QUICK)] if options.quick else chosen
    tried: list[Tried] = []
    with tempfile.TemporaryDirectory() as base, example_installed(Path(base, "site")) as environment:
        for i, mistake in enumerate(chosen):
            folder = Path(base, str(i))
            nodes = dump_of(mistake, folder)
            for dump in DUMPS:
                found = try_mistake(mistake, nodes, dump, folder, environment)
                if found:
                    tried.append(found)
                    line = f"{i + 1}/{len(chosen)} {in_words(found)}"
                    progress_console.print(line, highlight=False, markup=False, soft_wrap=True)
    publish("planted", options.folder, tables(tried), {"mistakes": [facts(each) for each in tried]})


if __name__ == "__main__":
    run(main)
