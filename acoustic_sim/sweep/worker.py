"""What a worker process does: rows of a batch, each with its outcome or its error."""

import os
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from acoustic_sim.sweep.design import Condition
from fixedpoint.errors import BittrueError

Outcome = dict[str, Any] | str  # or the line of an error
Evaluate = Callable[[Sequence[Condition]], Iterable[tuple[Condition, Outcome]]]
_WATCH_SECONDS = 1.0


class Answer(NamedTuple):
    """What came of a row.

    seconds : since the answer before it, or since the batch began
    """

    row: int
    outcome: Outcome
    seconds: float
    worker: str


def begin(parent: int) -> None:
    """At the start of a process of this machine: Ctrl-C is the parent's to handle; without it, an end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # held while it was started
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A killed parent cannot end its workers, and one that waits for work would wait for ever."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def evaluate_batch(evaluate: Evaluate, conditions: Sequence[Condition]) -> list[Answer]:
    """An answer for each condition, whatever `evaluate` does short of ending the process.

    An exception is the error of the row it came in. Which one that is shows only when rows are evaluated one
    at a time: what a batch leaves without an answer is evaluated so.
    """
    worker = f"{platform.node()}:{os.getpid()}"
    answers: dict[int, Answer] = {}
    since = time.perf_counter()

    def keep(found: Iterator[tuple[Condition, Outcome]]) -> None:
        nonlocal since
        for condition, outcome in found:
            now = time.perf_counter()
            answers[condition.row] = Answer(condition.row, outcome, now - since, worker)
            since = now

    failure = _failure_of(keep, evaluate, conditions)
    for condition in conditions:
        if condition.row not in answers and len(conditions) > 1:
            failure = _failure_of(keep, evaluate, [condition])
        if condition.row not in answers:
            now = time.perf_counter()
            answers[condition.row] = Answer(condition.row, failure or "no outcome", now - since, worker)
            since = now
    return [answers[condition.row] for condition in conditions]


def _failure_of(
    keep: Callable[[Iterator[tuple[Condition, Outcome]]], None],
    evaluate: Evaluate,
    conditions: Sequence[Condition],
) -> str:
    """Evaluate, keep what comes; the line of the exception that ended it, or nothing."""
    try:
        keep(iter(evaluate(conditions)))
    except BittrueError as error:
        return _one_line(str(error))
    except Exception as error:  # a fault in one row must not cost the others
        return _one_line(f"{type(error).__name__}: {error}")
    return ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
