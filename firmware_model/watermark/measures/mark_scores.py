"""What a detector's scores say where a mark is known to be, where none is, and how long a report takes."""

from collections.abc import Sequence

import numpy as np

from firmware_model.watermark.measures.metrics import DetectionLike, finds
from firmware_model.watermark.params import WatermarkConfig

SEARCH_HOPS = 3  # a mark is looked for this far from where it is known to end


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


def largest_in_stretches(integrated: np.ndarray, mark_hops: int) -> np.ndarray:
    """Largest score of each key in each whole stretch of a mark's length.

    Parameters
    ----------
    integrated : (hops, keys) float

    Returns
    -------
    (keys, stretches) float
    """
    whole = len(integrated) // mark_hops
    keys = integrated.shape[1]
    return integrated[: whole * mark_hops].reshape(whole, mark_hops, keys).max(axis=1).T


def report_latencies_s(
    detections: Sequence[DetectionLike],
    heard_s: np.ndarray,
    hops: int,
    tolerance_s: float,
    config: WatermarkConfig,
) -> np.ndarray:
    """How long after its end each mark was first reported.

    Parameters
    ----------
    detections : of one key
    heard_s : (marks,) float, start of each mark at the microphone, on its clock, seconds
    hops : of the recording, at whose end what is held is reported
    tolerance_s : as `metrics.match_marks`

    Returns
    -------
    (marks,) float, seconds; NaN of one that was not found

    Notes
    -----
    A peak is reported config.hold_hops after its hop, the report's hop included. A mark counts as found by
    the first report of which it is one of the marks added.
    """
    reported_s = np.full(len(heard_s), np.inf)
    for detection in detections:
        peak = expected_hops(np.array([detection.time_s]), 0.0, 0.0, config)[0]
        at_s = min(peak + config.hold_hops + 1, hops) * config.hop / config.fs_hz
        found = finds(detection, heard_s, config.mark_seconds, tolerance_s)
        reported_s[found] = np.minimum(reported_s[found], at_s)
    latencies_s = reported_s - (heard_s + config.mark_seconds)
    return np.where(np.isfinite(reported_s), latencies_s, np.nan)
