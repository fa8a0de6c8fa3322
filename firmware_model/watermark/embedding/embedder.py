"""The embedder: raises and lowers narrow time-frequency cells by a key, as far as the programme masks it.

Runs on the host that feeds the loudspeaker, in float64, block by block; only the detector is firmware. The
mark is made at the detector's sample rate from the mean of the channels and added, as a difference, to the
untouched programme at its own rate.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from acoustic_sim.blocks.filters import resampled
from acoustic_sim.blocks.spool import Spool, Window
from firmware_model.watermark.embedding.embedder_input import (
    check_length,
    check_settings,
    checked_samples,
    marks_that_fit,
)
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
from firmware_model.watermark.embedding.planning import NominalRoom, plan_strengths
from firmware_model.watermark.headroom import Headroom
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig

DEFAULT_STRENGTHS_DB = {"informed": 7.0, "live": -2.0}

LIMITER_SECONDS = 0.002
BLOCK_SAMPLES = 1 << 17  # at the detector's rate; what is around a block costs two fifths of it
_PLANNING_SHARE = 0.85  # of the work, informed
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
    Cost: informed, up to six trial marks are made and sought before the last (planning.py).
    Source: own design; level modulation of cells as in Haitsma et al., "Audio watermarking for
    monitoring and copy protection", ACM Multimedia 2000.
    """
    config = WatermarkConfig() if config is None else config
    strength_db = default_strength_db(mode) if strength_db is None else strength_db
    check_settings(fs_hz, mode, strength_db, config)
    samples = checked_samples(x, fs_hz, config)
    programme = _Array(samples, fs_hz)
    embedding = Embedding(programme, key, mode, strength_db, config)
    y = np.concatenate(list(embedding))
    return Embedded(
        y=y.reshape(x.shape),
        marks_s=embedding.marks_s,
        mark_seconds=config.mark_seconds,
        strengths_db=embedding.strengths_db,
        wsr_db=embedding.wsr_db,
        nmr_db=embedding.nmr_db,
    )


def default_strength_db(mode: str) -> float:
    """The strength where none is given."""
    return DEFAULT_STRENGTHS_DB.get(mode, 0.0)


class Programme(Protocol):
    """What is to be marked: blocks (k, channels) float64 in [-1, 1], from the beginning at each iteration."""

    fs_hz: int
    channels: int
    frames: int

    def __iter__(self) -> Iterator[Real]: ...


class _Array:
    """A programme in memory."""

    def __init__(self, samples: Real, fs_hz: int) -> None:
        self._samples, self.fs_hz = samples, fs_hz
        self.frames, self.channels = samples.shape

    def __iter__(self) -> Iterator[Real]:
        for start in range(0, self.frames, BLOCK_SAMPLES):
            yield self._samples[start : start + BLOCK_SAMPLES]


class Embedding:
    """`embed` of a programme of any length, block by block; iterate once.

    Parameters
    ----------
    programme : Programme, at least one mark long
    key, mode, strength_db, config : as of `embed`
    tell : called with the share of the work that is done

    Attributes
    ----------
    marks_s, strengths_db : as of `Embedded`
    wsr_db, nmr_db : as of `Embedded`, after the iteration

    Raises
    ------
    AudioError, ConfigError
        As of `embed`; no room for temporary files, which "informed" needs.
    """

    def __init__(
        self,
        programme: Programme,
        key: Key,
        mode: str,
        strength_db: float,
        config: WatermarkConfig,
        tell: Callable[[float], None] = lambda share: None,
    ) -> None:
        check_settings(programme.fs_hz, mode, strength_db, config)
        check_length(programme.frames, programme.fs_hz, config)
        self._programme, self._config, self._tell = programme, config, tell
        marks = marks_that_fit(programme.frames, programme.fs_hz, config)
        # As soxr rounds it, a half upwards.
        host = (2 * programme.frames * config.fs_hz + programme.fs_hz) // (2 * programme.fs_hz)
        self._marker = init_marker(
            key, config, mode=mode, strengths_db=np.full(marks, float(strength_db)), samples=host
        )
        self._done = 0.0
        if mode == "informed":
            self._done = _PLANNING_SHARE
            self._marker = self._marker._replace(strengths_db=self._planned(key, float(strength_db)))
        self.marks_s = np.arange(marks, dtype=np.float64) * config.mark_seconds
        self.wsr_db: float | None = None
        self.nmr_db: float | None = None

    @property
    def strengths_db(self) -> Real:
        """(marks,) float64."""
        return self._marker.strengths_db

    def _planned(self, key: Key, highest_db: float) -> Real:
        """The strength of each mark, tried on the mean of the channels."""
        config, marker = self._config, self._marker
        with Spool() as mono, NominalRoom(marker.total, config.fs_hz) as room:
            for block in self._host(self._programme):
                mono.add(block.mean(axis=1))

            def marked_at(level_db: float) -> Iterator[Real]:
                trial = marker._replace(strengths_db=np.full(len(marker.strengths_db), level_db))
                at = 0
                host = Window(block[:, None] for block in mono.blocks())
                for w, _ in _blocks(trial, host, measured=False):
                    yield w[:, 0] + mono.read(at, at + len(w))
                    at += len(w)

            marks = len(marker.strengths_db)
            return plan_strengths(
                marked_at,
                room,
                key,
                config,
                marks,
                highest_db,
                lambda share: self._tell(_PLANNING_SHARE * share),
            )

    def _host(self, blocks: Iterable[Real]) -> Iterator[Real]:
        """The programme at the detector's rate."""
        programme, config = self._programme, self._config
        return resampled(blocks, programme.fs_hz, config.fs_hz, programme.channels)

    def __iter__(self) -> Iterator[Real]:
        """Blocks (k, channels) float64 of the marked programme."""
        programme, marker = self._programme, self._marker
        waiting = Window(())  # the programme, until its mark is made

        def seen() -> Iterator[Real]:
            for block in programme:
                waiting.add(block)
                yield block

        ratios = _Mean()
        made = (ratios.counted(*pair) for pair in _blocks(marker, Window(self._host(seen()))))
        headroom = Headroom(max(1, round(LIMITER_SECONDS * programme.fs_hz)), programme.channels)
        at = 0
        for w in resampled(made, marker.fs_hz, programme.fs_hz, programme.channels):
            w = w[: programme.frames - at]  # the roundings of the length can add up to a sample too many
            x = waiting.read(at, at + len(w))
            at += len(w)
            yield from headroom.push(x, w)
            self._tell(self._done + (1 - self._done) * at / programme.frames)
        if at < programme.frames:
            x = waiting.read(at, programme.frames)
            yield from headroom.push(x, np.zeros_like(x))
        yield from headroom.finish()
        if headroom.energy_w > 0 and headroom.energy_x > 0:
            self.wsr_db = 10 * math.log10(headroom.energy_w / headroom.energy_x)
            self.nmr_db = 10 * math.log10(ratios.mean) if ratios.mean > 0 else None


class _Mean:
    """Of the noise-to-mask power ratios."""

    def __init__(self) -> None:
        self._total, self._cells = 0.0, 0

    def counted(self, block: Real, ratio: Real) -> Real:
        """The block, its ratios taken in."""
        self._total += float(ratio.sum())
        self._cells += ratio.size
        return block

    @property
    def mean(self) -> float:
        return self._total / max(self._cells, 1)


def _blocks(marker: Marker, host: Window, measured: bool = True) -> Iterator[tuple[Real, Real]]:
    """Consecutive blocks of the watermark at the detector's rate, (samples, channels); noise-to-mask
    ratios of their marked frames, (frames, bands), if they are to be measured."""
    model, margin = marker.masking, marker.margin
    block = max(BLOCK_SAMPLES // model.hop, 1) * model.hop
    for start in range(0, marker.total, block):
        stop = min(start + block, marker.total)
        segment = host.read(start - margin, stop + margin)
        mono = segment.mean(axis=1)
        spectrum = analyse(model, mono)
        threshold = masked_threshold(model, spectrum, temporal_dip(model, mono))
        centre = start - margin + model.frame // 2 + model.hop * np.arange(len(spectrum))
        change = 10.0 ** (steps_db(marker, centre, spectrum, threshold) / 20.0) - 1.0
        spectra = [analyse(model, channel) for channel in segment.T] if segment.shape[1] > 1 else [spectrum]
        w = np.stack([_changed(marker, change, s, len(segment)) for s in spectra], axis=1)

        ratio = np.empty((0, 0))
        if measured:
            own = (centre >= start) & (centre < min(stop, marker.marked))
            ratio = _noise_to_mask(marker, analyse(model, w.mean(axis=1))[own], spectrum[own])
        yield w[margin : margin + stop - start], ratio


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
