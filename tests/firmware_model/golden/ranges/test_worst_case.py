"""Derived worst cases: by hand, reached by the input that is made for them, never exceeded."""

import numpy as np
import pytest

from firmware_model.golden.cases import CASES, find_case
from firmware_model.golden.ranges.worst_case import impulse_responses, peak_gains
from tests.firmware_model.golden.toy import filtering_case


def test_peak_gain_is_the_sum_of_magnitudes_over_all_channels():
    case = filtering_case([[1.0, -2.0, 0.5], [0.25]], channels=2)
    assert peak_gains(case)["y"].tolist() == [7.0, 0.5]


def test_peak_gain_is_in_the_unit_of_the_format():
    assert peak_gains(filtering_case([[1.0, -2.0]], channels=1, gain=8.0))["y"].tolist() == [3.0]


def test_a_response_that_does_not_decay_has_no_bound():
    gains = peak_gains(filtering_case([[1.0] * 1000, [0.5]], channels=1))["y"]
    assert gains.tolist() == [np.inf, 0.5]


def test_a_slow_response_is_waited_for():
    slow = [0.9**k for k in range(800)]  # at 100 Hz: 0.25 s, the first length, hold 93 % of it
    assert peak_gains(filtering_case([slow], channels=1))["y"] == pytest.approx([10.0], rel=1e-9)


def test_cases_without_linear_nodes_have_none():
    assert peak_gains(find_case("watermark-small")) == {}


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("mbdp")])
def test_the_worst_input_reaches_the_bound_in_the_integers(name):
    case = find_case(name)
    gains = peak_gains(case)["band"]
    responses = impulse_responses(case, 0.25)["band"]
    row = int(np.argmax(gains))
    worst = np.where(responses[:, row, ::-1] >= 0, 32767, -32768).astype(np.int16)
    reached = np.abs(case.nodes[0].to_float(case.trace(worst)["band"])).max(axis=1)
    # 0.99997 to 0.99999 measured: 32767/32768 of full scale, and what lies after 0.25 s
    assert 0.9999 < reached[row] / gains[row] <= 1.0
    assert (reached <= gains).all()


def test_no_input_exceeds_the_bound(rng):
    case = find_case("mbdp-six-bands")
    gains = peak_gains(case)["band"]
    for _ in range(3):
        x_q15 = rng.choice(np.array([-32768, 32767], np.int16), (2, 200 * case.block))
        peak = np.abs(case.nodes[0].to_float(case.trace(x_q15)["band"])).max(axis=1)
        assert (peak <= gains).all()
