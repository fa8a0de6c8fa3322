"""What is read off a loudspeaker's response: harmonics, distortion, loudness, bass."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyloudnorm
from scipy import signal

from acoustic_sim.border.checks import as_signal, require_number
from acoustic_sim.loudspeaker.driver import Driver
from acoustic_sim.loudspeaker.large_signal import simulate
from acoustic_sim.loudspeaker.loudness import GATING_BLOCK_S, GATING_STEP_S
from fixedpoint.errors import AudioError

_PERIODS_PER_SEGMENT = 10  # of the lowest frequency, in one segment of Welch's mean


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
    return distortion_between(simulate(x, fs_hz, driver, gain_db).pressure_pa, linear)


def distortion_between(pressure: np.ndarray, linear: np.ndarray) -> ProgrammeDistortion:
    """The distortion of `measure_distortion`, from the driver's pressure and the linear one, (n,) float each.

    Raises
    ------
    AudioError
        Silence, or nothing left of the linear response.
    """
    energy = float(linear @ linear)
    if energy == 0:
        raise AudioError(f"x of {linear.size} samples is silent: distortion needs a signal")
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
    y : (n,) or (n, channels) float; one channel, or left and right, each with weight 1
    fs_hz : float in [8000, 384000], Hz
    full_scale : float in [1e-9, 1e9], in the unit of `y`

    Notes
    -----
    A last block that is not whole does not count. Filters with the coefficients of the standard, moved to
    `fs_hz` (class "DeMan" of pyloudnorm). Source: ITU-R BS.1770-4.
    """
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] in (1, 2):
        y = np.stack([as_signal(f"y[:, {i}]", y[:, i]) for i in range(y.shape[1])], axis=1)
    else:
        y = as_signal("y", y)
    require_number("fs_hz", fs_hz, 8000, 384000, "in [8000, 384000]")
    require_number("full_scale", full_scale, 1e-9, 1e9, "in [1e-9, 1e9]")
    # pyloudnorm rounds the number of blocks up; whole steps leave it nothing to round
    steps = int(len(y) / (GATING_STEP_S * fs_hz) + 1e-9)
    y = y[: int(np.ceil(steps * GATING_STEP_S * fs_hz))]
    if steps < round(GATING_BLOCK_S / GATING_STEP_S) or not y.any():
        return float("-inf")
    meter = pyloudnorm.Meter(fs_hz, filter_class="DeMan", block_size=GATING_BLOCK_S)
    return float(meter.integrated_loudness(y / full_scale))


def measure_bass_level(y: np.ndarray, fs_hz: float, low_hz: float = 20.0, high_hz: float = 200.0) -> float:
    """Long-term level between two frequencies, dB re 1 (of the unit of `y`, rms); -inf for silence.

    Parameters
    ----------
    y : (n,) float, at least 10 / low_hz long
    fs_hz : float, Hz
    low_hz, high_hz : 0.1 <= low_hz <= high_hz / 1.2, high_hz <= fs_hz / 2

    Raises
    ------
    ConfigError, AudioError
        An edge out of range; `y` too short.

    Notes
    -----
    Welch's mean over segments of 10 / low_hz, Hann, half overlapping; lines whose centre lies in
    [low_hz, high_hz]. A Hann window smears a tone over +-low_hz / 5.
    """
    y = as_signal("y", y)
    require_number("fs_hz", fs_hz, 1000, 384000, "in [1000, 384000]")
    require_number("high_hz", high_hz, 1, fs_hz / 2, f"in [1, fs_hz / 2 = {fs_hz / 2:g}]")
    require_number("low_hz", low_hz, 0.1, high_hz / 1.2, f"in [0.1, high_hz / 1.2 = {high_hz / 1.2:g}]")
    segment = round(_PERIODS_PER_SEGMENT / low_hz * fs_hz)
    if y.size < segment:
        raise AudioError(
            f"y of {y.size / fs_hz:.3g} s: {segment / fs_hz:.3g} s are needed from {low_hz:g} Hz on"
        )
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


def _to_db(power: float) -> float:
    return float(10 * np.log10(power)) if power > 0 else float("-inf")
