"""Ambient noise of any length, made block by block from one random generator, as in one piece."""

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy  # its parts are loaded at their first use

from acoustic_sim.blocks.filters import convolved, resampled
from acoustic_sim.blocks.spool import BLOCK, Spool
from acoustic_sim.border.checks import as_signal, open_file
from acoustic_sim.sound_files.samples import SoundError
from fixedpoint.errors import AudioError

_CROSS_FADE_S = 0.05
_TALKERS = 14
_BLADE_HZ = 118.0  # blade-pass tone of a desk fan
_PINK_LOW_HZ = 20.0  # flat below
PINK_WHOLE = 1 << 20  # samples of pink noise that are filtered in one piece
PINK_REACH = 1 << 18  # samples to each side that enter one of a longer piece

Rng = np.random.Generator


def white(y: Spool, n: int, fs_hz: int, rng: Rng) -> None:
    """White noise."""
    for normal in _normals(n, rng):
        y.add(normal)


def pink(y: Spool, n: int, fs_hz: int, rng: Rng) -> None:
    """White noise with 1/sqrt(f) amplitude, flat below 20 Hz; periodic in the next length fit for an FFT."""
    pink_of(y, n, scipy.fft.next_fast_len(n, real=True), fs_hz, rng)


def pink_of(y: Spool, n: int, period: int, fs_hz: int, rng: Rng) -> None:
    """The first n samples of pink noise that repeats after `period` samples, drawn from `rng`.

    Notes
    -----
    Up to PINK_WHOLE samples by one FFT. Beyond, by a filter without phase whose response, 1/t^2 in the end,
    is cut PINK_REACH samples (16 s at 16 kHz) before and after: 7e-7 of the noise's rms is lost
    (tests/acoustic_sim/blocks/test_synthesis.py).
    """
    if period <= PINK_WHOLE:
        y.add(_shaped(rng.standard_normal(period), fs_hz)[:n])
        return
    reach, size = PINK_REACH, 4 * PINK_REACH
    impulse = np.zeros(size)
    impulse[0] = 1.0
    response = _shaped(impulse, fs_hz)
    response[reach + 1 : size - reach] = 0.0
    response = scipy.fft.rfft(response)
    # The noise's end comes before its beginning, and its beginning behind its end.
    ahead = copy.deepcopy(rng)
    for _ in _normals(period - reach, ahead):
        pass
    line = ahead.standard_normal(reach)
    first, given = np.empty(0), 0
    for normal in _normals(period, rng):
        first = np.concatenate([first, normal])[:reach]
        line = np.concatenate([line, normal])
        if len(line) >= size:
            line, given = _filtered(y, line, response, n, given, reach, size)
    line = np.concatenate([line, first])
    while given < n:
        line, given = _filtered(y, line, response, n, given, reach, size)


def _filtered(
    y: Spool, line: np.ndarray, response: np.ndarray, n: int, given: int, reach: int, size: int
) -> tuple[np.ndarray, int]:
    """Overlap-save: `size` samples of the line give those that are `reach` from both its ends."""
    part = scipy.fft.irfft(scipy.fft.rfft(line[:size], size) * response, size)
    part = part[reach : min(len(line), size) - reach][: n - given]
    y.add(part)
    return line[size - 2 * reach :], given + len(part)


def _shaped(x: np.ndarray, fs_hz: int) -> np.ndarray:
    f_hz = np.maximum(scipy.fft.rfftfreq(len(x), 1 / fs_hz), _PINK_LOW_HZ)
    return scipy.fft.irfft(scipy.fft.rfft(x) / np.sqrt(f_hz), len(x))


def cafe(y: Spool, n: int, fs_hz: int, rng: Rng) -> None:
    """Talkers at once, most of what is heard of them being reverberation, and ventilation."""
    with Spool() as talk, Spool() as one, Spool() as air:
        for talker in range(_TALKERS):
            gain = 10 ** (rng.uniform(-8, 0) / 20)
            one.clear()
            _talker(one, n, fs_hz, rng)
            unit = _unit(one)
            if talker == 0:
                for block in one.blocks():
                    talk.add(gain * unit(block))
            else:
                talk.rewrite(a + gain * unit(b) for a, b in zip(talk.blocks(), one.blocks(), strict=True))
        # a diffuse tail of RT60 0.6 s beside the direct sound
        t = np.arange(round(0.6 * fs_hz)) / fs_hz
        tail = rng.standard_normal(t.size) * 10 ** (-3 * t / 0.6)
        left = n
        for block in convolved(talk.blocks(), tail):
            y.add(block[:left])
            left -= len(block[:left])
        far, near = _unit(y), _unit(talk)
        y.rewrite(far(a) + 0.6 * near(b) for a, b in zip(y.blocks(), talk.blocks(), strict=True))
        pink(air, n, fs_hz, rng)  # ventilation and crockery far off
        all_talk, ventilation = _unit(y), _unit(air)
        y.rewrite(all_talk(a) + 0.15 * ventilation(b) for a, b in zip(y.blocks(), air.blocks(), strict=True))


def _talker(y: Spool, n: int, fs_hz: int, rng: Rng) -> None:
    # intonation: +-15 % at about 1.5 Hz around the talker's own pitch
    centre_hz, wander_hz, wander = rng.uniform(90, 230), rng.uniform(1, 2), rng.random()
    breath = copy.deepcopy(rng)
    for _ in _normals(n, rng):
        pass  # what is drawn behind the breath is needed with it
    bands = [
        scipy.signal.iirpeak(rng.uniform(low_hz, high_hz), 6.0, fs=fs_hz)
        for low_hz, high_hz in ((300, 800), (900, 2300), (2400, 3400))
    ]
    envelope, step = _syllables(n, fs_hz, rng), fs_hz // 100
    pulses = _pulses(n, fs_hz, centre_hz, wander_hz, wander)
    mean = _cycles(n, fs_hz, centre_hz, wander_hz, wander) / n
    rms = math.sqrt(mean * (1 - mean)) or 1.0  # of ones among zeros
    glottal = np.zeros(2)
    states = [np.zeros(2) for _ in bands]
    at = 0
    for pulse, normal in zip(pulses, _normals(n, breath), strict=True):
        excitation = (pulse - mean) / rms + 0.3 * normal
        # glottal pulse: two poles at 0.85
        x, glottal = scipy.signal.lfilter([1.0], [1.0, -1.7, 0.7225], excitation, zi=glottal)
        voice = np.zeros(len(x))
        for i, (b, a) in enumerate(bands):
            formant, states[i] = scipy.signal.lfilter(b, a, x, zi=states[i])
            voice += formant
        first, last = at // step, (at + len(x)) // step + 2
        knots = np.arange(first, min(last, len(envelope)))
        y.add(voice * np.interp(np.arange(at, at + len(x)), knots * step, envelope[knots]))
        at += len(x)


def _pulses(n: int, fs_hz: int, centre_hz: float, wander_hz: float, wander: float) -> Iterator[np.ndarray]:
    """1 where a cycle of the pitch is complete, in blocks."""
    cycles = 0.0
    for start, stop in _spans(n):
        t = np.arange(start, stop) / fs_hz
        pitch = centre_hz * (1 + 0.15 * np.sin(2 * np.pi * (wander_hz * t + wander))) / fs_hz
        before = math.floor(cycles)
        pitch[0] += cycles
        total = np.cumsum(pitch)
        cycles = float(total[-1])
        yield np.diff(np.floor(total), prepend=float(before))


def _cycles(n: int, fs_hz: int, centre_hz: float, wander_hz: float, wander: float) -> int:
    """Whole cycles of the pitch in n samples: the sum of `_pulses`, in closed form."""
    turn = np.exp(2j * np.pi * wander_hz / fs_hz)
    sines = (np.exp(2j * np.pi * wander) * (turn**n - 1) / (turn - 1)).imag
    return math.floor(centre_hz * (n + 0.15 * sines) / fs_hz)


def _syllables(n: int, fs_hz: int, rng: Rng) -> np.ndarray:
    """Envelope, 100 a second: noise below 4 Hz where positive (speech's modulation peak), and pauses."""
    size = n // (fs_hz // 100) + 2
    slow = scipy.signal.lfilter(*scipy.signal.butter(2, 4.0, fs=100), rng.standard_normal(size + 100))[100:]
    phrase = scipy.signal.lfilter(*scipy.signal.butter(1, 0.3, fs=100), rng.standard_normal(size + 400))[400:]
    pauses = np.where(phrase > -0.5 * phrase.std(), 1.0, 0.05)
    return np.maximum(slow / slow.std() + 0.3, 0.02) * pauses


def fan(y: Spool, n: int, fs_hz: int, rng: Rng) -> None:
    """Air noise and blade tone."""
    low = scipy.signal.butter(1, 400.0, fs=fs_hz, output="sos")
    state = np.zeros((len(low), 2))
    with Spool() as tone:
        for normal in _normals(n, rng):
            air, state = scipy.signal.sosfilt(low, normal, zi=state)
            y.add(air)
        wander = rng.random()
        harmonics = [
            (harmonic, level, rng.uniform(0, 2 * np.pi))
            for harmonic, level in ((1, 1.0), (2, 0.5), (3, 0.3), (4, 0.12))
        ]
        turned = 0.0
        for start, stop in _spans(n):
            # the motor's speed wanders by about a tenth of a percent
            t = np.arange(start, stop)
            speed = _BLADE_HZ * (1 + 1e-3 * np.sin(2 * np.pi * (0.21 * t / fs_hz + wander)))
            speed[0] += turned
            total = np.cumsum(speed)
            turned = float(total[-1])
            phase = 2 * np.pi * total / fs_hz
            tone.add(np.sum([level * np.sin(k * phase + shift) for k, level, shift in harmonics], axis=0))
        air_of, tone_of = _unit(y), _unit(tone)
        y.rewrite(air_of(a) + 0.35 * tone_of(b) for a, b in zip(y.blocks(), tone.blocks(), strict=True))


def looped(y: Spool, path: str, n: int, fs_hz: int, rng: Rng) -> None:
    """A file from a random place on, in a loop with a cross-fade of 50 ms, equal in power."""
    fade = round(_CROSS_FADE_S * fs_hz)
    with Spool() as x:
        with open_file("ambient", path) as sound:
            for block in resampled(_mono(sound), sound.samplerate, fs_hz):
                x.add(block)
        if len(x) < 4 * fade:
            raise AudioError(
                f"ambient file of {len(x) / fs_hz:.3f} s: must last at least {4 * _CROSS_FADE_S:g} s"
            )
        angle = (np.arange(fade) + 0.5) / fade * np.pi / 2
        length = len(x) - fade  # of the loop: the seam, and the file between its fades
        seam = x.read(length, len(x)) * np.cos(angle) + x.read(0, fade) * np.sin(angle)
        at = int(rng.integers(length))
        while len(y) < n:
            count = min(n - len(y), BLOCK, length - at)
            block = x.read(at, at + count)
            inside = seam[at : at + count]
            block[: len(inside)] = inside
            y.add(block)
            at = (at + count) % length


def _mono(sound: Any) -> Iterator[np.ndarray]:
    """An open sound file in blocks, the mean of its channels."""
    found = 0
    while len(x := sound.read(BLOCK >> 3, dtype="float64", always_2d=True)):
        found += len(x)
        yield as_signal("ambient", x.mean(axis=1))
    if found != sound.frames:
        raise SoundError(f"cut short: {found} of {sound.frames} frames found")


def _normals(n: int, rng: Rng) -> Iterator[np.ndarray]:
    """n standard normal numbers, in blocks."""
    for start, stop in _spans(n):
        yield rng.standard_normal(stop - start)


def _spans(n: int) -> Iterator[tuple[int, int]]:
    for start in range(0, n, BLOCK):
        yield start, min(start + BLOCK, n)


def _unit(x: Spool) -> Callable[[np.ndarray], np.ndarray]:
    """What brings the samples to rms 1; silence stays."""
    rms = math.sqrt(x.power) or 1.0
    return lambda block: block / rms


SYNTHESES: dict[str, Callable[[Spool, int, int, Rng], None]] = {
    "white": white,
    "pink": pink,
    "cafe": cafe,
    "fan": fan,
}
