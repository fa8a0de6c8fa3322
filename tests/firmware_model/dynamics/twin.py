"""The fixed-point processor beside its float64 twin, and programme to run both on."""

from typing import Any, NamedTuple

import numpy as np

from acoustic_sim.programmes.excitation import synthesise
from firmware_model.dynamics.cases.configurations import reference_model as model_of
from firmware_model.dynamics.processor import DynamicsProbes, init_probes, process_frame
from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig, LimiterConfig
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import DynamicsState, init_state
from firmware_model.reference.processor import Result, process

RATES = (16000, 44100, 48000, 96000)
Q27, Q31, Q24 = 2.0**27, 2.0**31, 2.0**24

RMS = BandConfig(-24, 3, 6, 6, 10, 150, "rms", limiter_threshold_dbfs=-6)
UPWARD = BandConfig(-30, 3, 6, 9, 5, 150, "peak", 10, -40, 2, 6, limiter_threshold_dbfs=-6)
HARD = BandConfig(-30, float("inf"), 0, 12, 1, 50, "peak", limiter_threshold_dbfs=-10)
PLAIN = BandConfig(-20, 2, 3, 3, 20, 200, "rms")

SETUPS: dict[str, dict[str, Any]] = {
    "six bands": {
        "edges_hz": (100, 300, 900, 2500, 6000),
        "bands": (RMS, UPWARD, HARD, PLAIN, RMS, UPWARD),
        "limiter": LimiterConfig(-1),
    },
    "one band": {"bands": (RMS,), "limiter": LimiterConfig(-3, 0.1, 1)},
    "hard knees": {"edges_hz": (200,), "bands": (HARD, HARD), "limiter": LimiterConfig(-1, 5, 200)},
    "no band limiter": {"edges_hz": (120, 2000), "bands": (PLAIN,) * 3},
    "inactive splits": {
        "edges_hz": (120, 500, 2000, 6000),
        "bands": (RMS, PLAIN, UPWARD, HARD, UPWARD),
        "active": (True, False, True, False),
        "limiter": LimiterConfig(-1),
    },
    "no all-pass": {
        "edges_hz": (120, 500, 2000),
        "bands": (PLAIN,) * 4,
        "all_pass": False,
        "limiter": LimiterConfig(-1),
    },
    "nothing to do": {"edges_hz": (120, 500, 2000), "bands": (BandConfig(),) * 4},
}


class Run(NamedTuple):
    """y_q15 (channels, n), the nodes, the parameters' state after the last sample."""

    y_q15: np.ndarray
    nodes: DynamicsProbes
    state: DynamicsState


def run(config: DynamicsConfig, x_q15: np.ndarray, state: DynamicsState | None = None) -> Run:
    """One frame of (channels, n) or (n,) int16, n cut to whole control blocks, from rest or a state."""
    x_q15 = np.atleast_2d(x_q15)
    x_q15 = np.ascontiguousarray(
        x_q15[:, : x_q15.shape[1] // config.control_samples * config.control_samples]
    )
    params = quantise(config)
    state = init_state(params) if state is None else state
    nodes, y_q15 = init_probes(params, x_q15.shape[1]), np.zeros_like(x_q15)
    process_frame(params, state, x_q15, y_q15, nodes)
    return Run(y_q15, nodes, state)


def flat(fs_hz: int, edges_hz: Any, **other: Any) -> DynamicsConfig:
    """A crossover with nothing after it."""
    edges_hz = tuple(float(edge) for edge in edges_hz)
    return DynamicsConfig(
        fs_hz=fs_hz, edges_hz=edges_hz, bands=(BandConfig(),) * (len(edges_hz) + 1), **other
    )


def to_q15(x: np.ndarray) -> np.ndarray:
    """RND, SAT."""
    return np.clip(np.floor(x * 32768 + 0.5), -32768, 32767).astype(np.int16)


def programme(kind: str, seconds: float, fs_hz: int, channels: int) -> np.ndarray:
    """(channels, n) int16; the second channel is quieter and later, of other sign."""
    n = round(seconds * fs_hz) // 16 * 16
    rng = np.random.default_rng(17)
    if kind == "noise":
        x = np.clip(0.25 * rng.standard_normal(n), -1, 1)
    elif kind == "sweep":
        x = 0.89 * np.sin(2 * np.pi * np.cumsum(np.geomspace(20, 0.45 * fs_hz, n)) / fs_hz)
    else:
        x = synthesise(kind, seconds, fs_hz, 3)[:n]
    return to_q15(np.stack([x, -0.5 * np.roll(x, fs_hz // 50)])[:channels])


class Difference(NamedTuple):
    """Firmware against twin; output in LSB of 16 bits, signal nodes too, levels in log2, gains relative.

    lsb : largest;  within : share of samples within 1 LSB;  snr_db
    level : largest where the level is above -80 dBFS, below which the crossover's rounding counts
    """

    lsb: int
    within: float
    snr_db: float
    band: float
    level: float
    gain: float
    limited: float
    bus: float
    band_attenuation: float
    attenuation: float


def compare(config: DynamicsConfig, x_q15: np.ndarray) -> Difference:
    """Run both on (channels, n) int16."""
    fixed = run(config, x_q15)
    n = fixed.y_q15.shape[1]
    twin: Result = process(np.atleast_2d(x_q15)[:, :n] / 32768, model_of(config))
    wanted = to_q15(twin.y).astype(np.int64)
    error = fixed.y_q15 - wanted

    def lsb(node_q27: np.ndarray, exact: np.ndarray) -> float:
        return float(np.abs(node_q27 / Q27 - exact.reshape(node_q27.shape)).max() * 32768)

    nodes = fixed.nodes
    level = np.abs(nodes.level_q24 / Q24 - twin.level)[twin.level > -80 / 6.02]
    return Difference(
        lsb=int(np.abs(error).max()),
        within=float(np.mean(np.abs(error) <= 1)),
        snr_db=float(10 * np.log10((wanted**2).sum() / max((error**2).sum(), 1e-9))),
        band=lsb(nodes.band_q27, twin.band),
        level=float(level.max(initial=0)),
        gain=float(np.abs(nodes.gain_q27 / Q27 / twin.gain - 1).max()),
        limited=lsb(nodes.limited_q27, twin.limited),
        bus=lsb(nodes.bus_q27, twin.bus),
        band_attenuation=float(np.abs(nodes.band_attenuation_q31 / Q31 - twin.band_attenuation).max()),
        attenuation=float(np.abs(nodes.attenuation_q31[0] / Q31 - twin.attenuation).max()),
    )
