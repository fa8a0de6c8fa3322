"""A speech-like voice: glottal pulses through moving formants, fricatives, pauses.

No words, but what a detector and a dynamics processor meet in speech: syllables at about 4 Hz, a gliding
pitch, formants that move, gaps between phrases. `acoustic_sim.programmes.excitation` is the way in.
"""

import numpy as np
import scipy  # its parts are loaded at their first use
from numpy.typing import NDArray

Signal = NDArray[np.float64]

# Formants F1 to F3 of vowels, Hz, male (Peterson and Barney, JASA 24, 1952, table II): i I E ae a o u.
_VOWELS_HZ = np.array(
    [
        [270, 2290, 3010],
        [390, 1990, 2550],
        [530, 1840, 2480],
        [660, 1720, 2410],
        [730, 1090, 2440],
        [570, 840, 2410],
        [300, 870, 2240],
    ],
    dtype=float,
)
_HIGH_FORMANTS_HZ = (3400.0, 4500.0)
_BANDWIDTHS_HZ = np.array([70.0, 90.0, 130.0, 200.0, 250.0])
_FRICATIVES_HZ = ((4200, 7500), (2200, 5500), (1200, 7000))  # s, sh, f
_FRICATIVE_LEVELS = (0.35, 0.4, 0.12)
_CONTROL_S = 0.005  # the vocal tract moves in steps of 5 ms


def voice(n: int, fs_hz: int, rng: np.random.Generator) -> Signal:
    """Syllables at about 4 Hz, in phrases of 4 to 8 with pauses of 0.25 to 0.55 s between them."""
    hop = round(_CONTROL_S * fs_hz)
    frames = -(-n // hop) + 1
    voiced, level, f0_hz, formants_hz, bursts = _utterance(frames, rng)
    at_frames, at_samples = np.arange(frames) * hop, np.arange(n)
    f0 = np.interp(at_samples, at_frames, f0_hz)
    source = _glottal(np.cumsum(f0) / fs_hz) * np.interp(at_samples, at_frames, voiced)
    source += 0.01 * rng.standard_normal(n) * np.interp(at_samples, at_frames, level)  # breath
    x = _vocal_tract(source, fs_hz, hop, formants_hz)
    x /= np.abs(x).max() + np.finfo(float).tiny
    for kind in range(len(_FRICATIVES_HZ)):
        low_hz, high_hz = _FRICATIVES_HZ[kind]
        sos = scipy.signal.butter(
            2, (min(low_hz, 0.3 * fs_hz), min(high_hz, 0.46 * fs_hz)), "bandpass", fs=fs_hz, output="sos"
        )
        noise = scipy.signal.sosfilt(sos, rng.standard_normal(n))
        noise *= _FRICATIVE_LEVELS[kind] / (3 * np.std(noise) + np.finfo(float).tiny)
        x += noise * np.interp(at_samples, at_frames, bursts[kind])
    return x + 10 ** (-70 / 20) * rng.standard_normal(n)  # the room that it was "recorded" in


def _utterance(frames: int, rng: np.random.Generator) -> tuple[Signal, Signal, Signal, Signal, Signal]:
    """Voicing, breath, F0/Hz ((frames,) each), formants (frames, 3), fricatives (3, frames); 5 ms a frame."""
    voiced, f0_hz = np.zeros(frames), np.full(frames, 110.0)
    bursts = np.zeros((len(_FRICATIVES_HZ), frames))
    knots, targets = [0], [_VOWELS_HZ[3]]
    pos = int(rng.integers(4, 20))
    while pos < frames:
        syllables = int(rng.integers(4, 9))
        phrase_hz = rng.uniform(115, 135)
        for syllable in range(syllables):
            onset = int(rng.integers(8, 20))  # consonant, 40 to 100 ms
            nucleus = int(rng.integers(22, 42))  # vowel, 110 to 210 ms
            if rng.random() < 0.6:
                burst = bursts[rng.integers(len(bursts)), pos : pos + onset]
                burst[:] = np.hanning(onset + 2)[1 : burst.size + 1]
            start, stop = pos + onset - 2, pos + onset + nucleus
            t = np.linspace(0, 1, stop - start)
            accent = rng.uniform(0.6, 1.0)
            span = voiced[start:stop]
            span[:] = (accent * np.minimum(1, np.minimum(t / 0.15, (1 - t) / 0.3)))[: span.size]
            # F0 declines over the phrase and rises on an accent.
            contour_hz = phrase_hz * (
                1 - 0.22 * (syllable + t) / syllables + 0.14 * accent * np.sin(np.pi * t)
            )
            f0_hz[start:stop] = contour_hz[: span.size]
            first, second = _VOWELS_HZ[rng.integers(len(_VOWELS_HZ), size=2)]
            knots += [start + nucleus // 4, start + 3 * nucleus // 4]
            targets += [first, 0.6 * first + 0.4 * second]
            pos = stop + int(rng.integers(0, 6))
        pos += int(rng.integers(50, 110))  # pause, 0.25 to 0.55 s
    at = np.arange(frames)
    formants_hz = np.stack([np.interp(at, knots, np.array(targets)[:, k]) for k in range(3)], axis=1)
    f0_hz *= 1 + 0.01 * rng.standard_normal(frames)  # jitter
    return voiced, np.maximum(voiced, 0.0) ** 0.5, f0_hz, formants_hz, bursts


def _glottal(cycles: Signal) -> Signal:
    """Derivative of the glottal flow at a phase in cycles: Rosenberg, JASA 49, 1971, type C, 40/16 %."""
    phase = cycles % 1.0
    opening, closing = 0.4, 0.16
    rising = np.pi / opening * np.sin(np.pi * phase / opening)
    falling = -np.pi / closing * np.sin(np.pi / 2 * (phase - opening) / closing)
    return 0.5 * np.where(phase < opening, rising, np.where(phase < opening + closing, falling, 0.0))


def _vocal_tract(source: Signal, fs_hz: int, hop: int, formants_hz: Signal) -> Signal:
    """Cascade of second-order resonators of unit gain at DC (Klatt, JASA 67, 1980), retuned every hop."""
    high = np.broadcast_to(_HIGH_FORMANTS_HZ, (len(formants_hz), len(_HIGH_FORMANTS_HZ)))
    freq_hz = np.hstack([formants_hz, high])
    keep = freq_hz.max(axis=0) < 0.46 * fs_hz
    freq_hz, width_hz = freq_hz[:, keep], _BANDWIDTHS_HZ[keep]
    a2 = np.broadcast_to(np.exp(-2 * np.pi * width_hz / fs_hz), freq_hz.shape)
    a1 = -2 * np.exp(-np.pi * width_hz / fs_hz) * np.cos(2 * np.pi * freq_hz / fs_hz)
    zero, one = np.zeros_like(a1), np.ones_like(a1)
    sos = np.stack([1 + a1 + a2, zero, zero, one, a1, a2], axis=2).copy()  # (frames, 5, 6)
    y, state = np.empty_like(source), np.zeros((freq_hz.shape[1], 2))
    for frame, start in enumerate(range(0, source.size, hop)):
        part = slice(start, start + hop)
        y[part], state = scipy.signal.sosfilt(sos[frame], source[part], zi=state)
    return y
