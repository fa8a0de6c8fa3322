"""What the conformance page shows, as data: products, kernels, CMSIS-DSP's operations, Arm's patterns."""

import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from firmware_model.golden import kernel_goldens
from firmware_model.golden.cases import CASES
from firmware_model.golden.conformance import accuracy, arm_patterns, cmsis
from firmware_model.golden.conformance.accuracy import Error
from firmware_model.golden.conformance.arm_patterns import Figures, Pattern
from firmware_model.golden.conformance.operations import OPERATIONS, Match, Operation, compare
from firmware_model.golden.stimuli import load
from firmware_model.golden.store import digest, shipped
from fixedpoint._jit import registered_kernels

EQUAL, DIFFERS, NO_GOLDEN = "equal", "differs", "no golden"


class Golden(NamedTuple):
    """sha256 : of the frozen integers, hex, "" for none;  status : EQUAL, DIFFERS or NO_GOLDEN."""

    sha256: str
    status: str


class NodeRow(NamedTuple):
    """A node of a product: `values` of them in the format `fmt`."""

    case: str
    node: str
    fmt: str
    values: int
    error: Error
    golden: Golden


class KernelRow(NamedTuple):
    """A kernel; operations : those of CMSIS-DSP that it is compared with."""

    name: str
    summary: str
    error: Error | None
    golden: Golden
    operations: tuple[str, ...]


class Report(NamedTuple):
    """All of the page.

    versions : tool -> version, "not installed"
    matches : operation -> how it compares; None where `cmsisdsp` is not installed
    patterns : Arm's tests and their figures; None where there are no files
    patterns_folder : where they should be, below $BITTRUE_DATA
    """

    versions: dict[str, str]
    nodes: list[NodeRow]
    kernels: list[KernelRow]
    matches: dict[str, Match | None]
    patterns: list[tuple[Pattern, Figures]] | None
    patterns_folder: str

    @property
    def failures(self) -> list[str]:
        """One line for each thing that is not as it should be."""
        lost = [
            f"{row.case} {row.node}: golden {row.golden.status}" for row in self.nodes if _bad(row.golden)
        ]
        lost += [f"{row.name}: golden {row.golden.status}" for row in self.kernels if _bad(row.golden)]
        for name, match in self.matches.items():
            if match is not None and match.first is not None:
                where, index, theirs, ours = match.first
                lost.append(f"{name}: {where}, value {index}: {ours} for {theirs} of CMSIS-DSP")
        for pattern, figures in self.patterns or ():
            if pattern.exact and figures.equal is False:
                lost.append(f"{pattern.name}: other bits than CMSIS-DSP on Arm's pattern")
            if pattern.arm_lsb is not None and figures.ours_lsb > pattern.arm_lsb:
                lost.append(f"{pattern.name}: {figures.ours_lsb} LSB, Arm accepts {pattern.arm_lsb}")
            if pattern.arm_snr_db is not None and figures.ours_db < pattern.arm_snr_db:
                lost.append(f"{pattern.name}: {figures.ours_db:.1f} dB, Arm accepts {pattern.arm_snr_db:g}")
        return lost


def _bad(golden: Golden) -> bool:
    return golden.status == DIFFERS


def collect(
    data: Path | None,
    cases: tuple[str, ...] | None = None,
    kernels: tuple[str, ...] | None = None,
    progress: Callable[[str], None] = lambda what: None,
) -> Report:
    """Measure everything.

    Parameters
    ----------
    data : folder of real data with Arm's patterns in it, see `arm_patterns.FOLDER`; None for none
    cases, kernels : only these, by name; None for all
    progress : is told what comes next

    Raises
    ------
    GoldenError
        The store is not as it was written.
    AudioError
        A pattern file is not of its form.
    """
    progress("products")
    nodes, errors = _nodes(tuple(CASES) if cases is None else cases)
    progress("kernels")
    rows = _kernels(errors, tuple(sorted(accuracy.CASES)) if kernels is None else kernels)
    progress("CMSIS-DSP")
    matches = {name: compare(name) if cmsis.installed() else None for name in OPERATIONS}
    progress("Arm's patterns")
    folder = None if data is None else data / arm_patterns.FOLDER
    patterns = None
    if folder is not None and folder.is_dir():
        patterns = [(pattern, arm_patterns.judge(pattern)) for pattern in arm_patterns.patterns(folder)]
    return Report(_versions(), nodes, rows, matches, patterns, str(arm_patterns.FOLDER))


def _versions() -> dict[str, str]:
    tools = {name: version(name) for name in ("bittrue", "numpy", "numba", "scipy")}
    return {
        "python": platform.python_version(),
        **tools,
        "cmsisdsp": cmsis.installed() or cmsis.NOT_INSTALLED,
    }


def _nodes(names: tuple[str, ...]) -> tuple[list[NodeRow], dict[str, dict[str, Error]]]:
    rows, errors = [], {}
    for name in names:
        case = CASES[name]
        errors[name] = accuracy.of_case(case)
        values = case.trace(load(case))
        for node in case.nodes:
            entry = f"output:{name}" if node == case.output else f"node:{name}:{node.name}"
            golden = _golden(entry, values[node.name])
            count = values[node.name].size
            rows.append(NodeRow(name, node.name, str(node.fmt), count, errors[name][node.name], golden))
    return rows, errors


def _golden(entry: str, values: np.ndarray) -> Golden:
    frozen: dict[str, Any] | None = shipped().entries.get(entry)
    if frozen is None:
        return Golden("", NO_GOLDEN)
    same = digest(values) == frozen["sha256"] and list(values.shape) == frozen["shape"]
    return Golden(frozen["sha256"], EQUAL if same else DIFFERS)


def _kernels(nodes: dict[str, dict[str, Error]], names: tuple[str, ...]) -> list[KernelRow]:
    errors = accuracy.of_kernels(nodes, names)
    rows = []
    for name in names:
        function: Any = registered_kernels()[name]
        summary = (getattr(function, "py_func", function).__doc__ or "").strip().split("\n")[0]
        operations = tuple(operation.name for operation in OPERATIONS.values() if operation.kernel == name)
        rows.append(KernelRow(name, summary, errors[name], _kernel_golden(name), operations))
    return rows


def _kernel_golden(name: str) -> Golden:
    frozen = shipped().entries.get(f"kernel:{name}")
    if frozen is None:
        return Golden("", NO_GOLDEN)
    differs = kernel_goldens.first_difference(name, shipped()) is not None
    return Golden(frozen["sha256"], DIFFERS if differs else EQUAL)


def verdict(operation: Operation, match: Match | None) -> str:
    """What a comparison with CMSIS-DSP showed, in words."""
    if match is None:
        return f"cmsisdsp {cmsis.NOT_INSTALLED}"
    if not match.holds:
        return "differs"
    return "same bits" if not operation.bound_lsb else f"within {operation.bound_lsb} LSB"
