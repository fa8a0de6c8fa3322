"""The path of a sweep's row, from what a player is fed to what a microphone delivers, each part as an axis.

Codec, a device that resamples, volume, loudspeaker, room; ambient noise, clipping, a clock that drifts.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soxr

from acoustic_sim import channel
from acoustic_sim import codec as codecs
from acoustic_sim import noise as noises
from acoustic_sim.border.array_store import cached, content_key, source_key
from acoustic_sim.channel import at_one_metre, listen, through_room
from acoustic_sim.codec import parse_codec, transcode
from acoustic_sim.noise import ambient, scale_to_snr
from acoustic_sim.placement import room_size_for
from acoustic_sim.room import RoomResponse, impulse_response
from acoustic_sim.scene import AMBIENT_KINDS, Ambient, Loudspeaker, MeasuredRoom, Microphone, Scene, Shoebox
from acoustic_sim.sweep.axes import LOUDSPEAKERS, SNR_AT_1M, SNR_AT_MICROPHONE
from fixedpoint.errors import AudioError, ConfigError

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

# How messages about a file begin that name it otherwise, or not at all -> what is left of that.
_UNNAMED = (
    (r"^(ambient|rir)='[^']*': ", ""),
    (r"^h of shape \(0,\).*", "too short for the microphone's rate"),
    (r"^(h is|h of|ambient file of) ", ""),
    (r"^(ambient|rir)\[", "samples["),
)

Values = Mapping[str, Any]


class Arriving(NamedTuple):
    """What arrives at the microphone before there is noise.

    reverberant : (n,) float64 at the microphone's rate;  response : of the room it came through
    at_0_db : (n,) float64, the same programme at a volume of 0 dB; at that volume `reverberant` itself
    over_1m_db : level of at_0_db over that of its sound at 1 m in free field; None of silence
    """

    reverberant: np.ndarray
    response: RoomResponse
    at_0_db: np.ndarray
    over_1m_db: float | None


class Recorded(NamedTuple):
    """pcm : (m,) int16, Q1.15, of the microphone;  snr_db : at it, None without noise."""

    pcm: np.ndarray
    snr_db: float | None


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
        try:
            x = cached("coded", key, lambda: {"y": transcode(x, fs_hz, wanted).y})["y"]
        except ConfigError as error:
            of_a_rate = str(error).startswith("fs_hz=")
            raise ConfigError(f"{error} for codec {wanted}" if of_a_rate else str(error)) from error
    device_hz = values["resample_hz"]
    if device_hz is not None and device_hz != fs_hz:
        there = soxr.resample(x, fs_hz, device_hz, "VHQ")
        back = soxr.resample(there, device_hz, fs_hz, "VHQ")[: len(x)]
        x = np.pad(back, (0, len(x) - len(back)))
    return x


def before_noise(x: np.ndarray, fs_hz: int, scene: Scene) -> Arriving:
    """`channel.reverberate`, the room that it came through, and the same at a volume of 0 dB."""
    response = _response(scene.room, scene.distance_m, scene.microphone.fs_hz)
    reverberant = through_room(at_one_metre(x, fs_hz, scene), response)
    unturned = replace(scene, loudspeaker=replace(scene.loudspeaker, gain_db=0.0))
    near = at_one_metre(x, fs_hz, unturned)
    at_0_db = reverberant if unturned == scene else through_room(near, response)
    powers = np.mean(at_0_db**2), np.mean(near**2)
    over_1m_db = float(10 * np.log10(powers[0] / powers[1])) if all(powers) else None
    return Arriving(reverberant, response, at_0_db, over_1m_db)


def record(arriving: Arriving, scene: Scene, values: Values) -> Recorded:
    """What the microphone delivers of what arrives, with noise and gain as the volume leaves them.

    Notes
    -----
    The noise has one level all over the room and at every volume: at a volume of 0 dB the SNR is

        snr_db = snr_1m_db + 10 log10(mean(at_0_db^2) / mean(near^2))

    near being what the loudspeaker gives at 1 m in free field, each mean over the whole of its signal, as
    `noise.scale_to_snr` takes it; at another volume it differs by what the loudspeaker makes of that. An SNR
    that is given at the microphone is held instead: there the noise follows the programme.
    The microphone's gain is the one that puts the loudest sample at its nominal level, peak_dbfs, at a volume
    of 0 dB: the recording's level follows the volume, down to the self-noise and up to where the ADC clips.

    Raises
    ------
    AudioError
        Nothing arrives: silence has no SNR.
    """
    scene = with_noise_level(scene, values, arriving)
    y, at_0_db, snr_db = arriving.reverberant, arriving.at_0_db, scene.ambient.snr_db
    if y is at_0_db:
        return Recorded(at_the_microphone(y, scene), snr_db)
    if snr_db is None:
        return Recorded(channel.record(y, scene, at_0_db), None)
    bed = _begin_of_bed(scene, len(y))
    noise = scale_to_snr(at_0_db, bed, snr_db)
    set_by = at_0_db + noise
    if values[SNR_AT_1M] is None:
        noise = scale_to_snr(y, bed, snr_db)
    else:
        snr_db += float(10 * np.log10(np.mean(y**2) / np.mean(at_0_db**2)))
    return Recorded(channel.record(y + noise, scene, set_by), snr_db)


def with_noise_level(scene: Scene, values: Values, arriving: Arriving) -> Scene:
    """The scene with the SNR that one given at 1 m comes to at the microphone, at a volume of 0 dB.

    As it is where none is given; see `record`.

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
    return listen(reverberant, scene, _begin_of_bed(scene, len(reverberant)))


def _begin_of_bed(scene: Scene, n: int) -> np.ndarray:
    """(n,) float64 of any level."""
    fs_hz, path = scene.microphone.fs_hz, scene.ambient.path
    bed_samples = round(-(-n // (_BED_SECONDS * fs_hz)) * _BED_SECONDS * fs_hz)
    changed_ns = Path(path).stat().st_mtime_ns if path else 0
    return _bed(path or scene.ambient.kind, changed_ns, bed_samples, fs_hz, scene.seed)[:n]


@lru_cache(maxsize=16)
def _bed(kind_or_path: str, changed_ns: int, n: int, fs_hz: int, seed: int) -> np.ndarray:
    """changed_ns : of the file, so that another content is no hit."""
    content: object = Path(kind_or_path).read_bytes() if changed_ns else kind_or_path
    key = content_key("noise", content, n, fs_hz, seed, source_key(noises), np.__version__)
    with _said_of("noise", kind_or_path):
        y = cached("noise", key, lambda: {"y": ambient(kind_or_path, n, fs_hz, seed)})["y"]
    y.setflags(write=False)
    return y


@lru_cache(maxsize=16)
def _response(room: Shoebox | MeasuredRoom, distance_m: float | None, fs_hz: int) -> RoomResponse:
    if isinstance(room, Shoebox):
        return impulse_response(room, distance_m, fs_hz=fs_hz)
    with _said_of("rir", room.path):
        return impulse_response(room, distance_m, fs_hz=fs_hz)


def check_response(path: str) -> None:
    """Refuse a measured response that no row could use.

    Raises
    ------
    AudioError
    """
    _response(MeasuredRoom(path), None, Microphone().fs_hz)


@contextmanager
def _said_of(axis: str, path: str) -> Iterator[None]:
    """What is wrong with a file is said with the axis and the file's name."""
    try:
        yield
    except AudioError as error:
        line = str(error)
        for pattern, words in _UNNAMED:
            line = re.sub(pattern, words, line)
        raise AudioError(f"{axis}={path!r}: {line}") from error
