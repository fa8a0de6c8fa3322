"""The Q15 detector: scores by hand, against float64, over keys, in any blocks, at the edges."""

import hashlib
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acoustic_sim.programmes.excitation import synthesise
from firmware_model.reference import watermark as reference
from firmware_model.watermark.correlator import correlate, integrate, score_from, score_variance
from firmware_model.watermark.detector import Detector, detect, pick_peak
from firmware_model.watermark.embedding.embedder import embed
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig, quantise
from firmware_model.watermark.state import CLOCK_FEATURE, CLOCK_HOP, CLOCK_SCORE, init_output, init_state
from fixedpoint.errors import AudioError, ConfigError
from fixedpoint.qformat import Q15
from tests.firmware_model.watermark.test_frontend import KINDS, programme

CONFIG = WatermarkConfig()
KEY = Key.from_hex("5eed0123456789ab")
OTHERS = [Key(bytes([7, k])) for k in range(40)]


def params_of(keys, config=CONFIG):
    c = config
    return quantise(config, np.stack([k.signs(c.max_marks, c.slots, c.bands) for k in keys]))


@cache
def split_pcm():
    """Two marks in music."""
    return Q15.quantise(0.3 * embed(synthesise("music", 4.2, 16000, seed=1), 16000, KEY).y)


def bits(detected):
    return hashlib.sha256(detected.scores.tobytes() + detected.integrated.tobytes()).hexdigest()


@pytest.fixture(scope="module")
def marked():
    """Twelve seconds of marked music: five marks and silence; what a microphone next to it would give."""
    x = synthesise("music", 11, 16000, seed=3)
    y = embed(x, 16000, KEY).y
    return np.concatenate([Q15.quantise(0.3 * y), np.zeros(16000, np.int16)])


def test_score_by_hand():
    # Features equal to the signs of pattern 2, one LSB each: c = 8 * 438 LSB, v = 8/7 * 8 * 438 LSB^2.
    params = params_of([KEY])
    state = init_state(params)
    signs = KEY.signs(4, 8, 438)[2]
    for slot in range(8):
        state.feature[(slot + 1) * 8 - 1, :438] = signs[slot]
        state.energy[(slot + 1) * 8 - 1] = 438
    state.clock[CLOCK_FEATURE] = 63
    variance, total = score_variance(params, state)
    assert variance == 8 * 8 * 438  # balanced: the columns add up to nothing
    assert total == 0
    correlate(params, state, np.int64(0), total)
    others = np.tensordot(KEY.signs(4, 8, 438).astype(int), signs, 2)
    assert state.sums.tolist() == others.tolist()
    assert state.sums[2] == 8 * 438
    # One LSB is little more than rounding: 9 LSB^2 a feature are added to its variance.
    z = 8 * 438 / math.sqrt(8 * 8 * 438 / 7 + 9 * 8 * 438)
    assert abs(score_from(params, np.int64(state.sums[2]), variance) - z * 512) <= 1  # by logarithms


def test_score_of_nothing_is_nothing():
    params = params_of([KEY])
    assert score_from(params, np.int64(0), np.int64(0)) == 0
    assert (
        score_from(params, np.int64(-100), np.int64(0)) == -score_from(params, np.int64(100), np.int64(0)) < 0
    )


def test_integration_adds_the_patterns_backwards():
    params = params_of([KEY])
    state = init_state(params)
    state.clock[CLOCK_SCORE] = 10
    # Patterns 1, 0, 3 ended now, one and two marks ago, with score 4 each: Z_3 = 12/sqrt(3) = 6.93.
    for ago, pattern in enumerate((1, 0, 3)):
        state.score_q9[pattern, (10 - 64 * ago) % 256] = 4 * 512
    best, marks = integrate(params, state, np.int64(0))
    assert best == math.floor(12 * 512 * 18919 / 32768 + 0.5)
    assert marks == 2  # 8/sqrt(2) = 5.66 is already above 5.5


def test_marks_that_were_reported_do_not_count_again():
    params = params_of([KEY])
    state = init_state(params)
    state.clock[[CLOCK_HOP, CLOCK_SCORE]] = 500, 10
    state.score_q9[0, (10 - 64) % 256] = 20 * 512
    state.peak[0, 4] = 500 - 64
    assert integrate(params, state, np.int64(0)) == (0, 0)
    state.peak[0, 4] = 500 - 96
    assert integrate(params, state, np.int64(0))[1] == 2


def test_peak_is_held_then_locks_out():
    params = params_of([KEY])
    state, report = init_state(params), np.zeros((1, 4), np.int32)
    found = []
    scores = {5: 3000, 8: 4000, 10: 3500, 30: 5000, 39: 6000, 41: 2900}
    for hop in range(70):
        state.clock[CLOCK_HOP] = hop
        score = scores.get(hop, 0)
        pick_peak(params, state, np.int64(0), np.int64(score), np.int64(score > 2816), report)
        if report[0, 0]:
            found.append((hop, *report[0, 1:].tolist()))
    # 8 is the peak of the first group, reported 16 hops later; 30 and 39 come within 32 hops of it.
    assert found == [(24, 8, 4000, 1), (57, 41, 2900, 1)]


# Each at most twice what was measured; a score has a standard deviation of 1 over keys. Where features are
# a few LSB, as in steady sounds, their rounding is a larger part of the score.
SCORE_BOUNDS = {
    "noise": 0.15,
    "full-scale noise": 0.07,
    "quiet noise": 0.15,
    "bursts": 0.08,
    "tones": 0.19,
    "square": 0.12,
    "dc": 0.02,
}


@pytest.mark.parametrize("kind", KINDS)
def test_scores_against_float64(kind):
    pcm = programme(kind)
    fixed = detect(pcm, [KEY, *OTHERS[:3]])
    signs = np.stack([k.signs(4, 8, 438) for k in (KEY, *OTHERS[:3])])
    floating = reference.detect(pcm / 32768.0, signs)
    error = np.abs(fixed.scores - floating.scores)
    assert error.max() <= SCORE_BOUNDS[kind], (
        f"{kind}: {error.max():.4f}, 99 % {np.quantile(error, 0.99):.4f}"
    )


def test_marks_are_found_where_they_are(marked):
    found = detect(marked, [KEY])
    assert [round(d.time_s / 2.048, 1) for d in found.detections] == [0, 1, 2, 3, 4]
    assert all(d.marks == 1 for d in found.detections)
    floating = reference.detect(marked / 32768.0, KEY.signs(4, 8, 438)[None])
    assert [(d.time_s, d.marks) for d in found.detections] == [
        (d.time_s, d.marks) for d in floating.detections
    ]


def test_weak_marks_are_found_together():
    # A mark much below the noise: no single score reaches the threshold, their sum does.
    rng = np.random.default_rng(8)
    y = embed(synthesise("music", 8.5, 16000, seed=5), 16000, KEY, mode="live", strength_db=-10.0).y
    pcm = Q15.quantise(0.1 * y + 0.005 * rng.standard_normal(len(y)))
    found = detect(np.concatenate([pcm, np.zeros(9000, np.int16)]), [KEY])
    assert found.scores.max() < CONFIG.threshold
    assert [d.marks for d in found.detections] == [3]


def test_other_keys_find_nothing(marked):
    found = detect(marked, OTHERS)
    assert found.detections == []
    z = found.scores[60:]
    # The lowest of many bounds: mean of 0 +- 4/sqrt(40 keys * 4 patterns) for each hop's scores.
    assert np.abs(z.mean(axis=(1, 2))).max() < 4 / math.sqrt(160)
    assert abs(z.std() - 1) < 0.03, f"{z.std():.4f}"


def test_state_does_not_grow_and_work_areas_hold_no_memory(marked):
    detector = Detector([KEY])
    before = [field.nbytes for field in detector.state]
    detector.push(marked[: 40 * 512])
    # Work areas may be used by others between frames.
    for name in ("z", "work", "sums"):
        getattr(detector.state, name)[:] = 12345
    rest = detector.push(marked[40 * 512 :]) + detector.flush()
    assert rest == detect(marked, [KEY]).detections
    assert [field.nbytes for field in detector.state] == before
    assert detector.state_bytes == 57428 <= 64 * 1024


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=60))
def test_any_block_size_gives_the_same_detections_and_state(sizes):
    pcm = split_pcm()
    whole, parts = Detector([KEY]), Detector([KEY])
    expected = whole.push(pcm) + whole.flush()
    found, at = [], 0
    for size in sizes:
        found += parts.push(pcm[at : at + size])
        at += size
    found += parts.push(pcm[at:])
    found += parts.flush()
    assert found == expected
    for name, a, b in zip(whole.state._fields, whole.state, parts.state, strict=True):
        assert np.array_equal(a, b), name


def test_one_key_among_many_gives_the_same_bits(marked):
    alone = detect(marked, [KEY])
    among = detect(marked, [*OTHERS[:2], KEY])
    assert np.array_equal(among.scores[:, 2:], alone.scores)
    assert np.array_equal(among.integrated[:, 2:], alone.integrated)
    assert [d._replace(key=0) for d in among.detections] == alone.detections


def test_detections_do_not_depend_on_volume(marked):
    def times(d):
        return [x.time_s for x in d.detections]

    assert times(detect((marked // 8).astype(np.int16), [KEY])) == times(detect(marked, [KEY]))


@pytest.mark.parametrize("n", [0, 1, 511, 512, 5000])
def test_short_recordings_find_nothing(n):
    found = detect(np.ones(n, np.int16), [KEY])
    assert found.detections == []
    assert found.scores.shape == (n // 512, 1, 4)


@pytest.mark.parametrize("kind", ["square", "dc"])
def test_rails_find_nothing(kind):
    assert detect(programme(kind, 12), [KEY, *OTHERS[:7]]).detections == []


def test_a_rhythm_as_long_as_a_mark_is_no_evidence():
    # The same 2.048 s again and again: scores repeat, sums of consecutive marks must not grow.
    loop = synthesise("drums", 2.048, 16000, seed=2)
    pcm = Q15.quantise(np.tile(loop, 10))
    found = detect(pcm, [KEY, *OTHERS])
    z4 = found.scores[64 * 4 :]
    assert found.detections == []
    spread = found.integrated[64 * 4 :].max()
    assert spread < CONFIG.threshold, f"{spread:.2f} over {z4.size} scores"


@pytest.mark.parametrize("bad", [np.zeros(512), np.zeros((512, 2), np.int16), np.zeros(512, np.int32)])
def test_samples_other_than_int16_are_refused(bad):
    with pytest.raises(AudioError, match="int16 of shape"):
        detect(bad, [KEY])


def test_number_of_keys_is_checked():
    with pytest.raises(ConfigError, match="0 found"):
        Detector([])


def test_bits_are_frozen():
    # Integer noise from a linear congruence: no float takes part in this golden.
    state, pcm = 1, np.empty(40 * 512, np.int16)
    for i in range(len(pcm)):
        state = (1664525 * state + 1013904223) & 0xFFFFFFFF
        pcm[i] = (state >> 16) - 32768 >> (i >> 12 & 3)
    frozen = "de0b1362c578ec4571dfe449ee6e60bb4f3e7c2b458ec976b9444285286fe460"
    assert bits(detect(pcm, [KEY, OTHERS[0]])) == frozen


def test_outputs_have_a_place_for_every_key():
    output = init_output(params_of([KEY, *OTHERS[:2]]))
    assert (output.score_q9.shape, output.integrated_q9.shape, output.report.shape) == ((12,), (3,), (3, 4))
