"""A sweep as one writes it by hand: pyroomacoustics in a loop, each row from its begin, nothing kept.

The rooms, places, programmes, keys and noise levels are those of a plan; so are embedder and detector. What a
loop in a notebook leaves out is left out: no RT60 is corrected by measuring, no float reference runs beside.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyroomacoustics as pra
import soxr

from acoustic_sim.noise import ambient, scale_to_snr
from acoustic_sim.placement import place, room_size_for
from acoustic_sim.programmes.excitation import synthesise
from acoustic_sim.sweep.design import Condition
from firmware_model.pcm import to_q15
from firmware_model.watermark.detector import detect
from firmware_model.watermark.embedding.embedder import embed
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig

FS_HZ, HOST_FS_HZ = 16000, 48000
PEAK = 10 ** (-12 / 20)


class ByHand(NamedTuple):
    """Seconds of all rows, and of their stages; detections, to see that it works."""

    seconds: float
    stages: dict[str, float]
    found: int


def by_hand(conditions: Sequence[Condition]) -> ByHand:
    """Compute every row of a plan that has distances, RT60s, SNRs and keys."""
    stages = dict.fromkeys(("programme and mark", "room", "noise and microphone", "detector"), 0.0)
    begun, found = time.perf_counter(), 0
    for condition in conditions:
        found += _row(condition, stages)
    return ByHand(time.perf_counter() - begun, stages, found)


def _row(condition: Condition, stages: dict[str, float]) -> int:
    values, config = condition.values, WatermarkConfig()
    marks = [time.perf_counter()]
    key = Key.from_hex(values["key"])
    host = synthesise(condition.programme, condition.seconds, HOST_FS_HZ, condition.seed)
    marked = soxr.resample(embed(host, HOST_FS_HZ, key, config=config).y, HOST_FS_HZ, FS_HZ)
    marks.append(time.perf_counter())
    size_m = room_size_for(values["distance_m"])
    loudspeaker_m, microphone_m = place(size_m, values["distance_m"])
    absorption, order = pra.inverse_sabine(values["rt60_s"], size_m)
    room = pra.ShoeBox(size_m, fs=FS_HZ, materials=pra.Material(absorption), max_order=order)
    room.add_source(loudspeaker_m, signal=marked)
    room.add_microphone(microphone_m)
    room.simulate()
    heard = room.mic_array.signals[0]
    marks.append(time.perf_counter())
    bed = ambient(values["noise"], len(heard), FS_HZ, condition.seed)
    heard = heard + scale_to_snr(heard, bed, values["snr_db"])
    pcm = to_q15(heard * (PEAK / np.abs(heard).max()))
    marks.append(time.perf_counter())
    others = [Key(bytes([index, *range(7)])) for index in range(condition.impostor_keys)]
    detections = detect(pcm, [key, *others], config).detections
    marks.append(time.perf_counter())
    for name, seconds in zip(stages, np.diff(marks), strict=True):
        stages[name] += float(seconds)
    return any(detection.key == 0 for detection in detections)
