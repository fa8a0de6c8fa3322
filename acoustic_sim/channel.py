"""The whole path: loudspeaker, room, ambient noise, microphone."""

from dataclasses import asdict, dataclass, replace

import numpy as np
import scipy  # its parts are loaded at their first use
import soxr

from acoustic_sim.border.checks import as_signal
from acoustic_sim.loudspeaker import play
from acoustic_sim.microphone import capture
from acoustic_sim.noise import ambient, scale_to_snr
from acoustic_sim.room import RoomResponse, impulse_response
from acoustic_sim.scene import Scene

NOISE_STREAM, MICROPHONE_STREAM = 1, 2


@dataclass(frozen=True)
class Facts:
    """The facts of the path.

    fs_hz : the microphone's nominal rate
    distance_m : metres, None where a measured response does not say
    rt60_s, drr_db, delay_s : measured on the response in use
    snr_db : dB at the microphone, None without ambient noise; self-noise is not in it
    """

    fs_hz: int
    distance_m: float | None
    rt60_s: float
    drr_db: float
    snr_db: float | None
    delay_s: float


@dataclass(frozen=True)
class Heard(Facts):
    """What the microphone delivers, and the facts of the path.

    pcm : (m,) int16, Q1.15, at the ADC's own clock
    reverberant : (n,) float64 at fs_hz, true clock: before noise and microphone
    """

    pcm: np.ndarray
    reverberant: np.ndarray


def facts_of(response: RoomResponse, scene: Scene) -> Facts:
    """What is known of the path before anything is played."""
    return Facts(
        fs_hz=scene.microphone.fs_hz,
        distance_m=response.distance_m,
        rt60_s=response.rt60_s,
        drr_db=response.drr_db,
        snr_db=scene.ambient.snr_db,
        delay_s=response.delay_s,
    )


def propagate(x: np.ndarray, fs_hz: float, scene: Scene) -> Heard:
    """Play `x` in the scene and record it: listen(reverberate(x, fs_hz, scene), scene), with the facts.

    Parameters
    ----------
    x : (n,) float, full scale 1.0, the loudspeaker's input
    fs_hz : float, Hz
    scene : Scene

    Raises
    ------
    AudioError
        `x` is empty, not one channel, not finite; or silent, where an SNR is wanted.
    """
    response = impulse_response(scene)
    reverberant = through_room(at_one_metre(x, fs_hz, scene), response)
    facts = asdict(facts_of(response, scene))
    return Heard(**facts, pcm=listen(reverberant, scene), reverberant=reverberant)


def reverberate(x: np.ndarray, fs_hz: float, scene: Scene) -> np.ndarray:
    """Loudspeaker and room alone: what arrives at the microphone, at its nominal rate, without noise.

    Returns
    -------
    y : (ceil(n fs / fs_hz) + len(h) - 1,) float64, fs being the microphone's rate. The propagation delay and
        the full tail are kept: a mark at the end of `x` arrives late and rings on
    """
    response = impulse_response(scene)
    return through_room(at_one_metre(x, fs_hz, scene), response)


def at_one_metre(x: np.ndarray, fs_hz: float, scene: Scene) -> np.ndarray:
    """What the loudspeaker alone gives at 1 m in free field, at the microphone's rate.

    y : (ceil(n fs / fs_hz),) float64, fs being the microphone's rate; impulse responses are relative to it
    """
    y = play(x, fs_hz, scene.loudspeaker)
    fs_mic_hz = scene.microphone.fs_hz
    return y if fs_hz == fs_mic_hz else soxr.resample(y, fs_hz, fs_mic_hz, "VHQ")


def through_room(y: np.ndarray, response: RoomResponse) -> np.ndarray:
    """`at_one_metre` -> what arrives at the microphone: (n,) float -> (n + len(h) - 1,) float64."""
    return scipy.signal.oaconvolve(y, response.h)


def listen(reverberant: np.ndarray, scene: Scene, noise: np.ndarray | None = None) -> np.ndarray:
    """Ambient noise at the scene's SNR, then the microphone: (n,) float at its rate -> (m,) int16, Q1.15.

    noise : (n,) float of any level, in place of the noise that the scene would have made
    Seeds: the noise draws from (scene.seed, 1), the microphone from (scene.seed, 2): neither moves the other.
    """
    y = as_signal("reverberant", reverberant)
    fs_hz, wanted = scene.microphone.fs_hz, scene.ambient
    if wanted.snr_db is not None:
        if noise is None:
            noise = ambient(wanted.path or wanted.kind, y.size, fs_hz, seed_of(scene, NOISE_STREAM))
        y = y + scale_to_snr(y, noise, wanted.snr_db)
    return record(y, scene)


def record(y: np.ndarray, scene: Scene, set_by: np.ndarray | None = None) -> np.ndarray:
    """The microphone alone, noise included in what it hears: (n,) float at its rate -> (m,) int16, Q1.15.

    set_by : (k,) float, the sound whose loudest sample, on the ADC's clock, an automatic gain has put at
        peak_dbfs: a gain that was set then, and stays; None for `y` itself
    """
    fs_hz, microphone, seed = scene.microphone.fs_hz, scene.microphone, seed_of(scene, MICROPHONE_STREAM)
    if set_by is None or microphone.gain_db is not None:
        return capture(y, fs_hz, microphone, seed)
    adc_fs_hz = fs_hz * (1 + microphone.drift_ppm * 1e-6)
    peak = np.abs(set_by if adc_fs_hz == fs_hz else soxr.resample(set_by, fs_hz, adc_fs_hz, "VHQ")).max()
    if peak == 0:
        return capture(y, fs_hz, replace(microphone, gain_db=0.0), seed)
    return capture(y / peak, fs_hz, replace(microphone, gain_db=microphone.peak_dbfs), seed)


def seed_of(scene: Scene, stream: int) -> int:
    """Of what draws on one of the streams."""
    return int(np.random.SeedSequence((scene.seed, stream)).generate_state(1, np.uint64)[0] >> 1)
