"""Matching detections with marks, and counting where two arithmetics are apart."""

import numpy as np
import pytest

from firmware_model.watermark.detector import Detection, Detector
from firmware_model.watermark.key import Key
from firmware_model.watermark.measures import metrics
from firmware_model.watermark.params import SCORE_FRAC_BITS, WatermarkConfig

CONFIG = WatermarkConfig()
MARK_S = 2.048
HEARD_S = 0.02 + MARK_S * np.arange(5)  # five marks, heard 20 ms late
TOLERANCE_S = metrics.match_tolerance_s(CONFIG)


def bit_exact_blocks(pcm, keys, config, seed):
    check = metrics.BitExactBlocks(keys, config, seed)
    for start in range(0, len(pcm), 7001):
        check.push(pcm[start : start + 7001])
    return check.finish()


def at(mark: int, marks: int = 1, late_s: float = 0.0, key: int = 0) -> Detection:
    """A detection of mark `mark`, counted from 0, that took `marks` marks."""
    return Detection(key, HEARD_S[mark] + late_s, 9.0, marks)


def test_tolerance_by_hand():
    """Half of a slot of 8 hops of 512 samples and half a hop: (4096 + 512) / 2 / 16000 = 0.144 s."""
    assert TOLERANCE_S == 0.144


def test_match_by_hand():
    """Mark 0 alone; marks 2 and 3 by a detection at 3 that took two; 1 and 4 not; one stray."""
    stray = Detection(0, 5.0, 6.0, 1)
    hits = metrics.match_marks([at(0), at(3, marks=2), stray], HEARD_S, MARK_S, TOLERANCE_S)
    assert hits.one_mark.tolist() == [True, False, False, False, False]
    assert hits.found.tolist() == [True, False, True, True, False]
    assert hits.strays == 1


@pytest.mark.parametrize(("late_s", "found"), [(0.144, 1), (0.145, 0), (-0.143, 1), (-0.145, 0)])
def test_match_ends_at_the_tolerance(late_s, found):
    hits = metrics.match_marks([at(2, late_s=late_s)], HEARD_S, MARK_S, TOLERANCE_S + 1e-9)
    assert (hits.found.sum(), hits.one_mark.sum(), hits.strays) == (found, found, 1 - found)


def test_a_detection_covers_its_marks_and_no_more():
    for marks in range(1, 5):
        for late_s in (-0.14, 0.0, 0.14):
            hits = metrics.match_marks([at(4, marks, late_s)], HEARD_S, MARK_S, TOLERANCE_S)
            assert hits.found.tolist() == [mark > 4 - marks for mark in range(5)]


def test_no_marks_and_no_detections():
    assert metrics.match_marks([at(0)], np.zeros(0), MARK_S, TOLERANCE_S).strays == 1
    assert not metrics.match_marks([], HEARD_S, MARK_S, TOLERANCE_S).found.any()


def test_unpaired_by_hand():
    """The same key within a hop pairs, in any order; another key, another time and a second one do not."""
    a = [at(1), at(0), at(3), at(3, late_s=0.01)]
    b = [at(0, late_s=0.03), at(1), at(2), at(3, key=1), at(3, late_s=-0.02)]
    only_a, only_b = metrics.unpaired(a, b, 0.032)
    assert only_a == [at(3, late_s=0.01)]
    assert only_b == [at(2), at(3, key=1)]
    assert metrics.unpaired(a, a, 0.0) == ([], [])


def test_peaks_one_hop_apart_are_one_detection_and_two_hops_apart_are_not():
    """2.128 - 2.096, one hop, is more than 0.032 in floating point."""
    a, one, two = (Detection(0, time_s, 9.0, 1) for time_s in (2.096, 2.128, 2.160))
    assert metrics.unpaired([a], [one], metrics.pair_tolerance_s(CONFIG)) == ([], [])
    assert metrics.unpaired([a], [two], metrics.pair_tolerance_s(CONFIG)) == ([a], [two])


def test_score_error_and_decisions_by_hand():
    q15 = np.array([[1.0, 5.5], [6.0, -2.0]])
    reference = np.array([[1.25, 5.4], [6.0, -2.5]])
    assert metrics.score_error_max(q15, reference) == 0.5
    assert metrics.decisions_differ(q15, reference, 5.5) == 1
    assert metrics.score_error_max(np.zeros((0, 1)), np.zeros((0, 1))) == 0.0


def test_each_arithmetic_has_its_own_threshold():
    """5.3 is 2713.6 in Q7.9 and becomes 2714; 5.1 is 2611.2 and becomes 2611, which is below 5.1."""
    lsb = 2.0**-SCORE_FRAC_BITS
    assert metrics.decisions_differ(np.array([2611 * lsb]), np.array([5.1]), 5.1) == 0
    assert metrics.decisions_differ(np.array([2610 * lsb]), np.array([5.1]), 5.1) == 1
    assert metrics.decisions_differ(np.array([2714 * lsb]), np.array([5.3]), 5.3) == 0
    assert metrics.decisions_differ(np.array([2713 * lsb]), np.array([5.3]), 5.3) == 1


@pytest.fixture
def pcm(rng):
    return (3000 * rng.standard_normal(40_000)).astype(np.int16)


def test_any_block_size_gives_the_same_bits(pcm):
    keys = [Key.from_hex("5eed"), Key.from_hex("c0ffee")]
    check = bit_exact_blocks(pcm, keys, CONFIG, seed=1)
    assert check.equal == check.total
    assert check.total > 40_000 / (3 * CONFIG.hop)
    assert bit_exact_blocks(pcm, keys, CONFIG, seed=1) == check
    assert bit_exact_blocks(pcm[:0], keys, CONFIG, seed=1) == (0, 0)


def test_a_detector_that_loses_a_sample_between_blocks_is_noticed(pcm, monkeypatch):
    class Lossy(Detector):
        def push(self, pcm):
            return super().push(pcm if len(pcm) == CONFIG.hop else pcm[1:])

    monkeypatch.setattr(metrics, "Detector", Lossy)
    check = bit_exact_blocks(pcm, [Key.from_hex("5eed")], CONFIG, seed=1)
    assert check.equal < check.total / 2
