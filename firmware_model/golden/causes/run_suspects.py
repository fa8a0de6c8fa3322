"""Suspects that run the model's own kernels on other input, from another state, with other coefficients."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from firmware_model.case import Case, Run
from firmware_model.golden.causes.coefficient_suspects import coefficients
from firmware_model.golden.causes.sequence_suspects import Nodes, sequences
from firmware_model.golden.causes.state_suspects import mixed_states, states
from firmware_model.golden.dumps.dump_values import Values


class Suspect(NamedTuple):
    """A run that may be what the device did.

    kind, text : as in `suspects.Cause`
    start : a fresh run;  x : (channels, n) int16 that it is fed;  valid : samples whose output counts
    exact : whether it is worth a whole run only if it gives the first difference, and none before
    """

    kind: str
    text: str
    start: Callable[[], Run]
    x: np.ndarray
    valid: int
    exact: bool = False


def suspects(
    case: Case, x: np.ndarray, whole: Values, around: int | None = None, got: Nodes | None = None
) -> Iterator[Suspect]:
    """All of them.

    x : (channels, n) int16, the stretch to reproduce, from the beginning;  whole : all input
    around : input sample of the first difference; None: nothing that befalls single blocks;  got : the dump
    """
    for kind, text, other, valid in _inputs(case, x):
        yield Suspect(kind, text, case.start, np.ascontiguousarray(other), valid)
    n = x.shape[1]
    for kind, text, start in states(case, whole):
        yield Suspect(kind, text, start, x, n)
    for kind, text, start in coefficients(case):
        yield Suspect(kind, text, start, x, n)
    if around is not None:
        for kind, text, start, other, valid in sequences(case, x, around, got or {}):
            yield Suspect(kind, text, start, np.ascontiguousarray(other), valid, exact=True)
    for kind, text, start in mixed_states(case, whole):
        yield Suspect(kind, text, start, x, n, exact=True)


def _inputs(case: Case, x: np.ndarray) -> Iterator[tuple[str, str, np.ndarray, int]]:
    """(kind, text, input, samples that count)."""
    n = x.shape[1]
    amounts = [(1, "one sample")] + (
        [(case.block, f"one block ({case.block} samples)")] if case.block > 1 else []
    )
    for lag, amount in amounts:
        if lag < n:
            silence = np.zeros((len(x), lag), x.dtype)
            yield "off by one", f"input {amount} late", np.hstack([silence, x[:, :-lag]]), n
            early = np.hstack([x[:, lag:], silence])
            yield "off by one", f"input {amount} early", early, (n - lag) // case.block * case.block
    if len(x) > 1:
        yield "channel swap", "channels of the input swapped", x[::-1], n
    yield "byte order of the input", "bytes of the input in the other order", x.byteswap(), n
    for shift in range(1, 16):
        wide = x.astype(np.int64) << shift
        bits = f"{shift} bit" if shift == 1 else f"{shift} bits"
        yield "Q format", f"input shifted right by {bits}", x >> shift, n
        yield (
            "Q format",
            f"input shifted left by {bits}, saturated",
            np.clip(wide, -32768, 32767).astype(np.int16),
            n,
        )
        yield "Q format", f"input shifted left by {bits}, wrapped", wide.astype(np.int16), n
