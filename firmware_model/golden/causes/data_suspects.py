"""Suspects that change the dump's numbers alone: how it was written, not how it was computed."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from firmware_model.case import Case, Node
from firmware_model.golden.dumps.dump_values import DTYPES, LAYOUTS, Stored, Values, dtype_of
from firmware_model.golden.dumps.evidence import Evidence
from firmware_model.golden.dumps.slips import lags, runs_of_zeros
from fixedpoint.qformat import Q15

BYTE_ORDER, UNSIGNED = "byte order", "unsigned"
_OF_SILENCE = ("constant", "zeros")
_MOST_SHIFT = 16


# (node, its integers in the model) -> its integers in the dump, and the steps they hold for; None: none
Predict = Callable[[Node, np.ndarray], tuple[np.ndarray, slice] | None]


class Guess(NamedTuple):
    """What a dump would hold if it had been written so.

    kind : as in `suspects.Cause`;  text : in words
    """

    kind: str
    text: str
    predict: Predict


def misread(
    evidence: Evidence, case: Case, nodes: dict[str, Values]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Other forms of raw files in which they equal the model: (options that say so, nodes)."""
    raw = {name: values for name, values in nodes.items() if isinstance(values, Stored) and values.raw}
    if evidence.target not in raw:
        return
    steps = {node.name: node.step for node in case.nodes}
    taken = raw[evidence.target]
    for dtype in DTYPES:
        for planar in (False, True) if taken.rows > 1 else (False,):
            equal = []
            for name, values in raw.items():
                other = values._replace(dtype=dtype_of(dtype), planar=planar)
                first, expected = evidence.start // steps[name], evidence.expected[name]
                got = other.read(first, first + expected.shape[1])
                if np.array_equal(expected[:, : got.shape[1]], got) and _telling(got):
                    equal.append(name)
            if evidence.target in equal:
                options = [f"--dtype {dtype}"] * (dtype_of(dtype) != taken.dtype)
                options += [f"--layout {LAYOUTS[planar]}"] * (planar != taken.planar)
                yield " ".join(options), tuple(equal)


def guesses(evidence: Evidence, case: Case) -> Iterator[Guess]:
    """All of them, the simplest first."""
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
    for samples in lags(evidence, case):
        kind = "off by one" if abs(samples) in (1, case.block) else "delay"
        for later in (False, True):
            yield Guess(kind, _lag_text(samples, case, later), _lag(evidence, samples, later))


def explains(guess: Guess, evidence: Evidence, case: Case) -> tuple[str, ...]:
    """Diverging nodes that a guess gives bit for bit; none if the first of them is not among them."""
    found = []
    for node in case.nodes:
        if node.name not in evidence.diverging:
            continue
        got = evidence.got[node.name]
        expected = evidence.expected[node.name][:, : got.shape[1]]
        result = guess.predict(node, expected)
        if result is None:
            continue
        predicted, part = result
        if np.array_equal(predicted[:, part], got[:, part]) and (
            guess.kind in _OF_SILENCE or _telling(got[:, part])
        ):
            found.append(node.name)
        elif node.name == evidence.target:
            return ()
    return tuple(found) if evidence.target in found else ()


def _telling(values: np.ndarray) -> bool:
    """Whether values could be told from chance: a silent stretch equals almost anything."""
    return len(np.unique(values[:, :4096])) > 2 or len(np.unique(values)) > 2


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


def _lag_text(samples: int, case: Case, later: bool) -> str:
    n = abs(samples)
    amount = "one sample" if n == 1 else f"{n} samples"
    if n % case.block == 0:
        blocks = n // case.block
        amount = f"{'one block' if blocks == 1 else f'{blocks} blocks'} ({amount})"
    text = f"{amount} {'late' if samples > 0 else 'early'}"
    return f"{text} from the first difference on" if later else text


def _lag(evidence: Evidence, samples: int, later: bool) -> Predict:
    def predict(node: Node, expected: np.ndarray) -> tuple[np.ndarray, slice] | None:
        lag, left = divmod(samples, node.step)
        steps = expected.shape[1]
        if left or abs(lag) >= steps:
            return None
        begin = 0
        if later:  # known before; at the slip itself a step may hold anything
            wrong = (expected != evidence.got[node.name]).any(axis=0)
            begin = int(np.argmax(wrong)) + max(lag, 0)
            if begin - max(lag, 0) == 0:
                return None
        predicted = np.roll(expected, lag, axis=1)
        return predicted, slice(max(lag, begin), steps + min(lag, 0))

    return predict
