"""Golden cases of the dynamics processor."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from firmware_model.case import Case, Node
from firmware_model.dynamics.processor import init_probes, process_frame
from firmware_model.dynamics.settings.params import SAMPLE_RATES, BandConfig, DynamicsConfig, LimiterConfig
from firmware_model.dynamics.settings.profiles import NAMES, load_profile
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import init_state
from firmware_model.reference import processor as reference
from firmware_model.reference.dynamics_model import BandModel, DynamicsModel, LimiterModel
from fixedpoint.qformat import Q8_24, Q15, Q31, QFormat

_Q5_27 = QFormat(5, 27)


class DynamicsRun:
    """The processor with its probes on."""

    kernel = staticmethod(process_frame)
    output = None

    def __init__(self, config: DynamicsConfig) -> None:
        self.params = quantise(config)
        self.state = init_state(self.params)

    def push(self, x_q15: np.ndarray) -> dict[str, np.ndarray]:
        """See `case.Run`."""
        probes = init_probes(self.params, x_q15.shape[1])
        y_q15 = np.empty_like(x_q15)
        process_frame(self.params, self.state, x_q15, y_q15, probes)
        return {
            "band": probes.band_q27,
            "level": probes.level_q24,
            "gain": probes.gain_q27,
            "band_attenuation": probes.band_attenuation_q31,
            "limited": probes.limited_q27,
            "bus": probes.bus_q27,
            "attenuation": probes.attenuation_q31,
            "output": y_q15,
        }


def reference_model(config: DynamicsConfig) -> DynamicsModel:
    """The float64 reference's settings: the same fields, by name."""

    def same(kind: Any, source: Any) -> dict[str, Any]:
        return {field.name: getattr(source, field.name) for field in fields(kind)}

    settings = same(DynamicsModel, config)
    settings["bands"] = tuple(BandModel(**same(BandModel, band)) for band in config.bands)
    settings["limiter"] = LimiterModel(**same(LimiterModel, config.limiter))
    return DynamicsModel(**settings)


def dynamics_case(name: str, summary: str, stimulus: str, config: DynamicsConfig) -> Case:
    """A case of the dynamics processor."""
    return Case(
        name=name,
        summary=summary,
        fs_hz=config.fs_hz,
        channels=config.channels,
        block=config.control_samples,
        stimulus=stimulus,
        nodes=_nodes(config),
        start=partial(DynamicsRun, config),
        plain=partial(_plain, config),
        reference=partial(_reference, config),
        latency=config.latency_samples,
        alternatives=partial(_alternatives, config),
    )


def _alternatives(config: DynamicsConfig) -> Iterator[tuple[str, Callable[[], DynamicsRun]]]:
    """All profiles at all rates."""
    for profile, fs_hz in product(NAMES, SAMPLE_RATES):
        other = load_profile(profile, fs_hz, config.channels)
        if other != config:
            yield f"profile {profile} at {fs_hz} Hz", partial(DynamicsRun, other)


def _nodes(config: DynamicsConfig) -> tuple[Node, ...]:
    channels = ("mono",) if config.channels == 1 else ("left", "right")
    bands = tuple(f"{low:g}-{high:g} Hz" for low, high in config.ranges_hz)
    split = tuple(f"{band} {channel}" for band in bands for channel in channels)
    block = config.control_samples
    return (
        Node("band", _Q5_27, split, 1, linear=True),
        Node("level", Q8_24, bands, block),
        Node("gain", _Q5_27, bands, block),
        Node("band_attenuation", Q31, bands, block),
        Node("limited", _Q5_27, split, 1),
        Node("bus", _Q5_27, channels, 1),
        Node("attenuation", Q31, ("full band",), block),
        Node("output", Q15, channels, 1),
    )


def _plain(config: DynamicsConfig, x_q15: np.ndarray) -> np.ndarray:
    params = quantise(config)
    y_q15 = np.empty_like(x_q15)
    process_frame(params, init_state(params), x_q15, y_q15, None)
    return y_q15


def _reference(config: DynamicsConfig, x: np.ndarray) -> dict[str, np.ndarray]:
    result = reference.process(x, reference_model(config))
    rows = {name: np.asarray(getattr(result, name)) for name in ("band", "limited")}
    return {
        "band": rows["band"].reshape(-1, x.shape[1]),
        "level": result.level,
        "gain": result.gain,
        "band_attenuation": result.band_attenuation,
        "limited": rows["limited"].reshape(-1, x.shape[1]),
        "bus": result.bus,
        "attenuation": np.atleast_2d(result.attenuation),
        "output": result.y,
    }


_BUSY = BandConfig(
    threshold_dbfs=-30.0,
    ratio=4.0,
    makeup_db=9.0,
    attack_ms=2.0,
    release_ms=40.0,
    upward_threshold_dbfs=-45.0,
    upward_ratio=2.0,
    upward_range_db=6.0,
    limiter_threshold_dbfs=-9.0,
)
_SIX_BANDS = DynamicsConfig(
    fs_hz=96000,
    channels=2,
    edges_hz=(60.0, 250.0, 1000.0, 4000.0, 16000.0),
    bands=(_BUSY,) * 6,
    active=(True, True, False, True, True),
    limiter=LimiterConfig(threshold_dbfs=-3.0, look_ahead_ms=1.0, release_ms=30.0),
)
# Bands at the rails, which the limiters then see; the highest is lifted in silence, by less than its range.
_LOUD = BandConfig(
    threshold_dbfs=-12.0,
    ratio=1.5,
    knee_db=20.0,
    makeup_db=24.0,
    attack_ms=400.0,
    release_ms=300.0,
    detector="peak",
    limiter_threshold_dbfs=-2.0,
    limiter_release_ms=500.0,
)
_LIFTED = BandConfig(
    threshold_dbfs=-40.0,
    ratio=2.0,
    knee_db=12.0,
    attack_ms=20.0,
    release_ms=300.0,
    upward_threshold_dbfs=-78.0,
    upward_ratio=1.5,
    upward_range_db=24.0,
)
_RAILS = DynamicsConfig(
    edges_hz=(100.0, 400.0, 1500.0, 6000.0, 15000.0),
    bands=(
        _LOUD,
        replace(_LOUD, limiter_threshold_dbfs=None),
        _LOUD,
        replace(_LOUD, ratio=1.2),
        _LOUD,
        _LIFTED,
    ),
    band_look_ahead_ms=0.4,
    limiter=LimiterConfig(threshold_dbfs=-1.0, look_ahead_ms=0.5, release_ms=500.0),
)

CASES = (
    dynamics_case(
        "mbdp-smart-speaker",
        "smart-speaker profile, 48 kHz mono, bursts",
        "bursts-48k",
        load_profile("smart-speaker", 48000, 1),
    ),
    dynamics_case(
        "mbdp-conventional",
        "conventional profile, 44.1 kHz mono, sweep",
        "sweep-44k",
        load_profile("conventional", 44100, 1),
    ),
    dynamics_case(
        "mbdp-headset",
        "headset profile, 16 kHz stereo, noise and silence",
        "silence-16k-stereo",
        load_profile("headset", 16000, 2),
    ),
    dynamics_case(
        "mbdp-six-bands",
        "six bands, one split inactive, 96 kHz stereo, squares at full scale",
        "squares-96k-stereo",
        _SIX_BANDS,
    ),
    dynamics_case(
        "mbdp-smart-speaker-extremes",
        "smart-speaker profile, 48 kHz mono, from the rails to silence",
        "extremes-48k",
        load_profile("smart-speaker", 48000, 1),
    ),
    dynamics_case(
        "mbdp-headset-extremes",
        "headset profile, 16 kHz stereo, to the rails and to silence",
        "extremes-16k-stereo",
        load_profile("headset", 16000, 2),
    ),
    dynamics_case(
        "mbdp-rails",
        "six bands, sums at the rails, then silence, 48 kHz mono",
        "rails-48k",
        _RAILS,
    ),
)
