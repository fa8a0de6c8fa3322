"""The likely cause of a difference: usual suspects are tried, and ranked by what they explain of it."""

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from firmware_model.case import Case
from firmware_model.golden.cases import find_case
from firmware_model.golden.causes import data_suspects, fault_search, fault_sites, run_suspects
from firmware_model.golden.causes import faulty_primitives as faulty
from firmware_model.golden.causes.fault_search import Job, Match
from firmware_model.golden.causes.ranking import Cause, Tally, cause_of, ranked, weigh_run
from firmware_model.golden.dumps.dump_values import Values
from firmware_model.golden.dumps.evidence import Evidence, origin_of
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


# What may look like another thing is said after it, where both fit equally.
_LAST = ("coefficient order",)


def find_causes(
    evidence: Evidence, case: Case, x: Values, nodes: dict[str, Values], cache: Path | None = None
) -> list[Cause]:
    """Suspects that give the dump, the simplest first; if there is none, those that give most of it.

    What was only written otherwise needs no other cause; all the others are tried, and ranked.

    Parameters
    ----------
    x : input of the whole dump;  nodes : the dump
    cache : folder for compiled copies, None for the user's
    """
    causes = list(_of_the_data(evidence, case, nodes))
    if not any(cause.complete for cause in causes):
        causes += _of_the_run(evidence, case, x)
        causes += _of_the_arithmetic(evidence, cache)
    causes.sort(key=lambda cause: cause.kind in _LAST)
    found = ranked(causes)
    names = [f"{cause.kind}: {cause.text}" for cause in found if cause.complete]
    return [
        cause._replace(alternatives=tuple(name for i, name in enumerate(names) if i != k))
        if cause.complete
        else cause
        for k, cause in enumerate(found)
    ]


def _of_the_data(evidence: Evidence, case: Case, nodes: dict[str, Values]) -> Iterator[Cause]:
    for options, equal in data_suspects.misread(evidence, case, nodes):
        tally = Tally(evidence, case)
        for name, got in evidence.got.items():
            tally.take(name, 0, got if name in equal else evidence.expected[name][:, : got.shape[1]])
        score = tally.score()
        if score:
            yield cause_of(score, MISREAD, f"equal when read with {options}")
        if score and score.complete:
            return  # the same once more in other words is no other cause
    named: set[str] = (
        set()
    )  # kinds, and texts, of which the first that fits speaks for the same in other words
    for guess in data_suspects.guesses(evidence, case):
        said = guess.kind in named or guess.simpler in named
        weighed = None if said else data_suspects.weigh(guess, evidence, case)
        if weighed:
            score, gap = weighed
            named.add(guess.text)
            yield cause_of(score, guess.kind, guess.text, gap=gap)
            if score.complete and guess.kind not in data_suspects.IN_TIME:
                named |= data_suspects.alike(guess.kind)


def _of_the_run(evidence: Evidence, case: Case, x: Values) -> Iterator[Cause]:
    if evidence.run is not None:
        return
    for suspect in run_suspects.suspects(case, evidence.x, x):
        score = weigh_run(evidence, case, suspect.start(), suspect.x, suspect.valid)
        if score:
            origin = (
                origin_of(evidence, case, suspect.start().push(suspect.x))
                if suspect.x is evidence.x
                else None
            )
            yield cause_of(score, suspect.kind, suspect.text, origin)


def _of_the_arithmetic(evidence: Evidence, cache: Path | None) -> Iterator[Cause]:
    # The narrowest place first: it says where what can be seen of the fault lies.
    best: dict[tuple[int, int], list[Match]] = {}
    for match in search_faults(evidence, cache):
        best.setdefault((match.mode, match.score.explained - match.score.spoiled), []).append(match)
    for (mode, _), found in best.items():
        found.sort(key=lambda match: len(match.sites))
        text = found[0].where
        if len(found) > 1:
            text += f"; the same bits result if the same is wrong {_widely(found[-1].where)}"
        yield cause_of(found[0].score, MODE_KINDS[mode], text, found[0].origin)


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
