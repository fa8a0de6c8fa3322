"""A recording through the dynamics processor: in Q15, in float64, and how far the two are apart."""

from typing import NamedTuple

import numpy as np

from firmware_model.dynamics.cases.configurations import reference_model
from firmware_model.dynamics.processor import init_probes, process_frame
from firmware_model.dynamics.settings.params import SAMPLE_RATES, DynamicsConfig
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import init_state
from firmware_model.dynamics.stream import pad_for_latency
from firmware_model.pcm import to_q15
from firmware_model.reference import processor as reference

_SEGMENT = 1 << 16  # samples at a time: the probes of every sample need not be kept


class Gains(NamedTuple):
    """What was done to each control block of the input, dB.

    bands_db : (bands, blocks) float32, compressor with make-up, and band limiter
    limiter_db : (blocks,) float32, full-band limiter
    """

    bands_db: np.ndarray
    limiter_db: np.ndarray


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
