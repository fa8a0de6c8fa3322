"""Which rounding, width, shift or constant is wrong, and where, if it gives a dump; runs in `sites`' copy.

`python -m firmware_model.golden.causes.faults.search` there: a pickled Job on stdin; on stdout matches,
pickled as plain tuples as they are found, then None.
"""

import importlib
import pickle
import sys
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from firmware_model.golden.causes.faults import primitives as faulty
from firmware_model.golden.causes.faults.constants import mistakes
from firmware_model.golden.causes.faults.modes import befalls
from firmware_model.golden.causes.faults.rewriting import CONSTANT, ENTRY, PRIMITIVES, Site
from firmware_model.golden.causes.faults.trials import NEVER, Fault, Trials
from firmware_model.golden.causes.ranking import Score
from firmware_model.golden.causes.telling import mark_of_case, marks_of_nodes
from firmware_model.golden.dumps.evidence import Evidence, Origin, origin_of
from firmware_model.product import Product

_MOST_MARK_S = 2.0  # for what another case makes of a fault; interpreted kernels would take minutes

ALL_CALLS = ", wherever it is called"


class Job(NamedTuple):
    """What to search for.

    product : whose case it is
    sites : all of the copy;  reachable : indices of those that the case can reach
    modes : of `modes`, to try;  seconds : of the processor, after which the search ends, unfinished
    share, shares : which part of the suspects, of how many parts
    others : stimuli of the product's other cases, by case, which may tell suspects apart
    """

    product: Product
    evidence: Evidence
    sites: tuple[Site, ...]
    reachable: tuple[int, ...]
    modes: tuple[int, ...]
    seconds: float
    share: int
    shares: int
    others: dict[str, np.ndarray]


class Match(NamedTuple):
    """A fault that gives the dump, or most of it.

    mode : see `primitives`;  sites : indices;  where : in words
    score : what it explains;  origin : where it leaves the model
    widest : the widest place that gives the same bits, in words; empty where it is the same
    marks : digest of what it gives, by node and by "case NAME"
    """

    mode: int
    sites: tuple[int, ...]
    where: str
    score: Score
    origin: Origin | None
    widest: str = ""
    marks: Mapping[str, str] = MappingProxyType({})


def groups(sites: tuple[Site, ...], indices: list[int]) -> dict[frozenset[int], str]:
    """Sets of sites that one cause may alter at once, with their names: the narrowest name of each set."""
    found: dict[frozenset[int], str] = {}

    def add(label: str, members: list[int]) -> None:
        if members:
            found[frozenset(members)] = label

    add("everywhere", indices)
    for name in PRIMITIVES:
        add(f"in {name}{ALL_CALLS}", [i for i in indices if sites[i].primitive == name])
    for file in sorted({sites[i].file for i in indices}):
        add(f"in {file}", [i for i in indices if sites[i].file == file])
    for file, kernel in sorted({(sites[i].file, sites[i].kernel) for i in indices}):
        add(
            f"in {kernel} ({file})",
            [i for i in indices if (sites[i].file, sites[i].kernel) == (file, kernel)],
        )
    for i in indices:
        add(label_of(sites[i]), [i])
    return found


def label_of(site: Site) -> str:
    """Where a site is, in words."""
    what = site.primitive if site.primitive in PRIMITIVES else f"`{site.text}`"
    return f"at {site.file}:{site.line}, {what} in {site.kernel}"


class Search:
    """All suspects of a job."""

    def __init__(self, job: Job, fault: np.ndarray) -> None:
        self.job = job
        (self.case,) = (case for case in job.product.cases if case.name == job.evidence.case)
        self._fault = fault
        self._values: dict[int, np.ndarray] = {}
        for i in job.reachable:
            site = job.sites[i]
            if site.primitive in (CONSTANT, ENTRY):
                self._values[i] = np.asarray(_value(site))
        tables = {i: self._values[i].size for i in job.reachable if job.sites[i].primitive == ENTRY}
        self.trials = Trials(job.evidence, self.case, fault, job.reachable, tables)
        self._deadline = time.process_time() + job.seconds  # compiling, which is done by now, aside

    def matches(self) -> Iterator[Match]:
        """What gives the dump, or most of it, the likeliest kinds first."""
        turn = 0
        for mode in self.job.modes:
            for narrow, wider in self._suspects(mode):
                turn += 1
                if turn % self.job.shares != self.job.share:
                    continue
                if time.process_time() > self._deadline:
                    return
                fault = Fault(mode, tuple(sorted(narrow[0])))
                score = self.trials.weigh(fault)
                if score:
                    yield self._match(fault, narrow[1], score, self._widest(mode, score, wider))
        if faulty.ALTERED in self.job.modes:
            yield from self._constants()

    def _suspects(
        self, mode: int
    ) -> Iterator[tuple[tuple[frozenset[int], str], list[tuple[frozenset[int], str]]]]:
        """(narrowest group, wider groups) of those whose sites that do anything are the same."""
        if mode == faulty.ALTERED:
            return
        sites, first = self.job.sites, self.trials.first
        indices = [i for i in self.job.reachable if sites[i].primitive in befalls(mode)]
        alike: dict[frozenset[int], list[tuple[frozenset[int], str]]] = {}
        for group, label in groups(sites, indices).items():
            active = frozenset(i for i in group if first[i, mode] < NEVER)
            if active and min(first[i, mode] for i in active) <= self.trials.last_piece:
                alike.setdefault(active, []).append((group, label))
        for found in alike.values():
            found.sort(key=lambda group: len(group[0]))
            yield found[0], found[1:]

    def _widest(self, mode: int, score: Score, wider: list[tuple[frozenset[int], str]]) -> str:
        for group, label in reversed(wider):
            if self.trials.weigh(Fault(mode, tuple(sorted(group)))) == score:
                return label
        return ""

    def _constants(self) -> Iterator[Match]:
        targets = []
        for sites in self._definitions():
            for entry, value in enumerate(self._values[sites[0]].reshape(-1).tolist()):
                start = self.trials.start_of(Fault(faulty.ALTERED, sites, 0, entry))
                if start <= self.trials.last_piece:
                    targets.append((-start, sites, entry, value))
        # Those first used shortly before the first difference come first: a large mistake shows at once.
        for turn, (_, sites, entry, value) in enumerate(sorted(targets)):
            if turn % self.job.shares != self.job.share:
                continue
            if time.process_time() > self._deadline:
                return
            yield from self._constant(sites, entry, value)

    def _definitions(self) -> list[tuple[int, ...]]:
        """Sites of each constant: all that have its name and value, or one literal."""
        found: dict[tuple[str, bytes], list[int]] = {}
        for i, values in self._values.items():
            text = self.job.sites[i].text
            found.setdefault((f"literal {i}" if text.isdigit() else text, values.tobytes()), []).append(i)
        return [tuple(sites) for sites in found.values()]

    def _constant(self, sites: tuple[int, ...], entry: int, value: int) -> Iterator[Match]:
        """The nearest mistake for a constant that explains most, if any does."""
        others = mistakes(value, any(self.job.sites[i].shift for i in sites))
        sides = [[other for other in others if (other > value) == larger] for larger in (True, False)]
        fitting = [other for side in sides for other in self._fitting(sites, entry, side)]
        best: tuple[int, Score, Fault] | None = None
        for other in sorted(fitting, key=lambda other: abs(other - value)):
            fault = Fault(faulty.ALTERED, sites, other, entry)
            score = self.trials.weigh(fault)
            if score and (best is None or score.gain > best[1].gain):
                best = other, score, fault
                if score.complete:
                    break
        if best:
            label = self._constant_label(sites, entry, value, best[0])
            yield self._match(best[2], label, best[1], "")

    def _fitting(self, sites: tuple[int, ...], entry: int, values: list[int]) -> list[int]:
        """Of values ever farther from the right one, those that give the first value that differs.

        The farther a value, the larger is its effect and the earlier it shows: two searches by halves.
        """
        looked: dict[int, int] = {}

        def look(k: int) -> int:
            """-1: too near to the right value, 1: too far, 0: it gives the value."""
            if k not in looked:
                early, effect = self.trials.look(Fault(faulty.ALTERED, sites, values[k], entry))
                wanted = self.trials.wanted
                right = effect == wanted
                small = effect == 0 or (effect * wanted > 0 and abs(effect) < abs(wanted))
                looked[k] = 1 if early else 0 if right else -1 if small else 1
            return looked[k]

        low, high = 0, len(values)
        while low < high:  # the first that is not too near
            middle = (low + high) // 2
            if look(middle) < 0:
                low = middle + 1
            else:
                high = middle
        found = []
        while low < len(values) and look(low) == 0:
            found.append(values[low])
            low += 1
        return found

    def _constant_label(self, sites: tuple[int, ...], entry: int, value: int, other: int) -> str:
        site, values = self.job.sites[sites[0]], self._values[sites[0]]
        name = site.text
        if values.ndim:
            name += "[" + ", ".join(map(str, np.unravel_index(entry, values.shape))) + "]"
        what = f"{other} for {value}" if name.isdigit() else f"{name} is {other} for {value}"
        more = f" and elsewhere ({len(sites)} places)" if len(sites) > 1 else ""
        return f"at {site.file}:{site.line}, {what} in {site.kernel}{more}"

    def _match(self, fault: Fault, where: str, score: Score, widest: str) -> Match:
        began = time.process_time()
        nodes = self.trials.whole(fault)
        a_sample = (time.process_time() - began) / self.job.evidence.x.shape[1]
        origin = origin_of(self.job.evidence, self.case, nodes) if nodes else None
        marks = marks_of_nodes(nodes)
        if score.stated:
            self.trials.set(fault)
            for case in self.job.product.cases:
                x = self.job.others.get(case.name)
                if x is not None and a_sample * x.shape[1] < _MOST_MARK_S:
                    marks |= [mark_of_case(case, case.start(), x)]
        return Match(fault.mode, fault.sites, where, score, origin, widest, marks)


def _value(site: Site) -> int | np.ndarray:
    if site.text.isdigit():
        return int(site.text)
    module = importlib.import_module(
        site.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    )
    found: int | np.ndarray = getattr(module, site.text)
    return found


def main() -> None:
    """Serve one job."""
    from fixedpoint.fault import FAULT

    job = pickle.load(sys.stdin.buffer)
    for match in Search(job, FAULT).matches():
        sys.stdout.buffer.write(pickle.dumps(tuple(match)))
        sys.stdout.buffer.flush()
    sys.stdout.buffer.write(pickle.dumps(None))


if __name__ == "__main__":
    main()
