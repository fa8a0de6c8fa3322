"""The path of a sweep's row, from what a player is fed to what a microphone delivers, each part as an axis.

Codec, a device that resamples, volume, loudspeaker, room; ambient noise, clipping, a clock that drifts.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soxr

from acoustic_sim import codec as codecs
from acoustic_sim import noise as noises
from acoustic_sim.array_store import cached, content_key, source_key
from acoustic_sim.channel import at_one_metre, listen, through_room
from acoustic_sim.codec import parse_codec, transcode
from acoustic_sim.noise import ambient
from acoustic_sim.placement import room_size_for
from acoustic_sim.room import RoomResponse, impulse_response
from acoustic_sim.scene import AMBIENT_KINDS, Ambient, Loudspeaker, MeasuredRoom, Microphone, Scene, Shoebox
from acoustic_sim.sweep.axes import LOUDSPEAKERS, SNR_AT_1M, SNR_AT_MICROPHONE
from fixedpoint.errors import AudioError

BEFORE_NOISE = (  # axes that decide what arrives at the microphone
    "codec",
    "resample_hz",
    "volume_db",
    "loudspeaker",
    "distance_m",
    "room_m",
    "rt60_s",
    "rir",
)
AT_THE_MICROPHONE = (SNR_AT_MICROPHONE, SNR_AT_1M, "noise", "clip_dbfs", "drift_ppm")
_BED_SECONDS = 4.0  # beds are made in whole multiples: recordings of about a length share one

Values = Mapping[str, Any]


class Arriving(NamedTuple):
    """What arrives at the microphone before there is noise.

    reverberant : (n,) float64 at the microphone's rate;  response : of the room it came through
    over_1m_db : its level over that of the same sound at 1 m in free field; None of silence
    """

    reverberant: np.ndarray
    response: RoomResponse
    over_1m_db: float | None


def scene_of(values: Values, seed: int) -> Scene:
    """The scene that the axes describe; codec, resampling and an SNR given at 1 m are no part of it.

    values : of the axes of `sweep.axes`, all of them;  seed : of noise and microphone

    Raises
    ------
    ConfigError, AudioError
        A value out of range, a distance that does not fit, a file that is not there.
    """
    if values["rir"] is not None:
        room: Shoebox | MeasuredRoom = MeasuredRoom(values["rir"])
    else:
        size = values["room_m"]
        room = Shoebox(
            room_size_for(values["distance_m"]) if size == "fit" else tuple(size), values["rt60_s"]
        )
    kind = values["noise"]
    loudspeaker: Loudspeaker = LOUDSPEAKERS[values["loudspeaker"]]
    is_kind = kind in AMBIENT_KINDS
    return Scene(
        room=room,
        distance_m=None if values["rir"] is not None else values["distance_m"],
        loudspeaker=replace(loudspeaker, gain_db=values["volume_db"]),
        ambient=Ambient(kind, None, values["snr_db"]) if is_kind else Ambient("cafe", kind, values["snr_db"]),
        microphone=Microphone(clip_dbfs=values["clip_dbfs"], drift_ppm=values["drift_ppm"]),
        seed=seed,
    )


def at_the_loudspeaker(x: np.ndarray, fs_hz: int, x_key: str, values: Values) -> np.ndarray:
    """What a player's stream is when it reaches the loudspeaker: coded, then resampled there and back.

    x : (n,) float, full scale 1.0;  x_key : hex digits, what decides `x`: coded programmes are kept by it
    """
    wanted = parse_codec(values["codec"])
    if wanted is not None:
        key = content_key("coded", x_key, str(wanted), source_key(codecs), *codecs.codec_versions())
        x = cached("coded", key, lambda: {"y": transcode(x, fs_hz, wanted).y})["y"]
    device_hz = values["resample_hz"]
    if device_hz is not None and device_hz != fs_hz:
        there = soxr.resample(x, fs_hz, device_hz, "VHQ")
        back = soxr.resample(there, device_hz, fs_hz, "VHQ")[: len(x)]
        x = np.pad(back, (0, len(x) - len(back)))
    return x


def before_noise(x: np.ndarray, fs_hz: int, scene: Scene) -> Arriving:
    """`channel.reverberate`, and the room that it came through."""
    response = _response(scene.room, scene.distance_m, scene.microphone.fs_hz)
    near = at_one_metre(x, fs_hz, scene)
    reverberant = through_room(near, response)
    powers = np.mean(reverberant**2), np.mean(near**2)
    return Arriving(
        reverberant, response, float(10 * np.log10(powers[0] / powers[1])) if all(powers) else None
    )


def with_noise_level(scene: Scene, values: Values, arriving: Arriving) -> Scene:
    """The scene with the SNR at the microphone that one given at 1 m comes to; as it is where none is given.

    Notes
    -----
    The noise has one level all over the room; the programme has the one that loudspeaker, volume included,
    room and distance give it:

        snr_db = snr_1m_db + 10 log10(mean(reverberant^2) / mean(near^2))

    near being what the loudspeaker gives at 1 m in free field, each mean over the whole of its signal, as
    `noise.scale_to_snr` takes it.

    Raises
    ------
    AudioError
        Nothing arrives: silence has no SNR.
    """
    if values[SNR_AT_1M] is None:
        return scene
    if arriving.over_1m_db is None:
        raise AudioError(f"{SNR_AT_1M}={values[SNR_AT_1M]:g}: the programme is silent; an SNR needs power")
    snr_db = values[SNR_AT_1M] + arriving.over_1m_db
    return replace(scene, ambient=replace(scene.ambient, snr_db=snr_db))


def at_the_microphone(reverberant: np.ndarray, scene: Scene) -> np.ndarray:
    """`channel.listen` with noise that is kept: (n,) float -> (m,) int16, Q1.15.

    Notes
    -----
    The noise is the begin of a bed, made in whole multiples of 4 s: another draw than `listen` makes.
    """
    if scene.ambient.snr_db is None:
        return listen(reverberant, scene)
    n, fs_hz = len(reverberant), scene.microphone.fs_hz
    bed_samples = round(-(-n // (_BED_SECONDS * fs_hz)) * _BED_SECONDS * fs_hz)
    return listen(reverberant, scene, _noise_bed(scene.ambient, bed_samples, fs_hz, scene.seed)[:n])


def _noise_bed(wanted: Ambient, n: int, fs_hz: int, seed: int) -> np.ndarray:
    path = wanted.path
    return _bed(path or wanted.kind, Path(path).stat().st_mtime_ns if path else 0, n, fs_hz, seed)


@lru_cache(maxsize=16)
def _bed(kind_or_path: str, changed_ns: int, n: int, fs_hz: int, seed: int) -> np.ndarray:
    """changed_ns : of the file, so that another content is no hit."""
    content: object = Path(kind_or_path).read_bytes() if changed_ns else kind_or_path
    key = content_key("noise", content, n, fs_hz, seed, source_key(noises), np.__version__)
    y = cached("noise", key, lambda: {"y": ambient(kind_or_path, n, fs_hz, seed)})["y"]
    y.setflags(write=False)
    return y


@lru_cache(maxsize=16)
def _response(room: Shoebox | MeasuredRoom, distance_m: float | None, fs_hz: int) -> RoomResponse:
    return impulse_response(room, distance_m, fs_hz=fs_hz)
