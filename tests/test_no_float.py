"""No kernel holds a floating-point instruction."""

import re

import pytest

from firmware_model.golden.kernel_cases import CASES, arguments
from fixedpoint._jit import llvm_ir, registered_kernels

FLOAT = re.compile(r"\b(double|float|half|fmul|fadd|fsub|fdiv|sitofp|uitofp|fptosi)\b")


def test_every_registered_kernel_has_cases():
    assert sorted(set(registered_kernels()) - set(CASES)) == []


def test_search_finds_a_float():
    def average(a, b):
        return (a + b) / 2

    assert FLOAT.search(llvm_ir(average, 1, 2))


@pytest.mark.parametrize("name", sorted(CASES))
def test_kernel_has_no_float_instruction(name):
    code = llvm_ir(registered_kernels()[name], *arguments(name)[0])
    assert "define" in code
    # Numba's wrapper, which converts Python objects and never reaches the device, is left out.
    kernel_code = [part for part in code.split("\ndefine ") if "@_ZN7cpython" not in part.split("(")[0]]
    found = [line for part in kernel_code for line in part.splitlines() if FLOAT.search(line)]
    assert found == []
