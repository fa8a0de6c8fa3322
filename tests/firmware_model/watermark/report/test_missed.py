"""The main picture of a watermark's sweep: what it crosses, what its titles say, and the SNR that is left."""

import numpy as np
import pytest

from acoustic_sim.sweep.statistics import Rate
from firmware_model.report.factors import Factor, factor
from firmware_model.report.source import read
from firmware_model.watermark.report import missed as report
from firmware_model.watermark.report.trials import Findings
from firmware_model.watermark.report.words import limits_in_words, percent, with_limits
from tests.firmware_model.cli import sweep_cases as cases

LEVELS = """
product = "watermark"
repeats = 2
impostor_keys = 0
[programme]
synthesise = ["music"]
seconds = 8
[axes]
distance_m = [2, 4, 8]
rt60_s = [0.3, 1.0]
snr_1m_db = [20, 10]
"""


def free_field(condition):
    """Three marks, heard where the SNR at the microphone is 0 dB or more: 20 dB to 10 m, 10 dB to 3.2 m; a
    longer RT60 adds 6 dB, which takes 10 dB to 6.3 m."""
    v = condition.values
    left_db = v["snr_1m_db"] - 20 * np.log10(v["distance_m"]) + 6 * (v["rt60_s"] == 1.0)
    scores = [9.0 if left_db >= 0 else 2.0] * 3
    outcome = cases.watermark_outcome(condition) | {"mark_scores": scores, "one_mark_scores": scores}
    return outcome | {"snr_db_at_microphone": left_db}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return Findings(read(str(cases.written(tmp_path_factory.mktemp("levels"), LEVELS, free_field))))


def test_curves_are_of_what_changes_misses_most_and_panels_of_the_next(found):
    """20 dB misses none of 36, 10 dB 18; an RT60 of 0.3 s misses 12 of 36, 1 s 6."""
    whole = report.crossed(found)
    assert (whole.panel.name, whole.by.name) == ("rt60_s", "snr_1m_db")
    dry, live = whole.rates
    assert dry == [[Rate(0, 6), Rate(6, 6), Rate(6, 6)], [Rate(0, 6), Rate(0, 6), Rate(0, 6)]]
    assert live == [[Rate(0, 6), Rate(0, 6), Rate(6, 6)], [Rate(0, 6), Rate(0, 6), Rate(0, 6)]]


def test_the_finding_is_a_distance_for_each_curve(found):
    assert report.reach_of(found) == (
        "Distance with at most 5 % of the marks missed, by SNR at 1 m: 10 dB up to 2 m, 20 dB throughout"
    )


def test_the_section_has_the_combinations_and_the_snr_that_was_left(found):
    section = report.missed(found)
    assert [picture.name for picture in section.pictures] == ["missed", "missed-by", "missed-snr"]
    combinations, by_distance = section.tables
    assert combinations.heads == ["RT60", "SNR at 1 m", "2 m", "4 m", "8 m"]
    assert [row[:2] for row in combinations.rows] == [
        [rt60, snr] for rt60 in ("0.3 s", "1 s") for snr in ("10 dB", "20 dB")
    ]
    assert [cell.split(" %")[0] for cell in combinations.rows[0][2:]] == ["0.0", "100.0", "100.0"]
    assert by_distance.heads[2] == "SNR at the microphone, dB"
    # 10 dB less 6.02 at 2 m to 20 + 6 less 6.02, and 18.06 at 8 m
    assert [row[2] for row in by_distance.rows] == ["4.0 to 20.0", "−2.0 to 14.0", "−8.1 to 7.9"]


def test_none_and_all_are_themselves_in_sentences_too():
    rates = Rate(0, 2000), Rate(1, 2000), Rate(1999, 2000), Rate(2000, 2000), Rate(7, 18)
    assert [percent(rate) for rate in rates] == ["0 %", "0.1 %", "99.9 %", "100 %", "39 %"]


@pytest.mark.parametrize(
    ("lost_below_db", "says"),
    [
        (20, "From 20 dB of SNR at 1 m on at most 5 % of the marks are missed, at 10 dB 100 %"),
        (99, "Whatever the SNR at 1 m, 100 % of the marks are missed"),
    ],
)
def test_where_more_is_better_the_finding_is_from_where_on(tmp_path, lost_below_db, says):
    def outcome(condition):
        scores = [9.0 if condition.values["snr_1m_db"] >= lost_below_db else 2.0] * 3
        return cases.watermark_outcome(condition) | {"mark_scores": scores}

    axes = "snr_1m_db = [20, 10, 0]\n"
    found = Findings(read(str(cases.written(tmp_path, LEVELS.split("distance_m")[0] + axes, outcome))))
    assert report.reach_of(found) == says


def test_the_snr_is_shown_in_steps_of_3_db():
    snr = report._in_steps(np.array([-1.4, 1.4, 1.6, -8.0, 4.4]))
    assert snr.places.tolist() == [-9.0, 0.0, 3.0]
    assert snr.labels == ("-9", "0", "3")
    assert snr.level.tolist() == [1, 1, 2, 0, 2]
    assert snr.of_level(0) == "-9 dB"


def test_where_the_snr_was_given_it_is_not_drawn_again(tmp_path):
    text = LEVELS.replace("snr_1m_db", "snr_db")

    def outcome(condition):
        return cases.watermark_outcome(condition) | {"mark_scores": [9.0, 2.0, 2.0]}

    found = Findings(read(str(cases.written(tmp_path, text, outcome))))
    assert [picture.name for picture in report.missed(found).pictures] == ["missed", "missed-by"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("repeats = 2", "repeats = 1"), "three marks at a point"),
        (("rt60_s = [0.3, 1.0]", "rt60_s = 0.3"), "one factor beside the distance"),
    ],
)
def test_what_fills_no_grid_is_averaged_as_before(tmp_path, change, why):
    text = LEVELS.replace(*change)

    def outcome(condition):
        return cases.watermark_outcome(condition) | {"mark_scores": [9.0, 9.0, 2.0]}

    found = Findings(read(str(cases.written(tmp_path, text, outcome))))
    assert report.crossed(found) is None, why
    assert [picture.name for picture in report.missed(found).pictures] == ["missed"]


@pytest.mark.parametrize(
    ("missed", "says"),
    [
        ([0, 0, 0], "20 dB throughout"),
        ([0, 0, 9], "20 dB up to 4 m"),
        ([9, 0, 0], "20 dB from 4 m on"),
        ([9, 0, 9], "20 dB nowhere"),
    ],
)
def test_limits_of_a_curve(missed, says):
    along = factor("distance_m", [2.0, 4.0, 8.0])
    assert isinstance(along, Factor)
    assert limits_in_words(along, ["20 dB"], [[Rate(n, 20) for n in missed]]) == says


@pytest.mark.parametrize(
    ("missed", "total", "says"),
    [
        (5, 18, "27.8 % (12.5–50.9)"),  # 27.78; limits by hand from Wilson (1927)
        (0, 18, "0.0 % (0.0–17.6)"),
        (1, 9999, "0.1 % (0.0–0.1)"),
        (9998, 9999, "99.9 % (99.9–100.0)"),
        (0, 0, "-"),
    ],
)
def test_misses_are_rounded_and_none_and_all_are_themselves(missed, total, says):
    assert with_limits(Rate(missed, total)) == says
