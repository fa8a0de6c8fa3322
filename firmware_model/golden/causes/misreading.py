"""Other ways to read a raw file, in which it equals the model: what the options of `compare` can say."""

from collections.abc import Iterator

import numpy as np

from firmware_model.case import Case, Node
from firmware_model.golden.dumps.dump_values import LAYOUTS, RAW_DTYPES, Stored, Values
from firmware_model.golden.dumps.evidence import Evidence
from fixedpoint.errors import AudioError

_SHIFTS = (0, 8, 16, 32, 48)  # of a value within a wider word
_FIRST_STEPS = 2048  # after which most ways to read it are ruled out


def misread(
    evidence: Evidence, case: Case, nodes: dict[str, Values]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Other forms of raw files in which they equal the model: (options that say so, nodes)."""
    raw = {name: values for name, values in nodes.items() if isinstance(values, Stored) and values.raw}
    if evidence.target not in raw:
        return
    of = {node.name: node for node in case.nodes}
    target = of[evidence.target]
    taken = raw[evidence.target]
    for options, dtype, planar, shift in _forms(taken, target):
        equal = [
            name
            for name, values in raw.items()
            if _equals(values.read_as(dtype)._replace(planar=planar, shift=shift), of[name], evidence)
        ]
        if evidence.target in equal:
            yield options, tuple(equal)


def _forms(taken: Stored, node: Node) -> Iterator[tuple[str, str, bool, int]]:
    """(options, dtype, planar, shift) of all other forms, those without a shift first."""
    for shift in _SHIFTS:
        for dtype in RAW_DTYPES:
            other = taken.read_as(dtype)
            bits = 24 if other.word_of_24 else 8 * other.dtype.itemsize
            if shift and shift + node.fmt.bits > bits:
                continue
            for planar in (False, True) if taken.rows > 1 else (False,):
                same = (other.dtype, other.word_of_24) == (taken.dtype, taken.word_of_24)
                options = [f"--dtype {dtype}"] * (not same)
                options += [f"--layout {LAYOUTS[planar]}"] * (planar != taken.planar)
                options += [f"--fraction-bits {node.fmt.n + shift}"] * (shift != taken.shift)
                yield " ".join(options), dtype, planar, shift


def _equals(other: Stored, node: Node, evidence: Evidence) -> bool:
    first, expected = evidence.start // node.step, evidence.expected[node.name]
    try:
        for steps in (_FIRST_STEPS, expected.shape[1]):
            got = other.read(first, first + min(steps, expected.shape[1]))
            if not np.array_equal(expected[:, : got.shape[1]], got):
                return False
    except AudioError:  # bits that this form does not have
        return False
    return telling(got)


def telling(values: np.ndarray) -> bool:
    """Whether values could be told from chance: a silent stretch equals almost anything."""
    return len(np.unique(values[:, :4096])) > 2 or len(np.unique(values)) > 2
