"""Marks in the reference: found where they are, not where there are none, after any delay."""

import numpy as np
import pytest

from firmware_model.reference.watermark import detect
from firmware_model.reference.watermark_decision import integrate
from tests.firmware_model.reference.test_watermark import (
    FS_HZ,
    MARK_S,
    SHIPPED,
    embed_crudely,
    noise,
    random_signs,
)


def test_a_crude_mark_is_found_where_it_is(rng):
    """Plus and minus 3 dB on noise: every mark at its place, within a hop, and nothing elsewhere."""
    signs = random_signs(rng, 6)
    marks = 8
    y = embed_crudely(noise(rng, marks * MARK_S + 1), signs[2], 3.0)
    found = detect(y, signs)
    assert {detection.key for detection in found.detections} == {2}
    assert len(found.detections) == marks
    late_s = np.array([d.time_s - i * MARK_S for i, d in enumerate(found.detections)])
    hop_s = SHIPPED.hop / FS_HZ
    assert np.abs(late_s).max() <= hop_s, f"off by up to {np.abs(late_s).max() * 1e3} ms, 16 when written"
    assert [d.marks for d in found.detections] == [1] * marks
    lowest = min(d.score for d in found.detections)
    assert lowest > 16.7, f"lowest score {lowest}, 33.4 when written"
    other = np.delete(found.scores, 2, axis=1)
    assert np.abs(other).max() < SHIPPED.threshold, (
        f"other keys reach {np.abs(other).max()}, 3.90 when written"
    )


def test_an_unmarked_signal_is_not_found(rng):
    found = detect(noise(rng, 60), random_signs(rng, 20))
    assert found.detections == [], f"score {found.integrated.max()}, 4.43 when written"


def test_a_mark_is_found_after_any_delay(rng):
    """30 marks at five places between hops: the running mean draws them forward a little, never by a hop."""
    signs = random_signs(rng, 1)
    marks = 6
    y = embed_crudely(noise(rng, marks * MARK_S + 1), signs[0], 3.0)
    lead = noise(rng, 1)
    late_ms = []
    for delay in (9000, 9100, 9256, 9411, 9448):
        found = detect(np.concatenate([lead[:delay], y]), signs)
        assert len(found.detections) == marks
        late_ms += [1e3 * (d.time_s - delay / FS_HZ - i * MARK_S) for i, d in enumerate(found.detections)]
    figures = f"mean {np.mean(late_ms):.1f} ms, {min(late_ms):.1f} to {max(late_ms):.1f}"
    figures += "; when written mean -6.0, -28.2 to 3.8"
    assert np.abs(late_ms).max() <= 1e3 * SHIPPED.hop / FS_HZ, figures


def test_a_weak_mark_needs_more_marks(rng):
    """0.2 dB: no single mark reaches T; the sum over M of them grows as sqrt M."""
    signs = random_signs(rng, 1)
    y = embed_crudely(noise(rng, 10 * MARK_S + 1), signs[0], 0.2)
    found = detect(y, signs)
    ends = np.round((np.arange(1, 11) * MARK_S * FS_HZ + 768) / SHIPPED.hop).astype(int) - 1
    by_marks = integrate(found.scores[:, 0], SHIPPED)[ends]
    single = found.scores[ends, 0, np.arange(10) % 4]
    figures = f"single {single}, four marks {by_marks[3:, 3]}, {found.detections}"
    assert found.scores.max() < SHIPPED.threshold, figures
    assert found.detections, figures
    assert min(d.marks for d in found.detections) >= 2, figures
    growth = by_marks[3:, 3].mean() / single.mean()
    assert growth == pytest.approx(2.0, abs=0.2), f"growth {growth}, 1.97 when written; {figures}"
