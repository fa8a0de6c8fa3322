"""Strengths by trial: the nominal room, scores at known places, and the search itself."""

import numpy as np
import pytest

from acoustic_sim.programmes.excitation import synthesise
from firmware_model.watermark.embedding import planning
from firmware_model.watermark.embedding.embedder import DEFAULT_STRENGTHS_DB, embed
from firmware_model.watermark.embedding.planning import (
    TARGET_SCORE,
    NominalRoom,
    mark_scores,
    plan_strengths,
)
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig

FS_HZ = 16000
CONFIG = WatermarkConfig()
KEY = Key.from_hex("5eed0a11")


@pytest.fixture(scope="module")
def music():
    return synthesise("music", 9.0, FS_HZ, seed=6)


class Open:
    """No room at all."""

    def hear(self, blocks):
        return blocks


def nominal_room(x, fs_hz):
    """(n,) -> (n,), in two blocks."""
    with NominalRoom(len(x), fs_hz) as room:
        return np.concatenate(list(room.hear(np.split(x, [1000]))))


def test_strengths_by_hand(monkeypatch):
    # Scores rise with the level: mark 0 reaches 8 at -6 dB, mark 1 at 0 dB, mark 2 never.
    levels = []

    def scores(y, key, config, marks):
        return np.array([14, 8, 2]) + y[0][0]

    monkeypatch.setattr(planning, "mark_scores", scores)

    def marked_at(level_db):
        levels.append(level_db)
        return [np.array([level_db])]

    assert plan_strengths(marked_at, Open(), KEY, CONFIG, 3, 6.0).tolist() == [-6.0, 0.0, 6.0]
    assert levels == [-6.0, -4.0, -2.0, 0.0, 2.0, 4.0]


def test_the_search_ends_when_every_mark_is_strong_enough(monkeypatch):
    monkeypatch.setattr(planning, "mark_scores", lambda *_: np.full(2, TARGET_SCORE))
    levels = []
    found = plan_strengths(lambda level_db: levels.append(level_db), Open(), KEY, CONFIG, 2, 7.0)
    assert found.tolist() == [-5.0, -5.0]
    assert levels == [-5.0]


def test_nominal_room_decays_by_its_rt60_and_keeps_the_direct_sound(monkeypatch):
    monkeypatch.setattr(planning, "SNR_DB", 300.0)
    monkeypatch.setattr(planning, "LOW_CUT_HZ", 1.0)
    x = np.zeros(FS_HZ)
    x[100] = 1.0
    h = nominal_room(x, FS_HZ)
    assert np.abs(h[:100]).max() < 1e-9
    drr_db = 10 * np.log10(h[100] ** 2 / np.sum(h[101:] ** 2))
    assert drr_db == pytest.approx(planning.DRR_DB, abs=0.1)
    # Schroeder's integral from -5 to -35 dB.
    decay_db = 10 * np.log10(np.cumsum(h[:100:-1] ** 2)[::-1] / np.sum(h[101:] ** 2) + 1e-30)
    t30_s = 2 * np.sum((decay_db <= -5) & (decay_db >= -35)) / FS_HZ
    assert t30_s == pytest.approx(planning.RT60_S, rel=0.1)


def test_nominal_room_has_its_noise_and_is_the_same_at_every_call(music, monkeypatch):
    noisy, wanted_db = nominal_room(music, FS_HZ), planning.SNR_DB
    assert np.array_equal(noisy, nominal_room(music, FS_HZ))
    monkeypatch.setattr(planning, "SNR_DB", 300.0)
    clean = nominal_room(music, FS_HZ)
    gain = np.dot(noisy, clean) / np.dot(clean, clean)
    snr_db = 10 * np.log10(np.sum((gain * clean) ** 2) / np.sum((noisy - gain * clean) ** 2))
    assert snr_db == pytest.approx(wanted_db, abs=0.05)


def test_silence_stays_finite():
    assert not nominal_room(np.zeros(FS_HZ), FS_HZ).any()


def test_scores_are_those_of_the_marks(music):
    marked = embed(music, FS_HZ, KEY, mode="live", strength_db=4.0)
    scores = mark_scores([0.3 * marked.y], KEY, CONFIG, 4)
    assert scores.min() > CONFIG.threshold, scores
    assert np.abs(mark_scores([0.3 * music], KEY, CONFIG, 4)).max() < 4, "unmarked"


def test_planned_marks_reach_the_target_or_take_all(music):
    marked = embed(music, FS_HZ, KEY)
    scores = mark_scores([nominal_room(marked.y, FS_HZ)], KEY, CONFIG, 4)
    highest = marked.strengths_db == DEFAULT_STRENGTHS_DB["informed"]
    # A neighbour at another strength moves a score a little.
    assert np.all(highest | (scores > 0.9 * TARGET_SCORE)), (marked.strengths_db, scores)
