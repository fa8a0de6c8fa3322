"""Inputs of the watermark detector's golden cases, by formula."""

from collections.abc import Callable

import numpy as np

from firmware_model.golden.frozen_random import FrozenRandom
from firmware_model.golden.stimuli import amplitude, to_q15
from firmware_model.watermark.embedding.embedder import embed
from firmware_model.watermark.key import Key

MARKED_KEY = "5eed5eed5eed5eed"


def _marked() -> np.ndarray:
    """6.4 s: chords of eight partials, a new one every 0.4 s, with three marks; noise 20 dB down."""
    fs_hz, seconds, note_s = 16000, 6.4, 0.4
    rng = FrozenRandom("marked-16k")
    t = np.arange(round(fs_hz * note_s)) / fs_hz
    notes = []
    for _ in range(round(seconds / note_s)):
        pitch_hz = 110.0 * 2 ** (rng.integers(24) / 12)
        partials_hz = pitch_hz * np.array([1, 1.5, 2, 3, 4, 6, 10, 16])
        phases = 2 * np.pi * (partials_hz[:, None] * t + rng.random((8, 1)))
        note = (np.sin(phases) / np.sqrt(partials_hz[:, None])).sum(axis=0) + 0.05 * rng.normal(len(t))
        notes.append(note * np.exp(-3 * t))
    programme = np.concatenate(notes)
    programme *= 0.1 / np.abs(programme).max()  # -20 dBFS at the peak: what a microphone hears
    marked = embed(programme, fs_hz, Key.from_hex(MARKED_KEY), mode="live").y
    noise = 0.1 * np.sqrt(np.mean(marked**2)) * rng.normal(len(marked))
    return to_q15(marked + noise)


def _silence() -> np.ndarray:
    """1.2 s of noise at -20 dBFS rms, then 0.8 s of silence."""
    noise = amplitude(-20) * FrozenRandom("silence-16k").normal(19200)
    return np.concatenate([to_q15(noise), np.zeros(12800, np.int16)])


def _faint() -> np.ndarray:
    """1.2 s. Noise at the rails; squares of an LSB at both ends of silent frames; faint noise; bursts."""
    rng = FrozenRandom("faint-16k")
    rails = np.repeat(np.where(rng.random(384) < 0.5, -1.0, 1.0), 8)
    n = np.arange(7168)
    near_the_ends = (n + 48) % 1024 < 96
    squares = np.where(near_the_ends, np.where(n % 32 < 16, 1, -1), 0) / 32768
    dither = rng.normal(2560) / 32768
    bursts = amplitude(-12) * rng.normal(6400) * np.repeat(rng.choice((0.001, 0.03, 1.0), 25), 256)
    return to_q15(np.concatenate([rails, squares, dither, bursts]))


STIMULI: dict[str, tuple[str, Callable[[], np.ndarray]]] = {
    "marked-16k": (f"chords with three marks of key {MARKED_KEY}, noise 20 dB down, 16 kHz", _marked),
    "faint-16k": ("noise at the rails, squares of an LSB, faint noise, bursts, 16 kHz", _faint),
    "silence-16k": ("noise, then silence, 16 kHz", _silence),
}
