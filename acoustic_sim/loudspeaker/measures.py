"""What is read off a loudspeaker: harmonics, distortion, loudness, bass, the gain for an excursion."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyloudnorm
from scipy import signal
from scipy.optimize import brentq

from acoustic_sim._border import as_signal, require_number
from acoustic_sim.loudspeaker.driver import Driver
from acoustic_sim.loudspeaker.large_signal import simulate
from fixedpoint.errors import AudioError, ConfigError

GATING_BLOCK_S = 0.4  # BS.1770
_GATING_STEP_S = 0.1
_TOLERANCE_DB = 0.05  # of the peak excursion
_GAIN_RESOLUTION_DB = 1e-4  # a peak that is not met between two gains this close jumps
_SEARCH_DB = 30.0  # from the linear answer: the drive is a square wave long before
_FIRST_STEP_FACTOR = 1.5


class Harmonics(NamedTuple):
    """Harmonics of a steady tone.

    freq_hz : float, the tone, moved to the nearest with whole periods in the window
    amplitude : (m,) float64, of the harmonics 1, 2, .. m below fs / 2
    thd_percent, thd_db : root of the sum of squares of harmonics 2.. over the first, in % and dB
    """

    freq_hz: float
    amplitude: np.ndarray
    thd_percent: float
    thd_db: float


class ProgrammeDistortion(NamedTuple):
    """Distortion of programme material, dB.

    distortion_db : energy of what no gain explains over the energy of the linear response at that gain
    compression_db : that gain, negative where the loudspeaker is quieter than a linear one
    """

    distortion_db: float
    compression_db: float


def measure_thd(
    drive: Callable[[np.ndarray], np.ndarray],
    fs_hz: float,
    freq_hz: float,
    amplitude: float = 1.0,
    *,
    settle_s: float = 0.5,
    window_s: float = 0.5,
) -> Harmonics:
    """Total harmonic distortion of amplitude sin(2 pi f t) through `drive`.

    THD = sqrt(A_2^2 + A_3^2 + .. A_m^2) / A_1, m f < fs / 2

    Parameters
    ----------
    drive : (n,) float64 -> (n,) float
    fs_hz : float, Hz
    freq_hz : float in [2 / window_s, fs_hz / 4]; at least the 2nd harmonic is seen
    amplitude : float in (0, 1000]
    settle_s : dropped from the start, 0..60 s
    window_s : evaluated, 0.01..60 s

    Raises
    ------
    ConfigError, AudioError
        An argument out of range; an output of another length, not finite, or without the tone.

    Notes
    -----
    The window holds whole periods, so that neither leakage nor a weighting window enters: the Fourier
    coefficients are exact. Harmonics above fs / 2 that a drive lets alias fall on lines between the
    harmonics and do not count, except where fs is a multiple of the tone.
    """
    require_number("fs_hz", fs_hz, 1000, 384000, "in [1000, 384000]")
    require_number("settle_s", settle_s, 0, 60, "in [0, 60] seconds")
    require_number("window_s", window_s, 0.01, 60, "in [0.01, 60] seconds")
    accepted = f"in [2 / window_s, fs_hz / 4] = [{2 / window_s:g}, {fs_hz / 4:g}]"
    require_number("freq_hz", freq_hz, 2 / window_s, fs_hz / 4, accepted)
    require_number("amplitude", amplitude, 1e-9, 1000, "in (0, 1000]")
    n = round(window_s * fs_hz)
    periods = round(freq_hz * n / fs_hz)
    # a sine that starts at zero phase where the window does, and at a zero crossing where the signal does
    settle = round(np.ceil(settle_s * fs_hz / n)) * n
    x = amplitude * np.sin(2 * np.pi * periods / n * np.arange(settle + n))
    y = as_signal("drive(x)", drive(x))
    if y.size != x.size:
        raise AudioError(f"drive(x) of {y.size} samples: must have the {x.size} of x")
    spectrum = 2 / n * np.abs(np.fft.rfft(y[settle:]))
    harmonics = spectrum[periods : (n + 1) // 2 : periods]
    if harmonics[0] == 0:
        raise AudioError(f"drive(x) is silent at freq_hz={freq_hz:g}: THD needs the tone")
    ratio = float(np.sqrt(np.sum(harmonics[1:] ** 2)) / harmonics[0])
    return Harmonics(periods * fs_hz / n, harmonics, 100 * ratio, _to_db(ratio**2))


def measure_distortion(
    x: np.ndarray, fs_hz: float, driver: Driver, gain_db: float = 0.0
) -> ProgrammeDistortion:
    """What driver, amplifier and supply add to programme material, against the linear response to it.

    p = pressure, l = linear pressure, s = <p, l> / <l, l>;   D = |p - s l|^2 / |s l|^2

    Parameters
    ----------
    x : (n,) float, full scale 1.0
    fs_hz : float, Hz
    driver : Driver
    gain_db : float, as in simulate

    Raises
    ------
    AudioError
        `x` is silent, or as in simulate.

    Notes
    -----
    s is the least-squares gain: a loudspeaker that is only quieter than the linear one (compression) has no
    distortion by this measure, and the loss of level is reported beside it. Compression that differs from
    bar to bar or from bass to treble is distortion. D = 1/rho^2 - 1 with the correlation rho of p and l.
    Broadband and unweighted; long-term energy, so that the loud passages decide. Source: own design.
    """
    linear = simulate(x, fs_hz, driver, gain_db, linear=True).pressure_pa
    energy = float(linear @ linear)
    if energy == 0:
        raise AudioError(f"x of {linear.size} samples is silent: distortion needs a signal")
    pressure = simulate(x, fs_hz, driver, gain_db).pressure_pa
    scale = float(pressure @ linear) / energy
    if scale <= 0:
        raise AudioError("x leaves nothing of its linear response: the amplifier is off throughout")
    residual = pressure - scale * linear
    return ProgrammeDistortion(_to_db(float(residual @ residual) / (scale**2 * energy)), _to_db(scale**2))


def measure_loudness(y: np.ndarray, fs_hz: float, full_scale: float = 1.0) -> float:
    """Integrated loudness, LUFS, with both gates; `full_scale` of `y` is 0 dBFS (1 Pa by default).

    -inf where there is nothing to gate: silence, less than one block of 400 ms, or all below -70 LUFS.

    Parameters
    ----------
    y : (n,) float, one channel with weight 1
    fs_hz : float in [8000, 384000], Hz
    full_scale : float in [1e-9, 1e9], in the unit of `y`

    Notes
    -----
    A last block that is not whole does not count. Filters with the coefficients of the standard, moved to
    `fs_hz` (class "DeMan" of pyloudnorm). Source: ITU-R BS.1770-4.
    """
    y = as_signal("y", y)
    require_number("fs_hz", fs_hz, 8000, 384000, "in [8000, 384000]")
    require_number("full_scale", full_scale, 1e-9, 1e9, "in [1e-9, 1e9]")
    # pyloudnorm rounds the number of blocks up; whole steps leave it nothing to round
    steps = int(y.size / (_GATING_STEP_S * fs_hz) + 1e-9)
    y = y[: int(np.ceil(steps * _GATING_STEP_S * fs_hz))]
    if steps < round(GATING_BLOCK_S / _GATING_STEP_S) or not y.any():
        return float("-inf")
    meter = pyloudnorm.Meter(fs_hz, filter_class="DeMan", block_size=GATING_BLOCK_S)
    return float(meter.integrated_loudness(y / full_scale))


def measure_bass_level(y: np.ndarray, fs_hz: float, low_hz: float = 20.0, high_hz: float = 200.0) -> float:
    """Long-term level between two frequencies, dB re 1 (of the unit of `y`, rms); -inf for silence.

    Parameters
    ----------
    y : (n,) float, at least 1 / low_hz long
    fs_hz : float, Hz
    low_hz, high_hz : 0 < low_hz < high_hz <= fs_hz / 2

    Notes
    -----
    Welch's mean over segments of 10 / low_hz or the whole signal, Hann, half overlapping; lines whose centre
    lies in [low_hz, high_hz].
    """
    y = as_signal("y", y)
    require_number("fs_hz", fs_hz, 1000, 384000, "in [1000, 384000]")
    require_number("high_hz", high_hz, 1, fs_hz / 2, f"in [1, fs_hz / 2 = {fs_hz / 2:g}]")
    if not isinstance(low_hz, (int, float)) or not 0.1 <= low_hz < high_hz:
        raise ConfigError(f"low_hz={low_hz!r}: must be in [0.1, high_hz={high_hz:g})")
    if y.size * low_hz < fs_hz:
        raise AudioError(f"y of {y.size / fs_hz:.3g} s: {1 / low_hz:.3g} s are needed from {low_hz:g} Hz on")
    segment = min(y.size, round(10 / low_hz * fs_hz))
    freq_hz, density = signal.welch(y, fs_hz, "hann", segment, detrend=False)
    in_band = (freq_hz >= low_hz) & (freq_hz <= high_hz)
    return _to_db(float(density[in_band].sum() * freq_hz[1]))


def measure_bass_gain(
    y: np.ndarray, reference: np.ndarray, fs_hz: float, low_hz: float = 20.0, high_hz: float = 200.0
) -> float:
    """How much more bass `y` has than `reference`, dB: the difference of their bass levels.

    Raises
    ------
    AudioError
        `reference` has no bass, or either is too short.
    """
    reference_db = measure_bass_level(reference, fs_hz, low_hz, high_hz)
    if reference_db == float("-inf"):
        raise AudioError(f"reference is silent from {low_hz:g} to {high_hz:g} Hz: it has no bass to compare")
    return measure_bass_level(y, fs_hz, low_hz, high_hz) - reference_db


def gain_for_excursion(
    x: np.ndarray, fs_hz: float, driver: Driver, peak_m: float, *, linear: bool = False
) -> float:
    """The gain, dB, at which the peak excursion |x| of a signal is `peak_m` within 0.05 dB.

    Parameters
    ----------
    x : (n,) float, full scale 1.0
    fs_hz : float, Hz
    driver : Driver
    peak_m : float in [1e-6, 0.1], metres
    linear : True for the linear response, where the answer is a division

    Raises
    ------
    AudioError
        `x` is silent, or the rail does not let the cone reach `peak_m`.

    Notes
    -----
    The peak rises with the gain nearly always: more gain may move a crest that sags the rail ahead of a later
    one. The search steps from the linear answer until the peak is passed, then closes the bracket with
    Brent's method on dB; it keeps to the bracket, so that an exception to monotony cannot lead it astray, and
    the gain it returns has been simulated.
    """
    require_number("peak_m", peak_m, 1e-6, 0.1, "in [1e-6, 0.1] metres")
    rest_m = np.abs(simulate(x, fs_hz, driver, 0.0, linear=True).excursion_m).max()
    if rest_m == 0:
        raise AudioError("x is silent: no gain moves the cone")
    gain_db = 20 * float(np.log10(peak_m / rest_m))
    if linear:
        return gain_db

    excess_db: dict[float, float] = {}

    def excess(gain_db: float) -> float:
        """Peak over peak_m in dB, 0 within the tolerance: there the root finder stops."""
        if gain_db not in excess_db:
            peak = np.abs(simulate(x, fs_hz, driver, gain_db).excursion_m).max()
            excess_db[gain_db] = 20 * float(np.log10(peak / peak_m))
        return excess_db[gain_db] if abs(excess_db[gain_db]) > _TOLERANCE_DB else 0.0

    bracket = _bracket(excess, gain_db)
    if bracket is None:
        reached_m = peak_m * 10 ** (max(excess_db.values()) / 20)
        raise AudioError(
            f"peak_m={peak_m:g}: the amplifier's rail lets x move the cone {reached_m:.3g} m, no further"
        )
    gain_db = brentq(excess, *bracket, xtol=_GAIN_RESOLUTION_DB)
    if excess(gain_db) != 0:
        raise AudioError(f"peak_m={peak_m:g}: the peak jumps past it at a gain of {gain_db:.3f} dB")
    return gain_db


def _bracket(excess: Callable[[float], float], gain_db: float) -> tuple[float, float] | None:
    """Two gains between which `excess` changes sign or is zero; None where it keeps its sign."""
    here = excess(gain_db)
    direction = -1 if here > 0 else 1
    limit_db = gain_db + direction * _SEARCH_DB
    step_db = max(_FIRST_STEP_FACTOR * abs(here), _TOLERANCE_DB)
    while gain_db != limit_db:
        next_db = direction * min(direction * (gain_db + direction * step_db), direction * limit_db)
        if here * excess(next_db) <= 0:
            return gain_db, next_db
        gain_db, step_db = next_db, 2 * step_db
    return None


def _to_db(power: float) -> float:
    return float(10 * np.log10(power)) if power > 0 else float("-inf")
