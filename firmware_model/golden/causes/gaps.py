"""What stands in a dump where a delay has nothing of the model's to hold against it."""

from typing import NamedTuple

import numpy as np

from firmware_model.case import Node
from firmware_model.golden.dumps.evidence import Evidence

_RIFF = b"RIFF"
_SHOWN = 3  # values of a gap that nothing explains


class Gap(NamedTuple):
    """Steps of a node that a guess leaves open.

    first, stop : of the evidence's steps
    values : (rows, steps) that it ought to hold; None: nothing is known of it
    beyond : whether the stretch of the evidence begins or ends here, so that no guess could know
    text : what it holds, in words
    """

    first: int
    stop: int
    values: np.ndarray | None
    beyond: bool
    text: str


def gaps_of(evidence: Evidence, node: Node, compared: np.ndarray) -> list[Gap]:
    """The gaps of a node.

    compared : (steps of the dump,) bool
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (~compared).astype(np.int8), [0]])))
    return [_gap(evidence, node, int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]


def _gap(evidence: Evidence, node: Node, first: int, stop: int) -> Gap:
    got = evidence.got[node.name]
    holds, steps = got[:, first:stop], got.shape[1]
    where = _where(evidence, node, first, stop)
    at_end = stop == steps and first > 0
    if not holds.any():
        return Gap(first, stop, holds, False, f"{where} of the dump are zeros")
    model = evidence.expected[node.name][:, :steps]
    if evidence.whole and first == 0 and np.array_equal(holds, model[:, steps - stop :]):
        text = f"{where} of the dump hold the last of the model's values: a ring read from the wrong place"
        return Gap(first, stop, holds, False, text)
    if evidence.whole and at_end and np.array_equal(holds, model[:, : stop - first]):
        text = f"{where} of the dump hold the first of the model's values: a ring read from the wrong place"
        return Gap(first, stop, holds, False, text)
    begins = first == 0 and evidence.start == 0
    if begins and holds.T.astype(node.fmt.dtype).tobytes().startswith(_RIFF):
        return Gap(first, stop, holds, False, f"{where} of the dump are the header of a WAV file")
    if first > 0 and not at_end and np.array_equal(holds, got[:, 2 * first - stop : first]):
        return Gap(first, stop, holds, False, f"{where} of the dump repeat what stands before")
    beyond = at_end or (first == 0 and not begins)
    return Gap(
        first, stop, None, beyond, f"{where} of the dump, which hold {_content(holds)}, were not compared"
    )


def _where(evidence: Evidence, node: Node, first: int, stop: int) -> str:
    start = evidence.start + first * node.step
    last = evidence.start + stop * node.step - 1
    return f"sample {start}" if start == last else f"samples {start} to {last}"


def _content(values: np.ndarray) -> str:
    flat = values.T.reshape(-1)
    if (flat == flat[0]).all():
        return f"{flat[0]} throughout"
    shown = ", ".join(map(str, flat[:_SHOWN]))
    return shown + (", ..." if len(flat) > _SHOWN else "")
