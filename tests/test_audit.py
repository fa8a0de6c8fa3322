"""Kernels interpreted with overflow as an error compute what they compute when compiled."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fixedpoint._jit import audit, checked
from tests.kernel_cases import CASES, results

AUDITED_PROCESS = """
import json, sys
from fixedpoint._jit import audit, checked
from tests.kernel_cases import CASES, results
out = {}
for name in CASES:
    try:
        out[name] = results(name, checked, audit)
    except (ArithmeticError, IndexError) as error:
        out[name] = f"{type(error).__name__}: {error}"
json.dump(out, sys.stdout)
"""


def interpret(*arguments):
    """Run Python with kernels left interpreted and warnings as errors."""
    root = Path(__file__).resolve().parent.parent
    environ = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(root)}
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def audited():
    """Results of all cases, interpreted in a process of their own."""
    run = interpret("-c", AUDITED_PROCESS)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", sorted(CASES))
def test_kernel_neither_overflows_nor_differs_from_compiled(name, audited):
    assert audited[name] == results(name)


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
        ("return x[-1]", "checked(np.zeros(1, np.int16))", "IndexError"),
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
