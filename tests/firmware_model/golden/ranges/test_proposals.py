"""Proposals: requantised independently, they keep what was asked for, and one bit less does not."""

import numpy as np
import pytest

from firmware_model.case import Node
from firmware_model.golden import stimuli
from firmware_model.golden.cases import CASES, find_case
from firmware_model.golden.ranges.measured import NodeRange, measure
from firmware_model.golden.ranges.proposals import LOSS_DB, Proposal, propose
from firmware_model.golden.ranges.worst_case import peak_gains
from fixedpoint.qformat import Q15, QFormat

Q5_27 = QFormat(5, 27)


def found_in(node: Node, values: np.ndarray, reference: np.ndarray) -> NodeRange:
    found = NodeRange(node)
    found.add(values)
    found.compare(values, reference)
    return found


def requantised_sqnr_db(node: Node, values: np.ndarray, reference: np.ndarray, m: int, n: int) -> np.ndarray:
    """SQNR of the rows of a node stored as Qm.n: real numbers, floor(v + 1/2), SAT; shares no code."""
    scaled = np.floor(values * 2.0 ** (n - node.fmt.n) + 0.5)
    stored = np.clip(scaled, -(2.0 ** (m + n - 1)), 2.0 ** (m + n - 1) - 1) / 2.0**n
    signal = np.square(reference / node.scale).sum(axis=1)
    error = np.square(stored - reference / node.scale).sum(axis=1)
    return 10 * np.log10(signal[signal > 0] / error[signal > 0])


def sine() -> tuple[Node, np.ndarray, np.ndarray]:
    reference = 0.9 * np.sin(0.01 * np.arange(20000))[None]
    return Node("y", Q5_27, ("a",), 1), Q5_27.quantise(reference), reference


def test_proposal_by_hand():
    # SQNR of a sine of amplitude A with n fractional bits: 10 log10(A^2/2 * 12 * 4^n) = 6.87 + 6.02 n dB
    proposal = propose(found_in(*sine()), sqnr_db=60.0, margin_bits=1)
    assert (proposal.m, proposal.n) == (2, 9)  # 0.9 needs Q1, one bit more for the margin; 61.0 dB at n = 9
    assert proposal.sqnr_db == pytest.approx(61.0, abs=0.2)  # 61.06 measured
    assert (proposal.bits, proposal.word, str(proposal)) == (11, 16, "Q2.9")
    assert proposal.reached
    assert not proposal.derived


@pytest.mark.parametrize("margin", [0, 1, 3])
def test_margin_adds_integer_bits(margin):
    assert propose(found_in(*sine()), 60.0, margin).m == 1 + margin


def test_without_margin_the_largest_value_still_fits_after_rounding():
    # 2047/2048 rounds to 1.0 with few fractional bits, which Q1.n does not hold
    node, values = Node("y", Q5_27, ("a",), 1), np.array([[(1 << 27) - (1 << 16), -(1 << 26)]])
    reference = node.to_float(values)
    proposal = propose(found_in(node, values, reference), 40.0, margin_bits=0)
    assert proposal.m == 2
    assert requantised_sqnr_db(node, values, reference, proposal.m, proposal.n).min() >= 40.0


def test_a_derived_range_needs_no_margin_and_overrides_what_was_seen():
    found = found_in(*sine())
    for peak, m in ((1.5, 2), (2.0, 3), (2.1, 3), (3.99, 3), (0.95, 1)):
        proposal = propose(found, 60.0, 5, np.array([peak]))
        assert (proposal.m, proposal.derived) == (m, True), peak


def test_a_node_with_less_than_asked_for_loses_at_most_one_decibel():
    node, values, reference = sine()
    noisy = values + (np.resize([1, -1], values.shape) << 18)  # 2^-9: 10 log10(0.405 * 4^9) = 50.3 dB
    proposal = propose(found_in(node, noisy, reference), 90.0, 1)
    assert not proposal.reached
    assert proposal.n < 15
    assert 50.2 - LOSS_DB < proposal.sqnr_db < 50.3


def test_a_node_just_above_what_is_asked_for_keeps_it():
    node, values, reference = sine()
    noisy = values + (np.resize([1, -1], values.shape) << 18)  # 50.3 dB, as above
    proposal = propose(found_in(node, noisy, reference), 50.0, 1)
    assert proposal.reached
    assert 50.0 <= proposal.sqnr_db < 50.3


@pytest.mark.parametrize("margin", [0, 1, 16])
@pytest.mark.parametrize("peak", [None, np.array([7.9])])
def test_no_more_integer_bits_than_the_node_has(margin, peak):
    # at Q1.15's full scale, which rounds to 1.0 with fewer bits and saturates there
    reference = 1.2 * np.sin(0.01 * np.arange(20000))[None]
    node, values = Node("y", Q15, ("a",), 1), Q15.quantise(reference)
    found = found_in(node, values, Q15.to_float(values))
    proposal = propose(found, 40.0, margin, peak)
    assert (proposal.m, proposal.derived) == (1, False)
    assert proposal.n < 15
    kept = requantised_sqnr_db(node, values, Q15.to_float(values), proposal.m, proposal.n)
    assert kept.min() == pytest.approx(proposal.sqnr_db, abs=1e-6)


def test_silence_has_no_proposal():
    node = Node("y", Q15, ("a",), 1)
    assert propose(found_in(node, np.zeros((1, 8), np.int16), np.zeros((1, 8))), 90.0, 1) is None


@pytest.mark.parametrize(("bits", "word"), [(8, 8), (9, 16), (17, 24), (33, 40), (64, 64)])
def test_word_holds_the_format(bits, word):
    assert Proposal(1, bits - 1, False, 0, 90.0, True).word == word


@pytest.mark.parametrize("name", list(CASES))
def test_proposals_of_the_cases_hold_when_requantised_independently(name):
    case = find_case(name)
    x_q15 = case.whole_blocks(stimuli.load(case))
    nodes, reference = case.trace(x_q15), case.reference(x_q15 / 32768)
    gains = peak_gains(case)
    proposed = 0
    for node_name, found in measure(case, [[x_q15]], excerpt_s=60.0).items():
        proposal = propose(found, 70.0, 0, gains.get(node_name))
        if proposal is None:
            continue
        proposed += 1
        node, values = found.node, nodes[node_name].astype(np.int64)
        present = found.sqnr_db()
        present = present[~np.isnan(present)]
        wanted = np.where(present >= 70.0, 70.0, present - LOSS_DB)
        kept = requantised_sqnr_db(node, values, reference[node_name], proposal.m, proposal.n)
        assert (kept >= wanted).all()
        assert kept.min() == pytest.approx(proposal.sqnr_db, abs=1e-6)
        if proposal.n:
            fewer = requantised_sqnr_db(node, values, reference[node_name], proposal.m + 1, proposal.n - 1)
            assert (fewer < wanted).any()
    assert proposed >= 5
