"""What `process` does: a recording through the dynamics processor, in Q15, in float, or both."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from acoustic_sim.loudspeaker import measure_loudness
from firmware_model.cli_output import STDIO, Step
from firmware_model.dynamics.params import SAMPLE_RATES, DynamicsConfig
from firmware_model.dynamics.processor import init_probes, process_frame
from firmware_model.dynamics.profiles import load_profile
from firmware_model.dynamics.state import init_state, state_bytes
from firmware_model.dynamics.stream import pad_for_latency
from firmware_model.dynamics.tuning import quantise
from firmware_model.golden.dynamics_cases import reference_model
from firmware_model.pcm import Audio, read_audio, to_q15
from firmware_model.reference import processor as reference
from fixedpoint.errors import AudioError, ConfigError

MAX_EQUAL_LSB = 2  # the arithmetics count as equal up to here
_SEGMENT = 1 << 16  # samples at a time: the probes of every sample need not be kept


class Gains(NamedTuple):
    """What was done to each control block of the input, dB.

    bands_db : (bands, blocks) float32, compressor with make-up, and band limiter
    limiter_db : (blocks,) float32, full-band limiter
    """

    bands_db: np.ndarray
    limiter_db: np.ndarray


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


def check_writable(path: str) -> None:
    """Refuse, before any work is done, a folder in which no file can be made: of two outputs none is written.

    Raises
    ------
    ConfigError
    """
    if path == STDIO:
        return
    try:
        with tempfile.TemporaryFile(dir=Path(path).resolve().parent):
            pass
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        says = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be written: {says}") from error


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


def accepted_rate(fs_hz: int) -> int:
    """The rate that a file is converted to: the next of the processor's, or its highest.

    44100 Hz serves only what divides it: 32000 Hz becomes 48000 Hz, in the ratio 2 to 3.
    """
    above = [rate for rate in SAMPLE_RATES if rate >= fs_hz and (rate != 44100 or rate % fs_hz == 0)]
    return above[0] if above else SAMPLE_RATES[-1]


def run_q15(x_q15: np.ndarray, config: DynamicsConfig) -> tuple[np.ndarray, Gains]:
    """The firmware's output, in step with the input, and its gains.

    x_q15 : (channels, n) int16, Q1.15
    """
    params = quantise(config)
    state = init_state(params)
    padded = pad_for_latency(x_q15, config)
    y_q15 = np.empty_like(padded)
    kept: list[tuple[np.ndarray, ...]] = []
    for start in range(0, padded.shape[1], _SEGMENT):
        x = np.ascontiguousarray(padded[:, start : start + _SEGMENT])
        y = np.empty_like(x)
        probes = init_probes(params, x.shape[1])
        process_frame(params, state, x, y, probes)
        y_q15[:, start : start + _SEGMENT] = y
        kept.append((probes.gain_q27, probes.band_attenuation_q31, probes.attenuation_q31[0]))
    gain_q27, band_q31, bus_q31 = (np.concatenate(nodes, axis=-1) for nodes in zip(*kept, strict=True))
    gains = _in_step(
        config, x_q15.shape[1], gain_q27 * 2.0**-27, 1 - band_q31 * 2.0**-31, 1 - bus_q31 * 2.0**-31
    )
    return _late(y_q15, x_q15, config), gains


def run_float(x_q15: np.ndarray, config: DynamicsConfig) -> tuple[np.ndarray, Gains]:
    """The same of the float64 reference, its output rounded to 16 bits."""
    result = reference.process(pad_for_latency(x_q15, config) / 32768.0, reference_model(config))
    y_q15 = np.ascontiguousarray(to_q15(result.y.T).T)
    n = x_q15.shape[1]
    gains = _in_step(config, n, result.gain, 1 - result.band_attenuation, 1 - result.attenuation)
    return _late(y_q15, x_q15, config), gains


def compare(y_q15: np.ndarray, reference_q15: np.ndarray) -> tuple[int, float | None]:
    """Largest difference in LSB; signal to noise ratio, dB, None where the bits are equal."""
    r = reference_q15.astype(np.float64)
    d = y_q15 - r
    noise = float(np.sum(d * d))
    if noise == 0:
        return 0, None
    signal = float(np.sum(r * r))
    snr_db = 10 * np.log10(signal / noise) if signal > 0 else -np.inf
    return int(np.abs(d).max()), float(snr_db)


def measure_peak_dbfs(y_q15: np.ndarray) -> float | None:
    """Largest sample; None for silence. INT16_MIN is 0 dBFS."""
    peak = max(-int(y_q15.min()), int(y_q15.max()))
    return float(20 * np.log10(peak / 32768)) if peak else None


def measure_loudness_lufs(y_q15: np.ndarray, fs_hz: int) -> float | None:
    """Integrated loudness of (channels, n) int16; None for silence, or less than 400 ms."""
    loudness = measure_loudness(y_q15.T / 32768.0, fs_hz)
    return loudness if np.isfinite(loudness) else None


def _late(y_q15: np.ndarray, x_q15: np.ndarray, config: DynamicsConfig) -> np.ndarray:
    late = config.latency_samples
    return y_q15[:, late : late + x_q15.shape[1]]


def _in_step(
    config: DynamicsConfig, n: int, compressor: np.ndarray, band_limiter: np.ndarray, limiter: np.ndarray
) -> Gains:
    """Gains for each block of the input from those at the end of each block of time."""
    blocks = -(-n // config.control_samples)
    late = config.band_blocks, config.band_blocks + config.limiter_blocks
    bands = compressor[:, :blocks] * band_limiter[:, late[0] : late[0] + blocks]
    return Gains(_to_db(bands), _to_db(limiter[late[1] : late[1] + blocks]))


def _to_db(gain: np.ndarray) -> np.ndarray:
    """dB, no less than -200."""
    return (20 * np.log10(np.maximum(gain, 1e-10))).astype(np.float32)


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
