"""What embedder and detector must agree on, in units, and its integer form for the kernels."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fixedpoint.errors import ConfigError
from fixedpoint.filters.fft import FFT_SIZES, FftParams, init_fft
from fixedpoint.tables import hann_q31

FEATURE_STEPS = 96  # features are int8 in steps of 1/96 of log2: 0.031 dB, up to +-4 dB
SCORE_FRAC_BITS = 9  # scores are int16 in Q7.9, SAT; the default layout's largest is sqrt(7 * 438) = 55
SILENCE_STEPS = 3  # features of this rms, 0.1 dB, or less are mostly their own rounding
NEIGHBOURS = 2  # bands on each side whose mean is taken away
MEAN_SHIFT = 5  # running mean over 2**5 hops
LEVEL_FRAC_BITS = 8  # levels are int16 in Q8.8, log2 of LSB**2 in a bin
# Bands that vary more than stationary noise does (mean square 0.45, measured) carry the programme.
ACTIVITY_SHIFT = 7  # mean square over 2**7 hops
ACTIVITY_SPAN = 8  # and over as many bands to each side
ACTIVITY_EDGE = ACTIVITY_SPAN + 1  # the lowest band's value stands so often before it, for the sliding sum
LEVEL_EDGE = NEIGHBOURS  # the outermost bands' sums stand so often beside them
SIGN_GROUP = 16  # bands whose signs share a word, with those of another pattern
NOISE_ACTIVITY, ACTIVITY_RANGE = 0.45, 0.25
LEAST_WEIGHT_Q15 = 9830  # 0.3
FLOOR_LOG2 = 6  # 64 LSB**2 in a bin: white rounding noise of 1/12 LSB**2 under a Hann window of 2048


@dataclass(frozen=True)
class WatermarkConfig:
    """Layout of a mark and the detector's decision, the defaults being what ships.

    Parameters
    ----------
    fs_hz : int, sample rate of the detector, hertz
    fft_size : int, samples in an analysis frame: 256, 512, 1024 or 2048
    hop : int, samples from frame to frame, 64 to fft_size
    slots : int, even, 4 to 32; time slots of a mark, half of them with each sign in every band
    slot_hops : int, 1 to 64; length of a slot in hops
    low_hz, high_hz : float, edges of the marked bands, hertz
    band_bins : int, 1, 2, 4, 8 or 16; FFT bins in a band
    max_marks : int, 1 to 16; consecutive marks whose scores are added, each with signs of its own
    threshold : float, 1 to 60; score in standard deviations of unmarked audio

    Raises
    ------
    ConfigError
        A value outside these ranges, or fewer than 16 bands.
    """

    fs_hz: int = 16000
    fft_size: int = 2048
    hop: int = 512
    slots: int = 8
    slot_hops: int = 8
    low_hz: float = 156.25
    high_hz: float = 7000.0
    band_bins: int = 2
    max_marks: int = 4
    threshold: float = 5.5

    def __post_init__(self) -> None:
        _check("fs_hz", self.fs_hz, 8000, 48000)
        if self.fft_size not in FFT_SIZES:
            raise ConfigError(f"fft_size={self.fft_size}: must be one of {', '.join(map(str, FFT_SIZES))}")
        _check("hop", self.hop, 64, self.fft_size)
        _check("slots", self.slots, 4, 32)
        if self.slots % 2:
            raise ConfigError(f"slots={self.slots}: must be even, each band has as many + as - signs")
        _check("slot_hops", self.slot_hops, 1, 64)
        if self.band_bins not in (1, 2, 4, 8, 16):
            raise ConfigError(f"band_bins={self.band_bins}: must be 1, 2, 4, 8 or 16")
        _check("max_marks", self.max_marks, 1, 16)
        _check("threshold", self.threshold, 1, 60)
        _check("low_hz", self.low_hz, self.fs_hz / self.fft_size, self.fs_hz / 2)
        _check("high_hz", self.high_hz, self.low_hz, self.fs_hz / 2)
        if self.bands < 16:
            raise ConfigError(f"low_hz={self.low_hz}, high_hz={self.high_hz}: {self.bands} bands, need 16")

    @property
    def first_bin(self) -> int:
        """Lowest FFT bin of the lowest band."""
        return math.ceil(self.low_hz * self.fft_size / self.fs_hz)

    @property
    def bands(self) -> int:
        """Number of marked bands."""
        return (math.floor(self.high_hz * self.fft_size / self.fs_hz) - self.first_bin) // self.band_bins

    @property
    def band_edges_hz(self) -> np.ndarray:
        """(bands + 1,) float, hertz: band b spans the bins from edge b up to, not with, edge b + 1."""
        bins = self.first_bin + self.band_bins * np.arange(self.bands + 1)
        return bins * self.fs_hz / self.fft_size

    @property
    def slot_samples(self) -> int:
        """Length of a slot, samples at fs_hz."""
        return self.slot_hops * self.hop

    @property
    def mark_hops(self) -> int:
        """Length of a mark, hops."""
        return self.slots * self.slot_hops

    @property
    def mark_samples(self) -> int:
        """Length of a mark, samples at fs_hz."""
        return self.slots * self.slot_samples

    @property
    def mark_seconds(self) -> float:
        """Length of a mark, seconds."""
        return self.mark_samples / self.fs_hz

    @property
    def hold_hops(self) -> int:
        """A candidate is reported when no higher score has come for this many hops: two slots."""
        return 2 * self.slot_hops

    @property
    def lockout_hops(self) -> int:
        """After a peak the next may follow no sooner than this: half a mark."""
        return self.mark_hops // 2


class DetectorParams(NamedTuple):
    """`WatermarkConfig` and keys as integers; constant, on the device they live in flash.

    fft_size, hop, slots, slot_hops, first_bin, bands, max_marks, hold_hops, lockout_hops : int
        as in `WatermarkConfig`
    band_shift : int, log2 of band_bins
    slot_scale_q31 : int, Q1.31, 1 / (4 slot_hops)
    slots_log2_q24 : int, Q8.24, log2(slots - 1)
    threshold_q9 : int, Q7.9
    silence_variance : int, squared feature steps; added to the variance, times slots - 1, of the score
    root_q15 : (max_marks,) int32, Q1.15, 1/sqrt(m), 1 kept as 2**15
    window_q31 : (fft_size/2 + 1,) int32, Q1.31, first half and middle of the symmetric, periodic Hann window
    signs : (keys * quads, slots * groups * 2) int32, the key's signs as bits, see `pack_signs`
    fft : FftParams

    For `fixedpoint.subset`, apart from what a manifest of vectors says: 0 <= band_shift <= 4.
    """

    fft_size: int
    hop: int
    slots: int
    slot_hops: int
    first_bin: int
    bands: int
    max_marks: int
    hold_hops: int
    lockout_hops: int
    band_shift: int
    slot_scale_q31: int
    slots_log2_q24: int
    threshold_q9: int
    silence_variance: int
    root_q15: np.ndarray
    window_q31: np.ndarray
    signs: np.ndarray
    fft: FftParams


def quantise(config: WatermarkConfig, signs: np.ndarray) -> DetectorParams:
    """Integers for the kernels.

    Parameters
    ----------
    config : WatermarkConfig
    signs : (keys, max_marks, slots, bands) int8, +1 or -1, from `Key.signs`

    Returns
    -------
    DetectorParams

    Raises
    ------
    ConfigError
        Signs of another shape.
    """
    shape = (config.max_marks, config.slots, config.bands)
    if signs.shape[1:] != shape or not len(signs):
        raise ConfigError(f"signs of shape {signs.shape}: must be (keys, {', '.join(map(str, shape))})")
    marks = np.arange(1, config.max_marks + 1)
    return DetectorParams(
        fft_size=config.fft_size,
        hop=config.hop,
        slots=config.slots,
        slot_hops=config.slot_hops,
        first_bin=config.first_bin,
        bands=config.bands,
        max_marks=config.max_marks,
        hold_hops=config.hold_hops,
        lockout_hops=config.lockout_hops,
        band_shift=config.band_bins.bit_length() - 1,
        slot_scale_q31=round(2**31 / (2 * NEIGHBOURS * config.slot_hops)),
        slots_log2_q24=round(math.log2(config.slots - 1) * 2**24),
        threshold_q9=round(config.threshold * 2**SCORE_FRAC_BITS),
        silence_variance=(config.slots - 1) * config.slots * config.bands * SILENCE_STEPS**2,
        root_q15=np.round(2**15 / np.sqrt(marks)).astype(np.int32),
        window_q31=hann_q31(config.fft_size)[: config.fft_size // 2 + 1],
        signs=pack_signs(signs),
        fft=init_fft(config.fft_size),
    )


def pack_signs(signs: np.ndarray) -> np.ndarray:
    """Signs as bits: two words hold those of 16 bands in one slot, for four patterns.

    Parameters
    ----------
    signs : (keys, max_marks, slots, bands), +1 or -1

    Returns
    -------
    (keys * quads, slots * groups * 2) int32, quads = ceil(max_marks / 4), groups = ceil(bands / 16)
        Row key * quads + quad, column (slot * groups + group) * 2: bit b is set where pattern 4 quad is +1
        in band 16 group + b, bit 16 + b where pattern 4 quad + 1 is; next column: the two patterns after
        these. Bits beyond patterns or bands are 0.
    """
    keys, patterns, slots, bands = signs.shape
    quads, groups = -(-patterns // 4), -(-bands // SIGN_GROUP)
    bits = np.zeros((keys, 4 * quads, slots, groups * SIGN_GROUP), dtype=bool)
    bits[:, :patterns, :, :bands] = signs > 0
    # (keys, quads, slots, groups, pattern of four, band of the group), little end first
    words = bits.reshape(keys, quads, 4, slots, groups, SIGN_GROUP).transpose(0, 1, 3, 4, 2, 5)
    packed = np.packbits(words.reshape(-1, 2 * SIGN_GROUP), axis=1, bitorder="little")
    return packed.view("<i4").astype(np.int32).reshape(keys * quads, slots * groups * 2)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name}={value}: must be from {low:g} to {high:g}")
