"""Tasks over processes, with a progress bar on standard error."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from benchmarks.harness.report import progress_console


def run_tasks(
    label: str, function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], jobs: int
) -> list[Any]:
    """function(*task) for each task, over `jobs` processes; results in the order of the tasks.

    Processes are started afresh, not forked: a fork would copy Numba's and the libraries' threads half-way.
    The first exception ends the run.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    results: list[Any] = [None] * len(tasks)
    context = multiprocessing.get_context("spawn")
    with (
        Progress(*columns, console=progress_console) as progress,
        ProcessPoolExecutor(max_workers=max(1, min(jobs, len(tasks))), mp_context=context) as pool,
    ):
        bar = progress.add_task(label, total=len(tasks))
        futures = {pool.submit(function, *task): index for index, task in enumerate(tasks)}
        try:
            for future in as_completed(futures):
                results[futures[future]] = future.result()
                progress.advance(bar)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results
