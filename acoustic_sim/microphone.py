"""The microphone: sample clock, gain, self-noise, clipping, ADC."""

import numpy as np
import soxr

from acoustic_sim.border.checks import as_signal, require_number
from acoustic_sim.scene import Microphone
from fixedpoint.qformat import Q15


def capture(x: np.ndarray, fs_hz: float, microphone: Microphone, seed: int) -> np.ndarray:
    """The PCM of a microphone that hears `x`.

    Resampling to the ADC's true rate fs (1 + drift_ppm 1e-6), gain, self-noise, clipping, ADC.

    Parameters
    ----------
    x : (n,) float, sound pressure in any unit; the gain decides what full scale is
    fs_hz : float, Hz, true rate of `x`
    microphone : Microphone
    seed : int >= 0, of the self-noise

    Returns
    -------
    y_q15 : (round(n fs / fs_hz (1 + drift_ppm 1e-6)),) int16, Q1.15

    Raises
    ------
    AudioError
        `x` is empty, not one channel, or not finite.

    Notes
    -----
    Gain: fixed at gain_db, or, where that is None, such that the loudest sample of `x` lies at peak_dbfs;
    one gain for the whole signal, no AGC. Silence gets 0 dB.
    ADC: RND (half an LSB added, floor) and saturation, so +1.0 reads 32767 and -1.0 reads -32768. No dither:
    the self-noise is well above half an LSB by default.
    """
    x = as_signal("x", x)
    require_number("fs_hz", fs_hz, 1000, 384000, "in [1000, 384000]")
    adc_fs_hz = microphone.fs_hz * (1 + microphone.drift_ppm * 1e-6)
    y = x if adc_fs_hz == fs_hz else soxr.resample(x, fs_hz, adc_fs_hz, "VHQ")
    peak = float(np.abs(y).max()) if microphone.gain_db is None else 0.0
    return Converter(microphone, seed, peak).push(y)


class Converter:
    """What follows the sample clock: gain, self-noise, clipping, ADC; of sound that comes in blocks.

    Parameters
    ----------
    microphone : Microphone;  seed : int >= 0, of the self-noise
    peak : loudest sample of all that will come, used where the gain is not fixed
    """

    def __init__(self, microphone: Microphone, seed: int, peak: float) -> None:
        self._microphone, self._gain = microphone, 1.0
        if microphone.gain_db is not None:
            self._gain = float(10 ** (microphone.gain_db / 20))
        elif peak > 0:
            self._gain = float(10 ** (microphone.peak_dbfs / 20) / peak)
        self._rng = np.random.default_rng(seed)

    def push(self, y: np.ndarray) -> np.ndarray:
        """The next samples at the ADC's clock, (n,) float -> (n,) int16, Q1.15."""
        microphone = self._microphone
        y = y * self._gain
        if microphone.self_noise_dbfs is not None:
            y = y + 10 ** (microphone.self_noise_dbfs / 20) * self._rng.standard_normal(y.size)
        limit = 10 ** (microphone.clip_dbfs / 20)
        return _convert(np.clip(y, -limit, limit), microphone.bits)


def _convert(x: np.ndarray, bits: int) -> np.ndarray:
    """RND and SAT to `bits` bits, left-justified in int16, Q1.15."""
    if bits == 16:
        return Q15.quantise(x)
    step_lsb, half_range = 1 << (16 - bits), 1 << (bits - 1)
    code = np.clip(Q15.quantise(x / step_lsb), -half_range, half_range - 1)
    return (code.astype(np.int32) * step_lsb).astype(np.int16)
