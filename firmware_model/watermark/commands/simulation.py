"""The main job: mark a file, play it through the room, find the marks in Q15 and in float, compare."""

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from acoustic_sim.blocks.spool import in_blocks
from acoustic_sim.border.interrupts import interrupts_held
from acoustic_sim.long_channel import propagated
from acoustic_sim.scene import Scene
from firmware_model.cli.terminal.output import STDIO, Step, naming, silent
from firmware_model.pcm import to_mono
from firmware_model.pcm_file import AudioFile, open_audio
from firmware_model.pcm_stream import Converted
from firmware_model.report.envelope import Envelope
from firmware_model.watermark.commands.detection import as_json
from firmware_model.watermark.commands.programme import programme_of
from firmware_model.watermark.embedding.embedder import Embedding
from firmware_model.watermark.key import Key
from firmware_model.watermark.measures import metrics
from firmware_model.watermark.measures.listener import Listener
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import AudioError, ConfigError

STAGES = ("mark, loudspeaker and room", "microphone and detectors")
_COLUMNS = 2400  # of a picture
_HEARD_BLOCK = 1 << 16  # samples that go through the detectors at a time


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


class Trace:
    """What a plot shows of one file, collected as it runs; times in seconds on the microphone's clock.

    pcm : Envelope of the samples, Q1.15;  q15, reference : Envelope of the scores of each hop
    heard_s : (marks,) float, starts
    """

    def __init__(self, path: str, frames: int, config: WatermarkConfig) -> None:
        self.path, self.frames, self.config = path, frames, config
        self.pcm = Envelope(1, frames, _COLUMNS)
        self.q15, self.reference = (Envelope(1, frames // config.hop, _COLUMNS) for _ in range(2))
        self.heard_s = np.empty(0)
        self.detections_q15: list[Any] = []
        self.detections_float: list[Any] = []

    def add_scores(self, q15: np.ndarray, reference: np.ndarray) -> None:
        """Of the next hops, (hops, 1) each."""
        self.q15.push(q15.T)
        self.reference.push(reference.T)


class FileResult(NamedTuple):
    """row : what --json prints of one file;  trace : for the plot, where it was asked for."""

    row: dict[str, Any]
    trace: Trace | None


class _Mono:
    """The mean of a programme's channels: there is one loudspeaker."""

    channels = 1

    def __init__(self, programme: Converted) -> None:
        self._programme, self.fs_hz, self.frames = programme, programme.fs_hz, programme.frames

    def __iter__(self) -> Iterator[np.ndarray]:
        for block in self._programme:
            yield to_mono(block)[:, None]


def simulate(path: str, file: AudioFile | None, job: Job, keep_trace: bool, step: Step) -> FileResult:
    """One file through the whole chain.

    Parameters
    ----------
    file : of `path`, where it is open already
    keep_trace : whether to collect what a plot needs
    step : called as each of `STAGES` begins
    """
    step(STAGES[0])
    with ExitStack() as stack:
        file = file or stack.enter_context(open_audio(path, gain_db=job.gain_db, mixed=True))
        programme = _Mono(programme_of(path, file, job.config, job.resample))
        stack.enter_context(naming(path))
        marked = Embedding(programme, job.key, job.mode, job.strength_db, job.config, step.at)
        played = (block[:, 0] for block in marked)
        heard = stack.enter_context(propagated(played, programme.frames, programme.fs_hz, job.scene))
        step(STAGES[1])
        listener = Listener([job.key], job.config)
        check = metrics.BitExactBlocks([job.key], job.config, job.seed)
        trace = Trace(path, heard.frames, job.config) if keep_trace else None
        done = 0
        for pcm in in_blocks(heard.blocks, _HEARD_BLOCK):
            scores = listener.push(pcm)
            check.push(pcm)
            if trace is not None:
                trace.pcm.push(pcm[None])
                trace.add_scores(*scores)
            done += len(pcm)
            step.at(done / heard.frames)
        scores = listener.finish()
        if trace is not None:
            trace.add_scores(*scores)
    row, heard_s = _compared(path, programme, job, marked, heard.facts.delay_s, listener)
    row["bit_exact_blocks"] = check.finish()._asdict()
    if trace is not None:
        trace.heard_s, (trace.detections_q15, trace.detections_float) = heard_s, listener.detections
    return FileResult(row, trace)


def _compared(
    path: str, programme: _Mono, job: Job, marked: Embedding, delay_s: float, listener: Listener
) -> tuple[dict[str, Any], np.ndarray]:
    """The file's row, and where each mark lies in what the microphone heard."""
    config = job.config
    # The marks leave the loudspeaker on true time; the detector counts seconds on the microphone's clock.
    clock = 1 + job.scene.microphone.drift_ppm * 1e-6
    heard_s = (np.asarray(marked.marks_s, float) + delay_s) * clock
    tolerance_s = metrics.match_tolerance_s(config)
    by_arithmetic: dict[str, dict[str, Any]] = {}
    for name, found in zip(("q15", "float"), listener.detections, strict=True):
        hits = metrics.match_marks(found, heard_s, config.mark_seconds, tolerance_s)
        by_arithmetic[name] = {
            "detections": [as_json(detection) for detection in found],
            "one_mark": int(hits.one_mark.sum()),
            "found": int(hits.found.sum()),
            "strays": hits.strays,
        }
    q15, reference = listener.detections
    alone = metrics.unpaired(q15, reference, metrics.pair_tolerance_s(config))
    row = {
        "file": path,
        "fs_hz": programme.fs_hz,
        "seconds": programme.frames / programme.fs_hz,
        "marks": len(heard_s),
        "strengths_db": marked.strengths_db.tolist(),
        "wsr_db": marked.wsr_db,
        "nmr_db": marked.nmr_db,
        **by_arithmetic,
        "miss": len(heard_s) - by_arithmetic["q15"]["found"],
        "agree": not any(alone),
        "score_error_max": listener.score_error_max,
        "decisions_differ": listener.decisions_differ,
        "hops": listener.hops,
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
    with ExitStack() as stack:
        stdin = None
        for path in paths:
            with ExitStack() as one:
                file = (stack if path == STDIO else one).enter_context(
                    open_audio(path, gain_db=job.gain_db, mixed=True)
                )
                stdin = file if path == STDIO else stdin
                _check(path, file, job)
        if jobs == 1 or len(paths) == 1:
            for i, path in enumerate(paths):
                place = f"{i + 1} of {len(paths)}, " if len(paths) > 1 else ""
                step.place = place
                yield simulate(path, stdin if path == STDIO else None, job, i < traces, step)
            return
        # spawn: the parent has threads (of libraries, of the progress bar), which do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with interrupts_held():  # the workers inherit that, and so load their modules undisturbed
            pool = context.Pool(min(jobs, len(paths)), _end_at_interrupt)
        with pool:
            step(f"0 of {len(paths)} files")
            tasks = [(path, job, i < traces) for i, path in enumerate(paths) if path != STDIO]
            results = pool.imap(_worker, tasks)
            for i, path in enumerate(paths):
                if path == STDIO:
                    yield simulate(path, stdin, job, i < traces, silent())
                else:
                    yield next(results)
                step(f"{i + 1} of {len(paths)} files")


def _check(path: str, file: AudioFile, job: Job) -> None:
    """Read a file once; refuse what cannot be marked, or gives no level for the noise."""
    sounds = False
    for block in programme_of(path, file, job.config, job.resample):
        sounds = sounds or bool(to_mono(block).any())
    if job.scene.ambient.snr_db is not None and not sounds:
        raise AudioError(f"{path}: silent; --snr needs a sound to measure the noise against")


def _worker(task: tuple[str, Job, bool]) -> FileResult:
    path, job, keep_trace = task
    return simulate(path, None, job, keep_trace, silent())


def _end_at_interrupt() -> None:
    """Ctrl-C reaches the whole group of processes: workers end at once, without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def passed(rows: list[dict[str, Any]]) -> bool:
    """At least one mark of every file found in Q15, and the same detections in both arithmetics."""
    return all(row["q15"]["found"] > 0 and row["agree"] for row in rows)
