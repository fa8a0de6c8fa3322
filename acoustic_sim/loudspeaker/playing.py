"""What a driver makes of a programme, and of a tone, that a processor has prepared: all measures at once."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from acoustic_sim.loudspeaker.driver import Driver
from acoustic_sim.loudspeaker.large_signal import simulate
from acoustic_sim.loudspeaker.measures import (
    Harmonics,
    distortion_between,
    measure_bass_level,
    measure_loudness,
    measure_thd,
)


class Playing(NamedTuple):
    """A programme on a driver.

    bass_db : level from 20 to 200 Hz, dB re 1 Pa;  loudness_lufs : 1 Pa being full scale
    distortion_db, compression_db : as `measures.ProgrammeDistortion`
    clipped : share of samples at the amplifier's rail;  brown_out_s : seconds for which the output was off
    peak_m : largest excursion, metres
    """

    bass_db: float
    loudness_lufs: float
    distortion_db: float
    compression_db: float
    clipped: float
    brown_out_s: float
    peak_m: float


class Tone(NamedTuple):
    """A steady tone.

    whole, alone : through processor and driver, and through the processor alone
    peak_m : largest excursion once it has settled, metres
    """

    whole: Harmonics
    alone: Harmonics
    peak_m: float


def measure_playing(y: np.ndarray, fs_hz: float, driver: Driver, gain_db: float = 0.0) -> Playing:
    """All measures of a programme, from one run of the driver and one of the linear one.

    Parameters
    ----------
    y : (n,) float, full scale 1.0, 0.5 s or more;  gain_db : as in `simulate`

    Raises
    ------
    AudioError
        `y` is silent, or too short.
    """
    response = simulate(y, fs_hz, driver, gain_db)
    linear = simulate(y, fs_hz, driver, gain_db, linear=True)
    distortion = distortion_between(response.pressure_pa, linear.pressure_pa)
    return Playing(
        bass_db=measure_bass_level(response.pressure_pa, fs_hz),
        loudness_lufs=measure_loudness(response.pressure_pa, fs_hz),
        distortion_db=distortion.distortion_db,
        compression_db=distortion.compression_db,
        clipped=response.clipped / len(y),
        brown_out_s=response.brown_out_samples / fs_hz,
        peak_m=float(np.abs(response.excursion_m).max()),
    )


def measure_played_tone(
    process: Callable[[np.ndarray], np.ndarray],
    fs_hz: float,
    freq_hz: float,
    amplitude: float,
    driver: Driver,
    gain_db: float = 0.0,
    *,
    settle_s: float,
    window_s: float,
) -> Tone:
    """Harmonics of a sine behind a processor, and behind processor and driver.

    process : (n,) float -> (n,) float, full scale 1.0, in step;  the rest as in `measure_thd`, `simulate`
    """
    processed: list[np.ndarray] = []
    peaks_m: list[float] = []

    def once(x: np.ndarray) -> np.ndarray:
        processed[:] = processed or [process(x)]
        return processed[0]

    def played(x: np.ndarray) -> np.ndarray:
        response = simulate(once(x), fs_hz, driver, gain_db)
        peaks_m.append(float(np.abs(response.excursion_m[round(settle_s * fs_hz) :]).max()))
        return response.pressure_pa

    whole, alone = (
        measure_thd(drive, fs_hz, freq_hz, amplitude, settle_s=settle_s, window_s=window_s)
        for drive in (played, once)
    )
    return Tone(whole, alone, peaks_m[0])
