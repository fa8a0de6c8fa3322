"""Integration over marks and peak picking of the float64 reference, on scores written by hand."""

import dataclasses
import math

import numpy as np
import pytest

from firmware_model.reference.watermark_decision import Peak, integrate, pick_peaks
from tests.firmware_model.reference.test_watermark import TINY

# Integration


def test_integration_by_hand_adds_scores_a_mark_and_a_pattern_apart():
    """Mark of 8 hops; patterns 0, 1, 2, 0 score 2, 1, 1.5, 0.5 at hops 3, 11, 19, 27, others nothing.

    At 19: Z_1 = 1.5, Z_2 = 2.5/sqrt 2, Z_3 = 4.5/sqrt 3; at 27 the first no longer counts: Z_3 = 3/sqrt 3.
    """
    z = np.zeros((30, 3))
    z[[3, 11, 19, 27], [0, 1, 2, 0]] = 2.0, 1.0, 1.5, 0.5
    by_marks = integrate(z, TINY)
    assert by_marks[3] == pytest.approx([2, 2 / math.sqrt(2), 2 / math.sqrt(3)], abs=1e-15)
    assert by_marks[11] == pytest.approx([1, 3 / math.sqrt(2), 3 / math.sqrt(3)], abs=1e-15)
    assert by_marks[19] == pytest.approx([1.5, 2.5 / math.sqrt(2), 4.5 / math.sqrt(3)], abs=1e-15)
    assert by_marks[27] == pytest.approx([0.5, 2 / math.sqrt(2), 3 / math.sqrt(3)], abs=1e-15)
    assert not by_marks[[2, 4, 10, 20]].any()


def test_the_same_pattern_twice_does_not_add_up():
    z = np.zeros((20, 3))
    z[[3, 11], 1] = 2.0
    assert integrate(z, TINY)[11] == pytest.approx([2, 2 / math.sqrt(2), 2 / math.sqrt(3)], abs=1e-15)


# Peak picking: hold 4, lockout 4, threshold 2


def peaks(values, **changes):
    """(hop of the report, hop, score) of the scores of single marks."""
    model = dataclasses.replace(TINY, max_marks=1, **changes)
    picked, found = pick_peaks(np.array(values, dtype=float)[:, None], model)
    assert picked.tolist() == list(values)
    return [(peak.report_hop, peak.hop, peak.score) for peak in found]


def test_a_peak_is_reported_when_it_has_held():
    assert peaks([0, 2, 0, 0, 0, 0, 0]) == [(5, 1, 2.0)]  # the threshold itself counts


def test_below_the_threshold_nothing_is_held():
    assert peaks([1.9, np.nextafter(2, 0), -5]) == []


def test_a_higher_score_within_the_hold_takes_over_and_an_equal_one_does_not():
    assert peaks([3, 3, 4, 3.5, 0, 0, 0]) == [(6, 2, 4.0)]
    assert peaks([3, 3, 3, 3, 0, 0, 0], lockout_hops=9) == [(4, 0, 3.0)]


def test_a_higher_score_at_the_end_of_the_hold_comes_before_the_report():
    assert peaks([3, 0, 0, 0, 5, 0, 0, 0, 0]) == [(8, 4, 5.0)]


def test_after_a_peak_none_is_held_within_the_lockout():
    # Peak at 0 reported at 4: with a lockout of 8 the scores at 5 to 7 are passed over, that at 8 is not.
    values = [3, 0, 0, 0, 0, 9, 9, 9, 2.5, 0, 0, 0, 0]
    assert peaks(values, lockout_hops=8) == [(4, 0, 3.0), (12, 8, 2.5)]
    assert peaks(values, lockout_hops=5) == [(4, 0, 3.0), (9, 5, 9.0)]


def test_the_end_of_the_signal_reports_the_candidate():
    assert peaks([0, 0, 3]) == [(3, 2, 3.0)]


def test_peak_carries_the_fewest_marks_of_its_own_hop():
    picked, found = pick_peaks(np.array([[2.0, 0, 0], [1.9, 3.0, 4.0]]), TINY)
    assert picked.tolist() == [2.0, 4.0]
    assert found == [Peak(2, 1, 4.0, 2)]


def test_marks_that_were_reported_are_not_added_again():
    """Peak at 0, reported at 4. Before, all M count; then M = 2 from 0 + 4 + 8 on, M = 3 from 0 + 4 + 16."""
    by_marks = np.tile([0.0, 1.0, 1.5], (24, 1))
    by_marks[0] = 3.0, 0.0, 0.0
    picked, found = pick_peaks(by_marks, TINY)
    # The report at 4 comes after the score of 4.
    assert picked.tolist() == [3.0] + [1.5] * 4 + [0.0] * 7 + [1.0] * 8 + [1.5] * 4
    assert found == [Peak(4, 0, 3.0, 1)]
