"""Loudspeakers: a band-limited one for the acoustic path, and a large-signal one to judge processors by.

`play` costs two filters and serves the channel. `simulate` solves the small closed box that a dynamics
processor protects: excursion, force factor and stiffness that change with it, an amplifier that clips at a
rail that sags. The measures say what a listener gets from it: loudness, bass, distortion.
"""

from acoustic_sim.loudspeaker.band_limited import Player, play
from acoustic_sim.loudspeaker.driver import Amplifier, Driver
from acoustic_sim.loudspeaker.excursion import gain_for_excursion
from acoustic_sim.loudspeaker.large_signal import Response, simulate
from acoustic_sim.loudspeaker.loudness import LoudnessMeter
from acoustic_sim.loudspeaker.measures import (
    Harmonics,
    ProgrammeDistortion,
    measure_bass_gain,
    measure_bass_level,
    measure_distortion,
    measure_loudness,
    measure_thd,
)
from acoustic_sim.loudspeaker.playing import Playing, Tone, measure_played_tone, measure_playing

__all__ = [
    "Amplifier",
    "Driver",
    "Harmonics",
    "LoudnessMeter",
    "Player",
    "Playing",
    "ProgrammeDistortion",
    "Response",
    "Tone",
    "gain_for_excursion",
    "measure_bass_gain",
    "measure_bass_level",
    "measure_distortion",
    "measure_loudness",
    "measure_played_tone",
    "measure_playing",
    "measure_thd",
    "play",
    "simulate",
]
