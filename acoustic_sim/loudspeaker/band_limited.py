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
    return Player(fs_hz, loudspeaker).push(x)


class Player:
    """`play` of a signal that comes in blocks.

    Parameters
    ----------
    fs_hz, loudspeaker : as of `play`
    """

    def __init__(self, fs_hz: float, loudspeaker: Loudspeaker) -> None:
        require_number("fs_hz", fs_hz, 1000, 384000, "in [1000, 384000]")
        self._loudspeaker, self._limit = loudspeaker, 10 ** (loudspeaker.clip_dbfs / 20)
        low_hz, high_hz, order = loudspeaker.low_cut_hz, loudspeaker.high_cut_hz, loudspeaker.order
        self._excursion, self._edges = None, []
        if low_hz is not None and low_hz < fs_hz / 2:
            self._excursion = _Filter(2, low_hz, "lowpass", fs_hz)
            self._edges.append(_Filter(order, low_hz, "highpass", fs_hz))
        if high_hz is not None and high_hz < fs_hz / 2:
            self._edges.append(_Filter(order, high_hz, "lowpass", fs_hz))

    def push(self, x: np.ndarray) -> np.ndarray:
        """The next samples, (n,) float, full scale 1.0 -> (n,) float64."""
        v = as_signal("x", x) * 10 ** (self._loudspeaker.gain_db / 20)
        v = np.clip(v, -self._limit, self._limit)
        if self._loudspeaker.nonlinearity > 0:
            excursion = v if self._excursion is None else self._excursion.push(v)
            # the low-pass overshoots by 4 % on a square wave; beyond full scale the suspension stops the cone
            v = v * (1 - self._loudspeaker.nonlinearity * np.clip(excursion, -1, 1) ** 2)
        for edge in self._edges:
            v = edge.push(v)
        return v


class _Filter:
    """A Butterworth filter that goes on where it was."""

    def __init__(self, order: int, edge_hz: float, kind: str, fs_hz: float) -> None:
        self._sections = signal.butter(order, edge_hz, kind, fs=fs_hz, output="sos")
        self._state = np.zeros((len(self._sections), 2))

    def push(self, x: np.ndarray) -> np.ndarray:
        y, self._state = signal.sosfilt(self._sections, x, zi=self._state)
        return y
