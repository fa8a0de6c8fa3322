"""Errors of kernels and products: formulas, parts, and that each kernel of the project has a place."""

import math

import numpy as np
import pytest

from firmware_model.golden.cases import CASES
from firmware_model.golden.conformance import accuracy
from firmware_model.golden.conformance.accuracy import (
    FORMULAS,
    MEASURES,
    by_formula,
    of_case,
    of_kernels,
    part_of,
)
from fixedpoint import arith
from fixedpoint._jit import registered_kernels

EXACT = [
    name
    for name in FORMULAS
    if name.split(".")[1].split("_")[0] in ("add", "sub", "neg", "abs", "sat16", "norm64")
]


@pytest.mark.parametrize("name", EXACT)
def test_operations_without_rounding_have_no_error(name):
    error = by_formula(f"fixedpoint.{name}")
    assert error.largest_lsb == 0
    assert error.snr_db == math.inf


@pytest.mark.parametrize("name", FORMULAS)
def test_every_formula_takes_its_kernels_arguments(name):
    error = by_formula(f"fixedpoint.{name}")
    if name == "elementary.exp2_q24":  # a float's worth of result, in LSB of its integer part
        assert error.snr_db > 160
    else:
        assert error.largest_lsb < 2


@pytest.mark.parametrize(
    ("name", "largest"),
    [
        ("arith.mul_q15", 0.5),
        ("arith.mul_q15_trn", 1.0),
        ("arith.mul_q31", 0.5),
        ("arith.q31_to_q15", 0.5),
        ("wide.shift_rnd_sat32", 0.5),
        ("elementary.sqrt_q31", 0.5),
        ("filters.biquad.smooth", 1.0),
        ("elementary.log2_q24", 1.17e-7 * 2**24),  # as its docstring says
    ],
)
def test_roundings_stay_within_theirs(name, largest):
    error = by_formula(f"fixedpoint.{name}")
    assert largest / 3 < error.largest_lsb <= largest, f"{error.largest_lsb:.4f} LSB"
    assert error.snr_db > 80


def test_a_wrong_kernel_has_an_error(monkeypatch):
    name = "fixedpoint.arith.add_q15"
    monkeypatch.setitem(accuracy.FORMULAS, "arith.add_q15", lambda a, b: a - b)
    assert by_formula(name).largest_lsb > 1000


def test_reciprocal_is_within_its_statement():
    error = MEASURES["fixedpoint.elementary.reciprocal"]()
    # Relative 1.87e-9 of a mantissa of at most 2**30.
    assert 0.5 < error.largest_lsb <= 1.87e-9 * 2**30


@pytest.mark.parametrize(
    ("name", "lsb", "db"),
    [
        ("filters.fir.fir_q15", 0.5, 82.1),
        ("filters.fir.fir_q15_trn", 1.0, 76.1),
        ("filters.fir.fir_q31_trn_wrap", 1.0, 172.4),
        ("filters.biquad_df1.biquad_df1_q15", 23.2, 50.7),
        ("filters.biquad_df1.biquad_df1_q31", 19.2, 147.0),
        ("filters.fft.rfft_bfp", 2.9, 145.3),
    ],
)
def test_filters_and_transform(name, lsb, db):
    error = MEASURES[f"fixedpoint.{name}"]()
    assert error.largest_lsb < 1.5 * lsb, f"{error.largest_lsb:.2f} LSB, was {lsb}"
    assert error.snr_db > db - 2, f"{error.snr_db:.1f} dB, was {db}"


def test_every_kernel_is_measured_or_a_part_of_something():
    lost = [
        name
        for name in registered_kernels()
        if name.removeprefix("fixedpoint.") not in FORMULAS and name not in MEASURES and part_of(name) is None
    ]
    # No case changes its settings while it runs.
    assert sorted(lost) == [
        f"firmware_model.dynamics.change.{name}" for name in ("fade_bus", "process_change")
    ]


def test_parts_lead_to_something_that_is_measured():
    for name in registered_kernels():
        whole = part_of(name)
        if whole is not None and ":" in whole:
            case, node = whole.split(":")
            assert node in {n.name for n in CASES[case].nodes}
        elif whole is not None:
            assert whole in MEASURES or whole.removeprefix("fixedpoint.") in FORMULAS


def test_error_of_a_part_is_that_of_its_whole():
    node = accuracy.Error(3.0, 99.0, "float64 reference")
    names = [
        "firmware_model.dynamics.crossover.split",
        "firmware_model.dynamics.change.fade_bus",
        "fixedpoint.filters.fir.convolve",
    ]
    found = of_kernels({"mbdp-smart-speaker": {"band": node}}, names)
    assert found[names[0]] == node._replace(what="part of mbdp-smart-speaker:band")
    assert found[names[1]] is None
    assert found[names[2]].what == "part of fixedpoint.filters.fir.fir_q15"
    assert of_kernels({}, names[:1]) == {names[0]: None}


def test_products_are_measured_node_by_node():
    case = CASES["mbdp-headset"]
    errors = of_case(case)
    assert list(errors) == [node.name for node in case.nodes]
    # The output is rounded to 16 bits, and little else is wrong with it: measured 0.501 LSB, 81.1 dB.
    assert 0.5 <= errors["output"].largest_lsb < 0.51
    assert errors["output"].snr_db > 80
    assert all(np.isfinite(error.largest_lsb) for error in errors.values())


def test_clip_of_the_formulas_is_that_of_the_kernels():
    for x in (-(1 << 40), -1, 0, 1 << 15, 1 << 40):
        assert FORMULAS["arith.sat16"](x) == arith.sat16(x)
        assert FORMULAS["arith.sat32"](x) == arith.sat32(x)
