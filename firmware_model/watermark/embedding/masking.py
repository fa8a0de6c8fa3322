"""How loud the mark may be: a masked threshold for every time-frequency cell, on the host (float64).

Two views of the signal: long frames (128 ms at 16 kHz), in which the mark is made, give simultaneous
masking; short frames, a quarter as long, say when inside a long frame the masker sounds, so that a mark
smeared over the frame does not stand out before an onset.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Real = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

BAND_BARK = 0.5  # width of a band of the model
OVERLAP = 4  # frames that cover a sample, of either length
SHORT_RATIO = 4  # long frame to short frame
MIN_FRAME = 256  # below it the lowest half-Bark bands hold no bin at all

# Tonality by spectral flatness in dB: white noise measures -2.5 in such a band, a stable tone below -15.
FLATNESS_NOISE_DB = -3.0
FLATNESS_TONE_DB = -15.0
TONE_OFFSET_DB = 14.5  # a tone masks noise at 14.5 dB + z below itself, z in Bark
NOISE_OFFSET_DB = 5.5  # noise masks a tone at 5.5 dB below itself

FORWARD_DECAY_DB_PER_S = 375.0  # 3 dB per 8 ms; measured best by PESQ and ViSQOL at equal detection
SOFT_MINIMUM_EXPONENT = -0.5
POWER_FLOOR = 1e-12  # of |Y|^2; the rounding of 16-bit PCM alone is 8e-8 in a frame of 2048
SHORT_POWER_FLOOR = 1e-9  # of a short-time band energy


class MaskingModel(NamedTuple):
    """Tables for one sample rate and frame length.

    frame, short_frame : samples; hops are a quarter
    window, short_window : (frame,), (short_frame,), square roots of periodic Hann windows
    first_bin, short_first_bin : (bands + 1,) int, band b is the bins [first_bin[b], first_bin[b + 1])
    spreading : (bands, bands), row: masked band, column: masker; rows sum to 1
    bark : (bands,), band centres
    decay_db : forward masking, dB per short hop
    """

    frame: int
    short_frame: int
    window: Real
    short_window: Real
    first_bin: NDArray[np.int64]
    short_first_bin: NDArray[np.int64]
    spreading: Real
    bark: Real
    decay_db: float

    @property
    def hop(self) -> int:
        return self.frame // OVERLAP


def bark(f_hz: Real) -> Real:
    """Critical-band rate z = 13 atan(0.76 f/kHz) + 3.5 atan((f/7.5 kHz)^2), Bark.

    Source: Zwicker and Terhardt, JASA 68 (5), 1980.
    """
    return 13.0 * np.arctan(0.00076 * f_hz) + 3.5 * np.arctan((f_hz / 7500.0) ** 2)


def spreading_db(distance_bark: Real) -> Real:
    """Masking across critical bands: 15.81 + 7.5 u - 17.5 sqrt(1 + u^2) dB, u = dz + 0.474.

    distance_bark : masked minus masker; about +25 dB/Bark below the masker and -10 dB/Bark above it.
    Source: Schroeder, Atal and Hall, JASA 66 (6), 1979.
    """
    u = distance_bark + 0.474
    return 15.81 + 7.5 * u - 17.5 * np.sqrt(1.0 + u**2)


def tonality(flatness_db: Real) -> Real:
    """0 for noise to 1 for a tone, by spectral flatness (geometric over arithmetic mean of powers, dB)."""
    return np.clip((FLATNESS_NOISE_DB - flatness_db) / (FLATNESS_NOISE_DB - FLATNESS_TONE_DB), 0.0, 1.0)


def masking_offset_db(tone: Real, z_bark: Real) -> Real:
    """Threshold below the masker: a (14.5 + z) + (1 - a) 5.5 dB, a = tonality.

    Source: Johnston, IEEE JSAC 6 (2), 1988; his a = min(flatness/-60 dB, 1) is for frames
    of full bandwidth, here each half-Bark band has its own.
    """
    return tone * (TONE_OFFSET_DB + z_bark) + (1.0 - tone) * NOISE_OFFSET_DB


def init_masking(fs_hz: int, frame: int) -> MaskingModel:
    """Tables of the model.

    Parameters
    ----------
    fs_hz : int, sample rate, hertz
    frame : int, long frame, samples, a power of two, at least 256
    """
    short_frame = frame // SHORT_RATIO
    band = (bark(np.arange(frame // 2 + 1) * fs_hz / frame) / BAND_BARK).astype(np.int64)
    bands = int(band[-1]) + 1
    short_band = (bark(np.arange(short_frame // 2 + 1) * fs_hz / short_frame) / BAND_BARK).astype(np.int64)
    z = (np.arange(bands, dtype=np.float64) + 0.5) * BAND_BARK
    spreading = 10.0 ** (spreading_db(z[:, None] - z[None, :]) / 10.0)
    return MaskingModel(
        frame=frame,
        short_frame=short_frame,
        window=_root_hann(frame),
        short_window=_root_hann(short_frame),
        first_bin=np.searchsorted(band, np.arange(bands + 1)),
        short_first_bin=np.searchsorted(short_band, np.arange(bands + 1)),
        spreading=spreading / spreading.sum(axis=1, keepdims=True),
        bark=z,
        decay_db=FORWARD_DECAY_DB_PER_S * (short_frame // OVERLAP) / fs_hz,
    )


def analyse(model: MaskingModel, x: Real) -> Spectrum:
    """Long frames t = 0, 1, ..., frame t from sample t * hop on: (n,) -> (frames, frame/2 + 1) complex."""
    return _frames(x, model.window)


def synthesise(model: MaskingModel, spectrum: Spectrum, n: int) -> Real:
    """Overlap-add of `analyse`'s frames, (n,): the identity where four frames cover a sample.

    Analysis and synthesis windows multiply to a Hann window, and Hann windows a quarter apart add up to 2.
    """
    pieces = np.fft.irfft(spectrum, n=model.frame, axis=1) * (model.window * (2.0 / OVERLAP))
    rows = len(pieces) + OVERLAP - 1
    y = np.zeros((max(rows, -(-n // model.hop)), model.hop))
    for quarter in range(OVERLAP):
        part = pieces[:, quarter * model.hop : (quarter + 1) * model.hop]
        y[quarter : quarter + len(part)] += part
    return y.reshape(-1)[:n]


def band_energies(power: Real, first_bin: NDArray[np.int64]) -> Real:
    """Sum of the bins of each band, 0 for a band without bins: (frames, bins) -> (frames, bands)."""
    sums = np.zeros((len(power), len(first_bin) - 1))
    held = np.diff(first_bin) > 0
    sums[:, held] = np.add.reduceat(power, first_bin[:-1][held], axis=1)
    return sums


def spread_over_bins(model: MaskingModel, energy: Real) -> Real:
    """Each band's energy in equal parts over its bins: (frames, bands) -> (frames, bins)."""
    bins = np.diff(model.first_bin)
    return np.repeat(energy / np.maximum(bins, 1), bins, axis=1)


def masked_threshold(model: MaskingModel, spectrum: Spectrum, dip: Real | float = 1.0) -> Real:
    """Noise energy that each half-Bark band of each frame just hides.

    Parameters
    ----------
    model : MaskingModel
    spectrum : (frames, bins) complex, from `analyse`
    dip : (frames, bands) float64 in (0, 1], `temporal_dip`: share of the masker's energy that counts
        throughout the frame; 1 leaves temporal masking out

    Returns
    -------
    (frames, bands) float64 > 0, in the scale of |spectrum|^2 summed over the band

    Notes
    -----
    threshold = spread(E dip) * 10^(-offset/10), E = energy of the band, offset by its tonality.
    No threshold in quiet: the playback level is not known here.
    """
    power = power_of(spectrum) + POWER_FLOOR
    energy = band_energies(power, model.first_bin)
    bins = np.maximum(np.diff(model.first_bin), 1)
    mean_db = 10.0 * np.log10(np.maximum(energy / bins, POWER_FLOOR))
    flatness_db = 10.0 * band_energies(np.log10(power), model.first_bin) / bins - mean_db
    offset_db = masking_offset_db(tonality(flatness_db), model.bark)
    return (energy * dip) @ model.spreading.T * 10.0 ** (-offset_db / 10.0)


def temporal_dip(model: MaskingModel, x: Real) -> Real:
    """How far the masker's energy dips inside each long frame: soft minimum over mean, at most 1.

    x : (n,) float64, full scale 1 -> (frames, bands)

    Notes
    -----
    Forward masking first holds the short-time energies up: e(i) = max(E(i), e(i-1) - decay), which in dB
    is the running maximum of E(i) + i decay, minus i decay. The soft minimum of the e(i) inside the long
    frame is their power mean with exponent -1/2: near the mean for a steady band, near the minimum's scale
    where the band is silent for a good part of the frame.
    Looks no further than the frame. Bands too narrow to hold a bin of the short frame keep 1.
    Source: own design, after the temporal thresholds of coders; decay and exponent by measurement.
    """
    short = _frames(x, model.short_window)
    energy = band_energies(power_of(short), model.short_first_bin)
    ramp_db = model.decay_db * np.arange(len(energy))[:, None]
    level_db = 10.0 * np.log10(np.maximum(energy, 1e-30))  # any floor below SHORT_POWER_FLOOR
    held_db = np.maximum.accumulate(level_db + ramp_db, axis=0) - ramp_db
    held = 10.0 ** (held_db / 10.0) + SHORT_POWER_FLOOR

    inside = (model.frame - model.short_frame) // (model.short_frame // OVERLAP) + 1  # short frames in a long
    e = SOFT_MINIMUM_EXPONENT
    dip = _mean_inside(held**e, inside) ** (1.0 / e) / _mean_inside(held, inside)
    dip[:, np.diff(model.short_first_bin) == 0] = 1.0
    return dip


def _mean_inside(values: Real, inside: int) -> Real:
    """Mean over the short frames that lie in each long frame: (short frames, bands) -> (frames, bands)."""
    if len(values) < inside:
        return np.zeros((0, values.shape[1]))
    # A long hop is SHORT_RATIO short hops.
    return sliding_window_view(values, inside, axis=0)[::SHORT_RATIO].mean(axis=2)


def _root_hann(n: int) -> Real:
    return np.sin(np.pi * np.arange(n) / n)  # square root of the periodic Hann window


def _frames(x: Real, window: Real) -> Spectrum:
    hop = len(window) // OVERLAP
    if len(x) < len(window):
        return np.zeros((0, len(window) // 2 + 1), np.complex128)
    return np.fft.rfft(sliding_window_view(x, len(window))[::hop] * window, axis=1)


def power_of(spectrum: Spectrum) -> Real:
    """|Y|^2 of every cell."""
    return spectrum.real**2 + spectrum.imag**2
