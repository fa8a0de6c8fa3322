"""Programme material that is synthesised: music, drums, a voice and plain test signals; no recordings needed.

The demo and the tests play these. They have what matters to a detector and to a dynamics processor: a
full spectrum, transients, a steady beat, pauses, moving pitch. They do not replace real audio in a claim.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from acoustic_sim.border.checks import require_integer, require_number
from acoustic_sim.programmes.synth_music import drums, music
from acoustic_sim.programmes.synth_voice import voice
from fixedpoint.errors import ConfigError

Signal = NDArray[np.float64]

PROGRAMME_PEAK_DBFS = -2.0
MAX_SECONDS = 3600


def synthesise(kind: str, seconds: float, fs_hz: int, seed: int = 0) -> Signal:
    """Synthesise programme material.

    Parameters
    ----------
    kind : one of `KINDS`
        music : chords, bass, melody of plucked strings, a pad, and drums; drums : the drum machine alone,
        every bar the same samples; voice : speech-like syllables and pauses; tone : sine, 997 Hz; square :
        100 Hz; dc; silence
    seconds : float in [1e-5, 3600]
    fs_hz : int in [8000, 192000]
    seed : int >= 0; the plain test signals do not depend on it

    Returns
    -------
    (n,) float64, n = max(1, round(seconds * fs_hz)); music, drums and voice peak at -2 dBFS,
    tone, square and dc at 0 dBFS

    Raises
    ------
    ConfigError
        An argument outside what is accepted.

    Notes
    -----
    The same arguments give the same bits on one machine and one version of NumPy and SciPy. Across machines
    the last bits of sin and exp differ: a golden vector starts from frozen PCM, not from here.
    """
    if kind not in _KINDS:
        raise ConfigError(f"kind={kind!r}: must be one of {', '.join(KINDS)}")
    require_number("seconds", seconds, 1e-5, MAX_SECONDS, f"in [1e-5, {MAX_SECONDS}]")
    require_integer("fs_hz", fs_hz, 8000, 192000)
    require_integer("seed", seed, 0, 2**63 - 1)
    n = max(1, round(seconds * fs_hz))
    make, peak = _KINDS[kind]
    x = make(n, fs_hz, np.random.default_rng(seed))
    return x if peak is None else _with_peak(x, peak)


def _with_peak(x: Signal, peak: float) -> Signal:
    """Scale to a peak; silence stays silence."""
    largest = np.abs(x).max()
    return x * (peak / largest) if largest > 0 else x


def _tone(n: int, fs_hz: int, rng: np.random.Generator) -> Signal:
    return np.sin(2 * np.pi * 997.0 / fs_hz * np.arange(n))


def _square(n: int, fs_hz: int, rng: np.random.Generator) -> Signal:
    return np.where(np.arange(n) * 200 // fs_hz % 2 == 0, 1.0, -1.0)


def _dc(n: int, fs_hz: int, rng: np.random.Generator) -> Signal:
    return np.ones(n)


def _silence(n: int, fs_hz: int, rng: np.random.Generator) -> Signal:
    return np.zeros(n)


_PROGRAMME_PEAK = 10 ** (PROGRAMME_PEAK_DBFS / 20)
# kind: (how to make it, peak it is scaled to; None leaves it)
_KINDS: dict[str, tuple[Callable[[int, int, np.random.Generator], Signal], float | None]] = {
    "music": (music, _PROGRAMME_PEAK),
    "drums": (drums, _PROGRAMME_PEAK),
    "voice": (voice, _PROGRAMME_PEAK),
    "tone": (_tone, None),
    "square": (_square, None),
    "dc": (_dc, None),
    "silence": (_silence, None),
}
KINDS = tuple(_KINDS)
