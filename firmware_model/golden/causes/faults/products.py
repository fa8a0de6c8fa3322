"""The products with a named fault of arithmetic, "truncate" or "wrap@score_from", as careless firmware."""

import atexit
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from firmware_model.golden.causes.faults import primitives as faulty
from firmware_model.golden.causes.faults import sites as fault_sites
from firmware_model.golden.causes.faults import worker as fault_worker
from firmware_model.golden.causes.faults.copies import user_cache, writable
from firmware_model.golden.causes.faults.modes import MODES
from firmware_model.golden.causes.faults.worker import Request
from firmware_model.product import Product
from fixedpoint.errors import BittrueError, ConfigError, did_you_mean

FAULTS = {
    "truncate": faulty.TRUNCATE,
    "towards-zero": faulty.TOWARDS_ZERO,
    "half-even": faulty.EVEN,
    "half-away": faulty.AWAY,
    "round": faulty.ROUND,
    "wrap": faulty.WRAP,
    "word32": faulty.WORD_32,
    "word40": faulty.WORD_40,
}
_SECONDS = 300.0  # for one request, a compilation of all kernels included


class Fault(NamedTuple):
    """name : as it was asked for;  sites, mode : of `sites`' copy."""

    name: str
    product: Product
    sites: tuple[int, ...]
    mode: int


def parse_fault(text: str, product: Product) -> Fault:
    """A fault by its name: everywhere in a product, or in one kernel, "truncate@correlate".

    truncate : TRN where RND is meant;  round : RND where TRN is;  towards-zero, half-even, half-away : other
    roundings;  wrap : WRAP where SAT is meant;  word32, word40 : sums held in so few bits

    Raises
    ------
    ConfigError
        No such fault, no such kernel in this product, or a kernel without what the fault alters.
    """
    name, at, kernel = text.partition("@")
    if name not in FAULTS:
        meant = did_you_mean(name, FAULTS, "; ")
        raise ConfigError(f"fault {name!r}: must be one of {', '.join(FAULTS)}{meant}")
    made = _copy(product)
    mode = FAULTS[name]
    sites = [
        i for i in made.reachable(product.package.replace(".", "/")) if made.sites[i].primitive in MODES[mode]
    ]
    if at:
        kernels = sorted({made.sites[i].kernel for i in sites})
        sites = [i for i in sites if made.sites[i].kernel == kernel]
        if not sites:
            meant = did_you_mean(kernel, kernels, "; ")
            raise ConfigError(f"fault {text!r}: the kernel must be one of {', '.join(kernels)}{meant}")
    return Fault(text, product, tuple(sites), mode)


def run_faulty(fault: Fault, entry: str, arguments: tuple[Any, ...]) -> Any:
    """What a function of the product returns with a fault.

    Parameters
    ----------
    entry : "module:function"; the function calls the product's kernels
    arguments : of it, of classes that the copy knows

    Raises
    ------
    BittrueError
        The process that runs it ended, or took longer than five minutes.
    """
    worker = _workers.get(fault.product) or _workers.setdefault(fault.product, _Worker(fault.product))
    try:
        state, value = worker.ask(Request(entry, fault.sites, fault.mode, arguments))
    except (EOFError, OSError, pickle.UnpicklingError) as error:
        _close_workers()
        raise BittrueError(f"fault {fault.name!r}: the process with the altered kernels ended") from error
    if state == "failed":
        raise BittrueError(f"fault {fault.name!r}: {value}")
    return value


@cache
def _copy(product: Product) -> fault_sites.Copy:
    return fault_sites.rewrite(product, operators=False)


class _Worker:
    """A process that runs the altered copy, for as long as this one lives."""

    def __init__(self, product: Product) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="bittrue-")
        folder = fault_sites.write(_copy(product), writable(user_cache(), Path(self._scratch.name)), product)
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(Path(fault_worker.__file__).resolve())],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, request: Request) -> tuple[str, Any]:
        """The reply; EOFError or OSError where the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(_SECONDS, self._process.kill)
        timer.start()
        try:
            pickle.dump(tuple(request), self._process.stdin)
            self._process.stdin.flush()
            return pickle.load(self._process.stdout)
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the process, and wait for it."""
        self._process.kill()
        self._process.communicate()
        self._scratch.cleanup()


_workers: dict[Product, _Worker] = {}


@atexit.register
def _close_workers() -> None:
    while _workers:
        _workers.popitem()[1].close()
