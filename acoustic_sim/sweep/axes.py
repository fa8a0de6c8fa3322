"""The axes of a plan: what each may be, and what it is where the plan says nothing.

A product's `study` lists its own, in the order of a table's columns, which is that of its rows as well: the
first varies slowest. Most are made by the functions here; those between loudspeaker and microphone stand here
ready made.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from acoustic_sim.codec import NONE, parse_codec
from acoustic_sim.placement import MIN_DISTANCE_M
from acoustic_sim.scene import AMBIENT_KINDS, MAX_DISTANCE_M, Loudspeaker
from acoustic_sim.sound_files.opened import MORE_FORMATS, open_sound
from acoustic_sim.sound_files.samples import SoundError
from fixedpoint.errors import did_you_mean
from fixedpoint.remarks import remark


class Asked(NamedTuple):
    """What a product asks of a plan.

    axes : in the order of a table's columns
    checks : for an axis, what more the product asks of a value, and for "programme" and "seconds", see
        `plan_tables.read_programme`; raises BittrueError
    """

    axes: "tuple[Axis, ...]"
    checks: Mapping[str, Callable[[Any], object]] = MappingProxyType({})


Products = Mapping[str, Callable[[], Asked]]  # by name, in the order that messages list them

LOUDSPEAKERS: dict[str, Loudspeaker] = {
    "smart-speaker": Loudspeaker(),
    "small": Loudspeaker(low_cut_hz=250.0, high_cut_hz=14000.0, nonlinearity=0.1),  # of a phone or a toy
    "television": Loudspeaker(low_cut_hz=160.0, high_cut_hz=12000.0),
    "ideal": Loudspeaker(low_cut_hz=None, nonlinearity=0.0),
}
PAIRED = "arithmetic"  # rows that differ in this alone hear the same PCM
OF_A_SIMULATED_ROOM = ("distance_m", "room_m", "rt60_s")
SNR_AT_MICROPHONE, SNR_AT_1M = "snr_db", "snr_1m_db"  # a plan has one of them at most


@dataclass(frozen=True)
class Axis:
    """One axis.

    name : str;  default : value where the plan has none
    column : float, int, str or list, the type of its values in a table; None is a value of any axis
    accepted : what a message says
    read : (value of TOML, folder of the plan) -> value; raises ValueError, with a message if it has more to
        say than `accepted`
    in_every_digest : False of an axis that older plans did not know: those without it keep their digest
    compared : value -> what is the same of two values that mean the same
    """

    name: str
    column: type
    default: Any
    accepted: str
    read: Callable[[Any, Path], Any]
    in_every_digest: bool = True
    compared: Callable[[Any], Any] = lambda value: value

    @property
    def spans(self) -> bool:
        """Whether {from, to} can stand for numbers between."""
        return self.column in (float, int)


def number(
    name: str, default: float | None, low: float, high: float, unit: str, word: str | None = None
) -> Axis:
    """A number in [low, high]; `word` stands for None."""

    def read(value: Any, folder: Path) -> float | None:
        if word is not None and value == word:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ValueError
        return float(value)

    also = f' or "{word}"' if word else ""
    return Axis(name, float, default, f"in [{low:g}, {high:g}] {unit}{also}", read)


def whole(name: str, default: int | None, low: int, high: int, unit: str, word: str) -> Axis:
    """An integer in [low, high]; `word` stands for None."""

    def read(value: Any, folder: Path) -> int | None:
        if value == word:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ValueError
        if value != round(value):
            raise ValueError
        return int(value)

    return Axis(name, int, default, f'an integer in [{low}, {high}] {unit} or "{word}"', read)


def choice(name: str, default: str, names: tuple[str, ...]) -> Axis:
    """One of some words."""

    def read(value: Any, folder: Path) -> str:
        if value not in names:
            raise ValueError(did_you_mean(value, names))
        return str(value)

    return Axis(name, str, default, f"one of {', '.join(names)}", read)


def text(name: str, default: str, pattern: str, accepted: str) -> Axis:
    """A text that a pattern fits."""

    def read(value: Any, folder: Path) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return Axis(name, str, default, accepted, read)


def sound(name: str, default: str | None, kinds: tuple[str, ...]) -> Axis:
    """A kind, or a sound file relative to the plan's folder."""

    def read(value: Any, folder: Path) -> str:
        if value in kinds:
            return str(value)
        if kinds and isinstance(value, str) and not Path(value).suffix:
            raise ValueError(did_you_mean(value, kinds))
        return read_sound(value, folder)

    of_kinds = f"one of {', '.join(kinds)}, or " if kinds else ""
    return Axis(name, str, default, f"{of_kinds}a WAV or FLAC file", read)


def profile(name: str, default: str) -> Axis:
    """A name, which whoever knows the product checks, or a TOML file relative to the plan's folder."""

    def read(value: Any, folder: Path) -> str:
        if not isinstance(value, str) or not value:
            raise ValueError
        if not value.lower().endswith(".toml"):
            return value
        return str(_file(value, folder))

    return Axis(name, str, default, "a profile's name, or a file that ends in .toml", read)


def room(name: str) -> Axis:
    """A room made to fit, or three sides, m."""

    def read(value: Any, folder: Path) -> Any:
        if value == "fit":
            return value
        if not isinstance(value, (list, tuple)) or len(value) != 3:
            raise ValueError
        if any(isinstance(side, bool) or not isinstance(side, (int, float)) for side in value):
            raise ValueError
        if not all(1.8 <= side <= 100 for side in value):
            raise ValueError
        return tuple(float(side) for side in value)

    return Axis(name, list, "fit", '"fit" or [length, width, height], each 1.8 to 100 m', read)


def codec(name: str) -> Axis:
    """A codec by its name, see `codec.parse_codec`."""

    def read(value: Any, folder: Path) -> str:
        if not isinstance(value, str):
            raise ValueError
        found = parse_codec(value)
        return NONE if found is None else str(found)

    return Axis(name, str, NONE, '"none", or a codec with kbit/s, such as "mp3-128"', read)


def read_sound(value: Any, folder: Path) -> str:
    """The absolute path of a sound file that can be opened.

    Raises
    ------
    ValueError
        What is wrong with it.
    """
    if not isinstance(value, str) or not value:
        raise ValueError
    path = _file(value, folder)
    try:
        with open_sound(path, lambda says: remark(f"{path}: {says}"), MORE_FORMATS) as sound:
            frames = sound.frames
    except SoundError as error:
        raise ValueError(str(error)) from error
    if not frames:
        raise ValueError("no samples found")
    return str(path)


def _file(name: str, folder: Path) -> Path:
    """The absolute path of a file; ValueError where there is none."""
    try:
        path = (folder / name).resolve()
        if path.is_dir():
            raise ValueError("a folder")
        if not path.is_file():
            raise ValueError("no such file")
    except OSError as error:  # such as a name that is too long
        raise ValueError(error.strerror or str(error)) from error
    return path


# Ahead of the loudspeaker, or of a processor before it. Where there is a microphone, the recording's level
# follows it, since the microphone's gain is the one for 0 dB, and so does the SNR where the noise has a level
# of its own (snr_1m_db); `snr_db` holds the SNR at every volume.
VOLUME = number("volume_db", 0.0, -60, 40, "dB")
ARITHMETIC = text(
    PAIRED, "q15", r"q15|float|q15\+[A-Za-z0-9_.:@/-]+", '"q15", "float", or "q15+FAULT" with a named fault'
)

# Programme over noise as it would be at 1 m in free field, at a volume of 0 dB: the noise has a level of its
# own, and the SNR at the microphone follows from volume, distance and room. 30 m take 30 dB at most, which
# leaves what `snr_db` may be.
SNR_1M_AXIS = replace(number(SNR_AT_1M, None, -10, 100, "dB", "none"), in_every_digest=False)

# What lies between the loudspeaker's input and the microphone's PCM, as `playback` takes it.
OF_THE_PATH: tuple[Axis, ...] = (
    number("distance_m", 3.0, MIN_DISTANCE_M, MAX_DISTANCE_M, "metres"),
    room("room_m"),
    number("rt60_s", 0.5, 0.05, 10, "seconds"),
    sound("rir", None, ()),
    choice("loudspeaker", "smart-speaker", tuple(LOUDSPEAKERS)),
    VOLUME,
    codec("codec"),
    whole("resample_hz", None, 8000, 192000, "Hz", "none"),
    number(SNR_AT_MICROPHONE, None, -40, 120, "dB", "none"),
    SNR_1M_AXIS,
    sound("noise", "cafe", AMBIENT_KINDS),
    number("clip_dbfs", 0.0, -60, 0, "dBFS"),
    number("drift_ppm", 0.0, -1000, 1000, "ppm"),
)
