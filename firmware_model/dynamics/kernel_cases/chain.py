"""Arguments for the kernels of the dynamics processor: busy states, rails, worst input of the crossover."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from firmware_model.dynamics.change import ChangeState, init_change
from firmware_model.dynamics.processor import init_probes, process_frame
from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig, LimiterConfig
from firmware_model.dynamics.settings.tuning import DynamicsParams, LimiterParams, quantise
from firmware_model.dynamics.state import CLOCK_RELEASE, CLOCK_WANT, DynamicsState, LimiterState, init_state
from firmware_model.golden.frozen_random import FrozenRandom
from fixedpoint.arith import INT16_MAX, INT16_MIN, INT32_MAX, INT32_MIN

BANDS = (
    BandConfig(
        -24, 3, 6, 0, 0.05, 1, "rms", 0.05, -40, 4, 24, limiter_threshold_dbfs=0, limiter_release_ms=1
    ),
    BandConfig(-80, float("inf"), 24, -80, 5000, 5000, "rms", 5000, limiter_threshold_dbfs=-60),
    BandConfig(-40, 2, 0.1, 24, 0.05, 0.05, "peak", upward_threshold_dbfs=-40, upward_ratio=float("inf")),
    BandConfig(0, 1, 0, 24, limiter_threshold_dbfs=-6),
    BandConfig(-30, 20, 0, 12, 1, 10),
    BandConfig(-10, 4, 12, 0, limiter_threshold_dbfs=-20),
)
# Edges so high that the crossover's worst input is short; and those that leave the least room.
EDGES_HZ = (900.0, 1500.0, 2500.0, 4000.0, 6000.0)
HIGHEST_HZ = (7199.6, 7199.7, 7199.8, 7199.9, 7200.0)


def config(
    bands: int = 3, channels: int = 2, edges_hz: tuple[float, ...] = EDGES_HZ, **other: Any
) -> DynamicsConfig:
    return DynamicsConfig(
        fs_hz=16000,
        channels=channels,
        edges_hz=edges_hz[: bands - 1],
        bands=BANDS[:bands],
        band_look_ahead_ms=0.5,
        limiter=LimiterConfig(-1.0, look_ahead_ms=0.75, release_ms=1.0),
        **other,
    )


def fill_limiter(rng: FrozenRandom, params: LimiterParams, state: LimiterState) -> None:
    """Rings filled with anything that they can hold, half of it extremes; the sum is that of its ring."""
    top = INT32_MAX
    for ring in (state.want_q31, state.released_q31):
        ring[:] = np.where(rng.random(ring.shape) < 0.5, top, rng.integers(0, top, ring.shape))
    state.sum_q31[:] = state.released_q31.sum(axis=1, dtype=np.int64)
    state.since_q31[:] = state.want_q31[:, :1].max(axis=1, initial=0)
    state.released_q62[:] = state.want_q31.max(axis=1, initial=0).astype(np.int64) << 31
    state.attenuation_q31[:] = rng.choice([0, 1, top], len(state.attenuation_q31))
    state.delay_q27[:] = rng.choice([INT32_MIN, INT32_MAX, 0, 1, -1], state.delay_q27.shape)
    if params.blocks:
        state.clock[CLOCK_WANT] = params.blocks
        state.clock[CLOCK_RELEASE] = params.blocks - 1


def busy_state(rng: FrozenRandom, params: DynamicsParams) -> DynamicsState:
    """Levels, gains, limiters and work areas at anything that they can hold; the crossover is at rest."""
    state = init_state(params)
    bank = state.bank
    bank.power_q48[:] = rng.choice([0, 1, 1 << 46, 1 << 54], params.bands)
    bank.held_q55[:] = rng.choice([-(4 << 55), 0, 18 << 55], params.bands)
    bank.reduction_q55[:] = rng.choice([-(4 << 55), 0, 18 << 55], params.bands)
    bank.gain_q27[:] = rng.choice([0, 1 << 27, INT32_MAX], params.bands)
    bank.band_q27[:] = rng.integers(-(7 << 27), 7 << 27, bank.band_q27.shape)
    state.bus_q27[:] = rng.choice([INT32_MIN, INT32_MAX, 0, -1], state.bus_q27.shape)
    fill_limiter(rng, params.band_limiter, bank.limiter)
    fill_limiter(rng, params.limiter, state.limiter)
    return state


def worst_input(params: DynamicsParams, row: int, samples: int) -> np.ndarray:
    """(samples,) int16 at the rails that makes a band of the crossover as large as it can be at the end."""
    x = np.zeros((params.channels, samples), np.int16)
    x[:, 0] = 1 << 14
    nodes = init_probes(params, samples)
    process_frame(params, init_state(params), x, np.zeros_like(x), nodes)
    return np.where(nodes.band_q27[row, ::-1] >= 0, INT16_MAX, INT16_MIN).astype(np.int16)


def frames(rng: FrozenRandom, samples: int = 16) -> list[np.ndarray]:
    """Two channels: rails, squares, alternating signs, impulses, silence and noise, one after the other."""
    n = np.arange(samples)
    rail = np.full(samples, INT16_MIN)
    square = np.where(n % 8 < 4, INT16_MAX, INT16_MIN)
    alternating = np.where(n % 2, INT16_MAX, INT16_MIN)
    noise = rng.choice([INT16_MIN, INT16_MAX], samples)
    quiet = rng.integers(-3, 4, samples)
    silence = np.zeros(samples)
    pairs = ((silence, rail), (square, silence), (alternating, rail), (noise, -1 - noise), (quiet, silence))
    return [np.array(pair).astype(np.int16) for pair in pairs]


def _each(*tails: tuple[Any, ...], bands: int = 3) -> Callable[[FrozenRandom], list[tuple]]:
    """Params and the bank of a busy state, followed by each of these tails."""

    def build(rng: FrozenRandom) -> list[tuple]:
        params = quantise(config(bands))
        return [(params, busy_state(rng, params).bank, *tail) for tail in tails]

    return build


def _ints(*values: int) -> tuple[np.int64, ...]:
    return tuple(np.int64(value) for value in values)


def _powers(rng: FrozenRandom) -> list[tuple]:
    """Every band of a busy state, and a silent one."""
    silent = init_state(quantise(config())).bank
    return [
        *_each(*(_ints(band) for band in range(6)), bands=6)(rng),
        (quantise(config()), silent, *_ints(0)),
    ]


def _levels(rng: FrozenRandom) -> list[np.int64]:
    edges = [level << 24 for level in (-20, -14, -13, -7, -6, -4, 0, 3, 4)]
    return [np.int64(v) for v in [*edges, *rng.integers(-20 << 24, 4 << 24, 20)]]


def _curves(rng: FrozenRandom) -> list[tuple]:
    """Levels of every size, and those next to the thresholds and to the ends of the knees."""
    curve = quantise(config(len(BANDS))).curve
    cases = []
    for band in range(len(BANDS)):
        threshold, half_knee = int(curve.threshold_q24[band]), int(curve.knee_q24[band]) >> 1
        corners = (
            threshold,
            threshold - half_knee,
            threshold + half_knee,
            int(curve.upward_threshold_q24[band]),
        )
        near = [np.int64(corner + d) for corner in corners for d in (-2, -1, 0, 1, 2)]
        cases += [(curve, np.int64(band), level) for level in [*_levels(rng), *near]]
    return cases


def _splits(rng: FrozenRandom) -> list[tuple]:
    """The crossover's first split, its integrators left at what a worst input made of them."""
    params = quantise(config(len(BANDS), 1))
    state = busy_state(rng, params).bank
    top = params.bands - 1
    worst = worst_input(params, top, 32).reshape(-1, 4).astype(np.int32) << 12
    out = []
    for block in worst:
        state.band_q27[top] = block
        out.append((params, state._replace(band_q27=state.band_q27.copy()), *_ints(top, 0, 0, 0)))
    return out


def _rows(*rows: int, sections: int = 4) -> Callable[[FrozenRandom], list[tuple]]:
    """Rows of a busy state at rest, and sections of low and high corner."""

    def build(rng: FrozenRandom) -> list[tuple]:
        params = quantise(config(len(BANDS)))
        state = busy_state(rng, params).bank
        return [
            (state.band_q27.copy(), *_ints(*rows, 0, 0), *_ints(*params.section[edge, :sections]))
            for edge in range(len(BANDS) - 1)
        ]

    return build


def _phases(rng: FrozenRandom) -> list[tuple]:
    params = quantise(config(len(BANDS)))
    cases = []
    for slot in (0, 9):
        state = busy_state(rng, params).bank
        cases += [(params, state, *_ints(row, 1, 4, slot)) for row in (0, 1, 5)]
    return cases


def _split_bands(rng: FrozenRandom) -> list[tuple]:
    cases = []
    for edges_hz, samples, all_pass in ((EDGES_HZ, 32, 1), (EDGES_HZ, 32, 0), (HIGHEST_HZ, 64, 1)):
        params = quantise(config(len(BANDS), 1, edges_hz, all_pass=bool(all_pass)))
        state = init_state(params).bank
        for row in (0, 1, 4):
            x = worst_input(params, row, samples)[None]
            cases += [(params, state, x, np.int64(start)) for start in range(0, samples, 4)]
    params = quantise(config(len(BANDS)))
    state = init_state(params).bank
    cases += [(params, state, x, np.int64(4)) for x in frames(rng)]
    return cases


def _wants(rng: FrozenRandom) -> list[tuple]:
    params = quantise(config())
    cases = []
    for limiter in (params.limiter, params.limiter._replace(blocks=1, inverse_q31=1 << 31)):
        state = init_state(params._replace(limiter=limiter)).limiter
        fill_limiter(rng, limiter, state)
        cases += [(limiter, state, *_ints(0, want)) for want in (INT32_MAX, 0, 1, 1 << 30, INT32_MAX, 0)]
    top = INT32_MAX
    for value in (0, top):
        state = init_state(params).limiter
        state.want_q31[:], state.released_q31[:], state.released_q62[:] = value, value, value << 31
        state.sum_q31[:] = state.released_q31.sum(axis=1, dtype=np.int64)
        cases.append((params.limiter, state, *_ints(0, value)))
    return cases + _turned(rng)


def _turned(rng: FrozenRandom) -> list[tuple]:
    """Wants at every position of the ring, over rings that rise, fall, or stand; releases from above them."""
    limiter = quantise(config()).limiter
    top, last = INT32_MAX, limiter.blocks
    cases = []
    for position in range(last + 1):
        for ring in (np.arange(last + 1), np.arange(last, -1, -1), rng.integers(0, last + 2, last + 1)):
            for since, want in ((0, 0), (top // 2, top // 3), (top // 3, top // 2)):
                state = init_state(quantise(config())).limiter
                state.want_q31[0] = ring * (top // (last + 1))
                state.since_q31[0], state.released_q62[0] = since, top << 31
                state.clock[CLOCK_WANT] = position
                cases.append((limiter, state, *_ints(0, want)))
    return cases


def _attenuations(rng: FrozenRandom) -> list[tuple]:
    thresholds = [1, 2, 3, 134218, (1 << 27) - 4096, 1 << 27, *rng.integers(1, 1 << 27, 5).tolist()]
    peaks = [
        0,
        1,
        2,
        3,
        1 << 27,
        (1 << 27) + 1,
        (1 << 31) - 1,
        1 << 31,
        *rng.integers(0, 1 << 31, 9).tolist(),
    ]
    near = [(t, t + d) for t in thresholds for d in (-1, 0, 1)]
    return [_ints(t, p) for t, p in [*near, *((t, p) for t in thresholds for p in peaks)]]


def _limit_blocks(rng: FrozenRandom) -> list[tuple]:
    params = quantise(config())
    state = busy_state(rng, params)
    rails = [rng.choice([INT32_MIN, INT32_MAX, 0], (2, 4)).astype(np.int32) for _ in range(8)]
    tail = params.ramp_q32, 2, 1 << 31
    full = [(params.limiter, state.limiter, *_ints(0, *tail), x) for x in rails]
    bands = busy_state(rng, params)
    bands.bank.band_q27[:] = rng.choice([INT32_MIN, INT32_MAX, 0], bands.bank.band_q27.shape)
    rows = [
        (params.band_limiter, bands.bank.limiter, *_ints(row, *tail), bands.bank.band_q27)
        for row in (0, 1, 2, 1, 0)
    ]
    return full + rows


def _turns(rng: FrozenRandom) -> list[tuple]:
    params = quantise(config())
    state = init_state(params).limiter
    return [(params.limiter, state)] * (2 * params.limiter.blocks + 3)


def _copies(rng: FrozenRandom) -> list[tuple]:
    source = rng.choice([INT32_MIN, INT32_MAX], (3, 4)).astype(np.int32)
    return [(source, np.zeros((3, 12), np.int32), np.int64(start)) for start in (0, 8)]


def _no_limiters() -> DynamicsConfig:
    bands = (BandConfig(-30, 20, 0, 12, 1, 10),) * 2
    return DynamicsConfig(fs_hz=16000, channels=2, edges_hz=EDGES_HZ[:1], bands=bands)


def _banks(rng: FrozenRandom) -> list[tuple]:
    cases: list[tuple] = []
    for bands in (1, 3):
        params = quantise(config(bands))
        state, probes = busy_state(rng, params), init_probes(params, 16)
        for x in frames(rng):
            cases += [(params, state.bank, x, np.int64(start), state.bus_q27, probes) for start in (0, 12)]
    for params in (quantise(_no_limiters()), quantise(replace(config(3), band_look_ahead_ms=0.25))):
        state, probes = busy_state(rng, params), init_probes(params, 16)
        cases += [(params, state.bank, x, np.int64(4), state.bus_q27, probes) for x in frames(rng)]
    return cases


def _buses(rng: FrozenRandom) -> list[tuple]:
    params = quantise(config())
    probes = init_probes(params, 16)
    cases = []
    for start in (0, 4, 12):
        state, y = busy_state(rng, params), np.zeros((2, 16), np.int16)
        cases.append((params, state, np.int64(1 << 31), y, np.int64(start), probes))
    return cases


def _streams(rng: FrozenRandom) -> list[tuple]:
    """The whole processor: from rest, then from a busy state, then the crossover's worst inputs."""
    params = quantise(config())
    probes = init_probes(params, 16)
    states = (init_state(params), busy_state(rng, params))
    cases = [(params, state, x, np.zeros_like(x), probes) for state in states for x in frames(rng)]
    params = quantise(config(len(BANDS), 1))
    state, probes = init_state(params), init_probes(params, 32)
    for row in (0, 2, 4):
        x = worst_input(params, row, 32)[None]
        cases.append((params, state, x, np.zeros_like(x), probes))
    return cases


def begun(change: ChangeState, left: int) -> ChangeState:
    """A change with so many samples of its fade left, in a fade of 8 samples."""
    change.fade[:] = 4, 8, (1 << 31) // 8
    change.clock[0] = 12 - left
    return change


def _fades(rng: FrozenRandom) -> list[tuple]:
    params = quantise(config())
    cases = []
    for left in (12, 8, 4, 0):
        for now, then in ((INT32_MIN, INT32_MAX), (INT32_MAX, INT32_MIN), (0, -1)):
            state, change = init_state(params), begun(init_change(params, 16000), left)
            state.bus_q27[:] = now
            change.bus_q27[:] = then
            cases.append((params, state, change))
            state, change = init_state(params), begun(init_change(params, 16000), left)
            change.fade[:] = 4, 6, (1 << 31) // 6  # weights that do not end at 1 of themselves
            state.bus_q27[:], change.bus_q27[:] = now, then
            cases.append((params, state, change))
    return cases


def _changes(rng: FrozenRandom) -> list[tuple]:
    before, after = quantise(config()), quantise(config(2, all_pass=False))
    state, change = busy_state(rng, before), begun(init_change(after, 16000), 12)
    return [(before, state, after, change, x, np.zeros_like(x)) for x in frames(rng)]


_NAME = "firmware_model.dynamics"
CASES: dict[str, Callable[[FrozenRandom], list[tuple]]] = {
    f"{_NAME}.gain_computer.downward_q24": _curves,
    f"{_NAME}.gain_computer.upward_q24": _curves,
    f"{_NAME}.gain_computer.reduction_q24": _curves,
    f"{_NAME}.level.block_power": _powers,
    f"{_NAME}.level.band_level": _each(*(_ints(band) for band in range(6)), bands=6),
    f"{_NAME}.compressor.smooth_reduction": _each(
        *(_ints(band, wanted << 24) for band in (0, 1, 2) for wanted in (-4, 0, 18))
    ),
    f"{_NAME}.compressor.apply_gain": _each(
        *(_ints(1, a, b) for a in (0, INT32_MAX, 5) for b in (0, INT32_MAX))
    ),
    f"{_NAME}.compressor.compress_band": _each(*(_ints(band) for band in range(6)), bands=6),
    f"{_NAME}.crossover.low_and_allpass": _rows(0, 1),
    f"{_NAME}.crossover.low_and_rest": _rows(0, 1, sections=3),
    f"{_NAME}.crossover.allpass_row": _rows(5),
    f"{_NAME}.crossover.split": _splits,
    f"{_NAME}.crossover.keep_in_phase": _phases,
    f"{_NAME}.crossover.split_bands": _split_bands,
    f"{_NAME}.limiter.ceil_shift": lambda rng: [_ints(x, n) for x in (0, 1, 1 << 62) for n in (0, 1, 31)],
    f"{_NAME}.limiter.attenuation_for": _attenuations,
    f"{_NAME}.limiter.hold": _wants,
    f"{_NAME}.limiter.next_attenuation": _wants,
    f"{_NAME}.limiter.limit_block": _limit_blocks,
    f"{_NAME}.limiter.advance": _turns,
    f"{_NAME}.processor.copy_rows": _copies,
    f"{_NAME}.processor.process_bank": _banks,
    f"{_NAME}.processor.limit_bus": _buses,
    f"{_NAME}.processor.process_frame": _streams,
    f"{_NAME}.change.fade_bus": _fades,
    f"{_NAME}.change.process_change": _changes,
}
