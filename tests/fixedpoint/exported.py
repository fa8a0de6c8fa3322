"""All registered kernels in C on the host, beside the compiled kernels: ``python -m`` this runs the proof.

A program of its own too, since a sanitizer that finds something ends the process: it takes a library and
what `keep` has written.
"""

import inspect
import pickle
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from firmware_model.dynamics.processor import process_frame as process_dynamics
from firmware_model.golden.cases import CASES
from firmware_model.golden.kernel_cases import CASES as KERNEL_CASES
from firmware_model.golden.kernel_cases import arguments, flat
from firmware_model.golden.stimuli import load
from firmware_model.watermark.detector import process_frame as process_detector
from fixedpoint._jit import registered_kernels
from fixedpoint.c99.host import Library
from fixedpoint.c99.translator import Module, translate
from fixedpoint.c99.types import CFunction, Type, type_of

Key = tuple[str, tuple[Type, ...]]


@cache
def parameters(kernel: Any) -> tuple[str, ...]:
    """Names, asked for with every one of 18000 calls."""
    return tuple(inspect.signature(getattr(kernel, "py_func", kernel)).parameters)


def without_probes(kernel: Any, args: tuple) -> tuple:
    return tuple(a for name, a in zip(parameters(kernel), args, strict=True) if name != "probes")


def key_of(name: str, args: tuple) -> Key:
    kept = without_probes(registered_kernels()[name], args)
    return name, tuple(type_of(a, name) for a in kept)


def export_all() -> tuple[Module, dict[Key, CFunction]]:
    """Every registered kernel, for all the types that its cases come with."""
    wanted: dict[Key, tuple[Any, tuple]] = {}
    for name in sorted(KERNEL_CASES):  # which registers them all, in whatever order
        kernel = registered_kernels()[name]
        for args in arguments(name):
            wanted.setdefault(key_of(name, args), (kernel, args))
    module = translate(wanted.values(), "kernels")
    return module, dict(zip(wanted, module.functions, strict=True))


def keep(functions: dict[Key, CFunction], path: Path) -> None:
    """Write what the program needs to know of the kernels in C, which takes as long again to find out."""
    path.write_bytes(pickle.dumps({key: found._replace(python=abs) for key, found in functions.items()}))


def kernel_differences(library: Library, functions: dict[Key, CFunction]) -> Iterator[str]:
    """Calls whose result, or what they leave in the arguments, is not that of the compiled kernel."""
    for name in KERNEL_CASES:
        kernel = registered_kernels()[name]
        for i, (ours, theirs) in enumerate(zip(arguments(name), arguments(name), strict=True)):
            wanted = flat(kernel(*ours))
            kept = without_probes(kernel, theirs)
            got = flat(library.call(functions[key_of(name, theirs)], *kept))
            if not np.array_equal(got, wanted):
                yield f"{name}, call {i}: returned {got}, {wanted} wanted"
            if not np.array_equal(flat(kept), flat(without_probes(kernel, ours))):
                yield f"{name}, call {i}: arguments differ afterwards"


def case_differences(name: str, library: Library, functions: dict[Key, CFunction]) -> Iterator[str]:
    """Whether a product's output, node by node, and final state differ over its stimulus."""
    case = CASES[name]
    x = case.whole_blocks(load(case))
    ours: Any = case.start()
    theirs: Any = case.start()
    if name.startswith("mbdp"):
        y, wanted = np.zeros_like(x), np.zeros_like(x)
        process_dynamics(ours.params, ours.state, x, wanted, None)
        call(library, functions, process_dynamics, theirs.params, theirs.state, x, y)
        if not np.array_equal(y, wanted):
            yield f"{name}: output"
        if not np.array_equal(y, case.plain(x)):
            yield f"{name}: output of the case"
    else:
        for start in range(0, x.shape[1], case.block):
            hop = x[0, start : start + case.block]
            process_detector(ours.params, ours.state, hop, ours.output, None)
            call(library, functions, process_detector, theirs.params, theirs.state, hop, theirs.output)
            if not np.array_equal(flat(theirs.output), flat(ours.output)):
                yield f"{name}: output of the hop at sample {start}"
    if not np.array_equal(flat(theirs.state), flat(ours.state)):
        yield f"{name}: final state"


def call(library: Library, functions: dict[Key, CFunction], kernel: Any, *args: Any) -> Any:
    """Call a kernel by its Python object, with arguments that leave out the probes."""
    name = next(n for n, k in registered_kernels().items() if k is kernel)
    return library.call(functions[name, tuple(type_of(a, name) for a in args)], *args)


if __name__ == "__main__":
    library = Library(Path(sys.argv[1]))
    functions = pickle.loads(Path(sys.argv[2]).read_bytes())
    found = list(kernel_differences(library, functions))
    for name in CASES:
        found += case_differences(name, library, functions)
    sys.exit("\n".join(found) or 0)
