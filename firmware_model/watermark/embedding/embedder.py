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

from firmware_model.watermark.embedding.embedder_input import check_settings, checked_samples, marks_that_fit
from firmware_model.watermark.embedding.marker import Marker, init_marker, steps_db
from firmware_model.watermark.embedding.masking import (
    Real,
    Spectrum,
    analyse,
    band_energies,
    masked_threshold,
    power_of,
    synthesise,
    temporal_dip,
)
from firmware_model.watermark.embedding.planning import plan_strengths
from firmware_model.watermark.headroom import BLOCK_SAMPLES, add_within_headroom
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig

DEFAULT_STRENGTHS_DB = {"informed": 7.0, "live": -2.0}

LIMITER_SECONDS = 0.002
ROUNDING_POWER = 2.0**-30 / 12  # of 16-bit PCM, per sample: a mark below it is not the loudest noise


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
        4 dB + strength_db/4, so that the mark grows by less than 1 dB per dB: live, nmr_db is -14 to
        -10, -3 to 2 and 2 to 6 dB at -10, 2 and 8 (synthesised music, voice, drums). "informed" takes
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
    Cost: informed, up to six trial marks are made and sought before the last (planning.py); memory for y, for
    the programme at config.fs_hz, and 0.3 GB.
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
    return band_energies(power_of(w), model.first_bin)[:, bands] / threshold[:, bands]


def _padded(x: Real, start: int, stop: int) -> Real:
    """x[start:stop], with zeros where that lies outside x."""
    y = np.zeros((stop - start, x.shape[1]))
    inside = x[max(start, 0) : stop]
    offset = max(-start, 0)
    y[offset : offset + len(inside)] = inside
    return y
