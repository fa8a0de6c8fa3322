"""Every registered kernel keeps to the subset, and its cases to the ranges that its author states."""

import inspect
import subprocess
import sys
import time
from pathlib import Path

import pytest

from firmware_model.golden import kernel_cases
from firmware_model.golden.conformance import check
from fixedpoint._jit import registered_kernels
from fixedpoint.subset import check_source
from fixedpoint.subset.text import function_text
from fixedpoint.subset.typed.check import beyond_stated

SUBSET = [item for item in check.items() if item.startswith("subset:")]
MOST_MS = 150  # of all kernels' sources; 34 were measured on an idle machine


def test_every_kernel_is_an_item_of_the_check_and_these_run_first():
    assert [f"subset:{name}" for name in sorted(registered_kernels())] == SUBSET
    assert check.items()[: len(SUBSET)] == SUBSET
    assert next(iter(check.KINDS)) == "subset"


@pytest.mark.parametrize("item", SUBSET)
def test_every_kernel_keeps_to_the_subset(item):
    result = check.run(item)
    assert (result.status, result.says) == (check.PASSED, "")


@pytest.mark.parametrize("name", sorted(registered_kernels()))
def test_cases_keep_to_the_stated_ranges(name):
    python = getattr(registered_kernels()[name], "py_func", registered_kernels()[name])
    names, text = list(inspect.signature(python).parameters), function_text(python)
    if text.ranges():
        for arguments in kernel_cases.arguments(name):
            assert beyond_stated(python, text, dict(zip(names, arguments, strict=True))) == []


def test_a_kernel_that_leaves_the_subset_fails_with_its_line(monkeypatch):
    name = "fixedpoint.arith.sat16"
    monkeypatch.setattr(kernel_cases, "CASES", {**kernel_cases.CASES, name: lambda rng: [(0.5,)]})
    result = check.run(f"subset:{name}")
    assert result.status == check.FAILED
    assert "kernel sat16: found x: float; " in result.says
    assert check.source_of(result)[0].endswith("fixedpoint/arith.py")


def test_registration_reads_all_kernels_in_little_time():
    kernels = list(registered_kernels().values())
    begun = time.perf_counter()
    assert [found for kernel in kernels for found in check_source(kernel)] == []
    assert (time.perf_counter() - begun) * 1000 < MOST_MS


def test_registering_does_not_import_the_translation_to_c():
    code = "import sys, fixedpoint.arith; sys.exit('fixedpoint.subset.typed.check' in sys.modules)"
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
