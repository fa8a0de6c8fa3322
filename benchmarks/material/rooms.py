"""The rooms, noises, noise levels and clock drifts that marks are played through."""

from dataclasses import dataclass
from itertools import product

from acoustic_sim.room import RoomResponse, impulse_response
from acoustic_sim.scene import Scene, build_scene
from benchmarks.material.hosts import data_folder

SNRS_DB = (20, 15, 10)
DRIFTS_PPM = (0, 50)
NOISES = (
    "blanket_coffee-shop",
    "gsc_running_tap",
    "blanket_wind",
    "ibm_applause",
    "gsc_exercise_bike",
    "blanket_storm",
    "ibm_car_engine",
    "blanket_fireplace",
    "ibm_snoring",
    "blanket_boat",
)
DRY, LIVE, HALL, WAREHOUSE = "RT60 to 0.5 s", "RT60 0.7 to 0.8 s", "halls", "warehouse"
GROUPS = (DRY, LIVE, HALL, WAREHOUSE)


@dataclass(frozen=True)
class Room:
    """A place for loudspeaker and microphone.

    distance_m : metres; of a measured response what its source says or its onset gives, None if unknown
    rt60_s : wanted, of a simulated room; None of a measured one
    rir : stem of a file in rir/, or None
    group : by the RT60 measured on the response at 16 kHz
    """

    name: str
    group: str
    distance_m: float | None
    rt60_s: float | None = None
    rir: str | None = None


def _simulated() -> list[Room]:
    groups = {0.3: DRY, 0.5: DRY, 0.8: LIVE}
    return [Room(f"box {d:g} m, {t:g} s", groups[t], d, t) for t, d in product(groups, (6.5, 8.0, 10.0))]


ROOMS: tuple[Room, ...] = (
    *_simulated(),
    Room("Arthur Sykes auditorium", DRY, 7.8, rir="openair_arthur_sykes"),
    Room("house, cinema to dining room", DRY, None, rir="house_cinema-diningroom"),
    Room("house, living room to bathroom", LIVE, None, rir="house_living-bathroom"),
    Room("St Andrew's church", HALL, 14.0, rir="openair_st_andrews_church"),
    Room("Jack Lyons hall", HALL, 6.1, rir="openair_jack_lyons"),
    Room("Jack Lyons hall, far", HALL, 12.8, rir="openair_jack_lp4_ch1"),
    Room("warehouse, omni", WAREHOUSE, 8.5, rir="warehouse_omni-25-12"),
    Room("warehouse, cardioid", WAREHOUSE, 8.5, rir="warehouse_cardiod-25-12"),
    Room("warehouse, figure of eight", WAREHOUSE, 8.5, rir="warehouse_bipolar-25-12"),
)


@dataclass(frozen=True)
class Condition:
    """What is added to the reverberant sound."""

    snr_db: int
    drift_ppm: int
    noise: str
    seed: int


def conditions(host: int, room: int) -> list[Condition]:
    """The noise levels and drifts of a host in a room, both as indices.

    The noise file goes round with host, room and level, so that each meets each; drifts share file and
    seed, so that their difference is the drift's.
    """
    found = []
    for level, snr_db in enumerate(SNRS_DB):
        noise = NOISES[(host + 3 * room + 7 * level) % len(NOISES)]
        seed = (host * len(ROOMS) + room) * len(SNRS_DB) + level
        found += [Condition(snr_db, drift_ppm, noise, seed) for drift_ppm in DRIFTS_PPM]
    return found


def scene_of(room: Room, condition: Condition | None = None) -> Scene:
    """The room, alone or with the noise and drift of a condition.

    A measured response keeps its own level and delay: the microphone's gain is set by the loudest sample,
    so only the delay of the file would tell distance, and it is measured.
    """
    data = data_folder()
    rir = str(data / "rir" / f"{room.rir}.flac") if room.rir else None
    distance_m = None if rir else room.distance_m
    rt60_s = room.rt60_s or 0.5
    if condition is None:
        return build_scene(distance_m, rt60_s, rir=rir)
    return build_scene(
        distance_m,
        rt60_s,
        condition.snr_db,
        ambient=str(data / "noise" / f"{condition.noise}.flac"),
        rir=rir,
        drift_ppm=condition.drift_ppm,
        seed=condition.seed,
    )


def response_of(room: Room) -> RoomResponse:
    """The room's response at 16 kHz with its measured RT60, direct-to-reverberant ratio and delay."""
    return impulse_response(scene_of(room))


def noise_path(name: str) -> str:
    """Path of a noise file."""
    return str(data_folder() / "noise" / f"{name}.flac")
