"""Suspects that run the model's kernels on other blocks than those that came: one lost, doubled, left out."""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from firmware_model.case import Case, Form, Run

LOST, DOUBLED, LEFT_OUT, TWICE = "block lost", "block doubled", "block not processed", "block processed twice"
_BEFORE = 2  # blocks before the first difference, besides the latency, in which its cause may lie
Nodes = Mapping[str, np.ndarray]
_INPUT, _SILENCE, _OLD = range(3)
_OUTPUTS = ("its input passes", "silence in its place", "the block before stands in its place")


class Interrupted:
    """A run that does something else with one block.

    run : the model's;  number : of the block;  instead : what is done with it
    """

    def __init__(self, case: Case, number: int, instead: Callable[["Interrupted", np.ndarray], Any]) -> None:
        self.case, self.run, self.last = case, case.start(), None
        self._number, self._instead, self._done = number, instead, 0

    def push(self, x_q15: np.ndarray) -> dict[str, np.ndarray]:
        """See `case.Run`."""
        block = self.case.block
        first = self._number - self._done
        self._done += x_q15.shape[1] // block
        edges = sorted(
            {
                0,
                *(min(max(k, 0) * block, x_q15.shape[1]) for k in (first - 1, first, first + 1)),
                x_q15.shape[1],
            }
        )
        parts = []
        for start, stop in pairwise(edges):
            part = np.ascontiguousarray(x_q15[:, start:stop])
            if start == first * block:
                parts.append(self._instead(self, part))
            else:
                parts.append(self.run.push(part))
            self.last = parts[-1]
        return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}

    def left_out(self, x_q15: np.ndarray, output: int, got: Nodes) -> dict[str, np.ndarray]:
        """Nodes of a block that is not processed; the inner ones are the dump's: memory may hold anything."""
        case, nodes = self.case, {}
        for node in case.nodes:
            steps = max(1, case.block // node.step)
            first = self._number * steps
            held = got[node.name][:, first : first + steps] if node.name in got else None
            if held is None or node is case.output:
                held = self.last[node.name][:, -steps:] if self.last else None
            shape = (len(node.rows), steps)
            nodes[node.name] = np.zeros(shape, np.int64) if held is None or held.shape != shape else held
        if output == _SILENCE:
            nodes[case.output.name] = np.zeros_like(nodes[case.output.name])
        elif output == _INPUT:
            nodes[case.output.name] = x_q15
        return nodes


def sequences(
    case: Case, x: np.ndarray, around: int, got: Nodes
) -> Iterator[tuple[str, str, Callable[[], Run], np.ndarray, int]]:
    """(kind, text, start, input, samples that count).

    around : input sample of the first difference;  got : nodes of the dump
    """
    n, block = x.shape[1], case.block
    last = around // block
    reach = -(-case.latency // block) + _BEFORE
    for number in range(last, max(-1, last - reach - 1), -1):
        at, name = number * block, f"block {number} (sample {number * block})"
        before, after = x[:, :at], x[:, at + block :]
        silence = np.zeros((len(x), block), x.dtype)
        outputs = (_INPUT, _SILENCE, _OLD) if _passes(case) else (_SILENCE, _OLD)
        for output in outputs:
            yield LEFT_OUT, f"{name}: {_OUTPUTS[output]}", _left_out(case, number, output, got), x, n
        lost = np.hstack([before, after, silence])
        yield LOST, f"input {name}: those after it come one block early", case.start, lost, n - block
        if number:
            doubled = np.hstack([before, x[:, at - block : n - block]])
            text = f"input {name} is that before it again, those after it one block late"
            yield DOUBLED, text, case.start, doubled, n
            again = np.hstack([before, x[:, at - block : at], after])
            yield DOUBLED, f"input {name} is that before it again", case.start, again, n
        late = np.hstack([before, silence, x[:, at : n - block]])
        yield "off by one", f"input one block late from {name} on, silence first", case.start, late, n
        yield (
            "zeros",
            f"input {name} is silence: a buffer ran empty",
            case.start,
            np.hstack([before, silence, after]),
            n,
        )
        yield TWICE, name, _twice(case, number), x, n


def _passes(case: Case) -> bool:
    return case.form == Form.SAMPLES and len(case.output.rows) == case.channels


def _left_out(case: Case, number: int, output: int, got: Nodes) -> Callable[[], Run]:
    def start() -> Run:
        run: Any = Interrupted(case, number, lambda run, part: run.left_out(part, output, got))
        return run  # type: ignore[no-any-return]

    return start


def _twice(case: Case, number: int) -> Callable[[], Run]:
    def instead(run: Interrupted, part: np.ndarray) -> Any:
        run.run.push(part)
        return run.run.push(part)

    def start() -> Run:
        run: Any = Interrupted(case, number, instead)
        return run  # type: ignore[no-any-return]

    return start
