"""Ambient noise, synthesised or from a file, and its level against a signal."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy  # its parts are loaded at their first use

from acoustic_sim.border.checks import as_signal, read_mono, require_integer
from acoustic_sim.scene import AMBIENT_KINDS
from fixedpoint.errors import AudioError, ConfigError

_CROSS_FADE_S = 0.05
_TALKERS = 14
_BLADE_HZ = 118.0  # blade-pass tone of a desk fan


def ambient(kind_or_path: str, n: int, fs_hz: int, seed: int) -> np.ndarray:
    """n samples of ambient noise, rms 1.

    Parameters
    ----------
    kind_or_path : "white", "pink" (-3 dB per octave above 20 Hz), "cafe" (14 talkers at once), "fan" (air
        noise and blade tone), or the path of a sound file (channels are averaged)
    n : int >= 1, samples
    fs_hz : int, Hz
    seed : int >= 0; same arguments, same bits

    Returns
    -------
    y : (n,) float64, rms 1

    Raises
    ------
    ConfigError, AudioError
        An unknown kind; a file that is missing, silent, or shorter than 0.2 s.

    Notes
    -----
    A file starts at a random place and is looped with a cross-fade of 50 ms, equal in power. Own design; the
    talkers are pulses and breath shaped by formants and switched by syllables: no words, speech's
    spectrum and modulation.
    """
    require_integer("n", n, 1, 2**40)
    require_integer("fs_hz", fs_hz, 8000, 192000)
    require_integer("seed", seed, 0, 2**63 - 1)
    rng = np.random.default_rng(seed)
    if kind_or_path in _SYNTHESES:
        y = _SYNTHESES[kind_or_path](n, fs_hz, rng)
    elif Path(kind_or_path).is_file():
        y = _looped(read_mono("ambient", kind_or_path, fs_hz, mix=True), n, fs_hz, rng)
    else:
        kinds = ", ".join(AMBIENT_KINDS)
        raise ConfigError(f"ambient={kind_or_path!r}: must be one of {kinds}, or an existing sound file")
    power = np.mean(y**2)
    if power == 0:
        raise AudioError(f"ambient={kind_or_path!r}: silent; noise with some power is needed")
    return y / np.sqrt(power)


def scale_to_snr(x: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """`noise` scaled so that 10 log10(mean(x^2) / mean(noise^2)) = snr_db.

    The means run over the whole of both, pauses and reverberant tail included, and over the whole band: a
    mostly silent recording gets less noise than its loud parts would suggest.

    Parameters
    ----------
    x, noise : (n,) float, both at the microphone
    snr_db : float, dB

    Raises
    ------
    AudioError
        Either is silent, or they differ in length.
    """
    x, noise = as_signal("x", x), as_signal("noise", noise)
    if x.size != noise.size:
        raise AudioError(f"noise of {noise.size} samples: must be as long as x, {x.size}")
    x_power, noise_power = np.mean(x**2), np.mean(noise**2)
    if x_power == 0 or noise_power == 0:
        raise AudioError(f"{'x' if x_power == 0 else 'noise'} is silent: an SNR needs power on both sides")
    return noise * np.sqrt(x_power / noise_power * 10 ** (-snr_db / 10))


def _white(n: int, fs_hz: int, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(n)


def _pink(n: int, fs_hz: int, rng: np.random.Generator) -> np.ndarray:
    size = scipy.fft.next_fast_len(n, real=True)
    spectrum = scipy.fft.rfft(rng.standard_normal(size))
    f_hz = np.maximum(scipy.fft.rfftfreq(size, 1 / fs_hz), 20.0)
    return scipy.fft.irfft(spectrum / np.sqrt(f_hz), size)[:n]


def _cafe(n: int, fs_hz: int, rng: np.random.Generator) -> np.ndarray:
    talk = np.zeros(n)
    for _ in range(_TALKERS):
        talk += 10 ** (rng.uniform(-8, 0) / 20) * _unit(_talker(n, fs_hz, rng))
    # most of what is heard of them is reverberation: a diffuse tail of RT60 0.6 s beside the direct sound
    t = np.arange(round(0.6 * fs_hz)) / fs_hz
    tail = rng.standard_normal(t.size) * 10 ** (-3 * t / 0.6)
    talk = _unit(scipy.signal.oaconvolve(talk, tail)[:n]) + 0.6 * _unit(talk)
    return _unit(talk) + 0.15 * _unit(_pink(n, fs_hz, rng))  # ventilation and crockery far off


def _talker(n: int, fs_hz: int, rng: np.random.Generator) -> np.ndarray:
    t = np.arange(n) / fs_hz
    # intonation: +-15 % at about 1.5 Hz around the talker's own pitch
    pitch_hz = rng.uniform(90, 230) * (1 + 0.15 * np.sin(2 * np.pi * (rng.uniform(1, 2) * t + rng.random())))
    cycles = np.cumsum(pitch_hz / fs_hz)
    pulses = np.diff(np.floor(cycles), prepend=0.0)
    excitation = _unit(pulses - pulses.mean()) + 0.3 * rng.standard_normal(n)
    x = scipy.signal.lfilter([1.0], [1.0, -1.7, 0.7225], excitation)  # glottal pulse: two poles at 0.85
    y = np.zeros(n)
    for low_hz, high_hz in ((300, 800), (900, 2300), (2400, 3400)):
        centre_hz = rng.uniform(low_hz, high_hz)
        y += scipy.signal.lfilter(*scipy.signal.iirpeak(centre_hz, 6.0, fs=fs_hz), x)
    return y * _syllables(n, fs_hz, rng)


def _syllables(n: int, fs_hz: int, rng: np.random.Generator) -> np.ndarray:
    """Envelope: noise below 4 Hz where it is positive (speech's modulation peak), with pauses of phrases."""
    step = fs_hz // 100
    size = n // step + 2
    slow = scipy.signal.lfilter(*scipy.signal.butter(2, 4.0, fs=100), rng.standard_normal(size + 100))[100:]
    phrase = scipy.signal.lfilter(*scipy.signal.butter(1, 0.3, fs=100), rng.standard_normal(size + 400))[400:]
    envelope = np.maximum(slow / slow.std() + 0.3, 0.02) * np.where(phrase > -0.5 * phrase.std(), 1.0, 0.05)
    return np.interp(np.arange(n), np.arange(size) * step, envelope)


def _fan(n: int, fs_hz: int, rng: np.random.Generator) -> np.ndarray:
    air = scipy.signal.sosfilt(scipy.signal.butter(1, 400.0, fs=fs_hz, output="sos"), rng.standard_normal(n))
    # the motor's speed wanders by about a tenth of a percent
    wander = 1 + 1e-3 * np.sin(2 * np.pi * (0.21 * np.arange(n) / fs_hz + rng.random()))
    phase = 2 * np.pi * np.cumsum(_BLADE_HZ * wander) / fs_hz
    tone = np.zeros(n)
    for harmonic, level in ((1, 1.0), (2, 0.5), (3, 0.3), (4, 0.12)):
        tone += level * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    return _unit(air) + 0.35 * _unit(tone)


def _looped(x: np.ndarray, n: int, fs_hz: int, rng: np.random.Generator) -> np.ndarray:
    fade = round(_CROSS_FADE_S * fs_hz)
    if x.size < 4 * fade:
        raise AudioError(
            f"ambient file of {x.size / fs_hz:.3f} s: must last at least {4 * _CROSS_FADE_S:g} s"
        )
    angle = (np.arange(fade) + 0.5) / fade * np.pi / 2
    seam = x[-fade:] * np.cos(angle) + x[:fade] * np.sin(angle)
    loop = np.concatenate([seam, x[fade:-fade]])
    return loop[(rng.integers(loop.size) + np.arange(n)) % loop.size]


def _unit(x: np.ndarray) -> np.ndarray:
    power = np.mean(x**2)
    return x / np.sqrt(power) if power > 0 else x


_SYNTHESES: dict[str, Callable[[int, int, np.random.Generator], np.ndarray]] = {
    "white": _white,
    "pink": _pink,
    "cafe": _cafe,
    "fan": _fan,
}
