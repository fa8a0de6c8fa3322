"""Rates, the paired test and the DET curve, by hand."""

import math

import numpy as np
import pytest

from acoustic_sim.sweep.statistics import (
    Paired,
    Rate,
    compare_paired,
    counted_threshold,
    det_curve,
    miss_rate,
)


def test_wilson_limits_of_ten_of_ten():
    """Wilson: low = 1/(1 + z^2/n) = 1/(1 + 3.8415/10)."""
    low, high = Rate(10, 10).interval
    assert low == pytest.approx(1 / 1.38415, abs=1e-5)
    assert high == pytest.approx(1.0)
    assert str(Rate(0, 0)) == "-"


def test_a_rate_is_cut_off_so_that_it_never_looks_better_than_it_is():
    assert str(Rate(9496, 10000)).startswith("94.9 %")
    assert str(Rate(9999, 10000)).startswith("99.9 %")
    assert str(Rate(10, 10)).startswith("100.0 %")


def test_a_rate_of_nothing_knows_nothing():
    nothing = Rate(0, 0)
    assert math.isnan(nothing.value)
    assert nothing.interval == (0.0, 1.0)
    assert nothing.as_json()["rate"] is None


def test_pairs_are_counted_in_four_kinds():
    first = [True, True, True, False, False, False]
    second = [True, True, False, True, False, False]
    assert compare_paired(first, second) == Paired(both=2, first_only=1, second_only=1, neither=2)


def test_mcnemar_exact_of_nine_against_one():
    """2 (C(10,0) + C(10,1))/2^10 = 22/1024; the concordant trials change nothing."""
    for paired in (Paired(0, 9, 1, 0), Paired(1000, 1, 9, 500)):
        assert paired.p == pytest.approx(22 / 1024)
    paired = Paired(0, 9, 1, 0)
    assert paired.odds == 9
    low, high = paired.odds_interval
    # Clopper and Pearson for 9 of 10: 0.55498 to 0.99747 (tabulated), as odds p/(1 - p).
    assert low == pytest.approx(0.55498 / 0.44502, rel=1e-4)
    assert high == pytest.approx(0.99747 / 0.00253, rel=1e-2)


def test_fewer_than_six_that_differ_tell_nothing():
    """All on one side: p = 2/2^n, 0.0625 of five and 0.031 of six."""
    assert Paired(9, 5, 0, 9).p > 0.05 > Paired(9, 6, 0, 9).p
    assert not Paired(9, 5, 0, 9).can_tell
    assert Paired(9, 6, 0, 9).can_tell


def test_detectors_that_never_differ_are_not_told_apart():
    paired = Paired(40, 0, 0, 2)
    assert (paired.p, paired.discordant, paired.trials) == (1.0, 0, 42)
    assert math.isnan(paired.odds)
    assert paired.odds_interval == (0.0, math.inf)
    assert Paired(1, 5, 0, 0).odds == math.inf
    assert Paired(1, 5, 0, 0).odds_interval[1] == math.inf


def test_det_curve_by_hand():
    """Unmarked 1 2 2 4, marked 2 3 5: at 2 three of four alarm and none is missed, at 4 one and two."""
    curve = det_curve([2, 1, 4, 2], [5, 2, 3])
    assert curve.threshold.tolist() == [1, 2, 4]
    assert curve.false_alarm.tolist() == [1.0, 0.75, 0.25]
    np.testing.assert_allclose(curve.miss, [0, 0, 2 / 3])


def test_det_curve_falls_one_way_and_rises_the_other(rng):
    curve = det_curve(rng.normal(0, 1, 500), rng.normal(2, 1, 300))
    assert np.all(np.diff(curve.false_alarm) < 0)
    assert np.all(np.diff(curve.miss) >= 0)
    assert curve.false_alarm[-1] == pytest.approx(1 / 500)


def test_a_score_at_the_threshold_is_found():
    assert miss_rate([5.4, 5.5, 5.6], 5.5) == Rate(1, 3)
    assert miss_rate([], 5.5).total == 0


@pytest.mark.parametrize(("allowed", "reached"), [(0, 0), (0.9, 0), (1, 1), (2.5, 2)])
def test_counted_threshold_lets_no_more_through_than_allowed(allowed, reached):
    scores = np.array([3.0, 1.0, 4.0, 2.0])
    threshold = counted_threshold(scores, allowed)
    assert np.count_nonzero(scores >= threshold) == reached
    # The smallest such: one step of the float lower lets one more through.
    assert np.count_nonzero(scores >= np.nextafter(threshold, -np.inf)) == reached + 1


def test_counted_threshold_without_enough_scores_forbids_nothing():
    assert counted_threshold([1.0, 2.0], 2) == -math.inf
