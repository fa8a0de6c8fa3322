"""Watermark detector in float64, from its equations: what the Q15 detector is held against, node by node."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import scipy  # its parts are loaded at their first use
from numpy.typing import NDArray

from firmware_model.reference.watermark_decision import Decision, Peak
from firmware_model.reference.watermark_model import WatermarkModel

FLOOR = 64.0  # P0, LSB**2 in a bin: about the rounding noise of 16-bit PCM under a Hann window of 2048
LSB_SQUARED = 2.0**30  # power in LSB**2 of 16-bit PCM for a power of 1
MEAN_HOPS = 32  # 1/coefficient of the running mean
CONTRAST_LIMIT = 127 / 64
FEATURE_LIMIT = 127 / 96  # the Q15 detector stores features in steps of 1/96
SILENCE_FEATURE = 3 / 96  # features of this rms or less, 0.1 dB, let the score fade to nothing
ACTIVITY_HOPS = 128  # 1/coefficient of the running mean square
ACTIVITY_SPAN = 8  # bands to each side over which it is averaged
NOISE_ACTIVITY, ACTIVITY_RANGE, LEAST_WEIGHT = 0.45, 0.25, 0.3
BLOCK_HOPS = 512  # hops worked on at once: with the shipped layout 36 MB at the peak

Array = NDArray[np.float64]


class Detection(NamedTuple):
    """A mark: index of the key; start of the (last) mark, seconds >= 0; score; fewest marks that reach T."""

    key: int
    time_s: float
    score: float
    marks: int


class Reference(NamedTuple):
    """Result of `detect`.

    detections : list of Detection, in the order in which they become certain
    scores : (hops, keys, max_marks) float64, z_{t,p}, score of a mark of pattern p that would end at hop t
    integrated : (hops, keys) float64, score_t, the largest over patterns and 1 to max_marks consecutive marks
    """

    detections: list[Detection]
    scores: Array
    integrated: Array


class Nodes(NamedTuple):
    """Internal signals under the names that comparisons use.

    band_level : (hops, bands) float64, B, log2 of LSB**2
    slot_level : (hops, bands) float64, S, log2 of LSB**2, mean over the last slot_hops hops
    feature : (hops, bands) float64, w X, in [-127/96, 127/96], log2 units (1 is 3.01 dB), w from 0.3 to 1
    score : (hops, keys, max_marks) float64, z
    """

    band_level: Array
    slot_level: Array
    feature: Array
    score: Array


def detect(x: np.ndarray, signs: np.ndarray, model: WatermarkModel | None = None) -> Reference:
    """Find marks in a whole recording.

    Parameters
    ----------
    x : (n,) float, in [-1, 1], at model.fs_hz; samples after the last whole hop are ignored
    signs : (keys, max_marks, slots, bands), +1 or -1, summing to 0 over slots in every pattern and band;
        consecutive marks use pattern 0, 1, ... max_marks - 1, 0, ...
    model : WatermarkModel

    Returns
    -------
    Reference

    Raises
    ------
    ValueError
        x not (n,) float in [-1, 1], or signs not as above.

    Notes
    -----
    A detection at hop t is of the mark that began ((t+1)H - R h H - (N-H)/2) / fs_hz seconds into x: the
    frames best matched to its R h hops are centred on them, so the last ends (N-H)/2 after it. Measured on
    30 marks of +-3 dB on noise: found 28.2 ms early to 3.8 ms late, 6.0 ms early on average, the running mean
    drawing the peak forward; a hop is 32 ms. Weaker marks scatter more.
    Memory besides x: 36 MB and about the size of the result, 40 MB for an hour and one key. Time for that
    hour on two cores: 2.7 s when idle, 17 to 23 s beside other work at a load of 5.
    Source: own design, from the patchwork method (Bender et al., IBM Systems Journal 35, 1996).
    """
    detector = Detector(signs, model)
    return joined([detector.push(x), detector.finish()])


class Detector:
    """`detect` of a recording that comes in pieces, in memory that does not grow.

    Parameters
    ----------
    signs, model : as of `detect`
    """

    def __init__(self, signs: np.ndarray, model: WatermarkModel | None = None) -> None:
        self._model = model or WatermarkModel()
        self._signs = _checked_signs(signs, self._model)
        self._analysis = _Analysis(self._signs, self._model)
        self._decisions = [Decision(self._model) for _ in self._signs]

    def push(self, x: np.ndarray) -> Reference:
        """Take samples; what became certain, of the hops since the last call: BLOCK_HOPS at a time."""
        _check_signal(x)
        return self._decided(self._analysis.push(x))

    def finish(self) -> Reference:
        """The rest, at the end of the recording."""
        rest = self._decided(self._analysis.finish())
        last = [(peak, key) for key, decision in enumerate(self._decisions) for peak in decision.finish()]
        return rest._replace(detections=rest.detections + self._detections(last))

    def _decided(self, blocks: Iterable[Nodes]) -> Reference:
        z = np.concatenate([_no_score(self._signs), *(nodes.score for nodes in blocks)])
        integrated = np.empty(z.shape[:2])
        found = []
        for key, decision in enumerate(self._decisions):
            integrated[:, key], peaks = decision.push(z[:, key])
            found += [(peak, key) for peak in peaks]
        return Reference(self._detections(found), z, integrated)

    def _detections(self, found: list[tuple[Peak, int]]) -> list[Detection]:
        """In the order in which they became certain."""
        model, detections = self._model, []
        for peak, key in sorted(found, key=lambda item: (item[0].report_hop, item[1])):
            start = (peak.hop + 1 - model.mark_hops) * model.hop - (model.fft_size - model.hop) / 2
            detections.append(Detection(key, max(start, 0) / model.fs_hz, peak.score, peak.marks))
        return detections


def joined(parts: Sequence[Reference]) -> Reference:
    """One result of those of consecutive pieces."""
    detections = [detection for part in parts for detection in part.detections]
    scores, integrated = ([getattr(part, name) for part in parts] for name in ("scores", "integrated"))
    return Reference(detections, np.concatenate(scores), np.concatenate(integrated))


def trace(x: np.ndarray, signs: np.ndarray, model: WatermarkModel | None = None) -> Nodes:
    """Every named node over the whole of x; arguments and errors as of `detect`.

    Memory: 3 * 8 * bands bytes a hop, 330 kB for a second of the shipped layout.
    """
    model = model or WatermarkModel()
    _check_signal(x)
    signs = _checked_signs(signs, model)
    none = np.empty((0, model.bands))
    analysis = _Analysis(signs, model)
    parts = [Nodes(none, none, none, _no_score(signs)), *analysis.push(x), *analysis.finish()]
    return Nodes(*(np.concatenate(node) for node in zip(*parts, strict=True)))


def features(x: np.ndarray, model: WatermarkModel | None = None) -> Array:
    """(hops, bands) float64, the node "feature"; x as for `detect`."""
    model = model or WatermarkModel()
    return trace(x, np.empty((0, model.max_marks, model.slots, model.bands)), model).feature


def score(feature: Array, signs: Array, model: WatermarkModel) -> Array:
    """Correlation of features with signs, over its standard deviation over all balanced keys.

    Parameters
    ----------
    feature : ((slots - 1) * slot_hops + hops, bands) float64, X; the first (slots - 1) * slot_hops rows
        are the hops before those that are scored
    signs : (patterns, slots, bands) float64
    model : WatermarkModel

    Returns
    -------
    (hops, patterns) float64, z

    Notes
    -----
    c_t = sum_r sum_b s[r,b] X_{t-(R-1-r)h}(b);  v_t = (R sum_r sum_b X^2 - sum_b (sum_r X)^2) / (R-1);
    z_t = c_t / sqrt(v_t + R bands (3/96)^2).
    Bands have independent signs. Within a band E[s_r^2] = 1 and, since the R signs sum to 0,
    E[s_r s_q] = -1/(R-1) => var = sum X^2 - ((sum X)^2 - sum X^2)/(R-1), which summed over bands is v.
    Over random keys z has mean 0 and variance 1 for any audio, and, E exp(c) <= exp(v/2) having held in all
    of 40000 random bands of 8 slots over all 70 columns (measured, not proven), P(z >= a) <= exp(-a^2/2).
    """
    # Row t of slots[r] is X_{t-(R-1-r)h}.
    hops = len(feature) - (model.slots - 1) * model.slot_hops
    slots = [feature[r * model.slot_hops :][:hops] for r in range(model.slots)]
    correlation = np.zeros((hops, len(signs)))
    energy = np.zeros(hops)
    column = np.zeros((hops, model.bands))
    for r, row in enumerate(slots):
        correlation += row @ signs[:, r].T
        energy += np.sum(row**2, axis=1)
        column += row
    variance = (model.slots * energy - np.sum(column**2, axis=1)) / (model.slots - 1)
    variance += model.slots * model.bands * SILENCE_FEATURE**2
    return correlation / np.sqrt(variance)[:, None]


class _Analysis:
    """Nodes of BLOCK_HOPS hops at a time; a block hands on what the hops after it look back on."""

    def __init__(self, signs: Array, model: WatermarkModel) -> None:
        self._signs, self._model = signs, model
        # Before the start: silence, hence levels at the floor, whitened levels and features at 0.
        self._samples = np.zeros(model.fft_size - model.hop)  # from the next hop's frame on
        self._past_level = np.full((model.slot_hops - 1, model.bands), math.log2(FLOOR))
        self._past_feature = np.zeros(((model.slots - 1) * model.slot_hops, model.bands))
        self._mean_state = np.zeros((1, model.bands))
        self._activity_state = np.zeros((1, model.bands))

    def push(self, x: np.ndarray) -> Iterator[Nodes]:
        """Nodes of the whole blocks that there are."""
        model = self._model
        past, block = model.fft_size - model.hop, BLOCK_HOPS * model.hop
        for start in range(0, len(x), block):
            self._samples = np.concatenate([self._samples, x[start : start + block]])
            if len(self._samples) >= past + block:
                yield self._nodes(self._samples[: past + block])
                self._samples = self._samples[block:]

    def finish(self) -> Iterator[Nodes]:
        """Nodes of the whole hops that remain."""
        past = self._model.fft_size - self._model.hop
        hops = (len(self._samples) - past) // self._model.hop
        if hops:
            yield self._nodes(self._samples[: past + hops * self._model.hop])

    def _nodes(self, samples: Array) -> Nodes:
        model, signs = self._model, self._signs
        band_level = _band_level(samples, model)
        count = len(band_level)
        levels = np.concatenate([self._past_level, band_level])
        slot_level = np.sum([levels[i : i + count] for i in range(model.slot_hops)], axis=0) / model.slot_hops
        # F: level less the mean of two neighbours on each side, edges repeated.
        wide = np.pad(slot_level, ((0, 0), (2, 2)), mode="edge")
        whitened = slot_level - (wide[:, :-4] + wide[:, 1:-3] + wide[:, 3:-1] + wide[:, 4:]) / 4
        # m_t = m_{t-1} + (F_t - m_{t-1}) / 32
        pole = [1, 1 / MEAN_HOPS - 1]
        mean, self._mean_state = scipy.signal.lfilter(
            [1 / MEAN_HOPS], pole, whitened, axis=0, zi=self._mean_state
        )
        contrast = np.clip(whitened - mean, -CONTRAST_LIMIT, CONTRAST_LIMIT)
        # a_t = a_{t-1} + (X_t^2 - a_{t-1}) / 128; w = 0.3 .. 1 by its mean over 17 bands; feature = w X
        pole = [1, 1 / ACTIVITY_HOPS - 1]
        activity, self._activity_state = scipy.signal.lfilter(
            [1 / ACTIVITY_HOPS], pole, contrast**2, axis=0, zi=self._activity_state
        )
        around = scipy.ndimage.uniform_filter1d(activity, 2 * ACTIVITY_SPAN + 1, axis=1, mode="nearest")
        weight = np.clip(LEAST_WEIGHT + (around - NOISE_ACTIVITY) / ACTIVITY_RANGE, LEAST_WEIGHT, 1)
        feature = np.clip(weight * contrast, -FEATURE_LIMIT, FEATURE_LIMIT)
        feature_line = np.concatenate([self._past_feature, feature])
        z = score(feature_line, signs.reshape(-1, model.slots, model.bands), model)
        self._past_level, self._past_feature = levels[count:], feature_line[count:]
        return Nodes(band_level, slot_level, feature, z.reshape(count, *signs.shape[:2]))


def _band_level(samples: Array, model: WatermarkModel) -> Array:
    """(hops, bands): B_t(b) = mean over the band's bins of log2(|Y_t(k)|^2 2^30 + 64).

    samples : those of the hops, and the fft_size - hop before them. Frame t is the fft_size samples that end
        with hop t, under a periodic Hann window
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, model.fft_size)[:: model.hop]
    spectrum = scipy.fft.rfft(frames * scipy.signal.get_window("hann", model.fft_size), axis=1)[
        :, model.first_bin : model.end_bin
    ]
    power = spectrum.real**2 + spectrum.imag**2
    level = np.log2(power * LSB_SQUARED + FLOOR)
    return level.reshape(len(frames), model.bands, model.band_bins).mean(axis=2)


def _check_signal(x: np.ndarray) -> None:
    if not isinstance(x, np.ndarray) or x.ndim != 1 or not np.issubdtype(x.dtype, np.floating):
        found = f"{x.dtype} of shape {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise ValueError(f"x: {found} found, an array (n,) of floats needed")
    # The minimum of samples that hold a NaN is NaN.
    if x.size and not (x.min() >= -1 and x.max() <= 1):
        raise ValueError(f"x: samples from {x.min():g} to {x.max():g} found, must be in [-1, 1]")


def _checked_signs(signs: np.ndarray, model: WatermarkModel) -> Array:
    signs = np.asarray(signs, dtype=np.float64)
    shape = (model.max_marks, model.slots, model.bands)
    if signs.ndim != 4 or signs.shape[1:] != shape:
        raise ValueError(f"signs of shape {signs.shape}: must be (keys, {', '.join(map(str, shape))})")
    if not np.all(np.abs(signs) == 1):
        raise ValueError("signs: must be +1 or -1")
    if np.any(signs.sum(axis=2)):
        raise ValueError("signs: must sum to 0 over the slots in every pattern and band")
    return signs


def _no_score(signs: Array) -> Array:
    """Scores of no hop."""
    return np.empty((0, *signs.shape[:2]))
