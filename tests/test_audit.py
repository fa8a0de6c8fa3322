"""Kernels interpreted with overflow as an error compute what they compute when compiled."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from firmware_model.golden import kernel_cases, stimuli
from firmware_model.golden.cases import CASES, find_case
from firmware_model.golden.store import digest, golden
from fixedpoint._jit import audit, checked

# Control blocks, or hops, that are interpreted; the branches of the kernels have cases of their own.
SHORTENED = {"mbdp": 48, "watermark": 8}

AUDITED_PROCESS = """
import json, sys
from fixedpoint._jit import audit, checked
from tests.test_audit import kernel_bits, case_bits
from firmware_model.dynamics.cases import configurations as dynamics_cases
from firmware_model.golden import kernel_cases
from firmware_model.watermark.cases import configurations as watermark_cases
from firmware_model.golden.cases import CASES

def audited(kernel):
    def run(*args):
        with audit():
            kernel(*map(checked, args))
    return run

for module in (dynamics_cases, watermark_cases):
    module.process_frame = audited(module.process_frame)
out = {}
for names, bits in ((kernel_cases.CASES, lambda name: kernel_bits(name, checked, audit)), (CASES, case_bits)):
    for name in names:
        try:
            out[name] = bits(name)
        except (ArithmeticError, IndexError) as error:
            out[name] = f"{type(error).__name__}: {error}"
json.dump(out, sys.stdout)
"""


def kernel_bits(name, *how):
    """Hash of all that a kernel returns and leaves in its arguments, call by call."""
    return [digest(np.concatenate([call.returned, call.after])) for call in kernel_cases.calls(name, *how)]


def shortened(name):
    """The case, and the beginning of its stimulus."""
    case = find_case(name)
    blocks = SHORTENED[name.split("-")[0]]
    return case, np.ascontiguousarray(stimuli.load(case)[:, : blocks * case.block])


def case_bits(name):
    """Hash of each node over the beginning of the case's stimulus."""
    case, x_q15 = shortened(name)
    return {node: digest(values) for node, values in case.trace(x_q15).items()}


def interpret(*arguments):
    """Run Python with kernels left interpreted and warnings as errors."""
    root = Path(__file__).resolve().parent.parent
    environ = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(root)}
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def audited():
    """Results of all kernels and products, interpreted in a process of their own."""
    run = interpret("-c", AUDITED_PROCESS)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", sorted(kernel_cases.CASES))
def test_kernel_neither_overflows_nor_differs_from_compiled(name, audited):
    assert audited[name] == kernel_bits(name)


@pytest.mark.parametrize("name", CASES)
def test_product_neither_overflows_nor_differs_from_compiled(name, audited):
    assert audited[name] == case_bits(name)


@pytest.mark.parametrize("name", CASES)
def test_the_shortened_product_is_the_beginning_of_its_golden(name):
    case, x_q15 = shortened(name)
    output = case.trace(x_q15)[case.output.name]
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
