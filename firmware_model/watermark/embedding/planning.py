"""How strong each mark has to be: tried on the detector itself, behind a room that stands for others."""

from collections.abc import Callable

import numpy as np
import scipy  # its parts are loaded at their first use
from numpy.typing import NDArray

from firmware_model.watermark.detector import detect
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


def nominal_room(x: Real, fs_hz: int) -> Real:
    """What a microphone hears of x in a room that stands for many, (n,) float64 like x.

    Notes
    -----
    Second-order high-pass (loudspeaker); direct sound, DRR_DB relative to white noise that decays by
    60 dB in RT60_S (Schroeder's statistical model of reverberation, J. Audio Eng. Soc. 10(3), 1962); pink
    noise at SNR_DB. The same noise at every call, so that strengths compare.
    """
    rng = np.random.default_rng(SEED)
    tail = round(RT60_S * fs_hz)
    h = rng.standard_normal(tail) * 10.0 ** (-3.0 * np.arange(tail) / tail)
    h /= np.sqrt(np.sum(h**2))
    h[0] = 10.0 ** (DRR_DB / 20.0)
    y = scipy.signal.sosfilt(scipy.signal.butter(2, LOW_CUT_HZ, "highpass", fs=fs_hz, output="sos"), x)
    y = scipy.signal.oaconvolve(y, h)[: len(x)]
    # Pink noise: white noise with 1/sqrt(f) amplitude, flat below 20 Hz.
    spectrum = np.fft.rfft(rng.standard_normal(len(x)))
    f_hz = np.fft.rfftfreq(len(x), 1.0 / fs_hz)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(f_hz, 20.0)), len(x))
    y += noise * np.sqrt(np.mean(y**2) / max(np.mean(noise**2), 1e-30) / 10.0 ** (SNR_DB / 10.0))
    return y * (PEAK / max(float(np.max(np.abs(y))), 1e-30))


def mark_scores(y: Real, key: Key, config: WatermarkConfig, marks: int) -> Real:
    """Single-mark score of each of `marks` back-to-back marks that start with sample 0 of y: (marks,)."""
    # A frame's overlap more, or the last mark would end behind the last hop.
    pcm = Q15.quantise(np.concatenate([y, np.zeros(config.fft_size)]))
    scores = detect(pcm, [key], config).scores[:, 0]
    overlap = (config.fft_size - config.hop) // 2
    best = np.empty(marks)
    for mark in range(marks):
        hop = ((mark + 1) * config.mark_samples + overlap) // config.hop - 1
        found = scores[max(hop - SEARCH_HOPS, 0) : hop + SEARCH_HOPS + 1, mark % config.max_marks]
        best[mark] = found.max()
    return best


def plan_strengths(
    marked_at: Callable[[float], Real], key: Key, config: WatermarkConfig, marks: int, highest_db: float
) -> Real:
    """The lowest strength at which each mark reaches TARGET_SCORE in the nominal room.

    Parameters
    ----------
    marked_at : strength in dB -> the programme marked at that strength throughout, (n,) float64, mono, at
        config.fs_hz
    key : Key
    config : WatermarkConfig
    marks : int
    highest_db : float, the highest strength, for marks that do not reach the target

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
    for step_db in STEPS_DB:
        scores = mark_scores(nominal_room(marked_at(highest_db + step_db), config.fs_hz), key, config, marks)
        strengths[short & (scores >= TARGET_SCORE)] = highest_db + step_db
        short &= scores < TARGET_SCORE
        if not short.any():
            break
    return strengths
