"""The main job: mark a file, play it through the room, find the marks in Q15 and in float, compare."""

import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from acoustic_sim.border.interrupts import interrupts_held
from acoustic_sim.channel import Heard, propagate
from acoustic_sim.scene import Scene
from firmware_model.cli.terminal.output import STDIO, Step, naming
from firmware_model.pcm import Audio, to_mono
from firmware_model.pcm_file import input_gain
from firmware_model.watermark.commands.detection import as_json
from firmware_model.watermark.commands.programme import read_programme
from firmware_model.watermark.detector import Detected, detect
from firmware_model.watermark.embedding.embedder import Embedded, embed
from firmware_model.watermark.key import Key
from firmware_model.watermark.measures import metrics
from firmware_model.watermark.measures.float_twin import float_detect
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import AudioError, ConfigError

STAGES = ("mark", "room and microphone", "Q15 detector", "float detector", "Q15 in random blocks")


@dataclass(frozen=True)
class Job:
    """What is done to every file.

    mode : "informed" or "live"
    strength_db : float, dB, as `embed` takes it: the highest of the marks in informed mode
    seed : int >= 0, of the block sizes; the scene has its own
    resample : convert files below the detector's rate to it
    gain_db : with which they are read
    """

    key: Key
    scene: Scene
    mode: str
    strength_db: float
    config: WatermarkConfig
    seed: int
    resample: bool
    gain_db: float = 0.0

    def settings(self) -> dict[str, Any]:
        """What --json prints of it; the key is a secret and stays out of logs."""
        return {
            "mode": self.mode,
            "strength_db": self.strength_db,
            "threshold": self.config.threshold,
            "mark_seconds": self.config.mark_seconds,
            "seed": self.seed,
        }


class Trace(NamedTuple):
    """What a plot shows of one file; times in seconds on the microphone's clock.

    pcm : (n,) int16, Q1.15;  q15, reference : (hops,) float, scores;  heard_s : (marks,) float, starts
    """

    path: str
    pcm: np.ndarray
    config: WatermarkConfig
    q15: np.ndarray
    reference: np.ndarray
    heard_s: np.ndarray
    detections_q15: list[Any]
    detections_float: list[Any]


class FileResult(NamedTuple):
    """row : what --json prints of one file;  trace : for the plot, where it was asked for."""

    row: dict[str, Any]
    trace: Trace | None


def simulate(path: str, audio: Audio | None, job: Job, keep_trace: bool, step: Step) -> FileResult:
    """One file through the whole chain.

    Parameters
    ----------
    audio : what `path` holds, where it has been read already
    keep_trace : whether a plot will want the samples and scores
    step : called as each of `STAGES` begins
    """
    step(STAGES[0])
    if audio is None:
        with input_gain(job.gain_db):  # in a worker process, too
            audio = read_programme(path, job.config, job.resample, mixed=True)
    x = to_mono(audio.samples)  # there is one loudspeaker
    with naming(path):
        marked = embed(x, audio.fs_hz, job.key, mode=job.mode, strength_db=job.strength_db, config=job.config)
        step(STAGES[1])
        heard = propagate(marked.y, audio.fs_hz, job.scene)
    step(STAGES[2])
    q15 = detect(heard.pcm, [job.key], job.config)
    step(STAGES[3])
    detections, _, integrated = float_detect(heard.pcm, [job.key], job.config)
    step(STAGES[4])
    blocks = metrics.count_bit_exact_blocks(heard.pcm, [job.key], job.config, job.seed)
    row, heard_s = _compared(path, audio, job, marked, heard, q15, detections, integrated)
    row["bit_exact_blocks"] = blocks._asdict()
    if not keep_trace:
        return FileResult(row, None)
    trace = Trace(
        path=path,
        pcm=heard.pcm,
        config=job.config,
        q15=q15.integrated[:, 0],
        reference=integrated[:, 0],
        heard_s=heard_s,
        detections_q15=q15.detections,
        detections_float=detections,
    )
    return FileResult(row, trace)


def _compared(
    path: str,
    audio: Audio,
    job: Job,
    marked: Embedded,
    heard: Heard,
    q15: Detected,
    detections: list[Any],
    integrated: np.ndarray,
) -> tuple[dict[str, Any], np.ndarray]:
    """The file's row, and where each mark lies in what the microphone heard."""
    config = job.config
    # The marks leave the loudspeaker on true time; the detector counts seconds on the microphone's clock.
    clock = 1 + job.scene.microphone.drift_ppm * 1e-6
    heard_s = (np.asarray(marked.marks_s, float) + heard.delay_s) * clock
    tolerance_s = metrics.match_tolerance_s(config)
    by_arithmetic: dict[str, dict[str, Any]] = {}
    for name, found in (("q15", q15.detections), ("float", detections)):
        hits = metrics.match_marks(found, heard_s, config.mark_seconds, tolerance_s)
        by_arithmetic[name] = {
            "detections": [as_json(detection) for detection in found],
            "one_mark": int(hits.one_mark.sum()),
            "found": int(hits.found.sum()),
            "strays": hits.strays,
        }
    alone = metrics.unpaired(q15.detections, detections, metrics.pair_tolerance_s(config))
    row = {
        "file": path,
        "fs_hz": audio.fs_hz,
        "seconds": len(audio.samples) / audio.fs_hz,
        "marks": len(heard_s),
        "strengths_db": marked.strengths_db.tolist(),
        "wsr_db": marked.wsr_db,
        "nmr_db": marked.nmr_db,
        **by_arithmetic,
        "miss": len(heard_s) - by_arithmetic["q15"]["found"],
        "agree": not any(alone),
        "score_error_max": metrics.score_error_max(q15.integrated, integrated),
        "decisions_differ": metrics.decisions_differ(q15.integrated, integrated, config.threshold),
        "hops": len(integrated),
    }
    return row, heard_s


def simulate_all(paths: list[str], job: Job, traces: int, jobs: int, step: Step) -> Iterator[FileResult]:
    """Each file's result, in the order of `paths`; every file is read once before the first is worked on.

    Parameters
    ----------
    traces : how many files, from the first, keep what a plot needs
    jobs : processes; the results do not depend on it
    """
    if paths.count(STDIO) > 1:
        raise ConfigError("-: standard input given twice; it can be read once")
    # A fault in the last file shows now, not after the others' minutes. Standard input is kept: it ends.
    tasks = []
    for i, path in enumerate(paths):
        audio = read_programme(path, job.config, job.resample, mixed=True)
        if job.scene.ambient.snr_db is not None and not to_mono(audio.samples).any():
            raise AudioError(f"{path}: silent; --snr needs a sound to measure the noise against")
        tasks.append((path, audio if path == STDIO else None, job, i < traces))
    if jobs == 1 or len(tasks) == 1:
        for i, task in enumerate(tasks):
            place = f"{i + 1} of {len(tasks)}, " if len(tasks) > 1 else ""
            yield simulate(*task, step=_placed(step, place))
        return
    # spawn: the parent has threads (of libraries, of the progress bar), which do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with interrupts_held():  # the workers inherit that, and so load their modules undisturbed
        pool = context.Pool(min(jobs, len(tasks)), _end_at_interrupt)
    with pool:
        step(f"0 of {len(tasks)} files")
        for i, result in enumerate(pool.imap(_worker, tasks)):
            step(f"{i + 1} of {len(tasks)} files")
            yield result


def _placed(step: Step, place: str) -> Step:
    return lambda stage: step(place + stage)


def _worker(task: tuple[str, Audio | None, Job, bool]) -> FileResult:
    return simulate(*task, step=lambda stage: None)


def _end_at_interrupt() -> None:
    """Ctrl-C reaches the whole group of processes: workers end at once, without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def passed(rows: list[dict[str, Any]]) -> bool:
    """At least one mark of every file found in Q15, and the same detections in both arithmetics."""
    return all(row["q15"]["found"] > 0 and row["agree"] for row in rows)
