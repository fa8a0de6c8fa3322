"""The loudspeaker: amplifier clipping, loss of force at large excursion, band limits."""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from acoustic_sim.border.checks import as_signal, require_integer, require_number
from fixedpoint.errors import ConfigError


@dataclass(frozen=True)
class Loudspeaker:
    """A small active loudspeaker; the defaults are those of a smart speaker's driver.

    low_cut_hz, high_cut_hz : Butterworth edges, 20..20000 Hz, or None for none
    order : of both edges, 1..8 (2 is a closed box)
    gain_db : volume ahead of the amplifier, -60..40 dB
    clip_dbfs : where the amplifier clips hard, -60..0 dBFS
    nonlinearity : share of the force lost at full excursion, 0..0.5 (0 is linear)
    """

    low_cut_hz: float | None = 120.0
    high_cut_hz: float | None = None
    order: int = 2
    gain_db: float = 0.0
    clip_dbfs: float = 0.0
    nonlinearity: float = 0.05

    def __post_init__(self) -> None:
        for name in ("low_cut_hz", "high_cut_hz"):
            if getattr(self, name) is not None:
                require_number(name, getattr(self, name), 20, 20000, "in [20, 20000] or None")
        if (
            self.low_cut_hz is not None
            and self.high_cut_hz is not None
            and self.low_cut_hz >= self.high_cut_hz
        ):
            raise ConfigError(f"low_cut_hz={self.low_cut_hz}: must be below high_cut_hz={self.high_cut_hz}")
        require_integer("order", self.order, 1, 8)
        require_number("gain_db", self.gain_db, -60, 40, "in [-60, 40]")
        require_number("clip_dbfs", self.clip_dbfs, -60, 0, "in [-60, 0]")
        require_number("nonlinearity", self.nonlinearity, 0, 0.5, "in [0, 0.5]")


def play(x: np.ndarray, fs_hz: float, loudspeaker: Loudspeaker) -> np.ndarray:
    """Sound pressure at 1 m, in units of the drive's full scale.

    v = clip(g x);  e = lowpass(v);  y = bandpass((1 - k e^2) v)

    Below its resonance a closed box moves in proportion to the voltage, above it the excursion e falls by
    12 dB per octave: the same second-order corner that high-passes the sound low-passes the excursion. The
    motor loses the share k e^2 of its force, so bass modulates treble, as it does in small drivers.

    Parameters
    ----------
    x : (n,) float, full scale 1.0
    fs_hz : float, Hz
    loudspeaker : Loudspeaker; an edge at or above fs_hz / 2 has no effect

    Returns
    -------
    y : (n,) float64

    Raises
    ------
    AudioError
        `x` is empty, not one channel, or not finite.

    Notes
    -----
    The clipping is done at `fs_hz`: its harmonics alias, as they do where a DSP clips ahead of the DAC.
    Source: own design; force factor and excursion as in W. Klippel, "Loudspeaker nonlinearities - causes,
    parameters, symptoms", JAES 54 (2006).
    """
    v = as_signal("x", x)
    require_number("fs_hz", fs_hz, 1000, 384000, "in [1000, 384000]")
    limit = 10 ** (loudspeaker.clip_dbfs / 20)
    v = np.clip(v * 10 ** (loudspeaker.gain_db / 20), -limit, limit)

    low_hz, high_hz = loudspeaker.low_cut_hz, loudspeaker.high_cut_hz
    has_low = low_hz is not None and low_hz < fs_hz / 2
    if loudspeaker.nonlinearity > 0:
        excursion = v
        if has_low:
            excursion = signal.sosfilt(signal.butter(2, low_hz, "lowpass", fs=fs_hz, output="sos"), v)
        # the low-pass overshoots by 4 % on a square wave; beyond full scale the suspension stops the cone
        v = v * (1 - loudspeaker.nonlinearity * np.clip(excursion, -1, 1) ** 2)
    if has_low:
        v = signal.sosfilt(signal.butter(loudspeaker.order, low_hz, "highpass", fs=fs_hz, output="sos"), v)
    if high_hz is not None and high_hz < fs_hz / 2:
        v = signal.sosfilt(signal.butter(loudspeaker.order, high_hz, "lowpass", fs=fs_hz, output="sos"), v)
    return v
