"""False alarms: unmarked real audio against many keys at once, through the Q15 detector.

All music, drum loops, speech, single words and ambient noise are heard as they are, through a simulated room
and in a warehouse, both with noise. Nothing is marked, so every report is a false alarm. Keys are independent
of the audio and of each other: over keys a score has mean 0 and variance 1 for any audio, so many keys over
the same audio are a fair sample of that audio. What they cannot show is audio that is not there; hence the
classes.
"""

import argparse
from typing import Any, NamedTuple

import numpy as np
import soxr

from acoustic_sim.channel import listen, reverberate
from acoustic_sim.scene import build_scene
from acoustic_sim.sweep.tails import block_hops, block_maxima, peaks_above
from benchmarks.false_alarms.tables import summarise
from benchmarks.harness.pool import run_tasks
from benchmarks.harness.report import arguments, publish, run
from benchmarks.material.hosts import CLASSES, DRUMS, class_of, data_folder, host_names, load_host
from benchmarks.material.rooms import NOISES, noise_path
from firmware_model.pcm import read_audio, to_mono, to_q15
from firmware_model.watermark.detector import detect
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig

WORDS, AMBIENT = "single words", "ambient noise"
STREAMS = (*CLASSES, WORDS, AMBIENT)
HEARD = ("direct", "room 8 m, 0.5 s, café at 15 dB", "warehouse 8.5 m, tap at 10 dB")
LOOP_SECONDS = 24.0  # a drum loop is played for this long: eleven marks at a steady tempo
KEYS, BATCH_KEYS = 256, 64  # in all, and at once
KEY_SEED = 903_08238
PEAKS_FROM = 3.0  # peaks of the score are kept from here on
Z_EDGES = np.arange(-10, 10.05, 0.1)


class StreamResult(NamedTuple):
    """What one stream gave for one batch of keys.

    detections : rows (key, seconds into the stream, score, marks)
    z_counts : histogram over Z_EDGES of single-mark scores of all patterns, once a mark's length was heard
    z_powers : (5,) number, sum, sum of squares, cubes and fourth powers of these
    block_max : (blocks, keys) largest integrated score in each block
    peaks : (n, 2): block and score of each peak of the integrated score from PEAKS_FROM on
    """

    stream: str
    heard: str
    seconds: float
    keys: int
    detections: list[tuple[int, float, float, int]]
    z_counts: np.ndarray
    z_powers: np.ndarray
    block_max: np.ndarray
    peaks: np.ndarray


def programme(stream: str, quick: bool) -> tuple[np.ndarray, list[tuple[str, float]]]:
    """All files of a class one after the other, at 16 kHz and their own levels.

    Returns
    -------
    x : (n,) float64
    parts : (file, seconds at which it begins)
    """
    data, fs_hz = data_folder(), WatermarkConfig().fs_hz
    if stream == WORDS:
        paths = sorted((data / "speech" / "alexa").glob("*.flac"))
    elif stream == AMBIENT:
        paths = [data / "noise" / f"{name}.flac" for name in NOISES]
    else:
        names = [name for name in host_names() if class_of(name) == stream]
        folders = ("music", "speech")
        found = [data / folder / f"{name}.flac" for name in names for folder in folders]
        paths = [path for path in found if path.is_file()]
    pieces, parts, total = [], [], 0
    for path in paths[:3] if quick else paths:
        audio = read_audio(path, fs_hz=fs_hz, resample=True)
        x = to_mono(audio.samples)
        if stream == DRUMS:
            # At its own rate, so that the loop closes without a seam.
            host = load_host(path.stem)
            loop = host.samples[: len(host.samples) // host.repeats]
            x = _resampled(
                np.tile(loop, -(-round(LOOP_SECONDS * host.fs_hz) // len(loop))), host.fs_hz, fs_hz
            )
        parts.append((path.stem, total / fs_hz))
        pieces.append(x)
        total += len(x)
    return np.concatenate(pieces), parts


def as_heard(x: np.ndarray, heard: str) -> np.ndarray:
    """(n,) float -> int16 PCM: as it is, or through a room with noise."""
    fs_hz = WatermarkConfig().fs_hz
    if heard == HEARD[0]:
        return to_q15(x)
    if heard == HEARD[1]:
        scene = build_scene(8.0, 0.5, 15.0, ambient=noise_path("blanket_coffee-shop"), seed=1)
    else:
        rir = str(data_folder() / "rir" / "warehouse_omni-25-12.flac")
        scene = build_scene(None, 0.5, 10.0, ambient=noise_path("gsc_running_tap"), rir=rir, seed=2)
    return listen(reverberate(x, fs_hz, scene), scene)


def measure(stream: str, heard: str, batch: int, keys: int, quick: bool) -> StreamResult:
    """One stream as heard in one place, against one batch of keys."""
    config = WatermarkConfig()
    rng = np.random.default_rng([KEY_SEED, batch])
    x, _ = programme(stream, quick)
    pcm = as_heard(x, heard)
    found = detect(pcm, [Key(rng.bytes(8)) for _ in range(keys)], config)
    z = found.scores[config.mark_hops :]
    hops = block_hops(config.fs_hz, config.hop)
    return StreamResult(
        stream=stream,
        heard=heard,
        seconds=len(pcm) / config.fs_hz,
        keys=keys,
        detections=[(d.key + batch * BATCH_KEYS, d.time_s, d.score, d.marks) for d in found.detections],
        z_counts=np.histogram(np.clip(z, Z_EDGES[0], Z_EDGES[-1]), Z_EDGES)[0],
        z_powers=np.array([np.sum(z**power) for power in range(5)]),
        block_max=block_maxima(found.integrated, hops),
        peaks=peaks_above(found.integrated, PEAKS_FROM, config.lockout_hops, hops),
    )


def _resampled(x: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    if from_hz == to_hz:
        return x
    return np.clip(soxr.resample(x, from_hz, to_hz, "VHQ"), -1.0, 1.0)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keys", type=int, help=f"number of keys (default {KEYS})")


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__, _options)
    keys = options.keys or (16 if options.quick else KEYS)
    batches = [(first, min(BATCH_KEYS, keys - first)) for first in range(0, keys, BATCH_KEYS)]
    tasks: list[tuple[Any, ...]] = [
        (stream, heard, first // BATCH_KEYS, count, options.quick)
        for stream in sorted(STREAMS, key=lambda s: s != WORDS)  # the longest first
        for heard in HEARD
        for first, count in batches
    ]
    results = run_tasks("false alarms", measure, tasks, options.jobs)
    parts = {stream: programme(stream, options.quick)[1] for stream in STREAMS}
    tables, data = summarise(results, STREAMS, HEARD, parts, WatermarkConfig(), Z_EDGES)
    publish("false_alarms", options.folder, tables, data, in_readme=3)


if __name__ == "__main__":
    run(main)
