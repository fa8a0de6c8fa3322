"""All the memory of the detector: what firmware holds from frame to frame, and its work areas."""

from typing import NamedTuple

import numpy as np

from firmware_model.watermark.params import (
    ACTIVITY_EDGE,
    ACTIVITY_SPAN,
    FLOOR_LOG2,
    LEVEL_EDGE,
    LEVEL_FRAC_BITS,
    SIGN_GROUP,
    DetectorParams,
)

CLOCK_HOP, CLOCK_INPUT, CLOCK_LEVEL, CLOCK_FEATURE, CLOCK_SCORE = range(5)
PEAK_HELD, PEAK_HOP, PEAK_SCORE, PEAK_MARKS, PEAK_LAST = range(5)
NEVER = -(1 << 30)  # hop of the last report before there was one


class DetectorState(NamedTuple):
    """Memory of the detector; the sum of the fields' nbytes is its RAM.

    clock : (5,) int32: hops so far (68 years at 1 hop/s, two at 31.25), and positions in the rings below
    input_q15 : (fft_size,) int16, Q1.15, ring of the latest samples
    z : (fft_size + 2,) int32, work area: the windowed frame in Q2.30, then its spectrum's mantissas
    level_q8 : (slot_hops, bands) int16, Q8.8, ring of band levels, log2 of LSB**2
    level_sum_q8 : (2 + bands + 2,) int32, sum of that ring over its hops; edges repeated
    mean_q23 : (bands,) int32, Q9.23, running mean of the whitened level
    activity_q19 : (9 + bands + 8,) int32, Q13.19, running mean square of the features before weighting;
        edges repeated
    feature : (mark_hops, 16 * groups) int8, 1/96 of log2, ring of weighted features of the last mark; bands
        beyond the last stay 0
    energy : (mark_hops,) int32, sum of squares of each row of that ring
    work : (bands,) int32, work area: features before weighting in Q.12; features summed over slots
    sums : (4,) int32, work area: correlations of four patterns
    score_q9 : (keys * max_marks, max_marks * mark_hops) int16, Q7.9, a ring of scores for each pattern
    peak : (keys, 5) int32: candidate held or not, its hop, score in Q.9 and marks; hop of the last report
    """

    clock: np.ndarray
    input_q15: np.ndarray
    z: np.ndarray
    level_q8: np.ndarray
    level_sum_q8: np.ndarray
    mean_q23: np.ndarray
    activity_q19: np.ndarray
    feature: np.ndarray
    energy: np.ndarray
    work: np.ndarray
    sums: np.ndarray
    score_q9: np.ndarray
    peak: np.ndarray


class DetectorOutput(NamedTuple):
    """What one hop gives.

    score_q9 : (keys * max_marks,) int32, Q.9, score of the mark that would end here, by pattern
    integrated_q9 : (keys,) int32, Q.9, best over patterns and 1 to max_marks consecutive marks
    report : (keys, 4) int32: 1 if a detection is reported at this hop, its hop, score in Q.9, marks
    """

    score_q9: np.ndarray
    integrated_q9: np.ndarray
    report: np.ndarray


class DetectorProbes(NamedTuple):
    """Named internal nodes of one hop; what follows them is in `DetectorOutput`.

    exponent : (1,) int32, block exponent of the spectrum
    band_level_q8 : (bands,) int32, Q.8, log2 of LSB**2, mean over a band's bins
    slot_sum_q8 : (bands,) int32, Q.8, the same summed over the last slot_hops hops
    feature : (bands,) int32, 1/96 of log2, after weighting
    """

    exponent: np.ndarray
    band_level_q8: np.ndarray
    slot_sum_q8: np.ndarray
    feature: np.ndarray


def init_probes(params: DetectorParams) -> DetectorProbes:
    """Room for the nodes of one hop."""
    bands = (np.zeros(params.bands, np.int32) for _ in range(3))
    return DetectorProbes(np.zeros(1, np.int32), *bands)


def key_count(params: DetectorParams) -> int:
    """Number of keys; the signs of four patterns share a row."""
    return len(params.signs) // -(-params.max_marks // 4)


def init_state(params: DetectorParams) -> DetectorState:
    """Memory as after endless silence."""
    keys = key_count(params)
    floor_q8 = FLOOR_LOG2 << LEVEL_FRAC_BITS
    mark_hops = params.slots * params.slot_hops
    state = DetectorState(
        clock=np.zeros(5, np.int32),
        input_q15=np.zeros(params.fft_size, np.int16),
        z=np.zeros(params.fft_size + 2, np.int32),
        level_q8=np.full((params.slot_hops, params.bands), floor_q8, np.int16),
        level_sum_q8=np.full(params.bands + 2 * LEVEL_EDGE, params.slot_hops * floor_q8, np.int32),
        mean_q23=np.zeros(params.bands, np.int32),
        activity_q19=np.zeros(ACTIVITY_EDGE + params.bands + ACTIVITY_SPAN, np.int32),
        feature=np.zeros((mark_hops, -(-params.bands // SIGN_GROUP) * SIGN_GROUP), np.int8),
        energy=np.zeros(mark_hops, np.int32),
        work=np.zeros(params.bands, np.int32),
        sums=np.zeros(4, np.int32),
        score_q9=np.zeros((keys * params.max_marks, params.max_marks * mark_hops), np.int16),
        peak=np.zeros((keys, 5), np.int32),
    )
    state.peak[:, PEAK_LAST] = NEVER
    return state


def init_output(params: DetectorParams) -> DetectorOutput:
    """Room for the results of one hop."""
    keys = key_count(params)
    return DetectorOutput(
        score_q9=np.zeros(keys * params.max_marks, np.int32),
        integrated_q9=np.zeros(keys, np.int32),
        report=np.zeros((keys, 4), np.int32),
    )


def state_bytes(state: DetectorState) -> int:
    """RAM of the detector, bytes."""
    return sum(field.nbytes for field in state)
