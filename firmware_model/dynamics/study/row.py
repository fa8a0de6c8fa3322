"""What a row of a dynamics sweep computes: a programme at a volume, a profile, a loudspeaker behind it."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import soxr

from acoustic_sim.border.one_thread import one_thread
from acoustic_sim.loudspeaker import Driver, measure_played_tone, measure_playing, simulate
from acoustic_sim.programmes.programme import Extent, blamed, excerpt
from acoustic_sim.sweep.design import Condition
from firmware_model.dynamics.faults import process_faulty
from firmware_model.dynamics.measures.runs import accepted_rate, run_float
from firmware_model.dynamics.settings.params import SAMPLE_RATES, DynamicsConfig
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.stream import process
from firmware_model.golden.causes.faults.products import parse_fault
from firmware_model.pcm import to_q15
from firmware_model.product import find_product
from fixedpoint.errors import AudioError, BittrueError

# Name and type of each part of an outcome; any of them may be None.
OUTCOME: dict[str, type] = {
    "gain_db": float,  # level of the processor's output over that of its input
    "bass_db": float,  # sound pressure from 20 to 200 Hz, dB re 1 Pa at 1 m
    "loudness_lufs": float,  # of the sound pressure, 1 Pa being full scale
    "thd_db": float,  # of a 100 Hz tone at the same volume up to full scale, harmonics over fundamental
    "distortion_db": float,  # what no linear gain explains: the residual an echo canceller is left with
    "compression_db": float,  # that gain over the loudspeaker's at small signals
    "clipped": float,  # share of samples at the amplifier's rail
    "brown_out_s": float,  # seconds for which the amplifier was off
    "peak_mm": float,  # largest excursion of the cone
    "max_error_lsb": int,  # of the processor's output against exact Q15; None in exact Q15
    "seconds": float,  # of the programme
}
PEAK_DBFS = -1.0  # of programme and tone at a volume of 0 dB
MIN_SECONDS = 0.5  # ten periods of 20 Hz, as `loudspeaker.measure_bass_level` asks
TONE_HZ, TONE_FS_HZ = 100.0, 48000
SETTLE_S, WINDOW_S = 1.5, 0.5  # of the tone: the slowest release is over, whole periods
HEARD_FULL_SCALE_PA = 5.0  # of what `heard` gives; the default driver reaches 2 Pa


def parse_arithmetic(text: str) -> Any:
    """None of "q15" and "float", a Fault of "q15+FAULT".

    Raises
    ------
    ConfigError
    """
    _, plus, fault = text.partition("+")
    return parse_fault(fault, find_product("mbdp")) if plus else None


def check_profile(profile: str) -> DynamicsConfig:
    """The profile for the tone's rate.

    Raises
    ------
    ConfigError
        It cannot be read.
    """
    return load_profile(profile, TONE_FS_HZ, 1)


def check_extent(extent: Extent) -> None:
    """Refuse an excerpt that is too short for the level of its bass: AudioError."""
    if extent.samples < MIN_SECONDS * extent.fs_hz:
        raise AudioError(f"the level of the bass needs {MIN_SECONDS:g} s")


CHECKS: dict[str, Callable[[Any], object]] = {
    "profile": check_profile,
    "arithmetic": parse_arithmetic,
    "seconds": check_extent,
}


def group_key(condition: Condition) -> Hashable:
    """Rows that share it share the programme, and at equal volume the tone."""
    return condition.programme, condition.seconds, condition.seed, condition.values["profile"]


def evaluate(conditions: Sequence[Condition]) -> Iterator[tuple[Condition, dict[str, Any] | str]]:
    """Each row's outcome, or in one line why there is none.

    Notes
    -----
    The programme's peak lies at -1 dBFS, then the volume is applied and what is beyond full scale saturates:
    the volume works ahead of the processor, as a volume knob does that a processor has to cope with. Behind
    it the amplifier gives 12 V at full scale (`Driver`).
    """
    for condition in conditions:
        try:
            with one_thread():
                outcome: dict[str, Any] | str = _outcome(condition)
        except BittrueError as error:
            outcome = condition.in_plans_names(str(error))
        yield condition, outcome


def heard(condition: Condition) -> tuple[np.ndarray, int]:
    """Sound pressure at 1 m, (n,) int16, Q1.15, 5 Pa being full scale, and its rate, Hz."""
    try:
        with one_thread():
            x_q15, config = _programme(condition)
            y_q15 = _processed(x_q15, config, condition.values["arithmetic"])
            pressure_pa = simulate(y_q15[0] / 32768.0, config.fs_hz, Driver()).pressure_pa
    except BittrueError as error:
        raise BittrueError(condition.in_plans_names(str(error))) from error
    return to_q15(np.clip(pressure_pa / HEARD_FULL_SCALE_PA, -1, 1)), config.fs_hz


def _outcome(condition: Condition) -> dict[str, Any]:
    values = condition.values
    x_q15, config = _programme(condition)
    y_q15 = _processed(x_q15, config, values["arithmetic"])
    if not y_q15.any():
        raise AudioError(
            f"arithmetic={values['arithmetic']!r}: silence left the processor, nothing to measure"
        )
    with blamed(condition.programme):
        playing = measure_playing(y_q15[0] / 32768.0, config.fs_hz, Driver())._asdict()
    playing["peak_mm"] = 1e3 * playing.pop("peak_m")
    error_lsb = None
    if values["arithmetic"] != "q15":
        exact = _processed(x_q15, config, "q15")
        error_lsb = int(np.abs(y_q15.astype(np.int32) - exact).max())
    known = {
        **playing,
        "gain_db": _level_db(y_q15) - _level_db(x_q15),
        "thd_db": _tone_thd_db(values["profile"], values["volume_db"], values["arithmetic"]),
        "max_error_lsb": error_lsb,
        "seconds": x_q15.shape[1] / config.fs_hz,
    }
    return {name: known[name] for name in OUTCOME}


def _programme(condition: Condition) -> tuple[np.ndarray, DynamicsConfig]:
    """(1, n) int16 at the row's volume, and the processor for its rate."""
    x, fs_hz = _excerpt(condition.programme, condition.seconds, condition.seed)
    x_q15 = to_q15(np.clip(x * 10 ** (condition.values["volume_db"] / 20), -1.0, 1.0))[None]
    if not x_q15.any():
        raise AudioError(f"programme={condition.programme!r}: silent at this volume; a sound is needed")
    return x_q15, load_profile(condition.values["profile"], fs_hz, 1)


@lru_cache(maxsize=4)
def _excerpt(programme: str, seconds: float, seed: int) -> tuple[np.ndarray, int]:
    """Peak at -1 dBFS, at a rate that the processor has."""
    x, fs_hz = excerpt(programme, seconds, seed)
    if fs_hz not in SAMPLE_RATES:
        rate_hz = accepted_rate(fs_hz)
        x, fs_hz = soxr.resample(x, fs_hz, rate_hz, "VHQ"), rate_hz
    peak = np.abs(x).max()
    return (x * (10 ** (PEAK_DBFS / 20) / peak) if peak > 0 else x), fs_hz


def _processed(x_q15: np.ndarray, config: DynamicsConfig, arithmetic: str) -> np.ndarray:
    """(1, n) int16, in step with the input; of "float" rounded to 16 bits."""
    if arithmetic == "float":
        return run_float(x_q15, config)[0]
    fault = parse_arithmetic(arithmetic)
    if fault is not None:
        return process_faulty(x_q15, config, fault)
    return process(x_q15, config).y_q15


@lru_cache(maxsize=256)
def _tone_thd_db(profile: str, volume_db: float, arithmetic: str) -> float | None:
    """None where the tone is lost in rounding.

    Notes
    -----
    The tone reaches the processor as a sine: a volume that would take it beyond full scale takes it there and
    no further. Clipped, it would bring harmonics from ahead of the processor, which pass in other bands while
    the tone's own is held down: +5 dB said of a chain that has -12 dB.
    """
    config = load_profile(profile, TONE_FS_HZ, 1)

    def processed(x: np.ndarray) -> np.ndarray:
        return _processed(to_q15(x)[None], config, arithmetic)[0] / 32768.0

    amplitude = 10 ** (min(PEAK_DBFS + volume_db, 0.0) / 20)
    try:
        tone = measure_played_tone(
            processed, TONE_FS_HZ, TONE_HZ, amplitude, Driver(), settle_s=SETTLE_S, window_s=WINDOW_S
        )
    except AudioError:
        return None
    return tone.whole.thd_db


def _level_db(x_q15: np.ndarray) -> float:
    """Mean square, dB; -inf for silence."""
    power = np.mean(x_q15.astype(np.float64) ** 2)
    return float(10 * np.log10(power)) if power > 0 else float("-inf")
