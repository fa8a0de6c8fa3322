"""What probes cost: the production path against kernels without any probe, and against probes that are on.

Two processes take turns: one has the sources as they are, the other a copy from which every
`if probes is not None:` is cut out before it compiles. Ratios are medians over paired turns.
"""

import ast
import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.report import ROOT, Table

CASES = ("mbdp-smart-speaker", "mbdp-six-bands", "watermark-detector")
SECONDS, LEAST_SECONDS, PAIRS = 10, 0.1, 4
OFF_TARGET, ON_TARGET = 0.03, 2.0
PACKAGES = ("fixedpoint", "firmware_model")

# Reads lines "CASE off|on", answers with the processor seconds of one pass, the mean of as many as last
# LEAST_SECONDS. The second argument is the folder imported.
WORKER = """
import sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np
import firmware_model
from firmware_model.golden.cases import CASES
assert firmware_model.__path__[0].startswith(sys.argv[1]), firmware_model.__path__
rng = np.random.default_rng(0)
inputs = {}
for line in sys.stdin:
    name, probes = line.split()
    case = CASES[name]
    if name not in inputs:
        x = rng.normal(0, 6000, (case.channels, case.fs_hz * %d)).clip(-32768, 32767).astype(np.int16)
        inputs[name] = case.whole_blocks(x)
    begun, passes, seconds = time.process_time(), 0, 0.0
    while seconds < %g:
        if probes == "on":
            for _ in case.frames(inputs[name], 0.1):
                pass
        else:
            case.plain(inputs[name])
        passes, seconds = passes + 1, time.process_time() - begun
    print(seconds / passes, flush=True)
"""


class _WithoutProbes(ast.NodeTransformer):
    """Cuts `if probes is not None:` out, and counts what it cut."""

    def __init__(self) -> None:
        self.cut = 0

    def visit_If(self, node: ast.If) -> Any:
        if ast.unparse(node.test) == "probes is not None":
            self.cut += 1
            return None
        return self.generic_visit(node)


def without_probes(source: str) -> tuple[str, int]:
    """The source without its probes, and how many there were."""
    cutter = _WithoutProbes()
    tree = cutter.visit(ast.parse(source))
    return (ast.unparse(tree), cutter.cut) if cutter.cut else (source, 0)


def copy_without_probes(folder: Path) -> int:
    """Copy the packages to a folder, without probes; returns how many were cut out."""
    total = 0
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (folder / package).rglob("*.py"):
            text, cut = without_probes(path.read_text("utf-8"))
            if cut:
                path.write_text(text, "utf-8")
            total += cut
    return total


@contextlib.contextmanager
def worker(folder: Path) -> Iterator[Any]:
    """A process that times passes with the packages of a folder: call it with a case and "off" or "on"."""
    command = [sys.executable, "-c", WORKER % (SECONDS, LEAST_SECONDS), str(folder)]
    with subprocess.Popen(
        command, cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def once(case: str, probes: str) -> float:
            stdin.write(f"{case} {probes}\n")
            stdin.flush()
            return float(stdout.readline())

        yield once
        stdin.close()


def time_pair(folder: Path, turns: int) -> dict[str, np.ndarray]:
    """Seconds of each case in a fresh pair of processes, shape (turns, 3): off, cut out, on, in turn.

    A process lays its memory out once, which moves these ratios by some per cent: several pairs, not one.
    """
    times = {}
    with worker(ROOT) as shipped, worker(folder) as bare:
        calls = [(shipped, "off"), (bare, "off"), (shipped, "on")]
        for case in CASES:
            for run, probes in calls:
                run(case, probes)  # compile, or load from the cache
            times[case] = np.empty((turns, len(calls)))
            for turn in range(turns):
                for which in np.roll(np.arange(len(calls)), turn):
                    run, probes = calls[which]
                    times[case][turn, which] = run(case, probes)
    return times


def measure(turns: int) -> tuple[Table, list[dict[str, Any]]]:
    """Ratios of time, by case."""
    columns = ["case", "probes off / cut out", "target", "probes on / off", "target"]
    note = (
        f"{SECONDS} s of noise, medians over {turns} turns, alternately, in {PAIRS} pairs of processes. Cut "
        "out: the same sources compiled without their probes. On: every node kept, frames of 0.1 s."
    )
    table, data = Table("What probes cost", columns, note), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cut = copy_without_probes(folder)
        pairs = [time_pair(folder, turns // PAIRS) for _ in range(PAIRS)]
    for case in CASES:
        off, bare, on = np.vstack([pair[case] for pair in pairs]).T
        off_ratio, on_ratio = float(np.median(off / bare)), float(np.median(on / off))
        within = abs(off_ratio - 1) <= OFF_TARGET
        table.add(
            case,
            f"{off_ratio:.3f}",
            f"1 ± {OFF_TARGET:g} {'yes' if within else '**NO**'}",
            f"{on_ratio:.2f}",
            f"≤ {ON_TARGET:g} {'yes' if on_ratio <= ON_TARGET else '**NO**'}",
        )
        ratios = {"off_over_cut": round(off_ratio, 4), "on_over_off": round(on_ratio, 3)}
        data.append({"case": case, **ratios})
    data.append({"probes_cut_out": cut})
    return table, data
