"""Suspects that change the dump's numbers alone: how it was written, not how it was computed."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from firmware_model.case import Case, Node
from firmware_model.golden.causes import lost_bytes, transport
from firmware_model.golden.causes.gaps import gaps_of
from firmware_model.golden.causes.misreading import telling
from firmware_model.golden.causes.ranking import Score, Tally
from firmware_model.golden.dumps.dump_values import Values
from firmware_model.golden.dumps.evidence import Evidence
from firmware_model.golden.dumps.slips import lags, runs_of_zeros
from fixedpoint.qformat import Q15

BYTE_ORDER, UNSIGNED = "byte order", "unsigned"
IN_TIME = ("off by one", "delay")  # of which several amounts may fit a periodic signal
_OF_SILENCE = ("constant", "zeros")
_MOST_SHIFT = 16


# (node, its integers in the model) -> its integers in the dump, and the steps they hold for, a slice or a
# mask; None: it says nothing of the node
Predict = Callable[[Node, np.ndarray], tuple[np.ndarray, slice | np.ndarray] | None]


class Guess(NamedTuple):
    """What a dump would hold if it had been written so.

    kind : as in `suspects.Cause`;  text : in words
    simpler : text of the guess that says the same more simply, and is enough where it fits
    """

    kind: str
    text: str
    predict: Predict
    simpler: str = ""


def guesses(evidence: Evidence, case: Case, nodes: dict[str, Values]) -> Iterator[Guess]:
    """All of them, the simplest first.

    nodes : the dump
    """
    yield Guess("constant", "the same value throughout: the dump was never written", _constant(evidence))
    if text := _zeros_text(evidence, case):
        yield Guess("zeros", text, _zeros(evidence))
    yield Guess(BYTE_ORDER, "bytes of each value in the other order", _swapped)
    for shift in range(1, _MOST_SHIFT + 1):
        bits = f"{shift} bit" if shift == 1 else f"{shift} bits"
        yield Guess("Q format", f"shifted left by {bits}", _shift_left_exact(shift))
        yield Guess("Q format", f"shifted left by {bits}, saturated", _shift_left(shift, False))
        yield Guess("Q format", f"shifted left by {bits}, wrapped", _shift_left(shift, True))
        yield Guess("Q format", f"shifted right by {bits}, truncated", _shift_right(shift, False))
        yield Guess("Q format", f"shifted right by {bits}, rounded", _shift_right(shift, True))
    yield Guess("channel swap", "rows in the reverse order", _reversed)
    for k in range(1, max(len(node.rows) for node in case.nodes)):
        text = f"rows begin with row {k}"
        yield Guess("channel swap", text, _rolled(k))
    yield Guess("polarity", "inverted, saturated", _inverted(False))
    yield Guess("polarity", "inverted, wrapped", _inverted(True))
    modulus = 1 << next(node.fmt.bits for node in case.nodes if node.name == evidence.target)
    yield Guess(UNSIGNED, f"negative values written as unsigned, {modulus} too large", _unsigned)
    yield Guess("bypass", "the output is the input", _bypass(evidence))
    moved = list(transport.suspects(evidence, case, nodes))
    yield from (Guess(*found) for found in moved)
    if not any(found.kind in transport.SHIFTED for found in moved):  # which says the same more simply
        yield from (Guess(*found) for found in lost_bytes.suspects(evidence, case))
    for samples in lags(evidence, case):
        if transport.stands_for(evidence, case, samples):
            continue
        kind = "off by one" if abs(samples) in (1, case.block) else "delay"
        text = _lag_text(samples, case)
        yield Guess(kind, text, _lag(evidence, samples, False))
        later = f"{text} from the first difference on"
        yield Guess(kind, later, _lag(evidence, samples, True), simpler=text)


def alike(kind: str) -> set[str]:
    """The kinds that may say the same of a dump in other words."""
    return set(_OF_SILENCE) if kind in _OF_SILENCE else {kind}


def weigh(guess: Guess, evidence: Evidence, case: Case) -> tuple[Score, str] | None:
    """What a guess explains, and what its gaps hold; None where that is not worth saying.

    A node that it does not bring nearer is taken to be the model's; the first that differs must not be.
    """
    tally, gaps = Tally(evidence, case), ""
    for node in (node for node in case.nodes if node.name in evidence.got):
        name, got = node.name, evidence.got[node.name]
        expected = evidence.expected[name][:, : got.shape[1]]
        result = guess.predict(node, expected) if name in evidence.diverging else None
        compared = np.zeros(got.shape[1], bool)
        if result is not None:
            compared[result[1]] = True
        if result is None or not _nearer(guess, result[0], expected, got, compared):
            if name == evidence.target:
                return None
            tally.take(name, 0, expected)
            continue
        values = np.array(result[0])
        found = gaps_of(evidence, node, compared)
        for gap in found:
            if gap.values is None:
                tally.leave_out(name, gap.first, gap.stop, gap.beyond)
            else:
                values[:, gap.first : gap.stop] = gap.values
                compared[gap.first : gap.stop] = True
        edges = np.flatnonzero(np.diff(np.concatenate([[0], compared.astype(np.int8), [0]])))
        for first, stop in edges.reshape(-1, 2):
            tally.take(name, int(first), values[:, first:stop])
        more = f", and {len(found) - 2} more such gaps" if len(found) > 2 else ""
        gaps = gaps or "; ".join(gap.text for gap in found[:2]) + more
    score = tally.score()
    return (score, gaps) if score else None


def _nearer(
    guess: Guess, values: np.ndarray, expected: np.ndarray, got: np.ndarray, compared: np.ndarray
) -> bool:
    """Whether a guess gives more values of a node than the model does, and by more than chance."""
    part = got[:, compared]
    if guess.kind not in _OF_SILENCE and not telling(part):
        return False
    given = np.count_nonzero(values[:, compared] == part)
    return bool(given > np.count_nonzero(expected[:, compared] == part))


def _constant(evidence: Evidence) -> Predict:
    def predict(node: Node, expected: np.ndarray) -> tuple[np.ndarray, slice]:
        return np.full_like(expected, evidence.got[node.name][0, 0]), slice(None)

    return predict


def _zeros_text(evidence: Evidence, case: Case) -> str:
    """Where the first diverging node is zero and should not be; empty where zeros do not explain it."""
    got = evidence.got[evidence.target]
    runs = runs_of_zeros(evidence.expected[evidence.target][:, : got.shape[1]], got)
    if not runs:
        return ""
    step = next(node.step for node in case.nodes if node.name == evidence.target)
    first, stop = (evidence.start + edge * step for edge in runs[0])
    where = f"sample {first} ({first / case.fs_hz:.6f} s)"
    if len(runs) == 1 and runs[0][1] == got.shape[1]:
        return f"nothing but zeros from {where} on: the board stopped"
    more = "" if len(runs) == 1 else f", and in {len(runs) - 1} more such holes"
    return f"zeros from {where} to {stop - 1}{more}: a buffer ran empty"


def _zeros(evidence: Evidence) -> Predict:
    def predict(node: Node, expected: np.ndarray) -> tuple[np.ndarray, slice]:
        predicted = expected.copy()
        for first, stop in runs_of_zeros(expected, evidence.got[node.name]):
            predicted[:, first:stop] = 0
        return predicted, slice(None)

    return predict


def _swapped(node: Node, expected: np.ndarray) -> tuple[np.ndarray, slice]:
    return np.ascontiguousarray(expected, node.fmt.dtype).byteswap(), slice(None)


def _reversed(node: Node, expected: np.ndarray) -> tuple[np.ndarray, slice]:
    return expected[::-1], slice(None)


def _rolled(rows: int) -> Predict:
    return lambda node, expected: (np.roll(expected, -rows, axis=0), slice(None))


def _inverted(wrap: bool) -> Predict:
    def predict(node: Node, expected: np.ndarray) -> tuple[np.ndarray, slice]:
        wide = -expected.astype(np.int64)
        if wrap:
            return wide.astype(node.fmt.dtype), slice(None)
        return np.clip(wide, node.fmt.min_int, node.fmt.max_int), slice(None)

    return predict


def _unsigned(node: Node, expected: np.ndarray) -> tuple[np.ndarray, slice]:
    return expected.astype(np.int64) & ((1 << node.fmt.bits) - 1), slice(None)


def _bypass(evidence: Evidence) -> Predict:
    def predict(node: Node, expected: np.ndarray) -> tuple[np.ndarray, slice] | None:
        if node.fmt != Q15 or node.step != 1 or len(evidence.x) != len(expected):
            return None
        return evidence.x[:, : expected.shape[1]], slice(None)

    return predict


def _shift_left_exact(shift: int) -> Predict:
    return lambda node, expected: (expected.astype(np.int64) << shift, slice(None))


def _shift_left(shift: int, wrap: bool) -> Predict:
    def predict(node: Node, expected: np.ndarray) -> tuple[np.ndarray, slice]:
        wide = expected.astype(np.int64) << shift
        if wrap:
            return wide.astype(node.fmt.dtype), slice(None)
        return np.clip(wide, node.fmt.min_int, node.fmt.max_int), slice(None)

    return predict


def _shift_right(shift: int, rounded: bool) -> Predict:
    def predict(node: Node, expected: np.ndarray) -> tuple[np.ndarray, slice]:
        return (expected.astype(np.int64) + (rounded << shift >> 1)) >> shift, slice(None)

    return predict


def _lag_text(samples: int, case: Case) -> str:
    n = abs(samples)
    amount = "one sample" if n == 1 else f"{n} samples"
    if n % case.block == 0:
        blocks = n // case.block
        amount = f"{'one block' if blocks == 1 else f'{blocks} blocks'} ({amount})"
    return f"{amount} {'late' if samples > 0 else 'early'}"


def _lag(evidence: Evidence, samples: int, later: bool) -> Predict:
    def predict(node: Node, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        lag, left = divmod(samples, node.step)
        steps, model = expected.shape[1], evidence.expected[node.name]
        if left or abs(lag) >= steps:
            return None
        sources = np.arange(steps) - lag
        compared = (sources >= 0) & (sources < model.shape[1])
        predicted = model[:, np.clip(sources, 0, model.shape[1] - 1)]
        if later:
            slip = int(np.argmax((expected != evidence.got[node.name]).any(axis=0)))
            if slip == 0:
                return None
            predicted[:, :slip] = expected[:, :slip]
            compared[:slip] = True
            compared[slip : slip + max(lag, 0)] = False  # at the slip itself a step may hold anything
        return predicted, compared

    return predict
