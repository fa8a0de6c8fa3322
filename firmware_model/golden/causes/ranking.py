"""How much of what differs a suspect explains, and what of it is worth saying."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from firmware_model.case import Case, Run
from firmware_model.golden.dumps.evidence import Evidence, Origin

NEARLY = 0.9  # of the values that differ: a suspect that explains so many is said, though not as the cause
_HALF = 0.5  # the same where the first node that differs is explained wholly
_PIECE_S = 0.1  # a suspect is dropped after the first piece that leaves it no hope


class Score(NamedTuple):
    """What a suspect makes of the evidence.

    explained : values that differ from the model and that it gives;  of : values that differ
    spoiled : values that agree with the model and that it changes
    left_out : differing values, among `of`, that stand in a gap with which nothing could be compared
    nodes : of the dump, that it gives bit for bit
    stretch : first and last input sample of the longest stretch in which it gives every value
    """

    explained: int
    of: int
    spoiled: int
    left_out: int
    nodes: tuple[str, ...]
    stretch: tuple[int, int]

    @property
    def gain(self) -> int:
        """Values explained, less those spoiled."""
        return self.explained - self.spoiled

    @property
    def complete(self) -> bool:
        """Whether it explains all that differs, and changes nothing that agrees."""
        return self.stated and self.left_out == 0

    @property
    def stated(self) -> bool:
        """Whether it explains all that it could be held against, and changes nothing that agrees."""
        return self.explained > 0 and self.explained + self.left_out == self.of and self.spoiled == 0


class Cause(NamedTuple):
    """A suspect that gives the dump, or nearly.

    kind : see `suspects`;  text : what exactly, where
    nodes : of the dump, that it gives bit for bit
    complete : whether it explains all values that differ, and changes none that agree
    stated : whether it does but for a gap, so that it may be called the cause
    origin : where its run leaves the model, in signal-flow order; None where the arithmetic is not at fault
    explained, of, spoiled, stretch : see `Score`
    gap : what of the dump was not compared, and what it holds; empty where all was
    alternatives : "kind: text" of the suspects that fit equally
    told_apart_by : node or case in which these differ; empty where there is none, or no alternative
    """

    kind: str
    text: str
    nodes: tuple[str, ...]
    complete: bool
    origin: Origin | None
    stated: bool = True
    explained: int = 0
    of: int = 0
    spoiled: int = 0
    stretch: tuple[int, int] = (0, 0)
    gap: str = ""
    alternatives: tuple[str, ...] = ()
    told_apart_by: str = ""


def cause_of(score: Score, kind: str, text: str, origin: Origin | None = None, gap: str = "") -> Cause:
    """A suspect with its score."""
    return Cause(
        kind,
        text,
        score.nodes,
        score.complete,
        origin,
        score.stated,
        score.explained,
        score.of,
        score.spoiled,
        score.stretch,
        gap,
    )


class Tally:
    """Values of a suspect, held against a dump's as they come."""

    def __init__(self, evidence: Evidence, case: Case, of: int | None = None) -> None:
        """of : values that differ, where they were counted before."""
        self._evidence = evidence
        self._steps = {node.name: node.step for node in case.nodes}
        self._of = differing_values(evidence) if of is None else of
        self._explained = self._missed = self._spoiled = self._beyond = self._left_out = 0
        self._whole = set(evidence.got)
        samples = evidence.x.shape[1]
        self._given, self._known = np.ones(samples, bool), np.zeros(samples, bool)

    def take(self, name: str, first: int, values: np.ndarray) -> None:
        """(rows, n) values of a node from a step on; what the dump does not hold is left out."""
        got = self._evidence.got[name][:, first : first + values.shape[1]]
        if not got.shape[1]:
            return
        wrong = differing(self._evidence, name, first, first + got.shape[1])
        given = np.equal(values[:, : got.shape[1]], got)
        count = int(np.count_nonzero(wrong & given))
        self._explained += count
        self._missed += int(np.count_nonzero(wrong)) - count
        self._spoiled += int(np.count_nonzero(~(wrong | given)))
        if given.all():
            self._mark(name, first, np.atleast_1d(wrong.any(axis=0)), self._known, True)
            return
        self._whole.discard(name)
        self._mark(name, first, ~np.atleast_1d(given.all(axis=0)), self._given, False)
        self._mark(name, first, np.atleast_1d((wrong & given).any(axis=0)), self._known, True)

    def leave_out(self, name: str, first: int, stop: int, beyond: bool) -> None:
        """Steps of a node that cannot be held against the dump: `beyond` the end, or a gap."""
        count = int(np.count_nonzero(differing(self._evidence, name, first, stop)))
        self._mark(name, first, np.ones(max(0, stop - first), bool), self._given, False)
        if beyond:
            self._beyond += count
        elif count:
            self._left_out += count
            self._whole.discard(name)

    def _mark(self, name: str, first: int, steps: np.ndarray, samples: np.ndarray, value: bool) -> None:
        step = self._steps[name]
        part = samples[first * step : (first + len(steps)) * step]
        part[np.repeat(steps, step)[: len(part)]] = value

    @property
    def hopeless(self) -> bool:
        """Whether nothing that may follow would make it worth saying."""
        lost = self._missed + self._spoiled
        return lost > (1 - NEARLY) * self._of and (
            self._evidence.target not in self._whole or lost > _HALF * self._of
        )

    def score(self) -> Score | None:
        """Of all that was taken; None where it is not worth saying."""
        of = self._of - self._beyond
        gain = self._explained - self._spoiled
        enough = _HALF if self._evidence.target in self._whole else NEARLY
        if self.hopeless or self._explained == 0 or gain < enough * (self._explained + self._missed):
            return None
        nodes = tuple(name for name in self._evidence.got if name in self._whole)
        start = self._evidence.start
        first, last = _longest(self._given, self._known)
        return Score(
            self._explained, of, self._spoiled, self._left_out, nodes, (start + first, start + last - 1)
        )


def differing(evidence: Evidence, name: str, first: int = 0, stop: int | None = None) -> np.ndarray:
    """(rows, steps) bool: where a node of the dump is not the model's."""
    got = evidence.got[name][:, first:stop]
    wrong: np.ndarray = evidence.expected[name][:, first : first + got.shape[1]] != got
    return wrong


def differing_values(evidence: Evidence) -> int:
    """How many values of the dump are not the model's."""
    return sum(int(np.count_nonzero(differing(evidence, name))) for name in evidence.got)


def _longest(given: np.ndarray, known: np.ndarray) -> tuple[int, int]:
    """(first, stop) of the stretch of samples, all of them given, with the most that differ."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], given.astype(np.int8), [0]]))).reshape(-1, 2)
    if not len(edges):
        return 0, 0
    sums = np.concatenate([[0], np.cumsum(known)])
    best = edges[np.argmax(sums[edges[:, 1]] - sums[edges[:, 0]])]
    return int(best[0]), int(best[1])


def weigh_run(
    evidence: Evidence, case: Case, run: Run, x: np.ndarray, valid: int | None = None
) -> Score | None:
    """How much a run explains; None where that is not worth saying.

    x : (channels, n) int16 that the run is fed;  valid : samples that count, all if None
    """
    tally = Tally(evidence, case)
    valid = x.shape[1] if valid is None else valid
    steps = {node.name: node.step for node in case.nodes}
    piece = max(1, round(_PIECE_S * case.fs_hz) // case.block) * case.block
    for start in range(0, x.shape[1], piece):
        stop = min(start + piece, x.shape[1])
        nodes = run.push(np.ascontiguousarray(x[:, start:stop]))
        for name in evidence.got:
            first, last = start // steps[name], min(stop, valid) // steps[name]
            if last > first:
                tally.take(name, first, nodes[name][:, : last - first])
            tally.leave_out(name, max(first, last), stop // steps[name], beyond=True)
        if tally.hopeless:
            return None
    return tally.score()


def begins_alike(evidence: Evidence, case: Case, run: Run, x: np.ndarray, until: int) -> bool:
    """Whether a run gives the dump up to the block that holds an input sample, and that block too.

    It is fed ever larger pieces, so that one that leaves the dump at once costs little.
    """
    steps = {node.name: node.step for node in case.nodes}
    stop = min((until // case.block + 1) * case.block, x.shape[1])
    start, piece = 0, case.block
    while start < stop:
        end = min(start + piece, stop)
        nodes = run.push(np.ascontiguousarray(x[:, start:end]))
        for name, got in evidence.got.items():
            first, last = start // steps[name], end // steps[name]
            if not np.array_equal(nodes[name][:, : got.shape[1] - first], got[:, first:last]):
                return False
        start, piece = end, 2 * piece
    return True


def ranked(causes: Iterable[Cause]) -> list[Cause]:
    """Those that explain all, as they come, or all but a gap; if there are none, what explains most first."""
    found = list(causes)
    complete = [cause for cause in found if cause.complete]
    stated = [cause for cause in found if cause.stated]
    return complete or stated or sorted(found, key=lambda cause: cause.spoiled - cause.explained)
