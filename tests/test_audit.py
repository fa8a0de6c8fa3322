"""Kernels interpreted with overflow as an error compute what they compute when compiled."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from firmware_model.golden import kernel_cases
from firmware_model.golden.cases import CASES, find_case
from firmware_model.golden.proofs.audit import audited as audit_of
from firmware_model.golden.proofs.audit import case_bits, kernel_bits, shortened
from firmware_model.golden.store import golden
from firmware_model.product import BUILT_IN, LIBRARY
from fixedpoint._jit import audit, checked


def interpret(*arguments):
    """Run Python with kernels left interpreted and warnings as errors."""
    root = Path(__file__).resolve().parent.parent
    environ = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(root)}
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def audited():
    """Results of all kernels and products, interpreted in a process of their own."""
    return audit_of(product.name for product in (LIBRARY, *BUILT_IN))


@pytest.mark.parametrize("name", sorted(kernel_cases.CASES))
def test_kernel_neither_overflows_nor_differs_from_compiled(name, audited):
    assert audited[name] == kernel_bits(name)


@pytest.mark.parametrize("name", CASES)
def test_product_neither_overflows_nor_differs_from_compiled(name, audited):
    assert audited[name] == case_bits(find_case(name))


@pytest.mark.parametrize("name", CASES)
def test_the_shortened_product_is_the_beginning_of_its_golden(name):
    case = find_case(name)
    output = case.trace(shortened(case))[case.output.name]
    assert output.any()
    np.testing.assert_array_equal(output, golden(case)[:, : output.shape[1]])


AUDIT_SEES = """
import numpy as np
from fixedpoint._jit import audit, checked, kernel
{source}
argument = {argument}
with audit():
    try:
        f(argument)
    except {error}:
        print("seen")
"""


@pytest.mark.parametrize(
    ("body", "argument", "error"),
    [
        ("return x + x", "np.int64(1 << 62)", "FloatingPointError"),
        ("return x * x", "np.int32(1 << 20)", "FloatingPointError"),
        ("return np.int64(x) * np.int64(x)", "np.int32(1 << 20)", None),
        ("return np.int16(x)", "np.int64(40000)", "OverflowError"),
        ("x[0] = np.int64(40000)", "checked(np.zeros(1, np.int16))", "OverflowError"),
        ("return x[np.int64(0) - np.int64(1)]", "checked(np.zeros(1, np.int16))", "IndexError"),
    ],
)
def test_audit_sees_lost_bits(body, argument, error, tmp_path):
    module = tmp_path / "leaky.py"
    source = f"@kernel\ndef f(x):\n    {body}\n"
    module.write_text(AUDIT_SEES.format(source=source, argument=argument, error=error or "ZeroDivisionError"))
    run = interpret(str(module))
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == ("seen" if error else "")


def test_audit_refuses_compiled_kernels():
    with pytest.raises(RuntimeError, match="NUMBA_DISABLE_JIT"), audit():
        pass


def test_checked_keeps_memory_and_tuple_type():
    x = np.zeros(2, np.int16)
    view, scalar = checked((x, 3))
    view[0] = 5
    assert x[0] == 5
    assert isinstance(scalar, np.int64)
