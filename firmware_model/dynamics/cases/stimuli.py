"""Inputs of the dynamics processor's golden cases, by formula."""

from collections.abc import Callable

import numpy as np

from firmware_model.golden.frozen_random import FrozenRandom
from firmware_model.golden.stimuli import amplitude, to_q15
from fixedpoint.arith import INT16_MAX, INT16_MIN


def _bursts() -> np.ndarray:
    """Ten bursts of 60 ms, each 40 ms of noise at -80 dBFS apart."""
    fs_hz, span, length = 48000, 4800, 2880
    tones_hz = (80, 440, 1000, 3200, 9000, 60, 200, 1500, 6000, 15000)
    levels_dbfs = (-40, -30, -20, -12, -6, 0, -3, -9, 6, -25)  # 6 dBFS: clipped
    x = amplitude(-80) * FrozenRandom("bursts-48k").normal(span * len(tones_hz))
    n = np.arange(length)
    for i, (tone_hz, level_dbfs) in enumerate(zip(tones_hz, levels_dbfs, strict=True)):
        burst = amplitude(level_dbfs) * np.sin(2 * np.pi * tone_hz * n / fs_hz)
        x[i * span : i * span + length] += burst
    return to_q15(x)


def _sweep() -> np.ndarray:
    """20 Hz to 20 kHz in 0.8 s, exponential, -1 dBFS."""
    fs_hz, seconds, low_hz, high_hz = 44100, 0.8, 20.0, 20000.0
    t = np.arange(round(fs_hz * seconds)) / fs_hz
    octaves = np.log(high_hz / low_hz)
    phase = 2 * np.pi * low_hz * seconds / octaves * np.expm1(t / seconds * octaves)
    return to_q15(amplitude(-1) * np.sin(phase))


def _silence_stereo() -> np.ndarray:
    """0.4 s of noise, -15 dBFS rms on the left and -45 on the right, then 0.6 s of silence."""
    rng = FrozenRandom("silence-16k-stereo")
    levels = np.array([[amplitude(-15)], [amplitude(-45)]])
    noise = levels * rng.normal(2 * 6400).reshape(2, 6400)
    return np.concatenate([to_q15(noise), np.zeros((2, 9600), np.int16)], axis=1)


def _squares() -> np.ndarray:
    """0.5 s. Left: squares from rail to rail, 48 kHz down to 10 Hz. Right: runs at the lowest value."""
    n = np.arange(8000)
    periods = (2, 7, 96, 960, 9600, 32)
    left = np.concatenate([np.where(n % period < period // 2, INT16_MAX, INT16_MIN) for period in periods])
    rng = FrozenRandom("squares-96k-stereo")
    right = np.repeat(rng.choice((INT16_MIN, INT16_MIN, 0, INT16_MAX), 96), 500)
    return np.stack([left, right]).astype(np.int16)


STIMULI: dict[str, tuple[str, Callable[[], np.ndarray]]] = {
    "bursts-48k": ("tone bursts from -40 to beyond 0 dBFS, noise between, 48 kHz", _bursts),
    "sweep-44k": ("exponential sweep, 20 Hz to 20 kHz at -1 dBFS, 44.1 kHz", _sweep),
    "silence-16k-stereo": ("loud and quiet noise, then silence, 16 kHz", _silence_stereo),
    "squares-96k-stereo": ("squares at full scale; runs at the lowest value, 96 kHz", _squares),
}
