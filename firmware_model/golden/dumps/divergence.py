"""Where a dump leaves the model: the first node in signal-flow order, its first value, and what follows."""

import copy
from typing import NamedTuple

import numpy as np

from firmware_model.case import Case, Node, Run
from firmware_model.golden.dumps.dump_values import Values

# Ends of the stretches in which the growth of an error is shown, values after the first that differs.
STRETCHES = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)


class Difference(NamedTuple):
    """A value that differs.

    step : index in the node's row;  expected, got : integers
    """

    node: Node
    row: int
    step: int
    expected: int
    got: int

    @property
    def sample(self) -> int:
        """First input sample of the step."""
        return self.step * self.node.step


class Stretch(NamedTuple):
    """Values of all rows from a step up to, not with, another: how many differ, and by how much at most."""

    start: int
    stop: int
    differing: int
    largest: int


class Compared(NamedTuple):
    """One node of a dump against the model.

    expected_steps : in the whole input;  got_steps : in the dump
    first : None where all that both have is equal
    differing, largest : how many values differ, and by how much at most
    growth : from the first difference on
    """

    node: Node
    expected_steps: int
    got_steps: int
    first: Difference | None
    differing: int
    largest: int
    growth: tuple[Stretch, ...]


class Comparison(NamedTuple):
    """All nodes of a dump, in signal-flow order, and the run as it was before the first difference.

    frame_start : input sample at which the frame with the earliest difference begins
    before : the run at that sample
    """

    nodes: tuple[Compared, ...]
    frame_start: int
    before: Run

    @property
    def first(self) -> Difference | None:
        """Of the first diverging node in signal-flow order."""
        return next((compared.first for compared in self.nodes if compared.first), None)

    @property
    def earliest(self) -> Difference | None:
        """The first in time, by the end of its step; of those at once, the first in signal-flow order."""
        found = [compared.first for compared in self.nodes if compared.first]
        return min(found, key=lambda first: (first.step + 1) * first.node.step, default=None)


class _Tally:
    """What is known so far of one node."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.first: Difference | None = None
        self.differing = np.zeros(len(STRETCHES), np.int64)
        self.largest = [0] * len(STRETCHES)

    def add(self, start: int, expected: np.ndarray, got: np.ndarray) -> None:
        """Take (rows, steps) integers that begin at step `start`."""
        expected = expected[:, : got.shape[1]]
        wrong = expected != got
        if not wrong.any():
            return
        row, at = np.nonzero(wrong)
        if self.first is None:
            k = np.lexsort((row, at))[0]
            self.first = Difference(
                self.node,
                int(row[k]),
                start + int(at[k]),
                int(expected[row[k], at[k]]),
                int(got[row[k], at[k]]),
            )
        size = magnitude(expected[row, at], got[row, at])
        stretch = np.searchsorted(STRETCHES, at + start - self.first.step, side="right")
        np.add.at(self.differing, stretch, 1)
        for index in np.unique(stretch):
            self.largest[index] = max(self.largest[index], int(size[stretch == index].max()))

    def result(self, expected_steps: int, got_steps: int) -> Compared:
        """What was found."""
        growth, start = [], 0
        steps = min(expected_steps, got_steps)
        first = self.first.step if self.first else steps
        for stop, differing, largest in zip(STRETCHES, self.differing, self.largest, strict=True):
            if first + start < steps:
                growth.append(Stretch(first + start, min(first + stop, steps), int(differing), largest))
            start = stop
        return Compared(
            self.node,
            expected_steps,
            got_steps,
            self.first,
            int(self.differing.sum()),
            max(self.largest),
            tuple(growth),
        )


def magnitude(expected: np.ndarray, got: np.ndarray) -> np.ndarray:
    """|expected - got| as uint64, exact for all int64."""
    a, b = expected.astype(np.int64), got.astype(np.int64)
    return np.maximum(a, b).view(np.uint64) - np.minimum(a, b).view(np.uint64)


def compare(case: Case, x: Values, nodes: dict[str, Values], seconds: float = 1.0) -> Comparison:
    """Run a case on an input and compare it with a dump, frame by frame: the memory does not grow.

    Parameters
    ----------
    x : int16 input, (channels, samples); samples after the last whole block are left out
    nodes : dump by node
    seconds : length of a frame
    """
    samples = x.steps // case.block * case.block
    length = max(1, round(seconds * case.fs_hz) // case.block) * case.block
    tallies = [_Tally(node) for node in case.nodes if node.name in nodes]
    run = case.start()
    before, frame_start, clean = copy.deepcopy(run), 0, True
    for start in range(0, samples, length):
        if clean:
            before, frame_start = copy.deepcopy(run), start
        stop = min(start + length, samples)
        expected = run.push(np.array(x.read(start, stop), np.int16, order="C"))
        for tally in tallies:
            step = tally.node.step
            tally.add(
                start // step,
                expected[tally.node.name],
                nodes[tally.node.name].read(start // step, stop // step),
            )
        clean = all(tally.first is None for tally in tallies)
    compared = tuple(
        tally.result(samples // tally.node.step, nodes[tally.node.name].steps) for tally in tallies
    )
    return Comparison(compared, frame_start, before)
