"""What is read off a room impulse response: delay, direct-to-reverberant ratio, reverberation time."""

import numpy as np

from acoustic_sim.border.checks import as_signal
from fixedpoint.errors import AudioError

ONSET_DB = -20.0  # of the peak, ISO 3382-1: where the direct sound begins
DIRECT_HALF_WIDTH_S = 2.5e-3
_PEAK_SEARCH_S = 0.4e-3  # from the onset to the direct sound's own peak; a floor reflection comes later
_SMOOTHING_S = 20e-3
_FLOOR_MARGIN_DB = 5.0  # the decay counts down to this far above the noise floor
_EVALUATION_DB = (-35.0, -25.0, -15.0)  # T30, T20, T10


def direct_sample(h: np.ndarray, fs_hz: float) -> int:
    """Sample of the direct sound's peak: the largest in 0.4 ms from the first within 20 dB of the maximum."""
    magnitude = np.abs(as_signal("h", h))
    if magnitude.max() == 0:
        raise AudioError("h is all zeros: a room response needs a direct sound")
    onset = int(np.argmax(magnitude >= magnitude.max() * 10 ** (ONSET_DB / 20)))
    return onset + int(np.argmax(magnitude[onset : onset + max(1, round(_PEAK_SEARCH_S * fs_hz)) + 1]))


def measure_delay(h: np.ndarray, fs_hz: float) -> float:
    """Seconds from the response's first sample to the direct sound's peak, to the nearest sample."""
    return direct_sample(h, fs_hz) / fs_hz


def measure_drr(h: np.ndarray, fs_hz: float) -> float:
    """Direct-to-reverberant energy ratio, dB: up to 2.5 ms from the direct peak over all later; may be +inf.

    What comes more than 2.5 ms before the direct peak (noise of a measurement) counts on neither side. The
    2.5 ms are a convention: at 8 m they take in the floor's reflection, and the ceiling's in a flat room.
    """
    centre, half = direct_sample(h, fs_hz), round(DIRECT_HALF_WIDTH_S * fs_hz)
    energy = np.asarray(h, np.float64) ** 2
    direct = energy[max(0, centre - half) : centre + half + 1].sum()
    reverberant = energy[centre + half + 1 :].sum()
    return float(10 * np.log10(direct / reverberant)) if reverberant > 0 else float("inf")


def measure_rt60(h: np.ndarray, fs_hz: float, *, noise_free: bool = False) -> float:
    """Reverberation time in seconds, broadband: T30, or T20 or T10 where the noise leaves no more.

    E(t) = integral of h^2 from t to the end (Schroeder); a straight line is fitted to 10 log10 E(t) from
    -5 dB down to -35 dB (-25, -15) and extended to -60 dB.

    Parameters
    ----------
    h : (n,) float
    fs_hz : float, Hz
    noise_free : True for a simulated response: the whole of `h` is decay. Else the integral ends where
        the level, smoothed over 20 ms, comes within 5 dB of the noise floor (the mean of the last tenth)

    Raises
    ------
    AudioError
        Less than 15 dB of decay, or less than 20 dB from its start to the noise.

    Notes
    -----
    Source: ISO 3382-1; truncation after Lundeby et al., Acustica 81 (1995), without its iterations.
    """
    h = np.asarray(h, np.float64)[direct_sample(h, fs_hz) :]
    energy = h**2
    reachable_db = np.inf
    if not noise_free:
        energy, reachable_db = _above_noise(energy, fs_hz)
    level_db = np.cumsum(energy[::-1])[::-1]
    level_db = 10 * np.log10(level_db[level_db > 0] / level_db[0])
    for stop_db in _EVALUATION_DB:
        below = np.flatnonzero(level_db <= stop_db)
        if below.size and reachable_db >= -stop_db + _FLOOR_MARGIN_DB:
            start, stop = int(np.argmax(level_db <= -5.0)), int(below[0])
            if stop - start >= 2:
                slope_db = np.polyfit(np.arange(start, stop) / fs_hz, level_db[start:stop], 1)[0]
                return float(-60.0 / slope_db)
    raise AudioError(
        f"h of {h.size / fs_hz:.3f} s: 15 dB of decay, 20 dB above the noise, are needed for RT60"
    )


def trim_tail(h: np.ndarray, floor_db: float) -> np.ndarray:
    """`h` up to where the energy still to come has fallen to `floor_db` of the whole."""
    remaining = np.cumsum(h[::-1] ** 2)[::-1]
    return h[: int(np.flatnonzero(remaining > remaining[0] * 10 ** (floor_db / 10))[-1]) + 1]


def _above_noise(energy: np.ndarray, fs_hz: float) -> tuple[np.ndarray, float]:
    """The part of `energy` that is decay, and how far in dB its start lies above the noise floor."""
    width = max(1, min(round(_SMOOTHING_S * fs_hz), energy.size // 20))
    blocks = energy[: energy.size // width * width].reshape(-1, width).mean(axis=1)
    floor = blocks[-max(1, blocks.size // 10) :].mean()
    if floor == 0:
        return energy, np.inf
    near_floor = blocks <= floor * 10 ** (_FLOOR_MARGIN_DB / 10)
    peak = int(np.argmax(blocks))
    end = peak + int(np.argmax(near_floor[peak:])) if near_floor[peak:].any() else blocks.size
    return energy[: max(end, 1) * width], float(10 * np.log10(blocks[peak] / floor))
