"""The search for a fault, in processes that run the altered copy."""

import io
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from firmware_model.case import Case
from firmware_model.golden import stimuli
from firmware_model.golden.cases import find_case
from firmware_model.golden.causes.faults import search, sites
from firmware_model.golden.causes.faults.copies import user_cache, writable
from firmware_model.golden.causes.faults.modes import KINDS
from firmware_model.golden.causes.faults.search import Job, Match
from firmware_model.golden.causes.ranking import Score
from firmware_model.golden.dumps.evidence import Evidence, Origin
from fixedpoint.errors import BittrueError

SEARCH_S = 50.0
_COMPILING_S = 300.0  # at most, before the search and beside it
_PROCESSES = 2
_OTHERS_S = 2.0  # of other cases' stimuli


def search_faults(
    evidence: Evidence,
    cache: Path | None = None,
    modes: tuple[int, ...] = tuple(KINDS),
    seconds: float = SEARCH_S,
) -> list[Match]:
    """Faults of the arithmetic that give the dump or most of it, found in processes that run an altered copy.

    modes : of `modes`, to try;  seconds : after which the search ends with what it has found

    Raises
    ------
    BittrueError
        A process failed.
    """
    case = find_case(evidence.case)
    product = case.product
    assert product is not None, f"{evidence.case}: of no product"
    made = sites.rewrite(product)
    reachable = tuple(made.reachable(product.package.replace(".", "/")))
    with tempfile.TemporaryDirectory(prefix="bittrue-") as scratch:
        folder = sites.write(made, writable(cache or user_cache(), Path(scratch)), product)
        others = {name: x for name, (_, x) in other_cases(case).items()}
        jobs = [
            Job(
                product,
                evidence,
                tuple(made.sites),
                reachable,
                modes,
                seconds,
                share,
                _PROCESSES,
                others,
            )
            for share in range(_PROCESSES)
        ]
        running = [_start(folder) for _ in jobs]
        try:
            found: list[Match] = []
            for process, job in zip(running, jobs, strict=True):
                assert process.stdin is not None
                process.stdin.write(pickle.dumps(job))
                process.stdin.close()
                process.stdin = None
            for process in running:
                found += _matches(process, seconds + _COMPILING_S)
        finally:
            for process in running:
                process.kill()
                process.communicate()
    return found


def other_cases(case: Case) -> dict[str, tuple[Case, np.ndarray]]:
    """The product's other cases by name, with the beginnings of their stimuli."""
    cases = case.product.cases if case.product else ()
    return {
        other.name: (other, other.whole_blocks(stimuli.load(other)[:, : round(_OTHERS_S * other.fs_hz)]))
        for other in cases
        if other.name != case.name
    }


def _start(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-P", "-m", search.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )


def _matches(process: "subprocess.Popen[bytes]", seconds: float) -> list[Match]:
    """What a process finds until it ends; a fault may make it loop, or end it: no board has that one."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    if process.returncode > 0:
        last = err.decode(errors="replace").strip().splitlines()[-1:]
        raise BittrueError(f"search for the cause: ended with status {process.returncode}: {' '.join(last)}")
    return [_match(fields) for fields in _read(out)]


def _read(out: bytes) -> Iterator[tuple[Any, ...]]:
    stream = io.BytesIO(out)
    while True:
        try:
            fields = pickle.load(stream)
        except (EOFError, pickle.UnpicklingError):
            return
        if fields is None:
            return
        yield fields


def _match(fields: tuple[Any, ...]) -> Match:
    match = Match(*fields)
    origin = Origin(*match.origin) if match.origin else None
    return match._replace(score=Score(*match.score), origin=origin)
