"""What the dynamics processor is measured with: profiles and recordings."""

from pathlib import Path

import numpy as np

from benchmarks.material.hosts import data_folder
from firmware_model.dynamics.settings.params import SAMPLE_RATES
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.pcm import read_audio, to_mono, to_q15
from fixedpoint.errors import AudioError

PROFILES = ("smart-speaker", "conventional", "headset", "transparent")  # measured, its baseline, others
PEAK_DBFS = -1.0
QUICK_MUSIC = ("macleod_outfoxing", "sonicpi_loop_mika")


def check_profiles(profiles: tuple[str, ...]) -> None:
    """Load each for every rate and number of channels: what cannot be is said before the long run.

    Raises
    ------
    ConfigError
    """
    for profile in profiles:
        for fs_hz in SAMPLE_RATES:
            for channels in (1, 2):
                load_profile(profile, fs_hz, channels)


def music_files(quick: bool) -> list[Path]:
    """All music, or of a trial two pieces."""
    paths = sorted((data_folder() / "music").rglob("*.flac"))
    return [path for path in paths if path.stem in QUICK_MUSIC] if quick else paths


def programmes(quick: bool) -> dict[str, list[Path]]:
    """All recordings by the name of their row: a row each, the many clips of one word in one row.

    Of a trial: two pieces of music, the first speech recording, and five clips.
    """
    speech = data_folder() / "speech"
    single = sorted(speech.glob("*.flac"))
    rows = {path.stem: [path] for path in (*music_files(quick), *(single[:1] if quick else single))}
    for folder in sorted(path for path in speech.iterdir() if path.is_dir()):
        clips = sorted(folder.rglob("*.flac"))[: 5 if quick else None]
        rows[f"{folder.name} ({len(clips)} clips)"] = clips
    return rows


def load_programme(path: Path) -> tuple[np.ndarray, int]:
    """A recording as one channel, its peak at -1 dBFS.

    Returns
    -------
    x_q15 : (1, n) int16, RND;  fs_hz : int, the file's own

    Raises
    ------
    AudioError
        Unreadable, or silent.
    """
    audio = read_audio(path)
    x = to_mono(audio.samples)
    peak = float(np.abs(x).max())
    if peak == 0:
        raise AudioError(f"{path}: silence found; a recording is needed")
    return to_q15(x * (10 ** (PEAK_DBFS / 20) / peak))[None], audio.fs_hz
