"""Every regression of bit-exactness in one list of items: kernels, products, references, conformance.

An item is "kind:name". Items do not depend on each other and run in any order. They run in one process: two
would both compile the kernels that their items share, which is nearly all there is to do.
"""

import inspect
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case
from firmware_model.golden import case_goldens, kernel_cases, kernel_goldens, reference_bounds, stimuli
from firmware_model.golden.cases import CASES, find_case, own_cases
from firmware_model.golden.conformance import cmsis, operations
from firmware_model.golden.kernel_goldens import Difference
from firmware_model.golden.store import GoldenError, shipped
from firmware_model.product import LIBRARY, Product, blamed, products
from fixedpoint._jit import registered_kernels
from fixedpoint.errors import BittrueError, ConfigError, did_you_mean
from fixedpoint.subset.typed import check_typed

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
KINDS = {
    "subset": "every kernel keeps to the subset in which compiled, interpreted and exported code agree",
    "case": "golden output and nodes of a product, bit for bit, probes on and off",
    "reference": "error of every node against the float64 reference",
    "conformance": "the same operations of CMSIS-DSP",
    "kernel": "golden of a kernel, bit for bit",
}


NOT_FROZEN = {
    "arguments": "its arguments are not those that were frozen: those who made them changed",
    "parameters": "the integers that it is configured with are not those that were frozen",
}


class Result(NamedTuple):
    """What became of an item.

    item : "kernel:fixedpoint.arith.sat16"
    status : PASSED, FAILED or SKIPPED
    seconds : it took, compiling included
    says : one line: what differs, why it was skipped, or what was measured; may be empty
    first_difference : of one that failed, where there is one
    """

    item: str
    status: str
    seconds: float
    says: str
    first_difference: Difference | None = None

    @property
    def kind(self) -> str:
        """ "subset", "kernel", "case", "reference" or "conformance"."""
        return self.item.partition(":")[0]

    @property
    def name(self) -> str:
        """Without the kind."""
        return self.item.partition(":")[2]


def items(text: str = "", product: Product | None = None) -> list[str]:
    """Names of all items that hold the text, of one product or of all: first what compiles nothing.

    Raises
    ------
    ConfigError
        None holds it.
    """
    cases = list(CASES) if product is None else [case.name for case in own_cases(product)]
    listed = kernel_cases.CASES if product is None else kernel_cases.CASES.of(product)
    kernels = set(listed) | set(registered_kernels())
    kernels |= {name.partition(":")[2] for name in shipped().entries if name.startswith("kernel:")}
    if product is not None:
        kernels = {name for name in kernels if name in listed or name.startswith(f"{product.package}.")}
    names: dict[str, Iterable[str]] = {
        "subset": sorted(name for name in kernels if name in registered_kernels()),
        "case": cases,
        "conformance": operations.OPERATIONS if product is None else (),
        "kernel": sorted(kernels, reverse=True),
        "reference": cases,
    }
    everything = [f"{kind}:{name}" for kind, those in names.items() for name in those]
    chosen = [item for item in everything if text in item]
    if not chosen:
        raise ConfigError(f"filter={text}: no item holds it; items are {', '.join(KINDS)} and a name")
    return chosen


def require_sound_store() -> None:
    """Refuse to check against files that are not as they were written.

    Raises
    ------
    GoldenError
        Names them.
    """
    faults = shipped().verify()
    if faults:
        raise GoldenError("; ".join(faults))


def run(item: str) -> Result:
    """Check one item."""
    kind, _, name = item.partition(":")
    begun = time.perf_counter()
    checks = {"subset": _subset, "case": _case, "reference": _reference, "kernel": _kernel}
    try:
        status, says, difference = (checks | {"conformance": _conformance})[kind](name)
    except Exception as error:  # of an installed product's own code; the other items go on
        says = "" if isinstance(error, BittrueError) else blamed(error)
        if not says:
            raise
        status, difference = FAILED, None
    return Result(item, status, time.perf_counter() - begun, says, difference)


def in_words(found: Difference, case: Case | None = None) -> str:
    """ "level, 120-2000 Hz, step 512 (sample 4096, 0.085333 s): expected 17 (0x11), got 18 (0x12), +1 LSB".

    case : that the node is of, if it is of one
    """
    if found.node in NOT_FROZEN:
        return NOT_FROZEN[found.node]
    where = f"{found.node}{f', {found.row}' if found.row else ''}, step {found.step}"
    for node in case.nodes if case else ():
        if case and node.name == found.node:
            sample = found.step * node.step
            where += f" (sample {sample}, {sample / case.fs_hz:.6f} s)"
    if found.row.startswith("shape "):
        return f"{found.node}: {found.row}"
    if found.expected is None or found.got is None:
        return f"{where} or within the next {case_goldens.STRETCH} steps: other bits"
    expected, got = (f"{value} ({_hex(value)})" for value in (found.expected, found.got))
    return f"{where}: expected {expected}, got {got}, {found.got - found.expected:+d} LSB"


def _hex(value: int) -> str:
    """Two's complement in 32 bits, or 64 where they are needed."""
    bits = 32 if -(1 << 31) <= value < 1 << 32 else 64
    return f"{value & (1 << bits) - 1:#x}"


def source_of(result: Result) -> tuple[str, int] | None:
    """(file, line) of a kernel, the file relative to the current folder where it is below it."""
    function: Any = registered_kernels().get(result.name)
    if result.kind not in ("kernel", "subset") or function is None:
        return None
    python = getattr(function, "py_func", function)
    path = Path(inspect.getfile(python)).resolve()
    with suppress(ValueError):
        path = path.relative_to(Path.cwd())
    return path.as_posix(), python.__code__.co_firstlineno


_Outcome = tuple[str, str, Difference | None]


def _verdict(found: Difference | None, says: str = "", case: Case | None = None) -> _Outcome:
    if found is None:
        return PASSED, says, None
    return FAILED, in_words(found, case), found


def _subset(name: str) -> _Outcome:
    if name not in kernel_cases.CASES:
        return FAILED, "is a kernel, but no arguments are listed in kernel_cases", None
    typical = {_types(args): args for args in kernel_cases.arguments(name)}  # one for each type
    found = [f for args in typical.values() for f in check_typed(registered_kernels()[name], args)]
    found = list(dict.fromkeys(found))
    return (FAILED, "; ".join(map(str, found)), None) if found else (PASSED, "", None)


def _types(value: Any) -> Any:
    """What tells apart the types of two arguments."""
    if isinstance(value, tuple):
        return type(value), *map(_types, value)
    return (value.dtype, value.ndim) if isinstance(value, np.ndarray) else type(value)


def _kernel(name: str) -> _Outcome:
    if name not in registered_kernels():
        like = did_you_mean(name, registered_kernels(), "; ")
        return (
            FAILED,
            f"has arguments in kernel_cases or a golden, but no such kernel is registered{like}",
            None,
        )
    if name not in kernel_cases.CASES:
        return FAILED, "is a kernel, but no arguments are listed in kernel_cases", None
    if f"kernel:{name}" not in shipped().entries:
        return FAILED, _no_golden(name), None
    return _verdict(kernel_goldens.first_difference(name, shipped()))


def _case(name: str) -> _Outcome:
    if f"output:{name}" not in shipped().entries:
        return FAILED, _no_golden(name), None
    case = find_case(name)
    return _verdict(case_goldens.first_difference(case, shipped()), case=case)


def _no_golden(name: str) -> str:
    """What an item without a golden says."""
    for product in (LIBRARY, *products()):
        known = name in kernel_cases.CASES.of(product) if product == LIBRARY or name not in CASES else False
        if known or (name in CASES and CASES[name].product == product):
            return f"has no golden; freeze it with bittrue freeze --product {product.name} --reason ..."
    return "has no golden; freeze it with bittrue freeze --reason ..."


def _reference(name: str) -> _Outcome:
    case = find_case(name)
    if f"stimulus:{case.stimulus}" not in shipped().entries:
        return FAILED, _no_golden(name), None
    found, largest = reference_bounds.beyond_bounds(case, stimuli.load(case))
    allowed = reference_bounds.allowed_lsb(case)
    return _verdict(found, f"{case.output.name} within {largest:.2f} LSB of {allowed:.3g} allowed", case)


def _conformance(name: str) -> _Outcome:
    if not cmsis.installed():
        return SKIPPED, f"cmsisdsp is {cmsis.NOT_INSTALLED}", None
    match = operations.compare(name)
    if match.first is None:
        return PASSED, "", None
    where, step, expected, got = match.first
    return _verdict(Difference(match.operation.function, where, step, expected, got))
