"""Music and drums from sums of decaying sinusoids and noise; `excitation` is the way in."""

import numpy as np
import scipy  # its parts are loaded at their first use
from numpy.typing import NDArray

Signal = NDArray[np.float64]

_ONE_THREAD_MACS = 1 << 18  # OpenBLAS starts threads above this many multiplications
_TEMPO_BPM = 112.0
_BEATS_PER_BAR = 4
# Chords as MIDI note numbers, one bar each: Am F C G.
_CHORDS = ((57, 60, 64), (53, 57, 60), (60, 64, 67), (55, 59, 62))
_BASS = (33, 29, 36, 31)
_SCALE = (69, 72, 74, 76, 79, 81, 84)  # A minor pentatonic, for the melody


def _modes(
    n: int, fs_hz: int, freq_hz: Signal, decay_s: Signal, amplitude: Signal, phase: Signal | float = 0.0
) -> Signal:
    """Sum of decaying sinusoids, sum_h a_h exp(-t/tau_h) sin(2 pi f_h t + phi_h), (n,).

    A sample index splits as n = i*m + j and a mode is z^n = (z^m)^i z^j, so the whole sum is one matrix
    product instead of a sine per sample and mode. Modes above 0.46 fs are left out.
    """
    keep = freq_hz < 0.46 * fs_hz
    pole = (-1.0 / decay_s + 2j * np.pi * freq_hz)[keep] / fs_hz
    start = -1j * amplitude * np.exp(1j * np.asarray(phase))
    start = np.broadcast_to(start, freq_hz.shape)[keep]
    m = int(np.ceil(np.sqrt(n)))
    # Products small enough for one thread: the bits do not hang on the number of cores.
    rows = max(1, _ONE_THREAD_MACS // (m * max(1, pole.size)))
    blocks = -(-m // rows)
    coarse = np.exp(np.outer(np.arange(blocks * rows) * m, pole)) * start
    coarse = coarse.reshape(blocks, rows, pole.size)
    fine = np.exp(np.outer(pole, np.arange(m)))
    # Re(A B) = Re A Re B - Im A Im B: two real products, half the work of a complex one.
    return (coarse.real @ fine.real - coarse.imag @ fine.imag).ravel()[:n]


def _midi_hz(note: float) -> float:
    return 440.0 * 2.0 ** ((note - 69) / 12)


def _pluck(
    n: int, fs_hz: int, note: float, brightness: float, ring_s: float, rng: np.random.Generator
) -> Signal:
    """A plucked string: two detuned sets of stiff-string partials, the high ones die first."""
    f0 = _midi_hz(note)
    h = np.arange(1, min(64, int(0.46 * fs_hz / f0)) + 1)
    pick = np.abs(np.sin(np.pi * h * rng.uniform(0.11, 0.2)))  # plucked at 11 to 20 % of the string
    stiff = h * f0 * np.sqrt(1 + 1.2e-4 * h**2)
    detune = 2.0 ** (rng.normal(0, 3, (2, 1)) / 1200)  # 3 cents
    freq_hz = (detune * stiff).ravel()
    amplitude = np.tile((0.05 + pick) * h**-brightness, 2)
    decay_s = np.tile(ring_s / (1 + 0.12 * h), 2)
    y = _modes(n, fs_hz, freq_hz, decay_s, amplitude, rng.uniform(0, 2 * np.pi, freq_hz.size))
    attack = min(n, fs_hz // 100)
    y[:attack] += 0.3 * rng.standard_normal(attack) * np.linspace(1, 0, attack) ** 2
    return y * _fades(n, fs_hz, 0.001, 0.02)


def _pad(n: int, fs_hz: int, chord: tuple[int, ...], rng: np.random.Generator) -> Signal:
    """A sustained chord of three detuned saw-like voices per note, slow attack."""
    h = np.arange(1, 33)
    notes = np.repeat(np.array(chord, dtype=float), 3) + np.tile((-0.07, 0.0, 0.07), len(chord))
    freq_hz = np.outer(440.0 * 2.0 ** ((notes - 69) / 12), h).ravel()
    amplitude = np.tile(h**-1.3, notes.size)
    y = _modes(
        n, fs_hz, freq_hz, np.full(freq_hz.size, 4.0), amplitude, rng.uniform(0, 2 * np.pi, freq_hz.size)
    )
    return y * _fades(n, fs_hz, 0.15, 0.1)


def _fades(n: int, fs_hz: int, in_s: float, out_s: float) -> Signal:
    """Linear fade-in and fade-out, (n,)."""
    t = np.arange(n) / fs_hz
    return np.minimum(1.0, np.minimum((t + 1 / fs_hz) / in_s, t[::-1] / out_s))


def _drum_kit(fs_hz: int, rng: np.random.Generator) -> dict[str, Signal]:
    """One hit of each drum."""
    t = np.arange(round(0.35 * fs_hz)) / fs_hz
    noise = rng.standard_normal(t.size)
    # Kick: pitch falls from 160 to 48 Hz, its phase is the integral of that; a click on top.
    kick = np.sin(2 * np.pi * (48 * t + 112 * 0.03 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.12)
    kick += 0.25 * noise * np.exp(-t / 0.003)
    shell = _modes(t.size, fs_hz, np.array([185.0, 331.0]), np.array([0.08, 0.05]), np.array([0.8, 0.5]))
    wires = scipy.signal.sosfilt(
        scipy.signal.butter(2, 1200, "highpass", fs=fs_hz, output="sos"), rng.standard_normal(t.size)
    )
    snare = shell + 0.5 * wires * np.exp(-t / 0.07)
    edge_hz = min(6000.0, 0.35 * fs_hz)
    metal_hz = edge_hz * rng.uniform(0.9, 1.3, 12)
    metal = _modes(t.size, fs_hz, metal_hz, np.full(12, 0.08), np.full(12, 0.08), rng.uniform(0, 6, 12))
    sizzle = metal + scipy.signal.sosfilt(
        scipy.signal.butter(4, edge_hz, "highpass", fs=fs_hz, output="sos"), noise
    )
    fade = _fades(t.size, fs_hz, 1 / fs_hz, 0.02)
    return {
        "kick": kick * fade,
        "snare": snare * fade,
        "closed": 0.5 * sizzle * np.exp(-t / 0.03) * fade,
        "open": 0.5 * sizzle * np.exp(-t / 0.13) * fade,
    }


# (drum, beat within the bar, loudness): a common rock beat in eighths.
_BEAT = (
    *(("kick", beat, 1.0) for beat in (0.0, 2.0, 2.5)),
    *(("snare", beat, 0.8) for beat in (1.0, 3.0)),
    *(("closed", eighth / 2, 0.3 if eighth % 2 else 0.45) for eighth in range(7)),
    ("open", 3.5, 0.4),
)


def _add_at(x: Signal, start: int, y: Signal) -> None:
    """x[start:] += y, as far as x reaches."""
    part = x[start : start + y.size]
    part += y[: part.size]


def drums(n: int, fs_hz: int, rng: np.random.Generator) -> Signal:
    """A drum machine at 112 bpm: every bar is the same samples, the worst case for a self-correlator."""
    beat_n = 60 / _TEMPO_BPM * fs_hz
    length = round(_BEATS_PER_BAR * beat_n)
    kit = _drum_kit(fs_hz, rng)
    two_bars = np.zeros(2 * length)  # the second holds what the first's last hits ring into
    for start in (0, length):
        for drum, beat, loudness in _BEAT:
            _add_at(two_bars, start + round(beat * beat_n), loudness * kit[drum])
    x = np.resize(two_bars[length:], n)
    x[:length] = two_bars[: min(n, length)]
    return x


def music(n: int, fs_hz: int, rng: np.random.Generator) -> Signal:
    """Four chords round and round: pad, bass, broken chords and a melody of plucked strings, drums."""
    beat_n = 60 / _TEMPO_BPM * fs_hz
    x = 0.5 * drums(n, fs_hz, rng)
    step = int(rng.integers(len(_SCALE)))
    for eighth in range(int(np.ceil(n / (beat_n / 2)))):
        start = round(eighth * beat_n / 2)
        bar, place = divmod(eighth, 2 * _BEATS_PER_BAR)
        chord = _CHORDS[bar % len(_CHORDS)]
        if place == 0:
            _add_at(x, start, 0.035 * _pad(round(_BEATS_PER_BAR * beat_n), fs_hz, chord, rng))
        if place in (0, 3, 4, 6):
            _add_at(x, start, 0.3 * _pluck(round(0.9 * beat_n), fs_hz, _BASS[bar % 4], 1.1, 0.8, rng))
        note = chord[(0, 1, 2, 1)[place % 4]] + (12 if place >= 4 else 0)
        _add_at(x, start, 0.12 * _pluck(round(2 * beat_n), fs_hz, note, 0.8, 0.9, rng))
        if rng.random() < (0.85 if place % 2 == 0 else 0.35):  # a walk on the scale, mostly on the beat
            step = int(np.clip(step + rng.integers(-2, 3), 0, len(_SCALE) - 1))
            level = 0.16 * rng.uniform(0.7, 1.0)
            _add_at(x, start, level * _pluck(round(1.5 * beat_n), fs_hz, _SCALE[step], 0.6, 0.7, rng))
    return x
