"""How strong each mark has to be: tried on the detector itself, behind a room that stands for others."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np
import scipy  # its parts are loaded at their first use
from numpy.typing import NDArray

from acoustic_sim.blocks.filters import convolved
from acoustic_sim.blocks.spool import Spool, in_blocks
from acoustic_sim.blocks.synthesis import pink_of
from firmware_model.watermark.detector import Detector
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.qformat import Q15

Real = NDArray[np.float64]

TARGET_SCORE = 8.0  # in the nominal room; half as much again as the threshold, for worse rooms
STEPS_DB = (-12.0, -10.0, -8.0, -6.0, -4.0, -2.0)  # tried in turn, relative to the highest strength
SEARCH_HOPS = 3  # the best match in a room comes up to this much later than in the open, or earlier

# The nominal room: a small loudspeaker, eight metres, a living room, a quiet conversation.
LOW_CUT_HZ = 120.0
RT60_S = 0.55
DRR_DB = -8.0
SNR_DB = 13.0
PEAK = 0.25  # of the microphone's signal, full scale 1
SEED = 20190512


class NominalRoom:
    """What a microphone hears in a room that stands for many; the same noise at every call of `hear`.

    Parameters
    ----------
    n : samples of what is played
    fs_hz : int

    Notes
    -----
    Second-order high-pass (loudspeaker); direct sound, DRR_DB relative to white noise that decays by
    60 dB in RT60_S (Schroeder's statistical model of reverberation, J. Audio Eng. Soc. 10(3), 1962); pink
    noise at SNR_DB. The same noise at every call, so that strengths compare.
    """

    def __init__(self, n: int, fs_hz: int) -> None:
        rng = np.random.default_rng(SEED)
        tail = round(RT60_S * fs_hz)
        h = rng.standard_normal(tail) * 10.0 ** (-3.0 * np.arange(tail) / tail)
        h /= np.sqrt(np.sum(h**2))
        h[0] = 10.0 ** (DRR_DB / 20.0)
        self._n, self._fs_hz, self._h = n, fs_hz, h
        self._noise, self._heard = Spool(), Spool()
        pink_of(self._noise, n, n, fs_hz, rng)

    def __enter__(self) -> "NominalRoom":
        return self

    def __exit__(self, *raised: object) -> None:
        self._noise.close()
        self._heard.close()

    def hear(self, blocks: Iterable[Real]) -> Iterator[Real]:
        """Blocks (k,) float64, n samples in all -> the same of what is heard."""
        y = self._heard
        y.clear()
        for block in convolved(in_blocks(self._high_passed(blocks)), self._h):
            y.add(block[: self._n - len(y)])
        scale = np.sqrt(y.power / max(self._noise.power, 1e-30) / 10.0 ** (SNR_DB / 10.0))
        y.rewrite(a + b * scale for a, b in zip(y.blocks(), self._noise.blocks(), strict=True))
        gain = PEAK / max(*(float(np.max(np.abs(block))) for block in y.blocks()), 1e-30)
        return (block * gain for block in y.blocks())

    def _high_passed(self, blocks: Iterable[Real]) -> Iterator[Real]:
        sections = scipy.signal.butter(2, LOW_CUT_HZ, "highpass", fs=self._fs_hz, output="sos")
        state = np.zeros((len(sections), 2))
        for block in blocks:
            y, state = scipy.signal.sosfilt(sections, block, zi=state)
            yield y


def mark_scores(y: Iterable[Real], key: Key, config: WatermarkConfig, marks: int) -> Real:
    """Single-mark score of each of `marks` back-to-back marks that start with sample 0 of y: (marks,).

    y : blocks (k,) float64
    """
    detector = Detector([key], config)
    # A frame's overlap more, or the last mark would end behind the last hop.
    parts = [detector.hear(Q15.quantise(block)).scores for block in chain(y, [np.zeros(config.fft_size)])]
    scores = np.concatenate(parts)[:, 0]
    overlap = (config.fft_size - config.hop) // 2
    best = np.empty(marks)
    for mark in range(marks):
        hop = ((mark + 1) * config.mark_samples + overlap) // config.hop - 1
        found = scores[max(hop - SEARCH_HOPS, 0) : hop + SEARCH_HOPS + 1, mark % config.max_marks]
        best[mark] = found.max()
    return best


def plan_strengths(
    marked_at: Callable[[float], Iterable[Real]],
    room: NominalRoom,
    key: Key,
    config: WatermarkConfig,
    marks: int,
    highest_db: float,
    tell: Callable[[float], None] = lambda share: None,
) -> Real:
    """The lowest strength at which each mark reaches TARGET_SCORE in the nominal room.

    Parameters
    ----------
    marked_at : strength in dB -> the programme marked at that strength throughout, blocks (k,) float64, mono,
        at config.fs_hz
    room : NominalRoom, of its length
    key : Key
    config : WatermarkConfig
    marks : int
    highest_db : float, the highest strength, for marks that do not reach the target
    tell : called with the share of the steps that is done

    Returns
    -------
    (marks,) float64, dB

    Notes
    -----
    A mark in dense music needs far less than one in a sparse passage; what the first does not need it
    does not spend, and the second gets what the masking model can hide. Strengths are tried upwards in
    steps of 2 dB. Own design.
    """
    strengths = np.full(marks, highest_db)
    short = np.ones(marks, dtype=bool)
    for i, step_db in enumerate(STEPS_DB):
        tell(i / len(STEPS_DB))
        scores = mark_scores(room.hear(marked_at(highest_db + step_db)), key, config, marks)
        strengths[short & (scores >= TARGET_SCORE)] = highest_db + step_db
        short &= scores < TARGET_SCORE
        if not short.any():
            break
    return strengths
