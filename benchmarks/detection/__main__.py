"""Marks found: all hosts, rooms, noise levels and clock drifts, at the shipped strength and threshold.

Every host is marked once, with a key of its own (informed mode), played through every room, and heard with
real noise at 20, 15 and 10 dB, with and without 50 ppm of clock drift. The Q15 detector and the float64
reference work on the same PCM. Every embedded mark counts, the first one of a file too.

One mark: the single-mark score of the mark's own pattern, at most three hops from where it is known to end,
reaches the threshold.
Four marks: somebody who hears just marks 1 to 4 (5 to 8, ...) has a detection by the end: at the end of one
of them the score added up over one or more marks of this run reaches the threshold.
"""

import argparse
import time
from typing import Any, NamedTuple

import numpy as np

from acoustic_sim.channel import listen, reverberate
from benchmarks.detection.observations import Observations
from benchmarks.detection.tables import summarise
from benchmarks.harness.pool import run_tasks
from benchmarks.harness.report import RESULTS, TRIALS, arguments, publish, rounded, run
from benchmarks.material.hosts import MARKS, host_names, load_host
from benchmarks.material.rooms import ROOMS, conditions, response_of, scene_of
from firmware_model.reference import watermark as reference
from firmware_model.watermark.detector import detect
from firmware_model.watermark.embedding.embedder import DEFAULT_STRENGTHS_DB, embed
from firmware_model.watermark.measures.mark_scores import expected_hops, mark_scores
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.qformat import Q15

QUICK_HOSTS = ("hyde_acoustic_rock", "sonicpi_loop_garzul", "cmu_arctic_us_aew_a0001")
QUICK_ROOMS = ("box 8 m, 0.5 s", "Arthur Sykes auditorium", "warehouse, omni")


class HostResult(NamedTuple):
    """What one host gave.

    facts : name, class, seconds, marks, wsr_db, nmr_db
    marks : structured rows, one for each mark of each condition, see Observations.MARK
    cells : structured rows, one for each condition, see Observations.CELL
    score_error : (2, hops) float32, |Q15 - float| of integrated and of single-mark score, all conditions
    """

    facts: dict[str, Any]
    marks: np.ndarray
    cells: np.ndarray
    score_error: np.ndarray


def measure_host(name: str, host_index: int, room_names: tuple[str, ...], strength_db: float) -> HostResult:
    """Mark a host, play it through the rooms under all conditions, detect in Q15 and in float."""
    config = WatermarkConfig()
    host = load_host(name)
    marked = embed(
        host.samples, host.fs_hz, host.key, mode="informed", strength_db=strength_db, config=config
    )
    marks_s = np.asarray(marked.marks_s, dtype=np.float64)
    signs = host.key.signs(config.max_marks, config.slots, config.bands)[None]
    model = reference.WatermarkModel()
    marks, cells, errors = [], [], []
    for room_index, room in enumerate(ROOMS):
        if room.name not in room_names:
            continue
        delay_s = response_of(room).delay_s
        sound = reverberate(marked.y, host.fs_hz, scene_of(room))
        for condition in conditions(host_index, room_index):
            pcm = listen(sound, scene_of(room, condition))
            q15 = detect(pcm, [host.key], config)
            exact = reference.detect(Q15.to_float(pcm), signs, model)
            hops = expected_hops(marks_s, delay_s, condition.drift_ppm, config)
            z_q15, z_float = q15.scores[:, 0], exact.scores[:, 0]  # (hops, patterns)
            score_q15, score_float = q15.integrated[:, 0], exact.integrated[:, 0]
            where = (host_index, room_index, condition.snr_db, condition.drift_ppm)
            scores = [mark_scores(z, hops, MARKS, config.mark_hops) for z in (z_q15, z_float)]
            columns = np.stack(scores, axis=1).reshape(4, -1)  # z Q15, z float, run Q15, run float
            marks += [(*where, index, *row) for index, row in enumerate(columns.T)]
            same = (score_q15 >= config.threshold) == (score_float >= config.threshold)
            late_s = [np.min(np.abs(marks_s + delay_s - d.time_s)) for d in q15.detections]
            on_grid = [late < config.slot_samples / config.fs_hz for late in late_s]
            error = np.abs(score_q15 - score_float)
            z_error = np.abs(z_q15 - z_float).max(axis=1)
            cells.append(
                (
                    *where,
                    condition.noise,
                    len(same),
                    np.count_nonzero(~same),
                    error.max(initial=0.0),
                    z_error.max(initial=0.0),
                    sum(on_grid),
                    len(on_grid) - sum(on_grid),
                )
            )
            errors.append(np.stack([error, z_error]).astype(np.float32))
    facts = {
        "host": name,
        "class": host.kind,
        "seconds": round(host.seconds, 2),
        "repeats": host.repeats,
        "marks": len(marks_s),
        "wsr_db": rounded(marked.wsr_db),
        "nmr_db": rounded(marked.nmr_db),
    }
    return HostResult(
        facts,
        np.array(marks, dtype=Observations.MARK),
        np.array(cells, dtype=Observations.CELL),
        np.concatenate(errors, axis=1),
    )


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strength", type=float, help="of the mark, dB, instead of the shipped one")
    parser.add_argument("--threshold", type=float, help="judge the scores by this instead of the shipped one")
    parser.add_argument("--again", action="store_true", help="tables of the scores kept in detection.npz")


def main() -> None:
    """Measure, or read what was measured, and publish."""
    options = arguments(__doc__, _options)
    names = host_names()
    kept = (options.out or (TRIALS if options.quick else RESULTS)) / "detection.npz"
    strength_db = DEFAULT_STRENGTHS_DB["informed"] if options.strength is None else options.strength
    started = time.monotonic()
    if options.again:
        observations = Observations.load(kept)
    else:
        chosen = [name for name in names if not options.quick or name in QUICK_HOSTS]
        rooms = QUICK_ROOMS if options.quick else tuple(room.name for room in ROOMS)
        # Longest first, so that the processes end together.
        tasks = sorted(
            ((name, names.index(name), rooms, strength_db) for name in chosen),
            key=lambda task: -load_host(task[0]).seconds,
        )
        results = run_tasks("detection", measure_host, tasks, options.jobs)
        results.sort(key=lambda result: names.index(result.facts["host"]))
        observations = Observations.join(results, names, time.monotonic() - started, strength_db)
        observations.save(options.folder / "detection.npz")
    threshold = options.threshold or WatermarkConfig().threshold
    tables, data, in_readme = summarise(observations, threshold, MARKS)
    publish("detection", options.folder, tables, data, in_readme=in_readme)


if __name__ == "__main__":
    run(main)
