"""What a suspect has to reproduce: a stretch of the input, and what the device made of it."""

import copy
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case, Run
from firmware_model.golden.dumps.divergence import Comparison
from firmware_model.golden.dumps.dump_values import Values

WINDOW_S = 10.0


class Origin(NamedTuple):
    """First value that a suspect's run has otherwise than the model, in signal-flow order."""

    node: str
    row: int
    step: int
    expected: int
    got: int


class Evidence(NamedTuple):
    """A stretch of a dump in which it leaves the model.

    case : name;  x : (channels, n) int16, whole blocks;  start : input sample at which the stretch begins
    run : as it was at `start`; None at the beginning, where suspects start afresh
    expected, got : (rows, steps) by node; expected has all nodes, got may end earlier
    target : name of the first diverging node;  first_step : of its first difference, within the stretch
    diverging : names of all diverging nodes
    whole : whether it is all of the input
    """

    case: str
    x: np.ndarray
    start: int
    run: Run | None
    expected: dict[str, np.ndarray]
    got: dict[str, np.ndarray]
    target: str
    first_step: int
    diverging: tuple[str, ...]
    whole: bool = False


def gather(
    case: Case, x: Values, nodes: dict[str, Values], found: Comparison, seconds: float = WINDOW_S
) -> Evidence:
    """The stretch of so many seconds in which the first differences lie.

    From the very beginning if they lie in its first half, since a wrong rounding is in the state long
    before it shows; else from the frame of the earliest difference on, with the model's state.
    """
    first, earliest = found.first, found.earliest
    assert first is not None, "the dump differs nowhere"
    assert earliest is not None
    from_start = (max(first.sample, earliest.sample)) < seconds / 2 * case.fs_hz
    start = 0 if from_start else found.frame_start
    reach = max(node.got_steps * node.node.step for node in found.nodes)
    stop = min(start + round(seconds * case.fs_hz), x.steps, reach)
    if not from_start:
        stop = max(stop, min(first.sample + case.fs_hz, x.steps))
    samples = (stop - start + case.block - 1) // case.block * case.block
    samples = min(samples, (x.steps - start) // case.block * case.block)
    stretch = np.array(x.read(start, start + samples), np.int16, order="C")
    run = case.start() if from_start else copy.deepcopy(found.before)
    steps = {node.name: node.step for node in case.nodes}
    return Evidence(
        case=case.name,
        x=stretch,
        start=start,
        run=None if from_start else found.before,
        expected=run.push(stretch),
        got={
            name: np.array(values.read(start // steps[name], (start + samples) // steps[name]))
            for name, values in nodes.items()
        },
        target=first.node.name,
        first_step=first.step - start // first.node.step,
        diverging=tuple(node.node.name for node in found.nodes if node.first),
        whole=from_start and samples == x.steps // case.block * case.block,
    )


def first_step(evidence: Evidence, name: str) -> int:
    """Step of the stretch at which a diverging node first differs."""
    got = evidence.got[name]
    wrong = evidence.expected[name][:, : got.shape[1]] != got
    return int(np.argmax(wrong.any(axis=0)))


def origin_of(evidence: Evidence, case: Case, nodes: dict[str, np.ndarray]) -> Origin | None:
    """Where a suspect's run first leaves the model."""
    for node in case.nodes:
        model, suspect = evidence.expected[node.name], nodes[node.name]
        row, at = np.nonzero(model != suspect)
        if len(at):
            k = np.lexsort((row, at))[0]
            values = int(model[row[k], at[k]]), int(suspect[row[k], at[k]])
            step = int(at[k]) + evidence.start // node.step
            return Origin(node.name, int(row[k]), step, *values)
    return None


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], np.ndarray]]:
    """(path of field names, array) of all arrays in nested NamedTuples."""
    if isinstance(value, np.ndarray):
        yield path, value
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for name in value._fields:
            yield from leaves(getattr(value, name), (*path, name))
