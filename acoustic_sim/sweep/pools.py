"""Where batches are computed: processes of this machine, or a Dask cluster; both hand out plain futures."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from typing import Any, Protocol
from urllib.parse import urlsplit

from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.backend import resource_tracker
from joblib.externals.loky.process_executor import TerminatedWorkerError

from acoustic_sim.border.interrupts import interrupts_held
from acoustic_sim.sweep.worker import begin
from fixedpoint.errors import BittrueError, ConfigError

_ONE_THREAD = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "NUMBA")
_CONNECT_SECONDS = 10.0
_BEGIN_SECONDS = 1.0  # milliseconds, as a rule
WORKERS_SECONDS = 30.0  # that a cluster may be without workers

Note = Callable[[str], None]


class WorkerDied(Exception):
    """The process that computed a batch ended."""


class Pool(Protocol):
    """Workers.

    slots : how many batches to have under way
    isolates : whether a process that ends takes its own batch with it, and nothing else
    tries_by_itself : whether a batch is tried again before `WorkerDied` is raised
    """

    isolates: bool
    tries_by_itself: bool

    @property
    def slots(self) -> int: ...
    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]: ...
    def result(self, future: Future[Any]) -> Any:
        """The result of a future that is done; raises WorkerDied."""

    def look(self) -> None:
        """Now and then while nothing is done: raises BittrueError where nobody is at work."""

    def close(self) -> None: ...


class LocalPool:
    """Processes of this machine, each an executor of its own: one that dies takes down no other.

    Libraries run on one thread in them: rows are what runs side by side.
    """

    isolates = True
    tries_by_itself = False

    def __init__(self, jobs: int) -> None:
        self.slots = jobs
        _start_tracker()
        self._free: list[ProcessPoolExecutor] = []
        self._busy: dict[Future[Any], ProcessPoolExecutor] = {}

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Begin a call in a free process, which is started if there is none."""
        # A process inherits what is held, and so loads its modules undisturbed; see `begin`.
        with interrupts_held(signal.SIGTERM):
            executor = self._free.pop() if self._free else _executor()
            future = executor.submit(function, *arguments)
            self._busy[future] = executor  # before an interrupt can come: what is not listed is not ended
        return future

    def result(self, future: Future[Any]) -> Any:
        """The result of a future that is done; its process is free, or replaced.

        Raises
        ------
        WorkerDied
        """
        executor = self._busy.pop(future)
        try:
            found = future.result()
        except TerminatedWorkerError as error:
            executor.shutdown(kill_workers=True)
            raise WorkerDied from error
        except BrokenExecutor as error:
            executor.shutdown(kill_workers=True)
            raise BittrueError(f"workers cannot load what they are to compute: {error}") from error
        self._free.append(executor)
        return found

    def look(self) -> None:
        """A process that ends ends its future."""

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        deadline = time.monotonic() + _BEGIN_SECONDS
        for future in self._busy:  # loky's thread fails over a call that it has not begun when it is to end
            while not (future.running() or future.done()) and time.monotonic() < deadline:
                time.sleep(0.002)
        for executor in [*self._free, *self._busy.values()]:
            executor.shutdown(kill_workers=True)


def _start_tracker() -> None:
    """loky's own process, which cleans up after a kill, and is to do so without a word on stderr."""
    before = os.environ.get("PYTHONWARNINGS")
    if not sys.warnoptions:
        os.environ["PYTHONWARNINGS"] = "ignore"  # read once, when a process starts
    try:
        resource_tracker.ensure_running()
    finally:
        if before is None:
            os.environ.pop("PYTHONWARNINGS", None)
        else:
            os.environ["PYTHONWARNINGS"] = before


def _executor() -> ProcessPoolExecutor:
    env = {f"{library}_NUM_THREADS": "1" for library in _ONE_THREAD}
    if not sys.warnoptions:
        env["PYTHONWARNINGS"] = "ignore"  # of libraries, as in the command line's own process
    return ProcessPoolExecutor(1, initializer=begin, initargs=(os.getpid(),), env=env)


class ClusterPool:
    """The workers of a Dask scheduler.

    The scheduler tries a batch whose worker ends on other workers, and then blames all that ran there.

    Parameters
    ----------
    identity : what must be the same on every worker as here; each batch brings that of its worker along,
        since workers may join at any time
    note : told, in one line, that there are no workers yet, or any more

    Raises
    ------
    ConfigError
        An address of another form, no Dask here, nobody who answers, no workers, workers without bittrue or
        with another version.
    """

    isolates = False
    tries_by_itself = True

    def __init__(
        self, address: str, identity: Callable[[], Any] | None = None, note: Note | None = None
    ) -> None:
        scheme = _scheme(address)
        try:
            from distributed import Client, KilledWorker, Security
        except ImportError as error:
            raise ConfigError(f"--cluster {address}: needs Dask; pip install 'bittrue[cluster]'") from error
        _silence_dask()
        self.address = address
        self._killed = KilledWorker
        self._identity = identity or _version
        self._note = note
        self._alone_since: float | None = None  # since when there are no workers
        # Ahead of a client: one that fails by anything but a refused connection ends with a traceback.
        if scheme == "tls" and Security().get_connection_args("client")["ssl_context"] is None:
            says = "tls needs certificates; name them in Dask's settings, distributed.comm.tls"
            raise ConfigError(f"--cluster {address}: {says}")
        try:
            self._client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            says = f"no Dask scheduler answers there ({type(error).__name__})"
            raise ConfigError(f"--cluster {address}: {says}") from error
        try:
            while not self._has_workers():
                time.sleep(0.1)
            self._here = self._identity()
            self._require_same()
        except BaseException:
            self._client.close()
            raise
        self._under_way: dict[Future[Any], Any] = {}  # Dask's own future of each; what is not held is dropped

    def _has_workers(self) -> bool:
        """False is told once, and raises ConfigError after a time."""
        if self._client.nthreads():
            self._alone_since = None
            return True
        now = time.monotonic()
        if self._alone_since is None:
            self._alone_since = now
            if self._note is not None:
                self._note(f"--cluster {self.address}: no workers; waiting for {WORKERS_SECONDS:g} s")
        elif now - self._alone_since > WORKERS_SECONDS:
            says = f"no workers found; start one with: dask worker {self.address}"
            raise ConfigError(f"--cluster {self.address}: {says}")
        return False

    def _require_same(self) -> None:
        """Of the workers that are there, before anything is computed."""
        try:
            found = self._client.run(self._identity)
        except Exception as error:
            raise self._useless(error) from error
        for worker, there in found.items():
            self._compare(worker, there)

    def _compare(self, worker: str, there: Any) -> None:
        if there != self._here:
            says = f"another bittrue found on {worker}, {there}; {self._here} needed"
            raise ConfigError(f"--cluster {self.address}: {says}")

    def _useless(self, error: Exception) -> ConfigError:
        says = f"a worker cannot load bittrue: {type(error).__name__}: {error}"
        return ConfigError(f"--cluster {self.address}: {says}")

    @property
    def slots(self) -> int:
        """Threads of all workers, and half as many again, so that none waits for the next batch."""
        threads = sum(self._client.nthreads().values())
        return max(1, threads + (threads + 1) // 2)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Begin a call somewhere.

        Notes
        -----
        Not by Dask's executor: where a worker dies between a batch's end and its collection, that takes the
        result for an exception. Asked for here, it is computed again.
        """
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        computed = self._client.submit(_signed, self._identity, function, *arguments, pure=False)
        self._under_way[future] = computed
        computed.add_done_callback(partial(_deliver, future))
        return future

    def result(self, future: Future[Any]) -> Any:
        """The result of a future that is done.

        Raises
        ------
        WorkerDied, BittrueError
        """
        self._under_way.pop(future)
        try:
            worker, there, found = future.result()
        except self._killed as error:
            raise WorkerDied from error
        except (CancelledError, OSError) as error:
            raise self._lost(error) from error
        except Exception as error:  # rows answer for themselves, so that this is the worker's
            raise self._useless(error) from error
        self._compare(worker, there)
        return found

    def look(self) -> None:
        """Whether there still are workers; a scheduler gives them a batch when they come.

        Raises
        ------
        BittrueError
        """
        try:
            self._has_workers()
        except OSError as error:
            raise self._lost(error) from error

    def _lost(self, error: BaseException) -> BittrueError:
        says = f"connection lost ({type(error).__name__}); what came so far is kept"
        return BittrueError(f"--cluster {self.address}: {says}")

    def close(self) -> None:
        """Let go of the cluster, which stays; batches under way are cancelled."""
        with suppress(Exception):  # it may be gone
            self._client.cancel(list(self._under_way.values()), force=True)
            self._client.close()


def _deliver(future: Future[Any], computed: Any) -> None:
    """In a thread of Dask's: what was computed, wherever that was."""
    try:
        found = computed.result()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(found)


def _signed(identity: Callable[[], Any], function: Callable[..., Any], *arguments: Any) -> Any:
    """On a worker: (its address, what it is, the result)."""
    from distributed import get_worker

    return get_worker().address, identity(), function(*arguments)


def _silence_dask() -> None:
    """What its loggers say is said here as well; some have a level of their own."""
    for name in ("distributed", *list(logging.root.manager.loggerDict)):
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _scheme(address: str) -> str:
    """ "tcp" or "tls" of an address such as tcp://HOST:PORT; raises ConfigError of any other."""
    with suppress(ValueError):  # a port that is no number or beyond 65535, an odd bracket
        parts = urlsplit(address)
        if parts.scheme in ("tcp", "tls") and parts.hostname and parts.port:
            return parts.scheme
    raise ConfigError(f"--cluster {address}: tcp://HOST:PORT or tls://HOST:PORT needed")


def _version() -> str:
    return version("bittrue")


def open_pool(
    jobs: int, cluster: str | None, identity: Callable[[], Any] | None = None, note: Note | None = None
) -> Pool:
    """Processes of this machine, or the cluster at an address."""
    return LocalPool(jobs) if cluster is None else ClusterPool(cluster, identity, note)
