"""The scene: what stands between the loudspeaker's input and the microphone's PCM, as frozen values.

Levels in dBFS are 20 log10 of a value over full scale, 1.0: a sine at full scale peaks at 0 dBFS and has an
rms of -3.01 dBFS.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from acoustic_sim.border.checks import require_instance, require_integer, require_number
from acoustic_sim.loudspeaker.band_limited import Loudspeaker
from acoustic_sim.placement import MIN_DISTANCE_M, Point, place, room_size_for
from fixedpoint.errors import AudioError, ConfigError

AMBIENT_KINDS = ("white", "pink", "cafe", "fan")
MAX_DISTANCE_M = 100.0
MAX_FITTED_DISTANCE_M = 30.0  # beyond 32 m, flat halls do not reach an RT60 of 0.5 s


@dataclass(frozen=True)
class Shoebox:
    """A rectangular room, simulated.

    size_m : length, width, height, each 1.8..100 m
    rt60_s : wanted reverberation time (T30 of the result, broadband), 0.05..10 s
    max_order : image-source order, 1..100, or None to let room.py choose
    ray_tracing : True for the hybrid (early image sources, ray-traced tail), False for image sources
        alone, None for the hybrid only where the images needed would be too many
    seed : of the ray tracing
    """

    size_m: Point
    rt60_s: float
    max_order: int | None = None
    ray_tracing: bool | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.size_m, tuple) or len(self.size_m) != 3:
            raise ConfigError(f"size_m={self.size_m!r}: must be a tuple (length, width, height) in metres")
        for side in self.size_m:
            require_number("size_m", side, 1.8, 100, "three sides, each in [1.8, 100] metres")
        require_number("rt60_s", self.rt60_s, 0.05, 10, "in [0.05, 10] seconds")
        if self.max_order is not None:
            require_integer("max_order", self.max_order, 1, 100)
        if self.ray_tracing not in (None, True, False):
            raise ConfigError(f"ray_tracing={self.ray_tracing!r}: must be True, False or None (automatic)")
        require_integer("seed", self.seed, 0, 2**31 - 1)


@dataclass(frozen=True)
class MeasuredRoom:
    """A measured room impulse response: a mono WAV or FLAC file at any rate.

    path : the file; it enters hashes by its content, not by its name
    distance_m : 0.3..100 m where it is known, else None
    """

    path: str
    distance_m: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", str(self.path))
        if not Path(self.path).is_file():
            raise AudioError(f"rir={self.path!r}: no such file; a mono WAV or FLAC file is needed")
        if self.distance_m is not None:
            _require_distance(self.distance_m)


@dataclass(frozen=True)
class Ambient:
    """The noise in the room: a synthesised kind, or a sound file; snr_db=None is silence.

    kind : one of AMBIENT_KINDS; ignored where a path is given
    path : a WAV or FLAC file, or None
    snr_db : at the microphone, -40..120 dB, as noise.scale_to_snr defines it
    """

    kind: str = "cafe"
    path: str | None = None
    snr_db: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in AMBIENT_KINDS:
            raise ConfigError(f"kind={self.kind!r}: must be one of {', '.join(AMBIENT_KINDS)}")
        if self.path is not None:
            object.__setattr__(self, "path", str(self.path))
            if not Path(self.path).is_file():
                raise AudioError(f"ambient={self.path!r}: no such file; a WAV or FLAC file is needed")
        if self.snr_db is not None:
            require_number("snr_db", self.snr_db, -40, 120, "in [-40, 120] or None")


@dataclass(frozen=True)
class Microphone:
    """A microphone with its ADC.

    fs_hz : nominal sample rate, 8000..48000 Hz
    gain_db : -60..80 dB; None sets the gain so that the loudest sample lies at peak_dbfs
    peak_dbfs : -60..0 dBFS, used where gain_db is None
    self_noise_dbfs : rms of the white noise at the ADC, -140..-20 dBFS, or None for none
    clip_dbfs : where the analogue path clips, -60..0 dBFS
    drift_ppm : the ADC's clock against true time, -1000..1000; positive is fast: more samples
    bits : of the ADC, 8..16; the PCM is Q1.15 always, its lowest 16 - bits bits are zero
    """

    fs_hz: int = 16000
    gain_db: float | None = None
    peak_dbfs: float = -12.0
    self_noise_dbfs: float | None = -80.0
    clip_dbfs: float = 0.0
    drift_ppm: float = 0.0
    bits: int = 16

    def __post_init__(self) -> None:
        require_integer("fs_hz", self.fs_hz, 8000, 48000)
        if self.gain_db is not None:
            require_number("gain_db", self.gain_db, -60, 80, "in [-60, 80] or None (automatic)")
        require_number("peak_dbfs", self.peak_dbfs, -60, 0, "in [-60, 0]")
        if self.self_noise_dbfs is not None:
            require_number("self_noise_dbfs", self.self_noise_dbfs, -140, -20, "in [-140, -20] or None")
        require_number("clip_dbfs", self.clip_dbfs, -60, 0, "in [-60, 0]")
        require_number("drift_ppm", self.drift_ppm, -1000, 1000, "in [-1000, 1000]")
        require_integer("bits", self.bits, 8, 16)


@dataclass(frozen=True)
class Scene:
    """One loudspeaker, one room, one distance, one noise, one microphone; same scene, same bits.

    distance_m : needed for a Shoebox, 0.3 m up to what fits; for a MeasuredRoom it is the room's own
    seed : of the noise and of the microphone, 0..2^31-1
    """

    room: Shoebox | MeasuredRoom
    distance_m: float | None = None
    loudspeaker: Loudspeaker = field(default_factory=Loudspeaker)
    ambient: Ambient = field(default_factory=Ambient)
    microphone: Microphone = field(default_factory=Microphone)
    seed: int = 0

    def __post_init__(self) -> None:
        require_instance("room", self.room, Shoebox, MeasuredRoom)
        require_instance("loudspeaker", self.loudspeaker, Loudspeaker)
        require_instance("ambient", self.ambient, Ambient)
        require_instance("microphone", self.microphone, Microphone)
        require_integer("seed", self.seed, 0, 2**31 - 1)
        if isinstance(self.room, Shoebox):
            _require_distance(self.distance_m)
            place(self.room.size_m, self.distance_m)  # type: ignore[arg-type]  # raises where it does not fit
        elif self.distance_m not in (None, self.room.distance_m):
            raise ConfigError(
                f"distance_m={self.distance_m}: must be the measured room's, {self.room.distance_m}"
            )
        else:
            object.__setattr__(self, "distance_m", self.room.distance_m)

    def content_hash(self) -> str:
        """SHA-256 of everything that decides the microphone's PCM, 64 hex digits."""
        return content_hash(self)


def content_hash(value: object) -> str:
    """SHA-256 over canonical JSON of a dataclass of this module; a file counts by its content."""
    text = json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def build_scene(
    distance_m: float | None = None,
    rt60_s: float = 0.5,
    snr_db: float | None = None,
    *,
    ambient: str = "cafe",
    rir: str | None = None,
    drift_ppm: float = 0.0,
    gain_db: float = 0.0,
    fs_hz: int = 16000,
    seed: int = 0,
) -> Scene:
    """A scene from the handful of numbers that the command line takes.

    Parameters
    ----------
    distance_m : float in [0.3, 30], metres; the room is sized to fit. Needed unless `rir` is given, with
        which it may be up to 100
    rt60_s : float in [0.05, 10], seconds; has no say over a measured room
    snr_db : float in [-40, 120], or None for no ambient noise
    ambient : one of AMBIENT_KINDS, or the path of a sound file
    rir : path of a measured response instead of a simulated room
    drift_ppm : the microphone's clock error, -1000..1000
    gain_db : the loudspeaker's volume, -60..40 dB
    fs_hz : the microphone's rate
    seed : of noise and microphone; the ray tracing has its own, `Shoebox.seed`, which stays 0

    Raises
    ------
    ConfigError, AudioError
        An argument out of range; a file that is not there.
    """
    if rir is None:
        accepted = f"in [{MIN_DISTANCE_M}, {MAX_FITTED_DISTANCE_M:g}] metres"
        require_number("distance_m", distance_m, MIN_DISTANCE_M, MAX_FITTED_DISTANCE_M, accepted)
        room: Shoebox | MeasuredRoom = Shoebox(room_size_for(distance_m), rt60_s)  # type: ignore[arg-type]
    else:
        room = MeasuredRoom(rir, distance_m)
    is_kind = ambient in AMBIENT_KINDS
    if not is_kind and not Path(ambient).is_file():
        kinds = ", ".join(AMBIENT_KINDS)
        raise AudioError(f"ambient={ambient!r}: must be one of {kinds}, or an existing sound file")
    return Scene(
        room=room,
        distance_m=distance_m,
        loudspeaker=Loudspeaker(gain_db=gain_db),
        ambient=Ambient(kind=ambient, snr_db=snr_db) if is_kind else Ambient(path=ambient, snr_db=snr_db),
        microphone=Microphone(fs_hz=fs_hz, drift_ppm=drift_ppm),
        seed=seed,
    )


def _require_distance(distance_m: object) -> None:
    accepted = f"in [{MIN_DISTANCE_M}, {MAX_DISTANCE_M:g}] metres"
    require_number("distance_m", distance_m, MIN_DISTANCE_M, MAX_DISTANCE_M, accepted)


def _canonical(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        tree = {f.name: _canonical(getattr(value, f.name)) for f in dataclasses.fields(value)}
        path = getattr(value, "path", None)
        if path is not None:
            tree["path"] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        return {type(value).__name__: tree}
    if isinstance(value, tuple):
        return [_canonical(item) for item in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    return float(value)  # type: ignore[arg-type]  # 8 and 8.0 are the same scene


def _named(
    size_m: Point, rt60_s: float, distance_m: float, kind: str, snr_db: float, drift_ppm: float
) -> Scene:
    microphone = Microphone(drift_ppm=drift_ppm)
    return Scene(
        Shoebox(size_m, rt60_s), distance_m, ambient=Ambient(kind, None, snr_db), microphone=microphone
    )


# All beyond 20 ft (6.1 m). The drifts are within what two uncompensated crystals show.
NAMED_SCENES: dict[str, Scene] = {
    "living-room-6.5m": _named((8.3, 5.7, 2.6), 0.45, 6.5, "cafe", 20.0, 20.0),
    "open-plan-8m": _named((12.4, 8.1, 2.9), 0.6, 8.0, "cafe", 15.0, 40.0),
    "long-room-10m": _named((12.1, 4.3, 2.7), 0.5, 10.0, "fan", 15.0, -40.0),
    "reverberant-8m": _named((10.6, 7.3, 3.4), 1.1, 8.0, "cafe", 15.0, 40.0),
}
