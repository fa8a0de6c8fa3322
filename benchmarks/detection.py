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
from benchmarks.detection_tables import summarise
from benchmarks.hosts import MARKS, host_names, load_host
from benchmarks.observations import Observations
from benchmarks.pool import run_tasks
from benchmarks.report import RESULTS, TRIALS, arguments, publish, rounded, run
from benchmarks.rooms import ROOMS, conditions, response_of, scene_of
from firmware_model.reference import watermark as reference
from firmware_model.watermark.detector import detect
from firmware_model.watermark.embedder import DEFAULT_STRENGTHS_DB, embed
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.qformat import Q15

SEARCH_HOPS = 3  # a mark is looked for this far from where it is known to end
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


def expected_hops(
    marks_s: np.ndarray, delay_s: float, drift_ppm: float, config: WatermarkConfig
) -> np.ndarray:
    """The hop at which the score of each mark should peak, as the detector's time_s has it, solved for t.

    Parameters
    ----------
    marks_s : (marks,) float, seconds, starts in the marked signal
    delay_s : of the room, seconds;  drift_ppm : of the microphone's clock

    Returns
    -------
    (marks,) int
    """
    start = (np.asarray(marks_s) + delay_s) * (1 + drift_ppm * 1e-6) * config.fs_hz
    end = start + config.mark_samples + (config.fft_size - config.hop) / 2
    return np.round(end / config.hop - 1).astype(int)


def mark_scores(z: np.ndarray, hops: np.ndarray, run_of_marks: int, mark_hops: int) -> np.ndarray:
    """What the single-mark scores say of each mark, and of its run up to it.

    Parameters
    ----------
    z : (hops, patterns) float, single-mark scores; mark j carries pattern j modulo patterns
    hops : (marks,) int, expected hop of each mark
    run_of_marks : marks 0 to run_of_marks - 1 are a run, the next as many another, ...
    mark_hops : length of a mark, hops

    Returns
    -------
    (2, marks) float, the largest within SEARCH_HOPS of the expected hop, of
        z_j, and of max over M of (z_j + z_(j-1) + ...)/sqrt(M), M up to the mark's place in its run:
        what a listener has who began to listen when the run began. 0 past the recording's end
    """
    patterns = z.shape[1]
    best = np.zeros((2, len(hops)))
    for mark, hop in enumerate(hops):
        near = np.arange(max(hop - SEARCH_HOPS, 0), min(hop + SEARCH_HOPS + 1, len(z)))
        if not len(near):
            continue
        best[0, mark] = z[near, mark % patterns].max()
        total = np.zeros(len(near))
        so_far = []
        for m in range(mark % run_of_marks + 1):
            then = near - m * mark_hops
            total += np.where(then >= 0, z[then, (mark - m) % patterns], 0.0)
            so_far.append(total.max() / np.sqrt(m + 1))
        best[1, mark] = max(so_far)
    return best


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
