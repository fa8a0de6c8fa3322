"""From the options --distance, --rt60, --snr ... to a scene, and back into words."""

import dataclasses
from pathlib import Path
from typing import Any

from acoustic_sim.room import RoomResponse
from acoustic_sim.scene import AMBIENT_KINDS, NAMED_SCENES, Ambient, Scene, build_scene
from firmware_model.cli.terminal.output import number
from fixedpoint.errors import ConfigError

DEFAULT_RT60_S = 0.5
DEFAULT_NOISE = "cafe"


def from_options(
    distance_m: float | None,
    rt60_s: float | None,
    snr_db: float | None,
    noise: str | None,
    rir: str | None,
    drift_ppm: float | None,
    name: str | None,
    seed: int,
) -> Scene:
    """The scene that the options describe; None is an option that was not given.

    Raises
    ------
    ConfigError, AudioError
        Options that exclude each other or are missing; values out of range; a file that is not there.
    """
    if name is not None:
        return _named(name, distance_m, rt60_s, snr_db, noise, rir, drift_ppm, seed)
    if rir is None and distance_m is None:
        raise ConfigError("--distance: missing; give metres, or --rir FILE, or --scene NAME")
    if rir is not None and rt60_s is not None:
        raise ConfigError("--rt60: a measured room has its own; drop --rt60 or --rir")
    if noise is not None and snr_db is None:
        raise ConfigError("--noise: its level is missing; add --snr")
    return build_scene(
        distance_m,
        DEFAULT_RT60_S if rt60_s is None else rt60_s,
        snr_db,
        ambient=DEFAULT_NOISE if noise is None else noise,
        rir=rir,
        drift_ppm=0.0 if drift_ppm is None else drift_ppm,
        seed=seed,
    )


def _named(
    name: str,
    distance_m: float | None,
    rt60_s: float | None,
    snr_db: float | None,
    noise: str | None,
    rir: str | None,
    drift_ppm: float | None,
    seed: int,
) -> Scene:
    """A named scene; noise and drift may be set anew, the room is the scene's."""
    if name not in NAMED_SCENES:
        raise ConfigError(f"--scene {name}: must be one of {', '.join(NAMED_SCENES)}")
    for option, value in (("--distance", distance_m), ("--rt60", rt60_s), ("--rir", rir)):
        if value is not None:
            raise ConfigError(f"{option}: the scene {name} has its own; drop {option} or --scene")
    scene = NAMED_SCENES[name]
    ambient, microphone = scene.ambient, scene.microphone
    if noise is not None:
        # As build_scene takes it: a kind, or else a file, which Ambient looks for.
        is_kind = noise in AMBIENT_KINDS
        if not is_kind and not Path(noise).is_file():
            raise ConfigError(f"--noise {noise}: must be one of {', '.join(AMBIENT_KINDS)}, or a sound file")
        ambient = Ambient(noise if is_kind else ambient.kind, None if is_kind else noise, ambient.snr_db)
    if snr_db is not None:
        ambient = dataclasses.replace(ambient, snr_db=snr_db)
    if drift_ppm is not None:
        microphone = dataclasses.replace(microphone, drift_ppm=drift_ppm)
    return dataclasses.replace(scene, ambient=ambient, microphone=microphone, seed=seed)


def facts(scene: Scene, response: RoomResponse) -> dict[str, Any]:
    """The scene as --json prints it; reverberation is what was measured on the response."""
    ambient = scene.ambient
    return {
        "distance_m": response.distance_m,
        "rt60_s": response.rt60_s,
        "drr_db": response.drr_db,
        "delay_s": response.delay_s,
        "snr_db": ambient.snr_db,
        "noise": None if ambient.snr_db is None else ambient.path or ambient.kind,
        "drift_ppm": scene.microphone.drift_ppm,
    }


def in_words(facts: dict[str, Any]) -> str:
    """One line, with units: what `facts` or `Heard` say of the room, and of the mark where that is there."""
    words = [
        number(facts["distance_m"], 1, " m") if facts["distance_m"] is not None else "distance not known",
        f"RT60 {facts['rt60_s']:.2f} s",
        f"direct to reverberant {facts['drr_db']:.1f} dB",
        f"delay {1000 * facts['delay_s']:.1f} ms",
    ]
    if facts["snr_db"] is None:
        words.append("no ambient noise")
    else:
        noise = f" ({Path(facts['noise']).name})" if facts.get("noise") else ""
        words.append(f"SNR {facts['snr_db']:g} dB{noise}")
    if facts.get("drift_ppm"):
        words.append(f"clock drift {facts['drift_ppm']:g} ppm")
    if "mode" in facts:
        highest = "up to " if facts["mode"] == "informed" else ""
        words.append(f"{facts['mode']} marks, strength {highest}{facts['strength_db']:g} dB")
    return ", ".join(words)
