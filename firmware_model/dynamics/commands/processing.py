"""What `process` does: a recording through the dynamics processor, in Q15, in float, or both."""

from typing import Any, NamedTuple

import numpy as np

from acoustic_sim.loudspeaker import measure_loudness
from firmware_model.cli.terminal.output import STDIO, Step
from firmware_model.dynamics.measures.runs import Gains, accepted_rate, compare, run_float, run_q15
from firmware_model.dynamics.settings.params import SAMPLE_RATES, DynamicsConfig
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import init_state, state_bytes
from firmware_model.pcm import Audio, read_audio, to_q15
from fixedpoint.errors import AudioError

MAX_EQUAL_LSB = 2  # the arithmetics count as equal up to here


class Done(NamedTuple):
    """A recording that was processed.

    facts : what --json prints
    config : DynamicsConfig
    x_q15, y_q15 : (channels, n) int16, Q1.15, in step
    gains : Gains
    clipped : samples that the resampler pushed past full scale
    """

    facts: dict[str, Any]
    config: DynamicsConfig
    x_q15: np.ndarray
    y_q15: np.ndarray
    gains: Gains
    clipped: int

    @property
    def equal(self) -> bool:
        """Whether the two arithmetics agree, as far as both were asked for."""
        error = self.facts["max_error_lsb"]
        return error is None or error <= MAX_EQUAL_LSB


def process_file(path: str, profile: str, arith: str, resample: bool, step: Step) -> Done:
    """Process a file.

    Parameters
    ----------
    profile : see `load_profile`
    arith : "q15", "float" or "both"; the output is the float one's for "float", else that of Q15
    resample : allow rates that the processor does not have
    step : called as each of up to four stages begins

    Raises
    ------
    AudioError, ConfigError
    """
    step("read")
    audio = read(path, resample)
    x_q15 = np.ascontiguousarray(to_q15(audio.samples).T)
    config = load_profile(profile, audio.fs_hz, len(x_q15))
    outputs: list[tuple[np.ndarray, Gains]] = []
    if arith in ("q15", "both"):
        step("Q15")
        outputs.append(run_q15(x_q15, config))
    if arith in ("float", "both"):
        step("float")
        outputs.append(run_float(x_q15, config))
    step("measure")
    y_q15, gains = outputs[0]
    error_lsb, snr_db = compare(y_q15, outputs[1][0]) if arith == "both" else (None, None)
    facts = {
        "profile": profile,
        "arith": arith,
        "fs_hz": config.fs_hz,
        "channels": config.channels,
        "seconds": x_q15.shape[1] / config.fs_hz,
        "latency_ms": 1000 * config.latency_samples / config.fs_hz,
        "ram_bytes": state_bytes(init_state(quantise(config))),
        "peak_in_dbfs": measure_peak_dbfs(x_q15),
        "peak_out_dbfs": measure_peak_dbfs(y_q15),
        "loudness_in_lufs": measure_loudness_lufs(x_q15, config.fs_hz),
        "loudness_out_lufs": measure_loudness_lufs(y_q15, config.fs_hz),
        "max_error_lsb": error_lsb,
        "snr_db": snr_db,
        "bands": _band_facts(config, gains),
        "limiter": {"threshold_dbfs": config.limiter.threshold_dbfs, **_reductions(-gains.limiter_db)},
    }
    return Done(facts, config, x_q15, y_q15, gains, audio.clipped)


def read(path: str, resample: bool) -> Audio:
    """A file at a rate that the processor has.

    Raises
    ------
    AudioError
    """
    audio = read_audio(path)
    if audio.fs_hz in SAMPLE_RATES:
        return audio
    if not resample:
        accepted = f"{', '.join(map(str, SAMPLE_RATES[:-1]))} or {SAMPLE_RATES[-1]} Hz"
        raise AudioError(f"{path}: {audio.fs_hz} Hz found, {accepted} needed; add --resample")
    if path == STDIO:
        raise AudioError(f"{path}: {audio.fs_hz} Hz found; --resample needs a file, not standard input")
    return read_audio(path, fs_hz=accepted_rate(audio.fs_hz), resample=True)


def measure_peak_dbfs(y_q15: np.ndarray) -> float | None:
    """Largest sample; None for silence. INT16_MIN is 0 dBFS."""
    peak = max(-int(y_q15.min()), int(y_q15.max()))
    return float(20 * np.log10(peak / 32768)) if peak else None


def measure_loudness_lufs(y_q15: np.ndarray, fs_hz: int) -> float | None:
    """Integrated loudness of (channels, n) int16; None for silence, or less than 400 ms."""
    loudness = measure_loudness(y_q15.T / 32768.0, fs_hz)
    return loudness if np.isfinite(loudness) else None


def _band_facts(config: DynamicsConfig, gains: Gains) -> list[dict[str, float]]:
    """Make-up does not count as gain; where upward compression lifts, the reduction is negative."""
    rows = zip(config.ranges_hz, config.working_bands, gains.bands_db, strict=True)
    return [
        {"low_hz": low, "high_hz": high, **_reductions(band.makeup_db - gain_db)}
        for (low, high), band, gain_db in rows
    ]


def _reductions(reduction_db: np.ndarray) -> dict[str, float]:
    mean, largest = float(np.mean(reduction_db, dtype=np.float64)), float(reduction_db.max())
    # + 0.0: no minus before a zero
    return {"mean_reduction_db": round(mean, 4) + 0.0, "max_reduction_db": round(largest, 4) + 0.0}
