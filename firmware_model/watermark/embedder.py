"""The embedder: raises and lowers narrow time-frequency cells by a key, as far as the programme masks it.

Runs on the host that feeds the loudspeaker, in float64; only the detector is firmware. The mark is made
at the detector's sample rate from the mean of the channels and added, as a difference, to the untouched
programme at its own rate.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray

from firmware_model.watermark.embedder_input import check_settings, checked_samples, marks_that_fit
from firmware_model.watermark.headroom import BLOCK_SAMPLES, add_within_headroom
from firmware_model.watermark.key import Key
from firmware_model.watermark.masking import (
    MIN_FRAME,
    OVERLAP,
    POWER_FLOOR,
    MaskingModel,
    Real,
    Spectrum,
    analyse,
    band_energies,
    init_masking,
    masked_threshold,
    spread_over_bins,
    synthesise,
    temporal_dip,
)
from firmware_model.watermark.params import NEIGHBOURS, WatermarkConfig
from firmware_model.watermark.planning import plan_strengths
from fixedpoint.errors import ConfigError

DEFAULT_STRENGTHS_DB = {"informed": 7.0, "live": -2.0}

# Of a cell: stronger marks lift the noise between the harmonics audibly, weaker ones need not.
MAX_GAIN_DB, MAX_GAIN_SLOPE = 4.0, 0.25  # at 0 dB of strength, and dB for each dB of it
LEAST_MAX_GAIN_DB = 0.5  # from -14 dB of strength down: below -16 the line would turn the signs round
FRAME_SECONDS = 0.128  # frame of the embedder, unless the detector's is longer or half a slot is shorter
# Informed weight u = clip(1 - INFORMED_SLOPE * s * X, ...): a cell that already says s is left more alone.
INFORMED_SLOPE, INFORMED_MIN, INFORMED_MAX = 0.5, 0.3, 1.5
REFERENCE_SLOTS = (-2, -1, 1, 2)  # a slot's host feature is taken against these neighbours

LIMITER_SECONDS = 0.002
ROUNDING_POWER = 2.0**-30 / 12  # of 16-bit PCM, per sample: a mark below it is not the loudest noise

_NEIGHBOUR_OFFSETS = tuple(d for d in range(-NEIGHBOURS, NEIGHBOURS + 1) if d)


class Embedded(NamedTuple):
    """Marked audio.

    y : (n,) or (n, channels) float64, like the input
    marks_s : (marks,) float64, start of each mark, seconds
    mark_seconds : length of a mark, seconds
    wsr_db : watermark to signal, 10 log10(sum (y-x)^2 / sum x^2); None where either sum is 0
    strengths_db : (marks,) float64, strength at which each mark was embedded
    nmr_db : noise to mask before the limiter, of the mean of the channels: 10 log10 of the mean over marked
        frames and the half-Bark bands that hold marked bins of (watermark energy / masked threshold, or
        16-bit rounding where that is more); a frame's threshold is that of its whole energy, so that what
        precedes an onset by less than a frame is not told; None where there is no watermark
    """

    y: Real
    marks_s: Real
    mark_seconds: float
    strengths_db: Real
    wsr_db: float | None
    nmr_db: float | None


def embed(
    x: Real,
    fs_hz: int,
    key: Key,
    *,
    mode: str = "informed",
    strength_db: float | None = None,
    config: WatermarkConfig | None = None,
) -> Embedded:
    """Embed marks back to back from sample 0, as many whole ones as fit.

    Parameters
    ----------
    x : (n,) or (n, 1 or 2) float64 in [-1, 1]
    fs_hz : int, sample rate of x, hertz, at least config.fs_hz
    key : Key
    mode : "informed" looks ahead in the file and puts the strength where the programme contradicts the
        key; "live" is causal but for one frame of the embedder (128 ms), the resampler and the limiter
    strength_db : float in [-20, 12]; dB by which the change of a cell's amplitude may exceed its
        masked threshold; None for 7 informed, -2 live. The change of a cell is bounded as well, to
        4 dB + strength_db/4, so that the mark grows by less than 1 dB per dB: live, nmr_db is -13 to
        -11, -2 to 0 and 3 to 5 dB at -10, 2 and 8 (synthesised music, voice, drums). "informed" takes
        it as the highest strength and embeds each mark as softly as the detector allows (planning.py)
    config : WatermarkConfig, None for the defaults

    Returns
    -------
    Embedded

    Raises
    ------
    AudioError
        x shorter than a mark, empty, not floating point, not finite, beyond [-1, 1], or with more than two
        channels; fs_hz below config.fs_hz.
    ConfigError
        mode, strength_db, fs_hz, or slots too short to embed in.

    Notes
    -----
    For cell (t, k) of an STFT of 128 ms (root-Hann, 3/4 overlap) of the mean of the channels at config.fs_hz,
    slot j, and s the key's sign for slot j and the band of k (marks use its patterns in turn):
        step_db = min(20 log10(1 + 10^(strength/20) sqrt(M)/|Y|), 4 + strength/4) * s * u
        w = synthesis of (10^(step_db/20) - 1) Y_c for each channel c;    y = x + limited w
    with M the cell's share of the masked threshold (masking.py) and u = 1 live, or
    clip(1 - X s/2, 0.3, 1.5) informed, X being the programme's own feature in that slot and band.
    Limiter (headroom.py): |y| <= max(CEILING, |x|) at every sample, so that a sample that did not saturate
    in 16 bits does not with the mark. Music clipped at 7 % of its samples lost a quarter of its score to
    it; lowering such a programme by 0.5 dB first avoids that.
    y - x is 40 dB down 20 Hz outside the marked band, 50 dB at 50 Hz (white noise; the windows' leakage), and
    zero from half a frame after the last mark on.
    Cost: 1 s per minute of stereo live, 2 s informed; memory for y, for the programme at config.fs_hz, and
    0.3 GB.
    Source: own design; level modulation of cells as in Haitsma et al., "Audio watermarking for
    monitoring and copy protection", ACM Multimedia 2000.
    """
    config = WatermarkConfig() if config is None else config
    strength_db = DEFAULT_STRENGTHS_DB.get(mode, 0.0) if strength_db is None else strength_db
    check_settings(fs_hz, mode, strength_db, config)
    samples = checked_samples(x, fs_hz, config)
    marks = marks_that_fit(len(samples), fs_hz, config)

    host = samples if fs_hz == config.fs_hz else soxr.resample(samples, fs_hz, config.fs_hz, quality="VHQ")
    strengths_db = np.full(marks, float(strength_db))
    marker = init_marker(key, config, mode=mode, strengths_db=strengths_db, samples=len(host))
    if mode == "informed":

        def marked_at(level_db: float) -> Real:
            trial = marker._replace(strengths_db=np.full(marks, level_db))
            w, _ = _watermark(trial, host.mean(axis=1, keepdims=True), config.fs_hz, (len(host), 1))
            return w[:, 0] + host.mean(axis=1)

        strengths_db = plan_strengths(marked_at, key, config, marks, float(strength_db))
        marker = marker._replace(strengths_db=strengths_db)
    y, nmr = _watermark(marker, host, fs_hz, samples.shape)
    energy_w, energy_x = add_within_headroom(samples, y, max(1, round(LIMITER_SECONDS * fs_hz)))
    wsr_db = 10 * math.log10(energy_w / energy_x) if energy_w > 0 and energy_x > 0 else None
    return Embedded(
        y=y.reshape(x.shape),
        marks_s=np.arange(marks, dtype=np.float64) * config.mark_seconds,
        mark_seconds=config.mark_seconds,
        strengths_db=strengths_db,
        wsr_db=wsr_db,
        nmr_db=10 * math.log10(nmr) if nmr > 0 and wsr_db is not None else None,
    )


class Marker(NamedTuple):
    """What stays the same from block to block; lengths in samples at the detector's rate.

    fs_hz : int, the detector's rate
    masking : MaskingModel
    signs : (patterns * slots, bands) float64, +1 or -1; slot j of the programme uses row j modulo all
    first_bin : (bands + 1,) int, band b is the bins [first_bin[b], first_bin[b + 1]) of a frame
    slot, mark, total : length of a slot, of a mark, of the programme
    margin : context on each side of a block, whole hops
    informed : bool
    strengths_db : (marks,) float64
    """

    fs_hz: int
    masking: MaskingModel
    signs: Real
    first_bin: NDArray[np.int64]
    slot: int
    mark: int
    total: int
    margin: int
    informed: bool
    strengths_db: Real

    @property
    def marked(self) -> int:
        """Samples from the start of the programme to the end of the last mark."""
        return len(self.strengths_db) * self.mark

    @property
    def marked_bins(self) -> slice:
        return slice(int(self.first_bin[0]), int(self.first_bin[-1]))

    @property
    def marked_masking_bands(self) -> NDArray[np.bool_]:
        """(bands of the masking model,): those that hold a marked bin."""
        first = self.masking.first_bin
        return (first[1:] > self.first_bin[0]) & (first[:-1] < self.first_bin[-1])


def init_marker(key: Key, config: WatermarkConfig, *, mode: str, strengths_db: Real, samples: int) -> Marker:
    """Tables for a programme of `samples` samples at config.fs_hz, with a mark for each strength."""
    frame = _frame_samples(config)
    signs = key.signs(config.max_marks, config.slots, config.bands)
    hop = frame // OVERLAP
    # Three slots for the feature of a slot that began before the block, two frames, and half a second, over
    # which forward masking falls by 187 dB: a block comes out as it would in one piece.
    context = 3 * config.slot_samples + 2 * frame + config.fs_hz // 2
    return Marker(
        fs_hz=config.fs_hz,
        masking=init_masking(config.fs_hz, frame),
        signs=signs.reshape(-1, config.bands).astype(np.float64),
        first_bin=np.ceil(config.band_edges_hz * frame / config.fs_hz).astype(np.int64),
        slot=config.slot_samples,
        mark=config.mark_samples,
        total=samples,
        margin=-(-context // hop) * hop,
        informed=mode == "informed",
        strengths_db=strengths_db,
    )


def _frame_samples(config: WatermarkConfig) -> int:
    """Frame of the embedder, a power of two; half a slot at most, or a slot would blur into the next."""
    longest = max(FRAME_SECONDS * config.fs_hz, config.fft_size)
    frame = 1 << math.floor(math.log2(min(longest, config.slot_samples / 2)))
    shortest = max(MIN_FRAME, config.fft_size // config.band_bins)  # a bin in every band
    if frame < shortest:
        raise ConfigError(
            f"hop * slot_hops={config.slot_samples}: a slot must have {2 * shortest} samples or more to embed"
            f" bands of {config.band_bins * config.fs_hz / config.fft_size:g} Hz"
        )
    return frame


def steps_db(marker: Marker, centre: NDArray[np.int64], spectrum: Spectrum, threshold: Real) -> Real:
    """Change of level of every marked cell, dB: (frames, marked bins), 0 outside the marks.

    centre : (frames,) int, sample at the middle of each frame
    spectrum : (frames, bins) complex, of the mean of the channels
    threshold : (frames, bands of the masking model), energy
    """
    slot = centre // marker.slot
    signs = marker.signs[slot % len(marker.signs)]
    if marker.informed:
        feature = host_feature(marker, slot, spectrum)
        signs = signs * np.clip(1.0 - INFORMED_SLOPE * signs * feature, INFORMED_MIN, INFORMED_MAX)
    signs = signs * ((centre >= 0) & (centre < marker.marked))[:, None]

    bins = marker.marked_bins
    power = _power(spectrum[:, bins])
    mark = np.clip(centre // marker.mark, 0, len(marker.strengths_db) - 1)
    strength_db = marker.strengths_db[mark, None]
    allowed = spread_over_bins(marker.masking, threshold)[:, bins] * 10.0 ** (strength_db / 10.0)
    # sqrt(M)/|Y|, but 0 where there is nothing to scale: digital silence, channels that cancel in the mean.
    relative = np.sqrt(allowed * power) / (power + POWER_FLOOR)
    bound_db = np.maximum(MAX_GAIN_DB + MAX_GAIN_SLOPE * strength_db, LEAST_MAX_GAIN_DB)
    step = np.minimum(20.0 * np.log10(1.0 + relative), bound_db)
    return step * np.repeat(signs, np.diff(marker.first_bin), axis=1)


def host_feature(marker: Marker, slot: NDArray[np.int64], spectrum: Spectrum) -> Real:
    """The programme's own detector feature, which the mark has to overcome: (frames, bands), log2 of power.

    slot : (frames,) int, slot of each frame, ascending without a gap
    spectrum : (frames, bins) complex

    Notes
    -----
    As in the detector: L = log2 |Y|^2; S = mean over the band's bins and the slot's frames; F = S minus
    the mean of its four neighbour bands. There a running mean over the past is then taken away; the
    embedder, which knows the future, takes the mean of the two slots before and the two after, as far as
    the programme has them.
    """
    log_power = np.log2(_power(spectrum[:, marker.marked_bins]) + POWER_FLOOR)
    level = band_energies(log_power, marker.first_bin - marker.first_bin[0]) / np.diff(marker.first_bin)
    slots, first_frame, frames = np.unique(slot, return_index=True, return_counts=True)
    level = np.add.reduceat(level, first_frame, axis=0) / frames[:, None]

    bands = level.shape[1]
    edged = np.pad(level, ((0, 0), (NEIGHBOURS, NEIGHBOURS)), mode="edge")
    around = sum(edged[:, NEIGHBOURS + d : NEIGHBOURS + d + bands] for d in _NEIGHBOUR_OFFSETS)
    contrast = level - around / len(_NEIGHBOUR_OFFSETS)

    held = ((slots >= 0) & ((slots + 1) * marker.slot <= marker.total)).astype(np.float64)[:, None]
    reference, count = np.zeros_like(contrast), np.zeros_like(held)
    for d in REFERENCE_SLOTS:
        to, of = slice(max(0, -d), len(slots) - max(0, d)), slice(max(0, d), len(slots) - max(0, -d))
        reference[to] += held[of] * contrast[of]
        count[to] += held[of]
    feature = held * (contrast - reference / np.maximum(count, 1.0))
    return np.repeat(feature, frames, axis=0)


def _watermark(marker: Marker, host: Real, fs_hz: int, shape: tuple[int, ...]) -> tuple[Real, float]:
    """The watermark at the programme's rate, (n, channels), and the mean noise-to-mask power ratio.

    host : (samples, channels) at the detector's rate
    """
    w = np.zeros(shape)
    stream = None
    if fs_hz != marker.fs_hz:
        stream = soxr.ResampleStream(marker.fs_hz, fs_hz, shape[1], dtype="float64", quality="VHQ")
    at, total, cells = 0, 0.0, 0
    for block, ratio, last in _blocks(marker, host):
        piece = block if stream is None else stream.resample_chunk(block, last=last)
        piece = piece[: len(w) - at]  # the two roundings of the length can add up to a sample too many
        w[at : at + len(piece)] = piece
        at += len(piece)
        total += float(ratio.sum())
        cells += ratio.size
    return w, total / max(cells, 1)


def _blocks(marker: Marker, host: Real) -> Iterator[tuple[Real, Real, bool]]:
    """Consecutive blocks of the watermark at the detector's rate, (samples, channels); noise-to-mask
    ratios of their marked frames, (frames, bands); whether it is the last."""
    model, margin = marker.masking, marker.margin
    block = max(BLOCK_SAMPLES // model.hop, 1) * model.hop
    for start in range(0, len(host), block):
        stop = min(start + block, len(host))
        segment = _padded(host, start - margin, stop + margin)
        mono = segment.mean(axis=1)
        spectrum = analyse(model, mono)
        threshold = masked_threshold(model, spectrum, temporal_dip(model, mono))
        centre = start - margin + model.frame // 2 + model.hop * np.arange(len(spectrum))
        change = 10.0 ** (steps_db(marker, centre, spectrum, threshold) / 20.0) - 1.0
        spectra = [analyse(model, channel) for channel in segment.T] if segment.shape[1] > 1 else [spectrum]
        w = np.stack([_changed(marker, change, s, len(segment)) for s in spectra], axis=1)

        own = (centre >= start) & (centre < min(stop, marker.marked))
        ratio = _noise_to_mask(marker, analyse(model, w.mean(axis=1))[own], spectrum[own])
        yield w[margin : margin + stop - start], ratio, stop == len(host)


def _changed(marker: Marker, change: Real, spectrum: Spectrum, n: int) -> Real:
    """Synthesis of the marked cells, each times its change of amplitude."""
    w = np.zeros_like(spectrum)
    w[:, marker.marked_bins] = change * spectrum[:, marker.marked_bins]
    return synthesise(marker.masking, w, n)


def _noise_to_mask(marker: Marker, w: Spectrum, host: Spectrum) -> Real:
    """Watermark energy over masked threshold, not below 16-bit rounding: (frames, marked masking bands)."""
    model = marker.masking
    rounding = ROUNDING_POWER * np.sum(model.window**2) * np.diff(model.first_bin)
    threshold = np.maximum(masked_threshold(model, host), rounding)
    bands = marker.marked_masking_bands
    return band_energies(_power(w), model.first_bin)[:, bands] / threshold[:, bands]


def _padded(x: Real, start: int, stop: int) -> Real:
    """x[start:stop], with zeros where that lies outside x."""
    y = np.zeros((stop - start, x.shape[1]))
    inside = x[max(start, 0) : stop]
    offset = max(-start, 0)
    y[offset : offset + len(inside)] = inside
    return y


def _power(spectrum: Spectrum) -> Real:
    return spectrum.real**2 + spectrum.imag**2
