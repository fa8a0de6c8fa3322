"""Ambient noise, synthesised or from a file, and its level against a signal."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from acoustic_sim.blocks.spool import Spool
from acoustic_sim.blocks.synthesis import SYNTHESES, looped
from acoustic_sim.border.checks import as_signal, require_integer
from acoustic_sim.scene import AMBIENT_KINDS
from fixedpoint.errors import AudioError, ConfigError


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
    with ambient_in_blocks(kind_or_path, n, fs_hz, seed) as noise:
        return noise.read(0, n)


@contextmanager
def ambient_in_blocks(kind_or_path: str, n: int, fs_hz: int, seed: int) -> Iterator[Spool]:
    """`ambient` of any length, on disk.

    Notes
    -----
    Pink noise beyond 131 s at 16 kHz is filtered in blocks, see `synthesis.pink`; the rest differs from what
    would be computed in one piece by rounding.
    """
    require_integer("n", n, 1, 2**40)
    require_integer("fs_hz", fs_hz, 8000, 192000)
    require_integer("seed", seed, 0, 2**63 - 1)
    rng = np.random.default_rng(seed)
    with Spool() as y:
        if kind_or_path in SYNTHESES:
            SYNTHESES[kind_or_path](y, n, fs_hz, rng)
        elif Path(kind_or_path).is_file():
            looped(y, kind_or_path, n, fs_hz, rng)
        else:
            kinds = ", ".join(AMBIENT_KINDS)
            raise ConfigError(f"ambient={kind_or_path!r}: must be one of {kinds}, or an existing sound file")
        if y.energy == 0:
            raise AudioError(f"ambient={kind_or_path!r}: silent; noise with some power is needed")
        rms = np.sqrt(y.power)
        y.rewrite(block / rms for block in y.blocks())
        yield y


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
