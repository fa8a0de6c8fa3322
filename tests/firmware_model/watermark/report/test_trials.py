"""Figures behind the page of a watermark's sweep: levels, thresholds, misses, pairs, by hand."""

import numpy as np
import pytest

from acoustic_sim.sweep.statistics import Paired, Rate
from acoustic_sim.sweep.tails import ExponentialTail
from firmware_model.report.factors import BINS, choose, factor, factors
from firmware_model.watermark.report.plot_detectors import fitted_curve
from firmware_model.watermark.report.trials import (
    Trials,
    compare,
    misses,
    operating_point,
    reach,
    trials,
    worst,
)
from firmware_model.watermark.report.words import comparison_in_words, p_in_words

STRETCH_H = 2.048 / 3600


def row(number, scores, *, arithmetic="q15", seed=1, unmarked=(), **values):
    return {
        "row": number,
        "programme": "music",
        "repeat": 0,
        "seed": seed,
        "arithmetic": arithmetic,
        "mark_scores": scores,
        "one_mark_scores": scores,
        "impostor_scores": list(unmarked),
        "hops_differ": None if arithmetic == "q15" else 2,
        **values,
    }


# --- levels ----------------------------------------------------------------------------------


def test_numbers_are_in_order_and_none_comes_last_as_a_kind():
    numbers = factor("distance_m", [3.0, 1.0, 3.0])
    assert (numbers.labels, numbers.places.tolist()) == (("1", "3"), [1.0, 3.0])
    assert numbers.level.tolist() == [1, 0, 1]
    with_none = factor("snr_db", [20.0, None, 10.0])
    assert (with_none.labels, with_none.places) == (("10", "20", "none"), None)
    assert with_none.level.tolist() == [1, 2, 0]
    assert (with_none.of_level(0), with_none.of_level(2)) == ("10 dB", "none")
    assert factor("strength_db", [None, 3.0]).labels == ("3", "default")


def test_kinds_keep_their_order_and_files_go_by_their_stem():
    assert factor("codec", ["none", "aac-96", "none"]).labels == ("none", "aac-96")
    assert factor("rir", ["a/hall.flac", "b/room.wav"]).labels == ("hall", "room")
    assert factor("rir", ["a/hall.flac", "b/hall.flac"]).labels == ("a/hall.flac", "b/hall.flac")
    assert factor("room_m", [[5.0, 4.0, 2.5], "fit"]).labels == ("5 × 4 × 2.5", "fit")


def test_many_numbers_are_put_into_bins_of_equal_counts(rng):
    values = rng.uniform(1, 15, 200)
    binned = factor("distance_m", values.tolist())
    assert np.bincount(binned.level).tolist() == [200 // BINS] * BINS
    for index, place in enumerate(binned.places):
        assert place == np.median(values[binned.level == index])
    assert np.all(np.diff(binned.places) > 0)


def test_the_first_axis_of_numbers_is_drawn_along():
    rows = [row(n, [], codec=c, drift_ppm=d) for n, (c, d) in enumerate([("none", 0.0), ("aac-96", 50.0)])]
    along, others = choose(factors(rows, ["codec", "drift_ppm", "arithmetic"]))
    assert (along.name, [other.name for other in others]) == ("drift_ppm", ["codec"])
    along, others = choose(factors(rows, ["codec"]))
    assert (along.name, others) == ("codec", [])
    assert choose(factors(rows, [])) == (None, [])


# --- the threshold ---------------------------------------------------------------------------


def heard(scores, seeds=(1,)) -> Trials:
    """One row for each seed, the scores dealt out to them in turn."""
    parts = [scores[i :: len(seeds)] for i in range(len(seeds))]
    return trials(
        [row(i, [9.0], seed=s, unmarked=p) for i, (s, p) in enumerate(zip(seeds, parts, strict=True))]
    )


def test_a_threshold_within_what_was_heard_is_counted():
    """1000 stretches are 0.569 h; 200 per hour are 113.8 of them: the 114th highest may not pass."""
    scores = np.arange(1000) / 200  # 400 of them from 3 on
    found = operating_point(heard(scores), 200.0)
    assert found.how == "counted"
    assert np.count_nonzero(scores >= found.threshold.value) == int(200 * 1000 * STRETCH_H) == 113


def test_a_threshold_beyond_is_fitted_and_near_the_law(rng):
    """3 + exponential of mean 0.25: exp(-4 (T - 3)) is 1 per hour, 2.048 s in 3600 s, at T = 4.868."""
    scores = 3 + rng.exponential(0.25, 3000)
    found = operating_point(heard(scores, range(50)), 1.0)
    assert found.how == "fitted"
    assert found.threshold.low < 3 - np.log(STRETCH_H) / 4 < found.threshold.high
    assert found.threshold.low < found.threshold.value < found.threshold.high
    assert found.tail.threshold(1.0) == found.threshold.value


@pytest.mark.parametrize("scores", [np.full(1000, 2.9), np.full(19, 4.0), np.empty(0)])
def test_without_enough_to_go_by_it_is_the_shipped_one(scores):
    found = operating_point(heard(scores), 1.0)
    assert (found.how, found.threshold.value, found.tail) == ("shipped", 5.5, None)


def test_a_fit_is_not_stretched_beyond_thirty_times_what_was_heard(rng):
    found = heard(3 + rng.exponential(0.25, 1000), range(10))
    hours = 1000 * STRETCH_H
    assert operating_point(found, 1 / (29 * hours)).how == "fitted"
    assert operating_point(found, 1 / (31 * hours)).how == "shipped"


def test_fewer_than_five_excerpts_have_no_limits_and_the_shipped_threshold_is_kept(rng):
    """Scores of 3000 stretches, which would do: rows of one seed hear the same excerpt."""
    scores = 3 + rng.exponential(0.25, 3000)
    assert operating_point(heard(scores, [1] * 50), 1.0).how == "shipped"
    assert operating_point(heard(scores, [1, 2, 3, 4] * 10), 1.0).how == "shipped"
    assert operating_point(heard(scores, [1, 2, 3, 4, 5] * 10), 1.0).how == "fitted"


@pytest.mark.parametrize("counted_to", [5.0, 0.1])
def test_the_fitted_curve_goes_through_the_wanted_rate_and_on_from_what_was_counted(counted_to):
    """rate(T) = 10 exp(-(T - 4)/0.5): the wanted 1 per hour at 5.15, where one mark of two is missed."""
    tail = ExponentialTail(4.0, 0.5, 10.0)
    per_hour, miss = fitted_curve(tail, 1.0, (counted_to, 0.0), np.array([5.0, 5.2]))
    assert max(per_hour) == pytest.approx(max(counted_to, 1.0))
    assert min(per_hour) == pytest.approx(min(counted_to, 1 / 3))
    assert np.interp(1.0, per_hour[::-1], miss[::-1]) == pytest.approx(0.5)


# --- misses ----------------------------------------------------------------------------------


def test_misses_by_level_and_worst_rows():
    rows = [
        row(1, [9.0, 9.0], distance_m=1.0),
        row(2, [9.0, 4.0], distance_m=3.0),
        row(3, [4.0, 4.0], distance_m=3.0),
        row(4, [4.5, 4.5], distance_m=1.0),
        row(5, [], distance_m=3.0),
        row(6, [9.0, None], distance_m=3.0),  # past the recording's end
    ]
    found = trials(rows)
    along = factor("distance_m", [r["distance_m"] for r in rows])
    assert misses(found, found.score, along, 5.0) == [Rate(2, 4), Rate(4, 6)]
    assert misses(found, found.score, None, 5.0) == [Rate(6, 10)]
    assert [(r["row"], str(m)[:3]) for r, m in worst(found, 5.0)[:2]] == [(3, "100"), (4, "100")]
    assert [r["row"] for r, _ in worst(found, 5.0)] == [3, 4, 6, 2, 1]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([Rate(0, 100), Rate(5, 100), Rate(6, 100)], 1),
        ([Rate(6, 100), Rate(0, 100)], None),
        ([Rate(0, 100), Rate(50, 100), Rate(0, 100)], 0),
        ([Rate(0, 100), Rate(0, 0), Rate(1, 100)], 2),
    ],
)
def test_reach_is_up_to_the_first_level_that_misses_too_many(rates, expected):
    assert reach(rates) == expected


# --- arithmetics -----------------------------------------------------------------------------


def test_pairs_are_rows_alike_in_all_but_the_arithmetic():
    rows = [
        row(1, [6.0, 5.0, 4.0], distance_m=1.0),
        row(2, [6.0, 4.0, 6.0], distance_m=1.0, arithmetic="float"),
        row(3, [6.0], distance_m=3.0),
        row(4, [6.0], distance_m=3.0, arithmetic="float"),
        row(5, [1.0], distance_m=3.0, arithmetic="float", seed=2),  # nobody's pair
        row(6, [1.0], distance_m=3.0, arithmetic="q15+trn"),
    ]
    along = factor("distance_m", [r["distance_m"] for r in rows])
    exact, faulty = compare(rows, ["distance_m", "arithmetic"], along, 5.0)
    assert (exact.other, exact.pairs, exact.hops_differ) == ("float", 2, 4)
    assert exact.paired == Paired(both=2, first_only=1, second_only=1, neither=0)
    assert exact.factor_level.tolist() == [0, 0, 0, 1]
    assert (faulty.other, faulty.paired) == ("q15+trn", Paired(0, 1, 0, 0))
    assert compare(rows[:1], ["distance_m"], along, 5.0) == []
    assert "on 2 of 4 marks (1 found by q15 alone, 1 by float alone): too few to tell" in comparison_in_words(
        exact
    )
    assert comparison_in_words(faulty).startswith("q15 and q15+trn decide differently on 1 of 1 mark ")
    assert (p_in_words(0.251), p_in_words(1e-9)) == ("p = 0.25", "p < 0.0001")
    same = compare([row(1, [6.0]), row(2, [6.0], arithmetic="float")], [], None, 5.0)
    assert (
        comparison_in_words(same[0])
        == "q15 and float decide alike on the one mark; scores differ by at most 0."
    )
