"""No kernel holds a floating-point instruction.

A kernel's code holds that of the kernels it calls, so those that no other calls stand for all of them;
`make test-slow` compiles each of the others by itself as well.
"""

import re

import pytest

from firmware_model.golden.kernel_cases import CASES, arguments
from fixedpoint import _jit
from fixedpoint._jit import kernel, llvm_ir, registered_kernels

FLOAT = re.compile(r"\b(double|float|half|fmul|fadd|fsub|fdiv|sitofp|uitofp|fptosi)\b")


def callees(name):
    """Registered kernels that a kernel names."""
    kernels = registered_kernels()
    function = kernels[name].py_func
    named = [function.__globals__.get(word) for word in function.__code__.co_names]
    return {other for other, found in kernels.items() if any(found is each for each in named)}


CALLED = set().union(*map(callees, registered_kernels()))


def test_every_registered_kernel_has_cases():
    assert sorted(set(registered_kernels()) - set(CASES)) == []


def test_search_finds_a_float():
    def average(a, b):
        return (a + b) / 2

    assert FLOAT.search(llvm_ir(average, 1, 2))


def test_search_finds_the_float_of_a_callee(monkeypatch):
    monkeypatch.setattr(_jit, "_registry", {})
    monkeypatch.setattr(_jit, "_CHECK_SUBSET", False)  # which would find it first

    @kernel
    def average(a, b):
        return (a + b) / 2

    def is_above(a, b, c):
        return 1 if average(a, b) > c else 0

    average(1, 2)  # as one that the cache holds
    assert FLOAT.search(llvm_ir(is_above, 1, 2, 3))


def test_every_kernel_is_in_the_code_of_one_that_no_other_calls():
    pending, reached = set(CASES) - CALLED, set()
    while pending:
        reached |= pending
        pending = set().union(*map(callees, pending)) - reached
    assert reached == set(CASES)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in CALLED else ()) for name in sorted(CASES)]
)
def test_kernel_has_no_float_instruction(name):
    code = llvm_ir(registered_kernels()[name], *arguments(name)[0])
    assert "define" in code
    # Numba's wrapper, which converts Python objects and never reaches the device, is left out.
    kernel_code = [part for part in code.split("\ndefine ") if "@_ZN7cpython" not in part.split("(")[0]]
    found = [line for part in kernel_code for line in part.splitlines() if FLOAT.search(line)]
    assert found == []
