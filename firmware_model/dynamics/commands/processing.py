"""What `process` does: a recording through the dynamics processor, in Q15, in float, or both."""

from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from acoustic_sim.loudspeaker import LoudnessMeter
from firmware_model.cli.terminal import audio as sound
from firmware_model.cli.terminal.output import Step
from firmware_model.dynamics.measures.runs import Comparison, Gains, Run, accepted_rate
from firmware_model.dynamics.settings.params import SAMPLE_RATES, DynamicsConfig
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import init_state, state_bytes
from firmware_model.pcm import to_q15
from firmware_model.pcm_file import AudioFile, open_audio
from firmware_model.pcm_stream import Converted
from firmware_model.report.envelope import Envelope
from fixedpoint.errors import AudioError

MAX_EQUAL_LSB = 2  # the arithmetics count as equal up to here
_COLUMNS, _GAIN_COLUMNS = 1600, 800  # of the picture
_CURVES_MEET_DB = 0.01


class Picture:
    """What the picture needs of a recording, collected as it runs.

    x_q15, y_q15 : Envelope of input and output, a row for each channel
    bands_db, limiter_db : Envelope of the gains, in control blocks
    meet : (bands, bands) bool, whether the gains of two bands lie on each other throughout
    """

    def __init__(self, config: DynamicsConfig, n: int) -> None:
        blocks, bands = -(-n // config.control_samples), len(config.working_bands)
        self.x_q15 = Envelope(config.channels, n, _COLUMNS)
        self.y_q15 = Envelope(config.channels, n, _COLUMNS)
        self.bands_db = Envelope(bands, blocks, _GAIN_COLUMNS)
        self.limiter_db = Envelope(1, blocks, _COLUMNS)
        self.meet = np.ones((bands, bands), bool)

    def add(self, y_q15: np.ndarray, gains: Gains) -> None:
        """Output, and gains of the input, which need not be of the same time."""
        self.y_q15.push(y_q15)
        self.bands_db.push(gains.bands_db)
        self.limiter_db.push(gains.limiter_db[None])
        for i, curve in enumerate(gains.bands_db):
            for j, above in enumerate(gains.bands_db[i + 1 :], i + 1):
                self.meet[i, j] &= np.allclose(curve, above, atol=_CURVES_MEET_DB)


class Done(NamedTuple):
    """A recording that was processed.

    facts : what --json prints
    config : DynamicsConfig
    picture : what a plot shows, where it was asked for
    clipped : samples that the resampler pushed past full scale
    """

    facts: dict[str, Any]
    config: DynamicsConfig
    picture: Picture | None
    clipped: int

    @property
    def equal(self) -> bool:
        """Whether the two arithmetics agree, as far as both were asked for."""
        error = self.facts["max_error_lsb"]
        return error is None or error <= MAX_EQUAL_LSB


class _Side:
    """Levels of the input, or of the output."""

    def __init__(self, config: DynamicsConfig) -> None:
        self._meter = LoudnessMeter(config.fs_hz, config.channels)
        self._lowest = self._highest = 0

    def push(self, pcm_q15: np.ndarray) -> None:
        """Take samples, (channels, n) int16, Q1.15."""
        if pcm_q15.shape[1]:
            self._meter.push(pcm_q15.T / 32768.0)
            self._lowest = min(self._lowest, int(pcm_q15.min()))
            self._highest = max(self._highest, int(pcm_q15.max()))

    def peak_dbfs(self) -> float | None:
        """Of the largest sample; None for silence. INT16_MIN is 0 dBFS."""
        peak = max(-self._lowest, self._highest)
        return float(20 * np.log10(peak / 32768)) if peak else None

    def loudness_lufs(self) -> float | None:
        """Integrated loudness; None for silence, or less than 400 ms."""
        loudness = self._meter.integrated_lufs()
        return loudness if np.isfinite(loudness) else None


class _Reductions:
    """Mean and largest gain reduction of each row, dB."""

    def __init__(self, rows: int) -> None:
        self._sum, self._largest, self._count = np.zeros(rows), np.full(rows, -np.inf), 0

    def push(self, reduction_db: np.ndarray) -> None:
        """Take values, (rows, k) float32."""
        if reduction_db.shape[1]:
            self._sum += np.sum(reduction_db, axis=1, dtype=np.float64)
            self._largest = np.maximum(self._largest, reduction_db.max(axis=1))
            self._count += reduction_db.shape[1]

    def facts(self) -> list[dict[str, float]]:
        """For each row."""
        means = (self._sum / self._count).tolist()
        # + 0.0: no minus before a zero
        return [
            {"mean_reduction_db": round(mean, 4) + 0.0, "max_reduction_db": round(largest, 4) + 0.0}
            for mean, largest in zip(means, self._largest.tolist(), strict=True)
        ]


def process_file(
    path: str, out: str, profile: str, arith: str, resample: bool, draw: bool, step: Step, files: ExitStack
) -> Done:
    """Process a file, block by block.

    Parameters
    ----------
    out : file, or "-"
    profile : see `load_profile`
    arith : "q15", "float" or "both"; the output is the float one's for "float", else that of Q15
    resample : allow rates that the processor does not have
    draw : whether to collect what a picture needs
    step : called once, and told how far it has come
    files : at whose end the output takes its place

    Raises
    ------
    AudioError, ConfigError
    """
    step({"q15": "Q15", "float": "float", "both": "Q15 and float"}[arith])
    file = files.enter_context(open_audio(path))
    source = Converted(path, file, _rate(path, file, resample))
    n = source.frames
    config = load_profile(profile, source.fs_hz, source.channels)
    runs = [Run(each, config, n) for each in (("q15", "float") if arith == "both" else (arith,))]
    before, after, comparison = _Side(config), _Side(config), Comparison()
    makeup_db = np.array([[band.makeup_db] for band in config.working_bands])
    bands, limiter = _Reductions(len(makeup_db)), _Reductions(1)
    picture = Picture(config, n) if draw else None
    writer = files.enter_context(sound.writing(out, source.fs_hz, source.channels, "PCM_16", n))
    taken = 0
    for block in source:
        x_q15 = np.ascontiguousarray(to_q15(block).T)
        before.push(x_q15)
        if picture is not None:
            picture.x_q15.push(x_q15)
        for pieces in zip(*(run.push(x_q15) for run in runs), strict=True):
            y_q15, gains = pieces[0]
            writer.write(y_q15.T)
            after.push(y_q15)
            if len(pieces) == 2:
                comparison.add(y_q15, pieces[1][0])
            bands.push(makeup_db - gains.bands_db)
            limiter.push(-gains.limiter_db[None])
            if picture is not None:
                picture.add(y_q15, gains)
        taken += len(block)
        step.at(taken / n)
    error_lsb, snr_db = comparison.result() if arith == "both" else (None, None)
    facts = {
        "profile": profile,
        "arith": arith,
        "fs_hz": config.fs_hz,
        "channels": config.channels,
        "seconds": n / config.fs_hz,
        "latency_ms": 1000 * config.latency_samples / config.fs_hz,
        "ram_bytes": state_bytes(init_state(quantise(config))),
        "peak_in_dbfs": before.peak_dbfs(),
        "peak_out_dbfs": after.peak_dbfs(),
        "loudness_in_lufs": before.loudness_lufs(),
        "loudness_out_lufs": after.loudness_lufs(),
        "max_error_lsb": error_lsb,
        "snr_db": snr_db,
        # Make-up does not count as gain; where upward compression lifts, the reduction is negative.
        "bands": [
            {"low_hz": low, "high_hz": high, **reductions}
            for (low, high), reductions in zip(config.ranges_hz, bands.facts(), strict=True)
        ],
        "limiter": {"threshold_dbfs": config.limiter.threshold_dbfs, **limiter.facts()[0]},
    }
    return Done(facts, config, picture, source.clipped)


def _rate(path: str, file: AudioFile, resample: bool) -> int:
    """The file's, or the one that the processor has and it is converted to.

    Raises
    ------
    AudioError
    """
    if file.fs_hz in SAMPLE_RATES:
        return file.fs_hz
    if not resample:
        accepted = f"{', '.join(map(str, SAMPLE_RATES[:-1]))} or {SAMPLE_RATES[-1]} Hz"
        raise AudioError(f"{path}: {file.fs_hz} Hz found, {accepted} needed; add --resample")
    return accepted_rate(file.fs_hz)
