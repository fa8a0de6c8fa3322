"""Parameters as a flat list: every integer of the firmware, with its format and what its docstring says."""

from typing import NamedTuple

import numpy as np
import pytest

from firmware_model.golden.cases import CASES, find_case
from firmware_model.golden.vectors.parameters import field_notes, parameters


class Documented(NamedTuple):
    """A title : with a colon.

    a, b : int, two of them
    c_q15 : (n,) int16, Q1.15, begins here
        and goes on
    Not a field
    """

    a: int
    b: int
    c_q15: int


def test_field_notes_by_hand():
    continued = "(n,) int16, Q1.15, begins here and goes on"
    assert field_notes(Documented) == {"a": "int, two of them", "b": "int, two of them", "c_q15": continued}


def leaves(params):
    for value in params:
        if isinstance(value, tuple):
            yield from leaves(value)
        else:
            yield value


@pytest.mark.parametrize("name", list(CASES))
def test_every_integer_is_there_once_and_as_it_is(name):
    found = parameters(find_case(name))
    originals = list(leaves(find_case(name).start().params))
    assert len({each.name for each in found}) == len(found) == len(originals)
    for each, original in zip(found, originals, strict=True):
        np.testing.assert_array_equal(each.values, original)
        assert each.values.dtype.kind == "i"
        assert each.fmt == "" or each.fmt.endswith(f".{each.frac_bits}")
        assert (each.fmt != "") == each.name.rpartition("_q")[2].isdigit()


def test_formats_and_formulas_come_from_the_docstrings():
    found = {each.name: each for each in parameters(find_case("mbdp-six-bands"))}
    assert found["curve.slope_q30"][2:] == ("Q2.30", 30, ["1 - 1/ratio"])
    assert found["section"].about[1:] == [
        "[0] gain_q27: Q5.27, 2 G, from band-pass to the second integrator",
        "[1] drive_q31: Q1.31, 2 G d, d = 1 / (1 + sqrt(2) G + G^2), from the input to the first",
        "[2] hold_q31: Q1.31, 1 - 2 G d (sqrt(2) + G), from the first to itself",
        "[3] bend_q29: Q3.29, 2 sqrt(2), from band-pass to all-pass",
    ]
    detector = {each.name: each for each in parameters(find_case("watermark-small"))}
    assert detector["threshold_q9"][2:] == ("Q7.9", 9, [])
    assert detector["hop"].about == ["samples from frame to frame, 64 to fft_size"]
    assert detector["bands"].about == ["Number of marked bands."]
    assert detector["band_shift"].about == ["log2 of band_bins"]
