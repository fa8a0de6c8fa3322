"""Frozen stimuli of the golden cases: stored 16-bit samples, made once by the formulas here.

Goldens start from the stored integers. The formulas, which use the machine's sine, run only when the goldens
are written; they say what is in the files.
"""

from collections.abc import Callable

import numpy as np

from firmware_model.golden.frozen_random import FrozenRandom
from firmware_model.golden.store import load_stimulus
from firmware_model.watermark.embedder import embed
from firmware_model.watermark.key import Key
from fixedpoint.arith import INT16_MAX, INT16_MIN

MARKED_KEY = "5eed5eed5eed5eed"


def load(name: str) -> np.ndarray:
    """(channels, n) int16, Q1.15, the frozen samples.

    Raises
    ------
    ConfigError
        No stimulus of this name.
    GoldenError
        The stored samples are not those that were frozen.
    """
    return load_stimulus(name)


def synthesise(name: str) -> np.ndarray:
    """(channels, n) int16, made afresh by the formula."""
    return np.ascontiguousarray(np.atleast_2d(FORMULAS[name][1]()))


def _to_q15(x: np.ndarray) -> np.ndarray:
    """RND, SAT."""
    return np.clip(np.floor(x * 32768 + 0.5), INT16_MIN, INT16_MAX).astype(np.int16)


def _amplitude(level_dbfs: float) -> float:
    return 10 ** (level_dbfs / 20)


def _bursts() -> np.ndarray:
    """Ten bursts of 60 ms, each 40 ms of noise at -80 dBFS apart."""
    fs_hz, span, length = 48000, 4800, 2880
    tones_hz = (80, 440, 1000, 3200, 9000, 60, 200, 1500, 6000, 15000)
    levels_dbfs = (-40, -30, -20, -12, -6, 0, -3, -9, 6, -25)  # 6 dBFS: clipped
    x = _amplitude(-80) * FrozenRandom("bursts-48k").normal(span * len(tones_hz))
    n = np.arange(length)
    for i, (tone_hz, level_dbfs) in enumerate(zip(tones_hz, levels_dbfs, strict=True)):
        burst = _amplitude(level_dbfs) * np.sin(2 * np.pi * tone_hz * n / fs_hz)
        x[i * span : i * span + length] += burst
    return _to_q15(x)


def _sweep() -> np.ndarray:
    """20 Hz to 20 kHz in 0.8 s, exponential, -1 dBFS."""
    fs_hz, seconds, low_hz, high_hz = 44100, 0.8, 20.0, 20000.0
    t = np.arange(round(fs_hz * seconds)) / fs_hz
    octaves = np.log(high_hz / low_hz)
    phase = 2 * np.pi * low_hz * seconds / octaves * np.expm1(t / seconds * octaves)
    return _to_q15(_amplitude(-1) * np.sin(phase))


def _silence_stereo() -> np.ndarray:
    """0.4 s of noise, -15 dBFS rms on the left and -45 on the right, then 0.6 s of silence."""
    rng = FrozenRandom("silence-16k-stereo")
    levels = np.array([[_amplitude(-15)], [_amplitude(-45)]])
    noise = levels * rng.normal(2 * 6400).reshape(2, 6400)
    return np.concatenate([_to_q15(noise), np.zeros((2, 9600), np.int16)], axis=1)


def _squares() -> np.ndarray:
    """0.5 s. Left: squares from rail to rail, 48 kHz down to 10 Hz. Right: runs at the lowest value."""
    n = np.arange(8000)
    periods = (2, 7, 96, 960, 9600, 32)
    left = np.concatenate([np.where(n % period < period // 2, INT16_MAX, INT16_MIN) for period in periods])
    rng = FrozenRandom("squares-96k-stereo")
    right = np.repeat(rng.choice((INT16_MIN, INT16_MIN, 0, INT16_MAX), 96), 500)
    return np.stack([left, right]).astype(np.int16)


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
    return _to_q15(marked + noise)


def _silence() -> np.ndarray:
    """1.2 s of noise at -20 dBFS rms, then 0.8 s of silence."""
    noise = _amplitude(-20) * FrozenRandom("silence-16k").normal(19200)
    return np.concatenate([_to_q15(noise), np.zeros(12800, np.int16)])


FORMULAS: dict[str, tuple[str, Callable[[], np.ndarray]]] = {
    "bursts-48k": ("tone bursts from -40 to beyond 0 dBFS, noise between, 48 kHz", _bursts),
    "sweep-44k": ("exponential sweep, 20 Hz to 20 kHz at -1 dBFS, 44.1 kHz", _sweep),
    "silence-16k-stereo": ("loud and quiet noise, then silence, 16 kHz", _silence_stereo),
    "squares-96k-stereo": ("squares at full scale; runs at the lowest value, 96 kHz", _squares),
    "marked-16k": (f"chords with three marks of key {MARKED_KEY}, noise 20 dB down, 16 kHz", _marked),
    "silence-16k": ("noise, then silence, 16 kHz", _silence),
}
