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


def _fading(rng: FrozenRandom, n: int, first_dbfs: float, last_dbfs: float) -> np.ndarray:
    """Noise that fades from one level to another, straight in decibels, with a slow square beneath it."""
    level_dbfs = np.linspace(first_dbfs, last_dbfs, n)
    low = np.where(np.arange(n) % 1200 < 600, 1.0, -1.0)
    return np.asarray(10 ** (level_dbfs / 20) * (rng.normal(n) + low))


def _extremes() -> np.ndarray:
    """0.4 s. Squares from rail to rail at 40 Hz, then noise and squares that fade from +12 to -60 dBFS."""
    n = np.arange(4800)
    squares = np.where(n % 1200 < 600, 1.0, -1.0)
    return to_q15(np.concatenate([squares, _fading(FrozenRandom("extremes-48k"), 14400, 12, -60)]))


def _extremes_stereo() -> np.ndarray:
    """0.6 s. Noise and squares that fade from +12 dBFS: right to -70; left, after a rise from -60, to -90."""
    rng = FrozenRandom("extremes-16k-stereo")
    left = np.concatenate([_fading(rng, 2400, -60, 12), _fading(rng, 7200, 12, -90)])
    return to_q15(np.stack([left, _fading(rng, 9600, 12, -70)]))


def _rails() -> np.ndarray:
    """0.4 s. Squares from rail to rail, falling in pitch; silence; noise and squares that fade."""
    n = np.arange(960)
    periods = (3, 16, 48, 160, 480)
    squares = [np.where(n % period < period / 2, 1.0, -1.0) for period in periods]
    fading = _fading(FrozenRandom("rails-48k"), 9600, 12, -50)
    return to_q15(np.concatenate([*squares, np.zeros(4800), fading]))


STIMULI: dict[str, tuple[str, Callable[[], np.ndarray]]] = {
    "bursts-48k": ("tone bursts from -40 to beyond 0 dBFS, noise between, 48 kHz", _bursts),
    "sweep-44k": ("exponential sweep, 20 Hz to 20 kHz at -1 dBFS, 44.1 kHz", _sweep),
    "silence-16k-stereo": ("loud and quiet noise, then silence, 16 kHz", _silence_stereo),
    "extremes-48k": ("squares from rail to rail; noise and squares that fade, 48 kHz", _extremes),
    "extremes-16k-stereo": ("noise and squares that rise and fade, 16 kHz", _extremes_stereo),
    "rails-48k": ("squares from rail to rail, silence, noise that fades, 48 kHz", _rails),
    "squares-96k-stereo": ("squares at full scale; runs at the lowest value, 96 kHz", _squares),
}
