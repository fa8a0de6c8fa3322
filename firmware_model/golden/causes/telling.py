"""What would tell suspects apart that give the same dump."""

import hashlib
from collections.abc import Sequence

import numpy as np

from firmware_model.case import Case, Run
from firmware_model.golden.dumps.evidence import Evidence

OF_CASE = "case "  # begins the mark of another case's output; others are of nodes


def digest(values: np.ndarray) -> str:
    """What tells two arrays of integers apart."""
    return hashlib.sha256(np.ascontiguousarray(values, np.int64).tobytes()).hexdigest()[:16]


def marks_of_nodes(nodes: dict[str, np.ndarray]) -> dict[str, str]:
    """Digest of what a suspect gives, by node."""
    return {name: digest(values) for name, values in nodes.items()}


def mark_of_case(case: Case, run: Run, x: np.ndarray) -> tuple[str, str]:
    """(name, digest) of what a suspect gives in another case; "none" where it leaves an array."""
    try:
        output = run.push(case.whole_blocks(x))[case.output.name]
    except (IndexError, ValueError):
        return OF_CASE + case.name, "none"
    return OF_CASE + case.name, digest(output)


def told_apart(evidence: Evidence, case: Case, marks: Sequence[dict[str, str]]) -> str:
    """The node that the dump lacks, or else the case, in which most of the suspects differ; empty: none.

    marks : of each suspect
    """
    shared = set.intersection(*(set(mark) for mark in marks)) if marks else set()
    names = [node.name for node in case.nodes if node.name in shared and node.name not in evidence.got]
    names += sorted(name for name in shared if name.startswith(OF_CASE))
    kinds = {name: len({mark[name] for mark in marks}) for name in names}
    best = max(names, key=lambda name: kinds[name], default="")
    if not best or kinds[best] == 1:
        return ""
    what = best if best.startswith(OF_CASE) else f"node {best}"
    return what if kinds[best] == len(marks) else f"{what} ({kinds[best]} different results of {len(marks)})"
