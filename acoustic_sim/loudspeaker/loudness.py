"""Integrated loudness of a signal that comes in blocks."""

from array import array

import numpy as np
import pyloudnorm
from scipy import signal

from acoustic_sim.border.checks import require_integer, require_number

GATING_BLOCK_S = 0.4  # BS.1770
GATING_STEP_S = 0.1
_STEPS = round(GATING_BLOCK_S / GATING_STEP_S)
_OFFSET_DB = -0.691
_ABSOLUTE_LUFS, _RELATIVE_LU = -70.0, -10.0


class LoudnessMeter:
    """What `measure_loudness` says of a whole signal, without holding it: ten energies a second are kept.

    Parameters
    ----------
    fs_hz : float in [8000, 384000], Hz
    channels : 1 or 2

    Notes
    -----
    Filters of pyloudnorm, class "DeMan". Source: ITU-R BS.1770-4.
    """

    def __init__(self, fs_hz: float, channels: int) -> None:
        require_number("fs_hz", fs_hz, 8000, 384000, "in [8000, 384000]")
        require_integer("channels", channels, 1, 2)
        self._fs_hz = fs_hz
        stages = pyloudnorm.Meter(fs_hz, filter_class="DeMan", block_size=GATING_BLOCK_S)._filters.values()
        self._filters = [(stage.passband_gain * stage.b, stage.a) for stage in stages]
        self._states = [np.zeros((max(len(b), len(a)) - 1, channels)) for b, a in self._filters]
        self._energies = array("d")  # of both channels, of each whole step
        self._open, self._taken = 0.0, 0  # energy of the step that has begun; samples

    def push(self, y: np.ndarray) -> None:
        """Take samples, (n, channels) float, full scale 1."""
        for i, (b, a) in enumerate(self._filters):
            y, self._states[i] = signal.lfilter(b, a, y, axis=0, zi=self._states[i])
        energy, first = np.square(y).sum(axis=1), self._taken
        self._taken += len(energy)
        at = 0
        while (end := self._end()) <= self._taken:
            self._energies.append(self._open + float(energy[at : end - first].sum()))
            self._open, at = 0.0, end - first
        self._open += float(energy[at:].sum())

    def _end(self) -> int:
        """Sample behind the step that has begun."""
        return int(np.ceil((len(self._energies) + 1) * GATING_STEP_S * self._fs_hz - 1e-6))

    def integrated_lufs(self) -> float:
        """Integrated loudness so far, LUFS; -inf where there is nothing to gate."""
        if len(self._energies) < _STEPS:
            return float("-inf")
        sums = np.convolve(np.frombuffer(self._energies), np.ones(_STEPS), "valid")
        power = np.maximum(sums, 0.0) / (GATING_BLOCK_S * self._fs_hz)
        power = power[_lufs(power) >= _ABSOLUTE_LUFS]
        if not len(power):
            return float("-inf")
        return float(_lufs(power[_lufs(power) > _lufs(power.mean()) + _RELATIVE_LU].mean()))


def _lufs(power: np.ndarray | float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return _OFFSET_DB + 10 * np.log10(power)
