"""Which wrong rounding or saturation, and where, gives a dump bit for bit; runs within `fault_sites`' copy.

`python -m firmware_model.golden.causes.fault_search` there: a pickled Job on stdin, pickled matches, as plain
tuples, on stdout.
"""

import copy
import pickle
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from firmware_model.golden.causes import faulty_primitives as faulty
from firmware_model.golden.causes.fault_sites import Site
from firmware_model.golden.causes.ranking import Score, weigh_run
from firmware_model.golden.dumps.evidence import Evidence, Origin, origin_of
from firmware_model.product import Product

_ROUNDINGS = ("rnd_shift", "rnd_shift32", "sum_of_products", "mean")
_WIDE = ("rnd_shift", "trn_shift", "sat16", "sat32", "sum_of_products", "mean")
# Which primitives a mode alters, the likeliest first.
MODES: dict[int, tuple[str, ...]] = {
    faulty.TRUNCATE: _ROUNDINGS,
    faulty.WRAP: ("sat16", "sat32", "clip"),
    faulty.WORD_32: _WIDE,
    faulty.WORD_40: _WIDE,
    faulty.TOWARDS_ZERO: (*_ROUNDINGS, "trn_shift"),
    faulty.EVEN: _ROUNDINGS,
    faulty.AWAY: _ROUNDINGS,
    faulty.ROUND: ("trn_shift",),
}


class Job(NamedTuple):
    """What to search for.

    product : whose case it is
    sites : all of the copy;  reachable : indices of those that the case can reach
    modes : of MODES, to try;  seconds : after which the search ends, unfinished
    """

    product: Product
    evidence: Evidence
    sites: tuple[Site, ...]
    reachable: tuple[int, ...]
    modes: tuple[int, ...]
    seconds: float


class Match(NamedTuple):
    """A fault that gives the dump.

    mode : see `faulty_primitives`;  sites : indices;  where : in words
    score : what it explains;  origin : where it leaves the model
    """

    mode: int
    sites: tuple[int, ...]
    where: str
    score: Score
    origin: Origin | None


def groups(sites: tuple[Site, ...], indices: list[int]) -> dict[frozenset[int], str]:
    """Sets of sites that one cause may alter at once, with their names: the narrowest name of each set."""
    found: dict[frozenset[int], str] = {}

    def add(label: str, members: list[int]) -> None:
        if members:
            found[frozenset(members)] = label

    add("everywhere", indices)
    for file in sorted({sites[i].file for i in indices}):
        add(f"in {file}", [i for i in indices if sites[i].file == file])
    for file, kernel in sorted({(sites[i].file, sites[i].kernel) for i in indices}):
        add(
            f"in {kernel} ({file})",
            [i for i in indices if (sites[i].file, sites[i].kernel) == (file, kernel)],
        )
    for i in indices:
        site = sites[i]
        add(f"at {site.file}:{site.line}, {site.primitive} in {site.kernel}", [i])
    return found


def search(job: Job, fault: np.ndarray) -> Iterator[Match]:
    """Faults that give the dump; `fault` is the copy's array of modes."""
    evidence = job.evidence
    (case,) = (case for case in job.product.cases if case.name == evidence.case)
    deadline = time.monotonic() + job.seconds

    def run_with(mode: int, group: frozenset[int]):
        fault[:] = 0
        fault[list(group)] = mode
        return case.start() if evidence.run is None else copy.deepcopy(evidence.run)

    for mode in job.modes:
        indices = [i for i in job.reachable if job.sites[i].primitive in MODES[mode]]
        if not indices:
            continue
        nodes = run_with(mode, frozenset(indices)).push(evidence.x)
        if origin_of(evidence, case, nodes) is None:
            continue  # not even all of them together change anything
        for group, where in groups(job.sites, indices).items():
            if time.monotonic() > deadline:
                return
            score = weigh_run(evidence, case, run_with(mode, group), evidence.x)
            if score:
                origin = origin_of(evidence, case, run_with(mode, group).push(evidence.x))
                yield Match(mode, tuple(sorted(group)), where, score, origin)


def main() -> None:
    """Serve one job."""
    from fixedpoint.fault import FAULT

    job = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(pickle.dumps([tuple(match) for match in search(job, FAULT)]))


if __name__ == "__main__":
    main()
