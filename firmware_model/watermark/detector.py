"""The Q15 watermark detector as firmware runs it, and its plain-Python border."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from firmware_model.watermark.correlator import correlate, integrate, score_from, score_variance
from firmware_model.watermark.frontend import process_frontend
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import SCORE_FRAC_BITS, DetectorParams, WatermarkConfig, quantise
from firmware_model.watermark.state import (
    CLOCK_FEATURE,
    CLOCK_HOP,
    CLOCK_SCORE,
    PEAK_HELD,
    PEAK_HOP,
    PEAK_LAST,
    PEAK_MARKS,
    PEAK_SCORE,
    DetectorOutput,
    DetectorState,
    init_output,
    init_state,
    state_bytes,
)
from fixedpoint._jit import kernel
from fixedpoint.errors import AudioError, ConfigError


@kernel
def pick_peak(params: DetectorParams, state: DetectorState, key, score_q9, marks, report) -> None:
    """Hold the highest score until none higher has come for hold_hops, then report it once.

    report : (keys, 4) int32, row `key`: 1 where a detection is reported at this hop, its hop, score, marks.
    After a report nothing is held for lockout_hops from its peak.
    """
    hop = np.int64(state.clock[CLOCK_HOP])
    peak = state.peak
    higher = peak[key, PEAK_HELD] == 0 or score_q9 > np.int64(peak[key, PEAK_SCORE])
    if marks > 0 and higher and hop - np.int64(peak[key, PEAK_LAST]) >= params.lockout_hops:
        peak[key, PEAK_HELD] = 1
        peak[key, PEAK_HOP] = hop
        peak[key, PEAK_SCORE] = score_q9
        peak[key, PEAK_MARKS] = marks
    report[key, 0] = 0
    if peak[key, PEAK_HELD] == 1 and hop - np.int64(peak[key, PEAK_HOP]) >= params.hold_hops:
        report[key, 0] = 1
        report[key, 1] = peak[key, PEAK_HOP]
        report[key, 2] = peak[key, PEAK_SCORE]
        report[key, 3] = peak[key, PEAK_MARKS]
        peak[key, PEAK_LAST] = peak[key, PEAK_HOP]
        peak[key, PEAK_HELD] = 0


@kernel
def score_patterns(
    params: DetectorParams, state: DetectorState, y: DetectorOutput, key, first, variance
) -> None:
    """Scores of a key's patterns from `first` on, up to four, from their correlations, to ring and output."""
    count = np.int64(params.max_marks) - first
    if count > 4:
        count = np.int64(4)
    for i in range(count):
        z_q9 = score_from(params, np.int64(state.sums[i]), variance)
        row = key * np.int64(params.max_marks) + first + i
        state.score_q9[row, state.clock[CLOCK_SCORE]] = z_q9
        y.score_q9[row] = z_q9


@kernel
def process_frame(params: DetectorParams, state: DetectorState, x, y: DetectorOutput, probes) -> None:
    """One hop of the detector, for all keys.

    Parameters
    ----------
    params : DetectorParams
    state : DetectorState, changed in place
    x : (hop,) int16, Q1.15, the next samples
    y : DetectorOutput, filled
    probes : None, or `state.DetectorProbes`, filled

    Notes
    -----
    Arithmetic: bounds stand at each step; nothing overflows for any input.
    Error: held against the float64 reference by `tests/firmware_model/watermark/test_detector.py`.
    State: `DetectorState`; fixed size, no allocation. Work per hop is constant.
    Source: own design. Level modulation of a pseudo-random pattern of time-frequency cells goes back to the
    patchwork method (Bender et al., IBM Systems Journal 35, 1996) on spectra (Arnold, ICME 2000; Yeo and
    Kim, IEEE Trans. SAP 11(4), 2003); the comparison of each cell with its own neighbours in time and
    frequency, and the variance over keys as the yardstick, are our own.
    """
    process_frontend(params, state, x, probes)
    variance, total = score_variance(params, state)
    quads = (np.int64(params.max_marks) + 3) >> 2
    for key in range(state.peak.shape[0]):
        for quad in range(quads):
            correlate(params, state, np.int64(key) * quads + quad, total)
            score_patterns(params, state, y, key, 4 * quad, variance)
        best_q9, marks = integrate(params, state, key)
        y.integrated_q9[key] = best_q9
        pick_peak(params, state, key, best_q9, marks, y.report)
    # Clocks.
    mark_hops = params.slots * params.slot_hops
    state.clock[CLOCK_HOP] += 1
    state.clock[CLOCK_FEATURE] += 1
    if state.clock[CLOCK_FEATURE] == mark_hops:
        state.clock[CLOCK_FEATURE] = 0
    state.clock[CLOCK_SCORE] += 1
    if state.clock[CLOCK_SCORE] == mark_hops * params.max_marks:
        state.clock[CLOCK_SCORE] = 0


class Detection(NamedTuple):
    """A mark that was found.

    key : int, index of the key
    time_s : float, seconds from the first sample to the start of the (last) mark
    score : float, standard deviations of unmarked audio
    marks : int, consecutive marks that it took to reach the threshold
    """

    key: int
    time_s: float
    score: float
    marks: int


class Detected(NamedTuple):
    """Detections of a whole recording and the scores behind them.

    detections : list of Detection, in the order of their reports
    scores : (hops, keys, max_marks) float64, single-mark score at the end of each hop, by pattern
    integrated : (hops, keys) float64, best score over consecutive marks
    threshold : float
    """

    detections: list[Detection]
    scores: np.ndarray
    integrated: np.ndarray
    threshold: float


class Detector:
    """Streaming detector: any block sizes in, the same detections out.

    Parameters
    ----------
    keys : sequence of Key, 1 to 1024; each costs only a correlation
    config : WatermarkConfig
    """

    def __init__(self, keys: Sequence[Key], config: WatermarkConfig | None = None) -> None:
        if not 1 <= len(keys) <= 1024:
            raise ConfigError(f"keys: {len(keys)} found, 1 to 1024 are accepted")
        self.config = config or WatermarkConfig()
        c = self.config
        signs = np.stack([key.signs(c.max_marks, c.slots, c.bands) for key in keys])
        self.params = quantise(self.config, signs)
        self.state = init_state(self.params)
        self.output = init_output(self.params)
        self._pending = np.zeros(0, np.int16)

    @property
    def state_bytes(self) -> int:
        """RAM of the detector as firmware holds it, bytes."""
        return state_bytes(self.state)

    def push(self, pcm: np.ndarray) -> list[Detection]:
        """Take samples, (n,) int16 in Q1.15, any n; return the detections that became certain."""
        return self._run(pcm, None)

    def hear(self, pcm: np.ndarray) -> Detected:
        """`push`, with the scores of the hops that it completed."""
        trace: list[np.ndarray] = []
        detections = self._run(pcm, trace)
        keys, marks = len(self.state.peak), self.config.max_marks
        values = np.array(trace, dtype=np.float64).reshape(len(trace), keys * (marks + 1))
        values /= 2**SCORE_FRAC_BITS
        scores = values[:, : keys * marks].reshape(len(trace), keys, marks)
        return Detected(detections, scores, values[:, keys * marks :], self.config.threshold)

    def flush(self) -> list[Detection]:
        """End of the stream: report the candidates still held; samples short of a hop are dropped."""
        found = []
        for key, peak in enumerate(self.state.peak):
            if peak[PEAK_HELD]:
                found.append(self._detection(key, peak[PEAK_HOP], peak[PEAK_SCORE], peak[PEAK_MARKS]))
                peak[PEAK_HELD] = 0
        return found

    def _run(self, pcm: np.ndarray, trace: list[np.ndarray] | None) -> list[Detection]:
        pcm = np.asarray(pcm)
        if pcm.dtype != np.int16 or pcm.ndim != 1:
            raise AudioError(f"pcm: {pcm.dtype} of shape {pcm.shape} found, int16 of shape (n,) needed")
        hop = self.config.hop
        pcm = np.concatenate([self._pending, pcm])
        whole = len(pcm) // hop * hop
        self._pending = pcm[whole:]
        found = []
        for start in range(0, whole, hop):
            process_frame(self.params, self.state, pcm[start : start + hop], self.output, None)
            if trace is not None:
                trace.append(np.concatenate([self.output.score_q9, self.output.integrated_q9]))
            if self.output.report[:, 0].any():
                for key in np.flatnonzero(self.output.report[:, 0]):
                    found.append(self._detection(int(key), *self.output.report[key, 1:]))
        return found

    def _detection(self, key: int, hop: int, score_q9: int, marks: int) -> Detection:
        c = self.config
        # The best match comes half a frame's overlap after the mark's last sample.
        start = (int(hop) + 1) * c.hop - c.mark_samples - (c.fft_size - c.hop) // 2
        return Detection(key, max(start, 0) / c.fs_hz, int(score_q9) / 2**SCORE_FRAC_BITS, int(marks))


def detect(pcm: np.ndarray, keys: Sequence[Key], config: WatermarkConfig | None = None) -> Detected:
    """Find marks in a whole recording.

    Parameters
    ----------
    pcm : (n,) int16, Q1.15, at config.fs_hz
    keys : sequence of Key
    config : WatermarkConfig

    Returns
    -------
    Detected

    Raises
    ------
    AudioError
        Samples that are not (n,) int16.
    ConfigError
        No key.
    """
    detector = Detector(keys, config)
    found = detector.hear(pcm)
    return found._replace(detections=found.detections + detector.flush())
