"""The likely cause of a difference: usual suspects are tried, and named if they give the dump bit for bit."""

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from firmware_model.case import Case
from firmware_model.golden.cases import find_case
from firmware_model.golden.causes import data_suspects, fault_search, fault_sites, run_suspects
from firmware_model.golden.causes import faulty_primitives as faulty
from firmware_model.golden.causes.fault_search import Job, Match
from firmware_model.golden.dumps.dump_values import Values
from firmware_model.golden.dumps.evidence import Evidence, Origin, origin_of, reproduced
from fixedpoint.errors import BittrueError

SEARCH_S = 120.0
_STALE_S = 30 * 24 * 3600  # copies unused for 30 days are removed, as compiled kernels are

MISREAD = "form of the file"
FORMS = (MISREAD, data_suspects.BYTE_ORDER, data_suspects.UNSIGNED)  # right values, wrongly written
MODE_KINDS = {
    faulty.TRUNCATE: "truncation for rounding",
    faulty.WRAP: "wrap for saturation",
    faulty.WORD_32: "32-bit accumulator",
    faulty.WORD_40: "40-bit accumulator",
    faulty.TOWARDS_ZERO: "rounding towards zero",
    faulty.EVEN: "rounding of halves to even",
    faulty.AWAY: "rounding of halves away from zero",
    faulty.ROUND: "rounding for truncation",
}


class Cause(NamedTuple):
    """A suspect that gives the dump.

    kind : one of MODE_KINDS, or "coefficient order", "state not cleared", "off by one", "delay",
        "byte order", "Q format", "channel swap", "polarity", "unsigned", "bypass", "zeros", "constant",
        MISREAD
    text : what exactly, where
    nodes : of the dump, that it gives bit for bit
    complete : whether these are all nodes that differ
    origin : where its run leaves the model, in signal-flow order; None where the arithmetic is not at fault
    """

    kind: str
    text: str
    nodes: tuple[str, ...]
    complete: bool
    origin: Origin | None


def find_causes(
    evidence: Evidence, case: Case, x: Values, nodes: dict[str, Values], cache: Path | None = None
) -> list[Cause]:
    """Suspects that give the dump, the simplest first; if there is none, those that give some of its nodes.

    Parameters
    ----------
    x : input of the whole dump;  nodes : the dump
    cache : folder for compiled copies, None for the user's
    """
    partial: list[Cause] = []
    for stage in (
        lambda: _of_the_data(evidence, case, nodes),
        lambda: _of_the_run(evidence, case, x),
        lambda: _of_the_arithmetic(evidence, cache),
    ):
        causes = list(stage())
        complete = [cause for cause in causes if cause.complete]
        if complete:
            return complete
        partial += causes
    return sorted(partial, key=lambda cause: -len(cause.nodes))


def _of_the_data(evidence: Evidence, case: Case, nodes: dict[str, Values]) -> Iterator[Cause]:
    for options, equal in data_suspects.misread(evidence, case, nodes):
        complete = set(evidence.diverging) <= set(equal)
        yield Cause(MISREAD, f"equal when read with {options}", equal, complete, None)
        if complete:
            return  # the same once more in other words is no other cause
    for guess in data_suspects.guesses(evidence, case):
        found = data_suspects.explains(guess, evidence, case)
        if found:
            yield Cause(guess.kind, guess.text, found, set(found) == set(evidence.diverging), None)
            if set(found) == set(evidence.diverging):
                return


def _of_the_run(evidence: Evidence, case: Case, x: Values) -> Iterator[Cause]:
    if evidence.run is not None:
        return
    for suspect in run_suspects.suspects(case, evidence.x, x):
        alike = reproduced(evidence, case, suspect.start(), suspect.x, suspect.valid)
        if alike:
            origin = (
                origin_of(evidence, case, suspect.start().push(suspect.x))
                if suspect.x is evidence.x
                else None
            )
            yield Cause(suspect.kind, suspect.text, alike, set(alike) == set(evidence.got), origin)


def _of_the_arithmetic(evidence: Evidence, cache: Path | None) -> Iterator[Cause]:
    matches = search_faults(evidence, cache)
    # The narrowest place first: it says where what can be seen of the fault lies.
    best: dict[int, list[Match]] = {}
    for match in matches:
        best.setdefault(match.mode, []).append(match)
    for mode, found in best.items():
        found.sort(key=lambda match: (-len(match.nodes), len(match.sites)))
        most = [match for match in found if len(match.nodes) == len(found[0].nodes)]
        text = most[0].where
        if len(most) > 1:
            text += f"; the same bits result if the same is wrong {_widely(most[-1].where)}"
        complete = set(most[0].nodes) == set(evidence.got)
        yield Cause(MODE_KINDS[mode], text, most[0].nodes, complete, most[0].origin)


def _widely(where: str) -> str:
    """ "in all of apply_gain (file)" of "in apply_gain (file)"; other places as they are."""
    return f"in all of {where.removeprefix('in ')}" if where.startswith("in ") else where


def search_faults(
    evidence: Evidence,
    cache: Path | None = None,
    modes: tuple[int, ...] = tuple(MODE_KINDS),
    seconds: float = SEARCH_S,
) -> list[Match]:
    """Wrong roundings and saturations that give the dump, found in a process that runs the altered copy.

    modes : of `faulty_primitives`, to try;  seconds : after which the search ends with what it has found

    Raises
    ------
    BittrueError
        The process failed.
    """
    product = find_case(evidence.case).product
    assert product is not None, f"{evidence.case}: of no product"
    made = fault_sites.rewrite(product)
    reachable = made.reachable(product.package.replace(".", "/"))
    job = Job(product, evidence, tuple(made.sites), tuple(reachable), modes, seconds)
    with tempfile.TemporaryDirectory(prefix="bittrue-") as scratch:
        folder = fault_sites.write(made, writable(cache or user_cache(), Path(scratch)), product)
        environ = {**os.environ, "PYTHONPATH": str(folder)}
        command = [sys.executable, "-P", "-m", fault_search.__name__]
        ran = subprocess.run(
            command, input=pickle.dumps(job), cwd=folder, env=environ, capture_output=True, check=False
        )
    if ran.returncode != 0:
        last = ran.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise BittrueError(f"search for the cause: ended with status {ran.returncode}: {' '.join(last)}")
    return [Match(*fields) for fields in pickle.loads(ran.stdout)]


def user_cache() -> Path:
    """Folder of what is compiled."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bittrue"


def writable(base: Path, scratch: Path) -> Path:
    """`base` if copies can be kept there, else the scratch folder."""
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=base):
            pass
    except OSError:
        return scratch
    for old in base.glob("suspects-*"):
        if time.time() - old.stat().st_mtime > _STALE_S:
            shutil.rmtree(old, ignore_errors=True)
    return base
