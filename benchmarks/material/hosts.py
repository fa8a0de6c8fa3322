"""The programme material that is marked, and its classes."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from firmware_model.pcm import read_audio, to_mono
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import ConfigError

MUSIC, DRUMS, SPEECH = "sustained music", "drum loops", "speech"
CLASSES = (MUSIC, DRUMS, SPEECH)
MARKS = 4  # consecutive marks that every host must have room for
KEY_SEED = 20190519
ALEXA_SECONDS = 40.0
ALEXA_NAME = "alexa_words"
DATA_FOLDERS = ("music", "speech", "rir", "noise")

# The only place where a class is decided, from what the file is and not from how well marks are found in it.
# "Drum loops" are those that their source lists as drums and percussion alone; between two hits they hold
# little that a mark could hide in. Everything else with instruments, drums or not, is sustained music.
MUSIC_CLASSES: dict[str, tuple[str, str]] = {
    "brahms_hungarian5_strings": (MUSIC, "string orchestra"),
    "hyde_acoustic_rock": (MUSIC, "guitars, bass and drums"),
    "ibm_jazz_guitar": (MUSIC, "solo guitar, notes ring on"),
    "ibm_piano": (MUSIC, "solo piano, notes ring on"),
    "macleod_outfoxing": (MUSIC, "jazz band with drums"),
    "macleod_sugar_plum_fairy": (MUSIC, "orchestra, sparse"),
    "maddirtmonkey_electronic_happy": (MUSIC, "electronic song, synthesisers and drums"),
    "novarina_piano_chill": (MUSIC, "piano, quiet"),
    "scott_hamster_haven": (MUSIC, "game music, tune and bass"),
    "wna_bleepy_103bpm": (MUSIC, "synthesiser and drum machine, mostly bass"),
    "wna_diorama_128bpm": (MUSIC, "synthesiser loop"),
    "sonicpi_arovane_beat_a": (DRUMS, "electronic beat"),
    "sonicpi_arovane_beat_d": (DRUMS, "electronic beat"),
    "sonicpi_loop_breakbeat_x8": (DRUMS, "acoustic break-beat, one bar eight times"),
    "sonicpi_loop_compus": (DRUMS, "percussion loop, silent between the hits"),
    "sonicpi_loop_garzul": (DRUMS, "percussion loop"),
    "sonicpi_loop_mika": (DRUMS, "rhythm loop"),
}


@dataclass(frozen=True)
class Host:
    """One programme: what is marked, and the key it is marked with.

    samples : (n,) float64, mono, at fs_hz, the file's own rate; repeated end to end to hold MARKS marks + 1 s
    repeats : how often the file is played
    """

    name: str
    kind: str
    samples: np.ndarray
    fs_hz: int
    repeats: int
    key: Key

    @property
    def seconds(self) -> float:
        """Duration, seconds."""
        return len(self.samples) / self.fs_hz


def data_folder() -> Path:
    """$BITTRUE_DATA, checked.

    Raises
    ------
    ConfigError
        Not set, or without the folders that are read.
    """
    needed = ", ".join(f"{name}/" for name in DATA_FOLDERS)
    folder = os.environ.get("BITTRUE_DATA")
    if not folder:
        raise ConfigError(f"BITTRUE_DATA is not set; use: export BITTRUE_DATA=<folder that holds {needed}>")
    missing = [name for name in DATA_FOLDERS if not (Path(folder) / name).is_dir()]
    if missing:
        raise ConfigError(f"BITTRUE_DATA={folder}: no folder {missing[0]}/ there; {needed} are needed")
    return Path(folder)


def host_names() -> list[str]:
    """All hosts: music and drum loops in the table's order, speech files, the joined single words.

    Raises
    ------
    ConfigError
        A music file that is in no class.
    """
    data = data_folder()
    music = {path.stem for path in (data / "music").glob("*.flac")}
    unknown = sorted(music - MUSIC_CLASSES.keys())
    if unknown:
        raise ConfigError(
            f"music/{unknown[0]}.flac: no class in benchmarks/hosts.py, add it to MUSIC_CLASSES"
        )
    speech = sorted(path.stem for path in (data / "speech").glob("*.flac"))
    return [name for name in MUSIC_CLASSES if name in music] + speech + [ALEXA_NAME]


def class_of(name: str) -> str:
    """Class of a host."""
    return MUSIC_CLASSES[name][0] if name in MUSIC_CLASSES else SPEECH


def load_host(name: str) -> Host:
    """Read a host and repeat it to the least duration."""
    data = data_folder()
    if name == ALEXA_NAME:
        x, fs_hz = alexa_words(ALEXA_SECONDS)
    else:
        folder = "music" if name in MUSIC_CLASSES else "speech"
        audio = read_audio(data / folder / f"{name}.flac")
        x, fs_hz = to_mono(audio.samples), audio.fs_hz
    least = round((MARKS * WatermarkConfig().mark_seconds + 1.0) * fs_hz)
    repeats = -(-least // len(x))
    return Host(name, class_of(name), np.tile(x, repeats), fs_hz, repeats, host_key(name))


def host_key(name: str) -> Key:
    """The key a host is marked with: 64 bits drawn from KEY_SEED and the host's name."""
    rng = np.random.default_rng([KEY_SEED, *name.encode()])
    return Key.from_hex(rng.bytes(8).hex())


@cache
def alexa_words(seconds: float) -> tuple[np.ndarray, int]:
    """The word "Alexa" by many people, clip after clip in the order of the files, until `seconds` are full.

    Returns
    -------
    x : (n,) float64;  fs_hz : int
    """
    clips, total, fs_hz = [], 0, 16000
    for path in sorted((data_folder() / "speech" / "alexa").glob("*.flac")):
        clips.append(to_mono(read_audio(path, fs_hz=fs_hz).samples))
        total += len(clips[-1])
        if total >= seconds * fs_hz:
            break
    if not clips:
        raise ConfigError(f"{data_folder()}/speech/alexa: no .flac file there")
    return np.concatenate(clips), fs_hz
