"""Room impulse responses: simulated with pyroomacoustics, or measured; the only file that imports it."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyroomacoustics as pra
import scipy  # its parts are loaded at their first use

from acoustic_sim.border.array_store import cached, content_key
from acoustic_sim.border.checks import read_mono, require_integer
from acoustic_sim.decay import direct_sample, measure_delay, measure_drr, measure_rt60, trim_tail
from acoustic_sim.placement import place
from acoustic_sim.scene import MeasuredRoom, Scene, Shoebox, content_hash
from fixedpoint.errors import AudioError, ConfigError

__all__ = ["RoomResponse", "impulse_response", "measure_delay", "measure_drr", "measure_rt60"]

SPEED_OF_SOUND_M_S = 343.0
RT60_TOLERANCE = 0.02  # where the correction of the absorption stops
TAIL_FLOOR_DB = -70.0  # energy of what is cut off the end, of the whole

_MODEL_VERSION = 2  # part of the cache key: raise it when this file changes what it computes
_FRACTIONAL_DELAY = 81  # taps of pyroomacoustics' interpolation filter; it delays by half of them
_ORDER_LIMIT = 100  # 1.3 million images, 0.4 s
_HYBRID_ORDER = 12
_HYBRID_SCATTERING = 0.1
_HYBRID_RAYS = (4000, 10000)  # from, to; the library would trace 100000 in a hall and take 10 s
_RAYS_PER_M3 = 18.6  # 20 hits per 4 ms on a receiver of 0.5 m (Vorlaender 2008, eq. 11.12)
_IMAGE_DECAY_DB = 45.0  # decay that the highest-order images have to reach
_CORRECTIONS = 10
_HIGHPASS_HZ = 20.0


@dataclass(frozen=True)
class RoomResponse:
    """h : (n,) float64, pressure re 1 m in free field; fs_hz; and what was measured on h itself.

    rt60_s : T30, seconds;  drr_db : dB;  delay_s : to the direct sound's peak, seconds
    distance_m : metres, None where a measured response does not say
    """

    h: np.ndarray
    fs_hz: int
    distance_m: float | None
    rt60_s: float
    drr_db: float
    delay_s: float


def impulse_response(
    room: Scene | Shoebox | MeasuredRoom, distance_m: float | None = None, *, fs_hz: int = 16000
) -> RoomResponse:
    """The response from loudspeaker to microphone, true propagation delay included.

    Parameters
    ----------
    room : a Scene (its room, distance and microphone rate are taken), a Shoebox or a MeasuredRoom
    distance_m : metres; needed for a bare Shoebox
    fs_hz : sample rate of the response

    Raises
    ------
    ConfigError
        The distance does not fit, or no absorption gives the wanted RT60.
    AudioError
        A measured response that cannot be read, or has no usable decay.

    Notes
    -----
    Shoebox: walls of one frequency-independent absorption, found by measuring T30 and correcting until it is
    within 2 % of what is wanted (5 % is refused): Eyring's formula alone was off by 23 to 80 % in flat
    rooms. The rt60_s returned is the measured one. Cached on disk.
    Same bits from run to run on one machine: num_threads is 1, the ray tracing is seeded.
    MeasuredRoom: resampled (soxr VHQ), delay as in the file; scaled so that the direct peak is 1/distance_m
    where the distance is known, as in the file where it is not.
    """
    if isinstance(room, Scene):
        return impulse_response(room.room, room.distance_m, fs_hz=room.microphone.fs_hz)
    require_integer("fs_hz", fs_hz, 8000, 48000)
    if isinstance(room, MeasuredRoom):
        h = read_mono("rir", room.path, fs_hz)
        if room.distance_m is not None:
            h = h / (abs(h[direct_sample(h, fs_hz)]) * room.distance_m)
        return _described(h, fs_hz, room.distance_m, noise_free=False)
    if distance_m is None:
        raise ConfigError("distance_m=None: must be given for a Shoebox")
    place(room.size_m, distance_m)  # raises before the cache is asked
    key = content_key(content_hash(room), float(distance_m), fs_hz, pra.__version__, _MODEL_VERSION)
    h = cached("rir", key, lambda: {"h": _shoebox_with_rt60(room, distance_m, fs_hz)})["h"]
    return _described(h, fs_hz, float(distance_m), noise_free=True)


def _described(h: np.ndarray, fs_hz: int, distance_m: float | None, noise_free: bool) -> RoomResponse:
    return RoomResponse(
        h=h,
        fs_hz=fs_hz,
        distance_m=distance_m,
        rt60_s=measure_rt60(h, fs_hz, noise_free=noise_free),
        drr_db=measure_drr(h, fs_hz),
        delay_s=measure_delay(h, fs_hz),
    )


def _shoebox_with_rt60(room: Shoebox, distance_m: float, fs_hz: int) -> np.ndarray:
    """Correct the absorption until the measured T30 is the wanted one.

    With x = -ln(1 - absorption), Eyring: rt60 = 0.161 V / (S x). Start there; then regula falsi in
    (log x, log rt60), where Eyring's law is a line of slope -1.
    """
    length, width, height = room.size_m
    surface_m2 = 2 * (length * width + width * height + height * length)
    x = 0.161 * length * width * height / (surface_m2 * room.rt60_s)
    max_order, hybrid = _image_order(room, x)
    tried: list[tuple[float, float]] = []
    best: tuple[float, np.ndarray] | None = None
    for _ in range(_CORRECTIONS):
        h = _simulate(room, distance_m, fs_hz, 1 - math.exp(-x), max_order, hybrid)
        try:
            error = math.log(measure_rt60(h, fs_hz, noise_free=True) / room.rt60_s)
        except AudioError as cause:
            raise ConfigError(f"max_order={max_order}: too few reflections for an RT60, use more") from cause
        if best is None or abs(error) < abs(best[0]):
            best = (error, h)
        if abs(error) <= RT60_TOLERANCE:
            break
        tried.append((math.log(x), error))
        x = min(math.exp(_next_guess(tried)), 7.0)  # 7: absorption 0.999
    assert best is not None
    if abs(best[0]) > 0.05:
        got_s = room.rt60_s * math.exp(best[0])
        raise ConfigError(
            f"rt60_s={room.rt60_s:g}: not reachable at {distance_m:g} m in a room of "
            f"{length:g} x {width:g} x {height:g} m, the nearest is {got_s:.2f}"
        )
    return trim_tail(best[1], TAIL_FLOOR_DB)


def _next_guess(tried: list[tuple[float, float]]) -> float:
    """Next log x: inside a bracket by the secant; without one, by Eyring's slope and a fifth beyond."""
    above = [point for point in tried if point[1] > 0]
    below = [point for point in tried if point[1] <= 0]
    if above and below:
        (x0, e0), (x1, e1) = max(above), min(below)  # largest x still too long, smallest already too short
        share = min(max(e0 / (e0 - e1), 0.1), 0.9)
        return x0 + (x1 - x0) * share
    x0, e0 = min(tried, key=lambda point: abs(point[1]))
    return x0 + 1.2 * e0


def _image_order(room: Shoebox, x: float) -> tuple[int, bool]:
    """The order whose images are 45 dB down by absorption alone, or the hybrid where that is beyond 100.

    An image of order n has met n walls: its energy is exp(-n x).
    """
    needed = math.ceil(_IMAGE_DECAY_DB / (10 * math.log10(math.e) * x))
    hybrid = room.ray_tracing
    if hybrid is None:
        hybrid = room.max_order is None and needed > _ORDER_LIMIT
    if room.max_order is not None:
        return room.max_order, hybrid
    return (_HYBRID_ORDER if hybrid else min(max(needed, 3), _ORDER_LIMIT)), hybrid


def _simulate(
    room: Shoebox, distance_m: float, fs_hz: int, absorption: float, max_order: int, hybrid: bool
) -> np.ndarray:
    loudspeaker_m, microphone_m = place(room.size_m, distance_m)
    with _pinned_constants():
        pra.random.seed(numpy=room.seed, libroom=room.seed)
        box = pra.ShoeBox(
            room.size_m,
            fs=fs_hz,
            max_order=max_order,
            materials=pra.Material(absorption, _HYBRID_SCATTERING if hybrid else None),
        )
        if hybrid:
            fewest, most = _HYBRID_RAYS
            box.set_ray_tracing(n_rays=int(min(max(_RAYS_PER_M3 * math.prod(room.size_m), fewest), most)))
        box.add_source(loudspeaker_m)
        box.add_microphone(microphone_m)
        box.compute_rir()
    h = np.asarray(box.rir[0][0], np.float64)[_FRACTIONAL_DELAY // 2 :]
    # Walls that reflect with one positive factor pile up energy at DC, which no real room does. The
    # library's own high-pass runs both ways in time and puts sound ahead of the direct path; this does not.
    return scipy.signal.sosfilt(scipy.signal.butter(2, _HIGHPASS_HZ, "highpass", fs=fs_hz, output="sos"), h)


@contextlib.contextmanager
def _pinned_constants() -> Iterator[None]:
    """The library's process-wide settings that decide bits, set for the call and put back after it."""
    pinned = {
        "c": SPEED_OF_SOUND_M_S,
        "frac_delay_length": _FRACTIONAL_DELAY,
        "num_threads": 1,
        "rir_hpf_enable": False,
    }
    before = {name: pra.constants.get(name) for name in pinned}
    try:
        for name, value in pinned.items():
            pra.constants.set(name, value)
        yield
    finally:
        for name, value in before.items():
            pra.constants.set(name, value)
