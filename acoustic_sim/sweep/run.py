"""Have the missing rows of a plan computed, and keep each as it comes."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, NamedTuple

from acoustic_sim.sweep.design import Condition
from acoustic_sim.sweep.pools import Note, Pool, WorkerDied, open_pool
from acoustic_sim.sweep.results import Results, Timing
from acoustic_sim.sweep.worker import Answer, Evaluate, evaluate_batch

MAX_BATCH = 32  # rows: what a kill costs at most, for each worker
BATCHES_PER_WORKER = 8  # at least, where there are rows enough, so that workers end together
MAX_TRIES_ALONE = 3
WORKER_DIED = "worker died"
_LOOK_SECONDS = 2.0  # between looks at a pool in which nothing is done


class Progress(NamedTuple):
    """How far a sweep is.

    done : rows that there are;  before : those of earlier runs;  errors : rows that are errors
    total : rows of the plan
    seconds_left : at the pace of the rows so far, all workers together; None while nobody can say
    """

    done: int
    before: int
    errors: int
    total: int
    seconds_left: float | None = None


class _Pace:
    """How long rows take, and the first row of a batch, which makes what the others share.

    The first row of each worker's first batch counts nowhere: it compiles kernels as well.
    """

    def __init__(self) -> None:
        self._workers: set[str] = set()
        self._first: list[float] = []
        self._rest: list[float] = []

    def add(self, answers: Sequence[Answer]) -> None:
        """A batch that is done; one whose worker died says nothing."""
        if not answers or not answers[0].worker:
            return
        seconds = [answer.seconds for answer in answers]
        if answers[0].worker in self._workers:
            self._first.append(seconds[0])
        self._workers.add(answers[0].worker)
        self._rest += seconds[1:]

    def seconds_left(self, rows: int, batches: int) -> float | None:
        """All workers together; None before any has done a second batch."""
        if not rows:
            return 0.0
        if not self._first:
            return None
        first = sum(self._first) / len(self._first)
        rest = sum(self._rest) / len(self._rest) if self._rest else first
        return (batches * first + (rows - batches) * rest) / len(self._workers)


class Batch(NamedTuple):
    """Conditions that one worker computes.

    deaths : how many workers it, or the batch it was part of, has seen die
    """

    conditions: tuple[Condition, ...]
    deaths: int = 0


def run(
    results: Results,
    evaluate: Evaluate,
    group_key: Callable[[Condition], Hashable],
    *,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    identity: Callable[[], Any] | None = None,
    note: Note | None = None,
) -> Progress:
    """Compute every row of the plan that `results` has not.

    Parameters
    ----------
    results : opened for the plan
    evaluate : conditions of one group -> (condition, outcome or an error's line) for each; must be importable
        where the workers are, and depend on nothing but the conditions
    group_key : conditions of the same key share work, and are handed over together where they can be
    jobs : processes of this machine, 1 or more; also with one, rows are computed in a process of its own
    cluster : address of a Dask scheduler, tcp://HOST:PORT, instead of them
    progress : called at the begin and after each row
    identity : what must be the same on every worker of a cluster as here, such as a hash of the code; a
        worker on which it raises an error is refused
    note : told in a line where a cluster has no workers

    Raises
    ------
    BittrueError
        Results that cannot be written any more, a cluster that cannot be reached; rows so far are kept.

    Notes
    -----
    A worker that dies takes its batch along. The rows of it are then computed alone, each up to three times;
    the row in which workers go on dying gets the error `WORKER_DIED`.
    """
    sweep = _Sweep(results, progress)
    missing = results.missing()
    sweep.tell()
    if missing:
        pool = open_pool(jobs, cluster, identity, note)
        try:
            sweep.queue.extend(batches(missing, group_key, pool.slots))
            sweep.work(pool, evaluate)
        finally:
            pool.close()
    return sweep.progress


def batches(
    conditions: Iterable[Condition], group_key: Callable[[Condition], Hashable], workers: int
) -> list[Batch]:
    """Conditions by group, in the order of the groups' first rows; large groups are cut."""
    groups: dict[Hashable, list[Condition]] = {}
    total = 0
    for condition in conditions:
        groups.setdefault(group_key(condition), []).append(condition)
        total += 1
    size = min(MAX_BATCH, max(1, total // (BATCHES_PER_WORKER * workers)))
    return [
        Batch(tuple(group[start : start + size]))
        for group in groups.values()
        for start in range(0, len(group), size)
    ]


class _Sweep:
    """The state of one run."""

    def __init__(self, results: Results, tell: Callable[[Progress], None] | None) -> None:
        done, errors = results.counts()
        self.progress = Progress(done, done, errors, results.meta["rows"])
        self.queue: deque[Batch] = deque()
        self._suspects: deque[Batch] = deque()  # single rows whose worker died
        self._under_way: dict[Future[Any], Batch] = {}
        self._results = results
        self._tell = tell
        self._pace = _Pace()

    def tell(self) -> None:
        if self._tell is not None:
            self._tell(self.progress)

    def work(self, pool: Pool, evaluate: Evaluate) -> None:
        """Until nothing is left; the next batches begin before the last ones are written."""
        self._submit(pool, evaluate)
        while self._under_way:
            done, _ = wait(self._under_way, _LOOK_SECONDS, return_when=FIRST_COMPLETED)
            if not done:
                pool.look()
                continue
            collected = [self._collect(pool, future) for future in done]
            self._submit(pool, evaluate)
            for batch, answers in collected:
                self._keep(batch, answers)

    def _submit(self, pool: Pool, evaluate: Evaluate) -> None:
        slots = pool.slots
        while len(self._under_way) < slots and (self.queue or self._suspects):
            if self._suspects and not pool.isolates:
                if self._under_way:
                    return  # a suspect has the workers for itself, so that none but it is to blame
                slots = 1
            batch = self._suspects.popleft() if self._suspects else self.queue.popleft()
            self._under_way[pool.submit(evaluate_batch, evaluate, batch.conditions)] = batch

    def _collect(self, pool: Pool, future: Future[Any]) -> tuple[Batch, Sequence[Answer]]:
        """The answers of a batch that is done; where its worker died, rows to try again, or errors."""
        batch = self._under_way.pop(future)
        try:
            return batch, pool.result(future)
        except WorkerDied:
            deaths = batch.deaths + 1
        if len(batch.conditions) > 1:
            self._suspects.extend(Batch((condition,)) for condition in batch.conditions)
        elif deaths < MAX_TRIES_ALONE and not pool.tries_by_itself:
            self._suspects.append(Batch(batch.conditions, deaths))
        else:
            return batch, [Answer(batch.conditions[0].row, WORKER_DIED, 0.0, "")]
        return batch, []

    def _keep(self, batch: Batch, answers: Sequence[Answer]) -> None:
        by_row = {answer.row: answer for answer in answers}
        self._pace.add(answers)
        waiting = [*self.queue, *self._suspects, *self._under_way.values()]
        left = self._pace.seconds_left(sum(len(each.conditions) for each in waiting), len(waiting))
        for condition in batch.conditions:
            answer = by_row.get(condition.row)
            if answer is None:
                continue
            self._results.add(
                condition, answer.outcome, Timing(answer.seconds, answer.worker, batch.deaths + 1)
            )
            failed, done = isinstance(answer.outcome, str), self.progress.done + 1
            self.progress = self.progress._replace(
                done=done, errors=self.progress.errors + failed, seconds_left=left
            )
            self.tell()
