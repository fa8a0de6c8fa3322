"""What a mark does to each cell of the programme: sign by the key, size by masking and by what is there."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_model.watermark.embedding.masking import (
    MIN_FRAME,
    OVERLAP,
    POWER_FLOOR,
    MaskingModel,
    Real,
    Spectrum,
    band_energies,
    init_masking,
    power_of,
    spread_over_bins,
)
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import NEIGHBOURS, WatermarkConfig
from fixedpoint.errors import ConfigError

# Of a cell: stronger marks lift the noise between the harmonics audibly, weaker ones need not.
MAX_GAIN_DB, MAX_GAIN_SLOPE = 4.0, 0.25  # at 0 dB of strength, and dB for each dB of it
LEAST_MAX_GAIN_DB = 0.5  # from -14 dB of strength down: below -16 the line would turn the signs round
FRAME_SECONDS = 0.128  # frame of the embedder, unless the detector's is longer or half a slot is shorter
# Informed weight u = clip(1 - INFORMED_SLOPE * s * X, ...): a cell that already says s is left more alone.
INFORMED_SLOPE, INFORMED_MIN, INFORMED_MAX = 0.5, 0.3, 1.5
REFERENCE_SLOTS = (-2, -1, 1, 2)  # a slot's host feature is taken against these neighbours

_NEIGHBOUR_OFFSETS = tuple(d for d in range(-NEIGHBOURS, NEIGHBOURS + 1) if d)


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
    power = power_of(spectrum[:, bins])
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
    log_power = np.log2(power_of(spectrum[:, marker.marked_bins]) + POWER_FLOOR)
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
