"""The overflow audit: kernels interpreted with overflow as an error compute what they compute when compiled.

`python -m firmware_model.golden.proofs.audit NAME...`, with NUMBA_DISABLE_JIT=1, prints the bits of each
product's kernels and cases as JSON, or what was lost.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from firmware_model.case import Case
from firmware_model.golden import kernel_cases, stimuli
from firmware_model.golden.store import digest
from firmware_model.product import LIBRARY, Product, find_product
from fixedpoint._jit import audit, checked

Bits = dict[str, Any]
_SAMPLES, _LEAST_BLOCKS, _MOST_BLOCKS = 1024, 8, 48  # of a case that are interpreted


def differences(product: Product) -> list[str]:
    """A line for each kernel and case that loses bits, or differs between interpreted and compiled.

    Raises
    ------
    RuntimeError
        The process with interpreted kernels failed.
    """
    found = audited([product.name])
    own = {**{name: kernel_bits(name) for name in kernel_cases.CASES.of(product)}, **_case_bits(product)}
    return [f"{name}: {_said(found[name])}" for name, bits in own.items() if found[name] != bits]


def _said(found: Any) -> str:
    return found if isinstance(found, str) else "other bits interpreted than compiled"


def audited(names: Iterable[str]) -> Bits:
    """Kernel or case -> its bits, interpreted in a process of their own, or what was lost, in words.

    names : of products, or that of `LIBRARY`

    Raises
    ------
    RuntimeError
    """
    command = [sys.executable, "-W", "error", "-m", __spec__.name, *names]
    environ = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RuntimeError(f"audit: ended with status {ran.returncode}: {ran.stderr}")
    found: Bits = json.loads(ran.stdout)
    return found


def kernel_bits(name: str, *how: Any) -> list[str]:
    """Hash of all that a kernel returns and leaves in its arguments, call by call; how : see `calls`"""
    return [digest(np.concatenate([call.returned, call.after])) for call in kernel_cases.calls(name, *how)]


def shortened(case: Case) -> np.ndarray:
    """The beginning of a case's stimulus: the branches of the kernels have cases of their own."""
    blocks = min(max(-(-_SAMPLES // case.block), _LEAST_BLOCKS), _MOST_BLOCKS)
    return np.ascontiguousarray(stimuli.load(case)[:, : blocks * case.block])


def case_bits(case: Case) -> dict[str, str]:
    """Hash of each node over the beginning of the case's stimulus."""
    return {node: digest(values) for node, values in case.trace(shortened(case)).items()}


def _case_bits(product: Product) -> Bits:
    return {} if product == LIBRARY else {case.name: case_bits(case) for case in product.cases}


def main(names: list[str]) -> None:
    """Print the bits of these products."""
    found: Bits = {}
    for product in [LIBRARY if name == LIBRARY.name else find_product(name) for name in names]:
        for name in kernel_cases.CASES.of(product):
            found[name] = _or_lost(partial(kernel_bits, name, checked, audit))
        for case in () if product == LIBRARY else product.cases:
            _audit_calls(product, case.start().kernel)
            found[case.name] = _or_lost(partial(case_bits, case))
    sys.stdout.write(json.dumps(found))


def _or_lost(bits: Callable[[], Any]) -> Any:
    try:
        return bits()
    except (ArithmeticError, IndexError) as error:
        return f"{type(error).__name__}: {error}"


def _audit_calls(product: Product, kernel: Callable[..., Any]) -> None:
    """Put what runs a kernel under audit into its place in all modules of the product."""

    def run(*args: Any) -> None:
        with audit():
            kernel(*map(checked, args))

    run.__module__, run.__name__ = kernel.__module__, kernel.__name__
    for name, module in list(sys.modules.items()):
        if name == product.package or name.startswith(f"{product.package}."):
            for attribute, value in list(vars(module).items()):
                if value is kernel:
                    setattr(module, attribute, run)


if __name__ == "__main__":
    main(sys.argv[1:])
