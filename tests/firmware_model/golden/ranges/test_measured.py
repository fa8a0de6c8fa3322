"""Ranges: by hand, at the extremes, against the whole trace of a case, and split in any way."""

from itertools import pairwise

import numpy as np
import pytest

from firmware_model.case import Node
from firmware_model.golden import stimuli
from firmware_model.golden.cases import find_case
from firmware_model.golden.ranges.measured import NodeRange, measure, requantise, width, worst_row
from fixedpoint.qformat import Q31, QFormat
from tests.firmware_model.golden.toy import copying_case

Q4_4 = QFormat(4, 4)


def test_range_by_hand():
    found = NodeRange(Node("y", Q4_4, ("a", "b", "c"), 1))
    found.add(np.array([[-128, 0, 1], [3, -4, 0], [0, 0, 0]], np.int8))
    found.add(np.array([[127, -1], [2, 2], [0, 0]], np.int8))
    assert found.count == 5
    assert found.low.tolist() == [-128, -4, 0]
    assert found.high.tolist() == [127, 3, 0]
    assert found.rails.tolist() == [2, 0, 0]
    # bits beside the sign: -128 and 127 need 7; 0 and -1 none; 1 one; -4, 3 and 2 two
    assert found.histogram.tolist() == [[2, 1, 0, 0, 0, 0, 0, 2], [1, 0, 4, 0, 0, 0, 0, 0], [5, *[0] * 7]]
    assert found.bits_used.tolist() == [8, 3, 1]
    assert found.peak.tolist() == [8.0, 0.25, 0.0]
    assert found.headroom_db == 0.0


def test_headroom_is_6_db_for_each_unused_bit_and_without_end_for_silence():
    found = NodeRange(Node("y", Q31, ("a",), 1))
    found.add(np.zeros((1, 4), np.int32))
    assert found.headroom_db == np.inf
    found.add(np.array([[-(1 << 28)]], np.int32))
    assert found.headroom_db == pytest.approx(20 * np.log10(8), abs=1e-12)
    assert found.bits_used.tolist() == [29]


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_every_power_of_two_and_its_neighbours_fall_into_their_column(bits):
    fmt = QFormat(1, bits - 1)
    powers = [1 << b for b in range(bits - 1)]
    values = {0, fmt.max_int, fmt.min_int, *powers, *(p - 1 for p in powers), *(-p for p in powers)}
    expected = np.zeros(bits, np.int64)
    for value in values:
        expected[(value if value >= 0 else -value - 1).bit_length()] += 1
        assert width(value, value) == (value if value >= 0 else -value - 1).bit_length() + 1
    found = NodeRange(Node("y", fmt, ("a",), 1))
    found.add(np.array([sorted(values)], fmt.dtype))
    np.testing.assert_array_equal(found.histogram[0], expected)
    assert found.rails.tolist() == [2]


def test_requantising_rounds_ties_up():
    assert requantise(np.array([-6, -5, -2, 1, 2, 3, 6]), 2).tolist() == [-1, -1, 0, 0, 1, 1, 2]
    assert requantise(5, 0) == 5


def test_sqnr_by_hand():
    found = NodeRange(Node("y", Q4_4, ("a", "exact", "silent"), 1, scale=0.5))
    # LSB of the format is 1/16, a unit of the reference half as long: r = reference * 2 * 16
    values = np.array([[16, -32], [8, 8], [0, 1]])
    reference = np.array([[15, -30], [8, 8], [0, 0]]) / 32
    found.compare(values, reference)
    assert found.signal_energy.tolist() == [15**2 + 30**2, 128, 0]
    assert found.error_energy[:, 4].tolist() == [1 + 4, 0, 1]
    assert found.error_energy[1].tolist() == [2 * 64, 0, 0, 0, 0]  # 8/16 rounds to 1 without fractional bits
    assert found.max_error.tolist() == [2, 0, 1]
    sqnr = found.sqnr_db()
    assert sqnr[0] == pytest.approx(10 * np.log10(225), abs=1e-12)
    assert sqnr[1] == np.inf
    assert np.isnan(sqnr[2])
    assert found.sqnr_db(0)[1] == 0.0
    assert worst_row(sqnr, least=True) == 0
    assert worst_row(sqnr, least=False) == 1
    assert worst_row(np.array([np.nan]), least=True) is None


def test_a_case_is_measured_as_its_whole_trace_says():
    case = find_case("mbdp-headset")
    x_q15 = case.whole_blocks(stimuli.load(case))
    nodes, reference = case.trace(x_q15), case.reference(x_q15 / 32768)
    found = measure(case, [[x_q15]], excerpt_s=60.0)
    assert list(found) == [node.name for node in case.nodes]
    for node in case.nodes:
        values, here = nodes[node.name].astype(np.int64), found[node.name]
        np.testing.assert_array_equal(here.low, values.min(axis=1))
        np.testing.assert_array_equal(here.high, values.max(axis=1))
        assert here.histogram.sum() == values.size
        real = node.to_float(values)
        error = np.square(real - reference[node.name]).sum(axis=1)
        signal = np.square(reference[node.name]).sum(axis=1)
        heard = (signal > 0) & (error > 0)
        np.testing.assert_allclose(
            here.sqnr_db()[heard], 10 * np.log10(signal[heard] / error[heard]), atol=1e-6
        )


def test_frames_of_any_length_give_the_same():
    case = find_case("mbdp-six-bands")
    x_q15 = stimuli.load(case)[:, : 200 * case.block]
    whole = measure(case, [[x_q15]], excerpt_s=0.01)
    cuts = [0, 1, 50, 53, 200]
    frames = [x_q15[:, a * case.block : b * case.block] for a, b in pairwise(cuts)]
    split = measure(case, [iter(frames)], excerpt_s=0.01)
    for name, found in whole.items():
        assert found.count == 200 * case.block // found.node.step
        for field in ("low", "high", "rails", "histogram", "signal_energy", "error_energy"):
            np.testing.assert_array_equal(getattr(split[name], field), getattr(found, field))


def test_each_recording_starts_afresh_and_only_its_excerpt_is_compared():
    heard: list[np.ndarray] = []

    def reference(x: np.ndarray) -> np.ndarray:
        heard.append(x * 32768)
        return x * 1024

    case = copying_case(reference)  # 100 Hz, blocks of 4: an excerpt of 0.1 s is 8 samples
    first, second = np.arange(24, dtype=np.int16)[None], np.full((1, 4), -3, np.int16)
    found = measure(case, [[first[:, :12], first[:, 12:]], [second]], excerpt_s=0.1)["y"]
    assert [x.tolist() for x in heard] == [[list(range(8))], [[-3] * 4]]
    assert found.count == 28
    assert (found.low[0], found.high[0]) == (-3, 23)
    assert found.signal_energy[0] == (np.arange(8) ** 2).sum() + 4 * 9
    assert found.error_energy[0, -1] == 0
