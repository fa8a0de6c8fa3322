"""What a sweep costs: processes, rows, overhead, memory, and the same done by hand; on an idle machine."""

import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from acoustic_sim.sweep.design import Condition
from acoustic_sim.sweep.plan import Plan
from acoustic_sim.sweep.results import Results
from acoustic_sim.sweep.run import Progress, run
from benchmarks.harness.report import Table, arguments, progress_console, publish, rounded, verdict
from benchmarks.harness.report import run as run_benchmark
from benchmarks.sweep.by_hand import by_hand
from firmware_model.report import plans

MINUTES, SPEED_UP, OVERHEAD_MS, MEMORY_MB, BY_HAND = 15.0, 1.8, 5.0, 600.0, 10.0
GROWTH_MB = 60.0  # of a worker's memory over the last three quarters of the rows: flat
DISTANCE = """
product = "watermark"
repeats = {repeats}
[programme]
synthesise = ["music", "voice"]
seconds = 8
[axes]
distance_m = {{ from = 1, to = 15, steps = 5 }}
rt60_s = 0.5
snr_db = [0, 5, 10, 15, 20]
arithmetic = ["q15", "float"]
"""  # 100 rows for each repeat
KEYS = """
product = "watermark"
[programme]
synthesise = ["music"]
seconds = 8
[axes]
distance_m = {distances}
rt60_s = 0.5
snr_db = [0, 5, 10, 15, 20]
key = ["5eed5eed5eed5eed", "0123456789abcdef", "1111222233334444", "fedcba9876543210", "c0ffeec0ffee"]
"""  # 25 rows for each room


class Cost(NamedTuple):
    """Of one sweep: seconds by the wall clock and of all processors, and memory as it went on.

    memory_mb : (share of the rows that are done, largest resident size of a worker, MB)
    """

    rows: int
    errors: int
    seconds: float
    cpu_s: float
    memory_mb: list[tuple[float, float]]

    @property
    def peak_mb(self) -> float:
        return max((size for _, size in self.memory_mb), default=0.0)

    @property
    def growth_mb(self) -> float:
        """From a quarter of the rows to the end."""
        late = [size for share, size in self.memory_mb if share >= 0.25]
        return late[-1] - late[0] if late else 0.0


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A folder whose cache is empty; the user's stays out of it."""
    before, folder = os.environ.get("BITTRUE_CACHE"), Path(tempfile.mkdtemp())
    os.environ["BITTRUE_CACHE"] = str(folder / "cache")
    try:
        yield folder
    finally:
        if before is None:
            del os.environ["BITTRUE_CACHE"]
        else:
            os.environ["BITTRUE_CACHE"] = before
        shutil.rmtree(folder, ignore_errors=True)


def measure(text: str, jobs: int, evaluate: Callable[..., Any] | None = None) -> Cost:
    """Run a plan from nothing: no row, no cache, no process."""
    with fresh_folder() as folder:
        plan = _load(text, folder)
        product = plans.study_of(plan.product)
        sizes: list[tuple[float, float]] = []

        def sample(progress: Progress) -> None:
            if progress.done % max(progress.total // 40, 1) == 0 and progress.done:
                sizes.append((progress.done / progress.total, _largest_child_mb()))

        begun, cpu_before_s = time.perf_counter(), _cpu_s()
        with Results.open(folder / "out", plan, product.OUTCOME) as results:
            done = run(results, evaluate or product.evaluate, product.group_key, jobs=jobs, progress=sample)
        seconds = time.perf_counter() - begun
        return Cost(done.done, done.errors, seconds, _cpu_s() - cpu_before_s, sizes)


def _load(text: str, folder: Path) -> Plan:
    (folder / "plan.toml").write_text(text)
    return plans.load(str(folder / "plan.toml"))


def _cpu_s() -> float:
    """Of this process and those that it started and that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _largest_child_mb() -> float:
    """Largest resident size of the processes that this one started; on Linux."""
    sizes = [0.0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            facts = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:
            continue  # has ended
        if int(facts["PPid"]) == os.getpid() and "VmRSS" in facts:
            sizes.append(int(facts["VmRSS"].split()[0]) * 1024 / 1e6)
    return max(sizes)


def no_audio(conditions: Sequence[Condition]) -> Iterator[tuple[Condition, dict[str, Any]]]:
    """An outcome of the usual size, for nothing."""
    filled: dict[type, Any] = {int: 3, float: 1.23456789, list: [1.23456789] * 8}
    for condition in conditions:
        outcome = plans.study_of(condition.product).OUTCOME
        yield condition, {name: filled[kind] for name, kind in outcome.items()}


def measure_rows(repeats: Sequence[int], jobs: int) -> tuple[list[Table], dict[str, Any]]:
    """Rows, memory, and processes against one."""
    table = Table(
        "A distance sweep, 1 to 15 m, 8 s of audio a row",
        [
            "rows",
            "processes",
            "minutes",
            "s a row",
            "CPU s a row",
            "target",
            "MB a worker",
            "target",
            "growth MB",
            "target",
        ],
        "Q15 and float, 9 keys, from an empty cache; growth of resident size from a quarter of the rows on.",
    )
    costs = []
    for count in repeats:
        cost = measure(DISTANCE.format(repeats=count), jobs)
        costs.append(cost)
        minutes = cost.seconds / 60
        table.add(
            cost.rows,
            jobs,
            f"{minutes:.2f}",
            f"{cost.seconds / cost.rows:.3f}",
            f"{cost.cpu_s / cost.rows:.3f}",
            verdict(minutes, MINUTES if cost.rows >= 1000 else None, at_least=False),
            f"{cost.peak_mb:.0f}",
            verdict(cost.peak_mb, MEMORY_MB, at_least=False),
            f"{cost.growth_mb:.0f}",
            verdict(cost.growth_mb, GROWTH_MB if cost.rows >= 1000 else None, at_least=False),
        )
    largest = DISTANCE.format(repeats=repeats[-1])
    single = measure(largest, 1)
    double = costs[-1] if jobs == 2 else measure(largest, 2)
    speed_up = single.seconds / double.seconds
    empty = measure(largest, 1, no_audio)
    overhead_ms = 1e3 * empty.seconds / empty.rows
    figures = Table("Processes and overhead", ["figure", "value", "target"])
    figures.add(f"2 processes against 1, {single.rows} rows", f"{speed_up:.2f}", verdict(speed_up, SPEED_UP))
    figures.add(
        f"ms a row without audio, {empty.rows} rows, start of the process included",
        f"{overhead_ms:.2f}",
        verdict(overhead_ms, OVERHEAD_MS, at_least=False),
    )
    data = {
        "rows": [
            {
                "rows": cost.rows,
                "errors": cost.errors,
                "seconds": rounded(cost.seconds),
                "cpu_s": rounded(cost.cpu_s),
                "memory_mb": [(rounded(share), rounded(size)) for share, size in cost.memory_mb],
            }
            for cost in costs
        ],
        "one_process_seconds": rounded(single.seconds),
        "two_processes": rounded(speed_up),
        "overhead_ms": rounded(overhead_ms),
    }
    return [table, figures], data


def measure_by_hand(rooms: int) -> tuple[Table, dict[str, Any]]:
    """5 keys and 5 noise levels in each room: the plan, and a loop over pyroomacoustics, one process each."""
    text = KEYS.format(distances=[2.0 + room for room in range(rooms)])
    swept = measure(text, 1)
    with fresh_folder() as folder:
        conditions, cpu_before_s = _load(text, folder).conditions(), _cpu_s()
        loop = by_hand(conditions)
        loop_cpu_s = _cpu_s() - cpu_before_s
    table = Table(
        "5 keys and 5 noise levels in a room, against a loop over pyroomacoustics, one process each",
        ["way", "rows", "seconds", "CPU s", "s a row", "ratio", "target"],
        "The sweep begins with an empty cache, and corrects its rooms' RT60 by measuring; marks kept: as if "
        "the loop embedded each key once.",
    )
    count, marking = swept.rows, loop.stages["programme and mark"]
    marked_once = loop.seconds - marking * (1 - 5 / count)
    table.add(
        "sweep", count, f"{swept.seconds:.1f}", f"{swept.cpu_s:.1f}", f"{swept.seconds / count:.3f}", "1", "-"
    )
    ways = (
        ("by hand", loop.seconds, f"{loop_cpu_s:.1f}", BY_HAND),
        ("by hand, marks kept", marked_once, "-", None),
    )
    for way, seconds, cpu, target in ways:
        ratio = seconds / swept.seconds
        table.add(
            way,
            count,
            f"{seconds:.1f}",
            cpu,
            f"{seconds / count:.3f}",
            f"{ratio:.1f}",
            verdict(ratio, target),
        )
    data = {
        "rows": count,
        "sweep_seconds": rounded(swept.seconds),
        "sweep_cpu_s": rounded(swept.cpu_s),
        "by_hand_cpu_s": rounded(loop_cpu_s),
        "by_hand_seconds": rounded(loop.seconds),
        "by_hand_stages": {name: rounded(seconds) for name, seconds in loop.stages.items()},
        "by_hand_marks_kept_seconds": rounded(marked_once),
        "by_hand_found": loop.found,
    }
    return table, data


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__)
    progress_console.print("by hand, then 100, 300 and 1000 rows: five to ten minutes on two idle cores")
    against, against_data = measure_by_hand(2 if options.quick else 8)
    tables, data = measure_rows((1,) if options.quick else (1, 3, 10), options.jobs)
    publish("sweep", options.folder, [*tables, against], data | {"by_hand": against_data})


if __name__ == "__main__":
    run_benchmark(main)
