"""Runs with faults, each from where it first does anything, and no further than there is hope for it."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case, Run
from firmware_model.golden.causes.faults import primitives as faulty
from firmware_model.golden.causes.ranking import Score, Tally, differing, differing_values
from firmware_model.golden.dumps.evidence import Evidence

NEVER = 1 << 30
_PIECES = 200  # of the evidence; the model's state is kept at the beginning of each


class Fault(NamedTuple):
    """One way to err.

    mode : see `primitives`;  sites : columns of the array of modes
    value, entry : of an altered constant, what it is instead, and in a table its place
    """

    mode: int
    sites: tuple[int, ...]
    value: int = 0
    entry: int = 0


class First(NamedTuple):
    """What a run makes of the first piece of evidence that is not the model's.

    early : whether it changes a value before;  effect : its change of the first value that differs
    """

    early: bool
    effect: int


class Trials:
    """Runs of a case over the evidence, with faults.

    fault : the copy's array of modes, see `primitives`;  sites : columns that may be altered
    tables : entries of the table at a column, by column

    Attributes
    ----------
    first : (columns, modes) piece in which a mode at a site first changes a value; NEVER
    wanted : change of the first value that differs
    """

    def __init__(
        self, evidence: Evidence, case: Case, fault: np.ndarray, sites: Iterable[int], tables: dict[int, int]
    ) -> None:
        self.evidence, self.case, self._fault = evidence, case, fault
        self._steps = {node.name: node.step for node in case.nodes}
        samples = evidence.x.shape[1]
        length = max(1, samples // case.block // _PIECES) * case.block
        self._edges = [*range(0, samples, length), samples]
        self._of = differing_values(evidence)
        self._find_first_difference()
        self._watch(list(sites), tables)

    def _find_first_difference(self) -> None:
        """The node whose first wrong value is complete first, its place, and the piece that completes it."""
        found = []
        for order, name in enumerate(self._steps):
            if name in self.evidence.got and name in self.evidence.diverging:
                wrong = differing(self.evidence, name)
                if wrong.any():
                    step = int(np.argmax(wrong.any(axis=0)))
                    found.append(
                        ((step + 1) * self._steps[name], order, name, step, int(np.argmax(wrong[:, step])))
                    )
        end, _, self._name, self._step, self._row = min(found)
        self.last_piece = next(k for k, edge in enumerate(self._edges[1:]) if edge >= end)
        place = self._row, self._step
        self._expected = int(self.evidence.expected[self._name][place])
        self.wanted = int(self.evidence.got[self._name][place]) - self._expected

    def _watch(self, sites: list[int], tables: dict[int, int]) -> None:
        fault = self._fault
        self.first = np.full((fault.shape[1], faulty.WATCHED), NEVER)
        fault[:] = 0
        fault[0, sites] = faulty.WATCHED
        column = fault.shape[1] - sum(tables.values())
        self.entries: dict[int, int] = {}  # first column of each table's entries
        for site, size in tables.items():
            fault[2, site] = self.entries[site] = column
            column += size
        modes = np.arange(faulty.WATCHED)
        base = self.case.start() if self.evidence.run is None else copy.deepcopy(self.evidence.run)
        self._kept: list[Any] = []
        for piece, (start, stop) in enumerate(zip(self._edges[:-1], self._edges[1:], strict=True)):
            self._kept.append(copy.deepcopy(base.state))
            fault[1] = 0
            base.push(np.ascontiguousarray(self.evidence.x[:, start:stop]))
            seen = (fault[1][:, None] >> modes) & 1 == 1
            self.first[seen & (self.first == NEVER)] = piece
        fault[:] = 0
        self._base = base

    def _run_from(self, piece: int) -> Run:
        run = copy.copy(self._base)
        run.state = copy.deepcopy(self._kept[piece])
        return run

    def set(self, fault: Fault) -> None:
        """Let the copy err so from now on."""
        self._fault[:] = 0
        sites = list(fault.sites)
        self._fault[0, sites] = fault.mode
        self._fault[1, sites], self._fault[2, sites] = fault.value, fault.entry

    def _outputs(
        self, fault: Fault, piece: int, most: int
    ) -> Iterator[tuple[int, int, dict[str, np.ndarray]]]:
        """(first sample, stop, nodes) from a piece on, ever longer stretches of at most `most` pieces."""
        run, at, count = self._run_from(piece), piece, 1
        while at < len(self._edges) - 1:
            to = min(at + count, len(self._edges) - 1)
            start, stop = self._edges[at], self._edges[to]
            self.set(fault)
            try:
                nodes = run.push(np.ascontiguousarray(self.evidence.x[:, start:stop]))
            except (IndexError, ValueError, ZeroDivisionError):
                return  # it left an array: no board would have gone on like the model
            yield start, stop, nodes
            at, count = to, min(2 * count, most)

    def start_of(self, fault: Fault) -> int:
        """The piece in which a fault first changes a value; NEVER."""
        if fault.mode == faulty.ALTERED and fault.sites[0] in self.entries:
            return min(int(self.first[self.entries[site] + fault.entry, 0]) for site in fault.sites)
        return int(self.first[list(fault.sites), fault.mode].min())

    def weigh(self, fault: Fault) -> Score | None:
        """What a fault explains; None where that is not worth saying."""
        piece = self.start_of(fault)
        if piece > self.last_piece:
            return None
        tally = Tally(self.evidence, self.case, self._of)
        stop = self._edges[piece]
        for start, stop, nodes in self._outputs(fault, piece, 16):
            for name in self.evidence.got:
                first, last = start // self._steps[name], stop // self._steps[name]
                tally.take(name, first, nodes[name][:, : last - first])
            if tally.hopeless:
                return None
        return tally.score() if stop == self._edges[-1] else None

    def look(self, fault: Fault) -> First:
        """What a fault does up to the first value that differs."""
        piece = self.start_of(fault)
        if piece > self.last_piece:
            return First(False, 0)
        for start, stop, nodes in self._outputs(fault, piece, 2):
            for name in self.evidence.got:
                first = start // self._steps[name]
                last = min(stop // self._steps[name], first + nodes[name].shape[1])
                if name == self._name:
                    last = min(last, self._step)
                else:
                    last = min(last, (self._step + 1) * self._steps[self._name] // self._steps[name])
                model = self.evidence.expected[name][:, first:last]
                if last > first and not np.array_equal(model, nodes[name][:, : last - first]):
                    differs = differing(self.evidence, name, first, last)
                    got = self.evidence.got[name][:, first:last]
                    changed = nodes[name][:, : got.shape[1]] != model[:, : got.shape[1]]
                    if (changed & ~differs).any():
                        return First(True, 0)
            first = start // self._steps[self._name]
            if (
                first <= self._step < first + nodes[self._name].shape[1]
                and stop >= self._edges[self.last_piece + 1]
            ):
                value = int(nodes[self._name][self._row, self._step - first])
                return First(False, value - self._expected)
        return First(True, 0)

    def whole(self, fault: Fault) -> dict[str, np.ndarray]:
        """All nodes over all of the evidence, with a fault; empty where it leaves an array."""
        parts = [nodes for _, _, nodes in self._outputs(fault, 0, len(self._edges))]
        if (
            not parts
            or sum(part[self._name].shape[1] for part in parts) * self._steps[self._name] < self._edges[-1]
        ):
            return {}
        return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}
