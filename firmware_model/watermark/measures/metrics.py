"""How well detections fit the marks that were embedded, and how far two arithmetics are apart."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from firmware_model.watermark.detector import Detector
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import SCORE_FRAC_BITS, WatermarkConfig


class DetectionLike(Protocol):
    """What the Q15 detector and the float reference both report; see `watermark.detector.Detection`."""

    @property
    def key(self) -> int: ...
    @property
    def time_s(self) -> float: ...
    @property
    def marks(self) -> int: ...


class Hits(NamedTuple):
    """Which of the embedded marks were found.

    one_mark : (n,) bool, found by a detection that took this mark alone
    found : (n,) bool, found alone or as one of several consecutive marks whose scores were added
    strays : int, detections at no mark
    """

    one_mark: np.ndarray
    found: np.ndarray
    strays: int


def match_tolerance_s(config: WatermarkConfig) -> float:
    """How far a detection may lie from its mark: half a slot and half a hop, seconds (0.144 at the defaults).

    Beyond half a slot less than half of a mark's cells overlap the detector's, so a peak there is not this
    mark's; times come in steps of a hop.
    """
    return (config.slot_samples + config.hop) / 2 / config.fs_hz


def pair_tolerance_s(config: WatermarkConfig) -> float:
    """How far two arithmetics may place one detection apart: one hop, seconds (0.048 accepts 0.032).

    Where two neighbouring hops score alike within the rounding, either may be the peak. Half a hop more,
    since the difference of two times is not exactly a hop in floating point.
    """
    return 1.5 * config.hop / config.fs_hz


def match_marks(
    detections: Sequence[DetectionLike], heard_s: np.ndarray, mark_seconds: float, tolerance_s: float
) -> Hits:
    """Match detections of one key with the marks that were played.

    Parameters
    ----------
    detections : of one key; `time_s` is the start of the last of the `marks` marks that it took
    heard_s : (n,) float, start of each mark at the microphone, on its clock, seconds
    mark_seconds : float, length of a mark
    tolerance_s : float, see `match_tolerance_s`
    """
    one_mark = np.zeros(len(heard_s), bool)
    found = np.zeros(len(heard_s), bool)
    strays = 0
    for detection in detections:
        hit = np.abs(heard_s - detection.time_s) <= tolerance_s
        if not hit.any():
            strays += 1
            continue
        if detection.marks == 1:
            one_mark |= hit
        found |= finds(detection, heard_s, mark_seconds, tolerance_s)
    return Hits(one_mark, found, strays)


def finds(
    detection: DetectionLike, heard_s: np.ndarray, mark_seconds: float, tolerance_s: float
) -> np.ndarray:
    """(n,) bool, the marks that a detection at a mark has added up; arguments as of `match_marks`."""
    behind_s = detection.time_s - heard_s
    return (behind_s >= -tolerance_s) & (behind_s <= (detection.marks - 1) * mark_seconds + tolerance_s)


def unpaired(
    a: Sequence[DetectionLike], b: Sequence[DetectionLike], tolerance_s: float
) -> tuple[list[DetectionLike], list[DetectionLike]]:
    """Detections of `a` without a partner in `b`, and of `b` without one in `a`.

    Partners have the same key and lie within `tolerance_s`; each has one partner at most, the first in time.
    """
    only_a: list[DetectionLike] = []
    only_b = sorted(b, key=lambda detection: detection.time_s)
    for detection in sorted(a, key=lambda detection: detection.time_s):
        for i, other in enumerate(only_b):
            if other.key == detection.key and abs(other.time_s - detection.time_s) <= tolerance_s:
                del only_b[i]
                break
        else:
            only_a.append(detection)
    return only_a, only_b


def score_error_max(q15: np.ndarray, reference: np.ndarray) -> float:
    """Largest |q15 - reference| over hops and keys; 0 for a recording shorter than a hop."""
    return float(np.abs(q15 - reference).max(initial=0.0))


def decisions_differ(q15: np.ndarray, reference: np.ndarray, threshold: float) -> int:
    """Hops and keys at which one arithmetic is at the threshold and the other is not.

    Each is held against the threshold that it uses: the kernel's is rounded to Q7.9.
    """
    threshold_q9 = round(threshold * 2**SCORE_FRAC_BITS) / 2**SCORE_FRAC_BITS
    return int(np.count_nonzero((q15 >= threshold_q9) != (reference >= threshold)))


class BlockCheck(NamedTuple):
    """equal : blocks after which every bit was the same;  total : blocks."""

    equal: int
    total: int


class BitExactBlocks:
    """Streams samples in blocks of random size beside whole hops, and compares all bits after each block.

    Parameters
    ----------
    seed : int >= 0, of the block sizes: 1 to 3 hops, each size as likely

    Notes
    -----
    Compared are the detections that the block gave, the scores of its last hop, and the whole state.
    """

    def __init__(self, keys: Sequence[Key], config: WatermarkConfig, seed: int) -> None:
        self._rng, self._hop = np.random.default_rng(seed), config.hop
        self._blocks, self._hops = Detector(keys, config), Detector(keys, config)
        self._pcm = np.empty(0, np.int16)  # from the first sample that has not gone in as whole hops
        self._ahead = 0  # of them, gone in as blocks
        self._size = self._drawn()
        self._equal = self._total = 0

    def push(self, pcm: np.ndarray) -> None:
        """Take samples, (n,) int16, Q1.15."""
        self._pcm = np.concatenate([self._pcm, pcm])
        while len(self._pcm) - self._ahead >= self._size:
            self._compare(self._size)
            self._size = self._drawn()

    def finish(self) -> BlockCheck:
        """At the end of the recording: the last block, which is shorter."""
        if len(self._pcm) > self._ahead:
            self._compare(len(self._pcm) - self._ahead)
        return BlockCheck(self._equal, self._total)

    def _drawn(self) -> int:
        return int(self._rng.integers(1, 3 * self._hop + 1))

    def _compare(self, size: int) -> None:
        found = self._blocks.push(self._pcm[self._ahead : self._ahead + size])
        self._ahead += size
        whole = self._ahead // self._hop * self._hop
        expected = self._hops.push(self._pcm[:whole])
        self._pcm, self._ahead = self._pcm[whole:], self._ahead - whole
        pairs = zip(
            (*self._blocks.state, *self._blocks.output), (*self._hops.state, *self._hops.output), strict=True
        )
        self._equal += found == expected and all(np.array_equal(a, b) for a, b in pairs)
        self._total += 1
