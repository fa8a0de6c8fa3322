"""Scores where marks are known to be, and where none is; how long a report takes."""

import numpy as np
import pytest

from firmware_model.watermark.detector import Detection
from firmware_model.watermark.measures.mark_scores import (
    SEARCH_HOPS,
    expected_hops,
    largest_in_stretches,
    mark_scores,
    report_latencies_s,
)
from firmware_model.watermark.params import WatermarkConfig


def test_expected_hop_inverts_the_detectors_time():
    """time_s = ((t+1)H - R h H - (N-H)/2)/fs; for t = 66: (67*512 - 32768 - 768)/16000 = 768/16000."""
    config = WatermarkConfig()
    assert expected_hops(np.array([0.048]), 0.0, 0.0, config).tolist() == [66]
    assert expected_hops(np.array([0.0]), 0.048, 0.0, config).tolist() == [66]
    assert expected_hops(np.array([0.048, 1000.048]), 0.0, 50.0, config).tolist() == [66, 66 + 31250 + 2]


def test_mark_scores_add_up_within_a_run_and_no_further():
    """Marks of 10 hops ending at hops 9, 19, ...; patterns 0, 1 in turn; runs of two marks."""
    z = np.zeros((40, 2))
    z[9, 0], z[19, 1], z[29, 0], z[39, 1] = 3.0, 5.0, 4.0, -1.0
    one, run = mark_scores(z, np.array([9, 19, 29, 39]), 2, 10)
    assert one.tolist() == [3.0, 5.0, 4.0, 0.0]  # the last: zero is within three hops of -1
    # Run 1: 3, then max(5, (3 + 5)/sqrt 2). Run 2 does not see the 5: 4, then max(0, (4 - 1)/sqrt 2).
    np.testing.assert_allclose(run, [3.0, 8 / np.sqrt(2), 4.0, 3 / np.sqrt(2)])


def test_mark_scores_look_three_hops_around_and_give_zero_past_the_end():
    z = np.zeros((20, 1))
    z[9 + SEARCH_HOPS + 1] = 7.0
    one, _ = mark_scores(z, np.array([9, 10, 30]), 4, 10)
    assert one.tolist() == [0.0, 7.0, 0.0]


def test_largest_of_each_key_in_whole_stretches():
    """Two keys, seven hops, stretches of three: the seventh hop is of no stretch."""
    scores = np.array([[1, 9], [5, 8], [2, 7], [-3, -1], [-2, -4], [-9, -2], [50, 50]], float)
    assert largest_in_stretches(scores, 3).tolist() == [[5, -2], [9, -1]]
    assert largest_in_stretches(scores[:2], 3).shape == (2, 0)


def test_latency_is_from_a_marks_end_to_the_first_report_that_counts_it():
    """Marks of 2.048 s at 0.048 s and 2.096 s. The first peaks at hop 66 and is reported at the end of hop
    82, 83 * 0.032 = 2.656 s, 0.56 s after its end. Where the peak of the second, hop 130, gives both at once,
    the report comes at 147 * 0.032 = 4.704 s: 2.608 and 0.56 s late."""
    config = WatermarkConfig()
    heard_s = np.array([0.048, 2.096, 20.0])
    one, two = Detection(0, 0.048, 6.0, 1), Detection(0, 2.096, 6.0, 2)
    found = report_latencies_s([one], heard_s, 1000, 0.1, config)
    lost = np.nan
    np.testing.assert_allclose(found, [0.56, lost, lost])
    np.testing.assert_allclose(report_latencies_s([two], heard_s, 1000, 0.1, config), [2.608, 0.56, lost])
    both = report_latencies_s([one, two], heard_s, 1000, 0.1, config)
    np.testing.assert_allclose(both, [0.56, 0.56, lost])
    assert np.isnan(report_latencies_s([], heard_s, 1000, 0.1, config)).all()


def test_what_is_held_at_the_end_is_reported_there():
    """70 hops end at 2.24 s, 0.144 s after the mark's end."""
    one = Detection(0, 0.048, 6.0, 1)
    assert report_latencies_s([one], np.array([0.048]), 70, 0.1, WatermarkConfig()).tolist() == pytest.approx(
        [0.144]
    )
