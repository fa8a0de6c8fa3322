"""Kernels in C99 give the bits of the compiled kernels, and compile without a warning."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from firmware_model.golden.cases import CASES
from firmware_model.watermark.detector import process_frame as process_detector
from fixedpoint._jit import registered_kernels
from fixedpoint.c99.host import Library, build
from fixedpoint.c99.translator import translate
from fixedpoint.elementary import log2_q24
from fixedpoint.filters.biquad import smooth
from tests.fixedpoint.c99 import subjects
from tests.fixedpoint.exported import case_differences, export_all, keep, kernel_differences

INT32 = np.zeros(3, np.int32)
TABLE = np.zeros((2, 3), np.int32)


@pytest.fixture(scope="module")
def exported():
    return export_all()


@pytest.fixture(
    scope="module", params=[*(pytest.param(level, marks=pytest.mark.slow) for level in ("-O0", "-O2")), "-O3"]
)
def library(request, exported, tmp_path_factory):
    return Library(build(exported[0], "kernels", tmp_path_factory.mktemp("c"), (request.param,)))


@pytest.fixture(scope="module")
def sanitized(exported, tmp_path_factory):
    """A library that ends the process at undefined behaviour."""
    flags = ("-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all")
    return build(exported[0], "kernels", tmp_path_factory.mktemp("sanitized"), flags)


def run(function, *args, tmp_path, example=None):
    """Translate one function, compile it, call it."""
    module = translate([(function, example or args)], "one")
    library = Library(build(module, "one", tmp_path))
    return library.call(module.functions[0], *args), module.source


# --- all kernels -------------------------------------------------------------------------------


def test_every_registered_kernel_is_exported(exported):
    assert {name for name, _ in exported[1]} == set(registered_kernels())


def test_every_kernel_gives_the_compiled_kernels_bits(exported, library):
    assert list(kernel_differences(library, exported[1])) == []


@pytest.mark.parametrize("case", CASES)
def test_every_product_case_gives_the_compiled_kernels_bits(exported, library, case):
    assert list(case_differences(case, library, exported[1])) == []


def test_no_undefined_behaviour_on_any_case(exported, sanitized, tmp_path):
    keep(exported[1], tmp_path / "functions")
    command = [sys.executable, "-m", "tests.fixedpoint.exported", str(sanitized), str(tmp_path / "functions")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_sanitizer_sees_an_overflow_that_breaks_the_contract(sanitized):
    program = f"import ctypes; x = ctypes.c_int64(1 << 62); ctypes.CDLL({str(sanitized)!r}).add_q31(x, x)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "signed integer overflow" in done.stderr


def test_a_wrong_kernel_in_c_is_found(exported, tmp_path):
    module, functions = exported
    source = module.source.replace("        return INT16_MAX;", "        return INT16_MIN;", 1)
    assert source != module.source
    library = Library(build(module._replace(source=source), "kernels", tmp_path, ("-O0",)))
    assert any("arith.sat16" in found for found in kernel_differences(library, functions))


def test_the_source_is_self_contained(exported):
    module = exported[0]
    includes = re.findall(r"#include (\S+)", module.header + module.source)
    assert includes == ["<stdint.h>", '"kernels.h"']
    assert not re.search(r"\b(float|double|malloc|free|probes)\b", re.sub(r"/\*.*?\*/", "", module.source))


def test_names_sections_and_first_lines_carry_over(exported):
    source = exported[0].source
    assert "/* ==== fixedpoint.arith: The closed vocabulary of fixed-point primitives" in source
    assert "/* ---- narrowing */" in source
    assert "/* Saturate an int64 to [-2**15, 2**15 - 1]; the SSAT instruction at width 16. */" in source
    assert "    /* Headroom of the frame. */" in source
    assert "/* 1/96 of log2 */" in source
    assert "#define MEAN_SHIFT 5  /* running mean over 2**5 hops */" in source
    assert "static const int32_t LOG2[64 * 3] = {" in source


def test_the_folder_of_a_module_does_not_change_the_order_of_the_functions():
    source = translate([(log2_q24, (5,)), (smooth, (1, 2, 3))], "two").source
    assert source.index(" smooth(int64_t") < source.index(" log2_q24(int64_t")  # biquad, elementary


@pytest.fixture(scope="module")
def detector():
    """The detector and what it calls, as one source."""
    run = CASES["watermark-small"].start()
    x = np.zeros(run.params.hop, np.int16)
    arguments = (run.params, run.state, x, run.output, None)
    return translate([(process_detector, arguments)], "detector").source


def test_kernels_with_loops_stay_functions_unless_called_in_one(detector):
    apart = set(re.findall(r"^APART\nstatic \w+ (\w+)\(", detector, re.M))
    assert {"stage_radix4", "split_real", "load_frame"} <= apart
    # The log2 of a bin and the sum over a band's bins are steps of a loop over bands.
    assert not apart & {"process_frame", "loud_band_q24", "log2_of_positive_q24", "rnd_shift"}


def test_leading_zeros_are_one_instruction_where_the_compiler_knows_it(detector):
    known, portable = (
        detector.split("static int64_t clz32(int64_t x)\n{")[1].split("#endif")[0].split("#else")
    )
    assert "#ifdef __GNUC__" in known
    assert "__builtin_clz" in known
    assert "while (word != 0)" in portable


def test_callees_stand_before_callers(exported):
    source = exported[0].source
    bodies = re.findall(r"^\w[^\n]*? (\w+)\([^()]*\)\n\{\n(.*?)^\}", source, re.M | re.S)
    seen: set[str] = set()
    names = {name for name, _ in bodies}
    for name, body in bodies:
        assert set(re.findall(r"(\w+)\(", body)) & names <= seen
        seen.add(name)


def test_only_what_was_asked_for_is_visible():
    module = translate([(registered_kernels()["fixedpoint.arith.mul_q15"], (1, 2))], "one", prefix="bt_")
    assert [line for line in module.header.split("\n") if line.endswith(";")] == [
        "int64_t bt_mul_q15(int64_t a, int64_t b);"
    ]
    assert "static int64_t sat16(int64_t x)" in module.source


def test_the_text_is_the_same_with_kernels_interpreted(exported):
    """And under another order of hashes: one export is one text."""
    program = "from tests.fixedpoint.exported import export_all; print(export_all()[0].source, end='')"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == exported[0].source


# --- constructs --------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [-9, -1, 0, 1, 7])
def test_a_variable_set_in_both_branches_is_declared_above_them(x, tmp_path):
    assert run(subjects.sign, np.int64(x), tmp_path=tmp_path)[0] == subjects.sign(x)


def test_a_value_survives_from_one_turn_of_a_loop_to_the_next(tmp_path):
    assert run(subjects.remember, np.int64(6), tmp_path=tmp_path)[0] == subjects.remember(6) == 12


def test_a_tuple_of_variables_moves_in_an_order_that_loses_nothing(tmp_path):
    assert run(subjects.shift_register, np.int64(5), tmp_path=tmp_path)[0] == (5, 1, 2)


def test_the_bound_of_a_range_is_asked_for_once(tmp_path):
    count = np.array([3], np.int32)
    assert run(subjects.moving_bound, count, tmp_path=tmp_path)[0] == 3
    assert count[0] == 6


def test_probes_vanish_and_what_only_they_need(tmp_path):
    x = np.array([4, 5, 6], np.int32)
    module = translate([(subjects.probed, (x, None))], "one")
    library = Library(build(module, "one", tmp_path))
    library.call(module.functions[0], x)
    np.testing.assert_array_equal(x, [5, 6, 7])
    assert "last" not in module.source


def test_grouping_is_pythons(rng, tmp_path):
    module = translate([(subjects.grouping, (1, 2, 3))], "one")
    library = Library(build(module, "one", tmp_path))
    for a, b, c in rng.integers(-1000, 1000, (200, 3)).tolist():
        assert library.call(module.functions[0], a, b, c) == subjects.grouping(a, b, c)


def test_right_shift_of_negatives_rounds_down(tmp_path):
    for x, n in ((-1, 63), (-(1 << 63), 63), (-(1 << 63), 0), (-5, 1), (5, 1), ((1 << 63) - 1, 62)):
        assert run(subjects.halve, np.int64(x), np.int64(n), tmp_path=tmp_path)[0] == x >> n


def test_variants_of_a_kernel_are_named_by_the_width_of_their_arrays(exported):
    names = {function.name for function in exported[1].values()}
    assert {"section_sum_int16", "section_sum_int32", "convolve", "convolve_wide"} <= names
    assert "section_sum" not in names
    assert "} BiquadParams_int16;" in exported[0].header


def test_kernels_of_the_same_name_are_named_after_their_modules(exported):
    names = {function.name for function in exported[1].values()}
    assert {"detector_process_frame", "processor_process_frame"} <= names
    assert "process_frame" not in names


def test_arrays_that_are_only_read_are_const():
    module = translate([(subjects.copy, (TABLE, INT32))], "one")
    assert "void copy(const int32_t *x, int32_t x_rows, int32_t x_columns, int32_t *y);" in module.header


def test_constants_of_the_same_name_stay_apart(tmp_path):
    """SIZE is 3 in the subject's module, and a variable of another subject."""
    module = translate([(subjects.constant, (1,)), (subjects.shadow, (1,))], "one")
    library = Library(build(module, "one", tmp_path))
    assert [library.call(f, 10) for f in module.functions] == [13, 11]
