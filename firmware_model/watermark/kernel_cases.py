"""Arguments for the watermark detector's kernels: a small layout, driven to its extremes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from firmware_model.golden.frozen_random import FrozenRandom
from firmware_model.watermark.detector import process_frame  # noqa: F401 (registers the kernels)
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import (
    ACTIVITY_SPAN,
    LEVEL_EDGE,
    DetectorParams,
    WatermarkConfig,
    quantise,
)
from firmware_model.watermark.state import (
    CLOCK_FEATURE,
    CLOCK_HOP,
    CLOCK_INPUT,
    CLOCK_LEVEL,
    CLOCK_SCORE,
    PEAK_LAST,
    DetectorState,
    init_output,
    init_probes,
    init_state,
)

CONFIG = WatermarkConfig(
    fft_size=256, hop=64, slots=4, slot_hops=2, low_hz=500, high_hz=3000, max_marks=2, threshold=2
)


def _params(max_marks: int = CONFIG.max_marks) -> DetectorParams:
    keys = [Key.from_hex("5eed"), Key.from_hex("0123456789abcdef")]
    config = replace(CONFIG, max_marks=max_marks)
    return quantise(config, np.stack([k.signs(max_marks, CONFIG.slots, CONFIG.bands) for k in keys]))


def _hops(rng: FrozenRandom) -> list[np.ndarray]:
    """Silence, noise, rails and steps between them: all that makes levels and features jump."""
    rail = np.full(CONFIG.hop, -(1 << 15), np.int16)
    square = np.where(np.arange(CONFIG.hop) % 8 < 4, (1 << 15) - 1, -(1 << 15)).astype(np.int16)
    quiet = np.zeros(CONFIG.hop, np.int16)
    noise = [rng.integers(-(1 << k), 1 << k, CONFIG.hop).astype(np.int16) for k in (15, 2, 15, 8, 15)]
    return [quiet, square, quiet, rail, *noise, square, square, *noise, quiet]


def _busy_state(rng: FrozenRandom, params: DetectorParams) -> DetectorState:
    """A state whose memories are filled with anything that they can hold."""
    state = init_state(params)
    state.input_q15[:] = rng.integers(-(1 << 15), 1 << 15, len(state.input_q15))
    state.z[:] = rng.integers(-1296000000, 1296000000, len(state.z))
    state.level_q8[:] = rng.integers(6 << 8, 50 << 8, state.level_q8.shape)
    state.level_sum_q8[LEVEL_EDGE:-LEVEL_EDGE] = state.level_q8.sum(axis=0)
    state.level_sum_q8[:LEVEL_EDGE] = state.level_sum_q8[LEVEL_EDGE]
    state.level_sum_q8[-LEVEL_EDGE:] = state.level_sum_q8[-LEVEL_EDGE - 1]
    state.mean_q23[:] = rng.integers(-44 << 23, 44 << 23, len(state.mean_q23))
    state.activity_q19[:] = rng.integers(0, 128 * 127**2, len(state.activity_q19))
    state.work[:] = rng.integers(-8128, 8129, len(state.work))
    state.feature[:, : CONFIG.bands] = rng.integers(-127, 128, (CONFIG.mark_hops, CONFIG.bands))
    state.energy[:] = (state.feature.astype(np.int32) ** 2).sum(axis=1)
    state.sums[:] = rng.integers(-(1 << 13), 1 << 13, 4)
    state.score_q9[:] = rng.integers(-(1 << 15), 1 << 15, state.score_q9.shape)
    state.clock[CLOCK_INPUT] = rng.integers(CONFIG.fft_size // CONFIG.hop) * CONFIG.hop
    state.clock[CLOCK_LEVEL] = rng.integers(CONFIG.slot_hops)
    state.clock[CLOCK_FEATURE] = rng.integers(CONFIG.mark_hops)
    state.clock[CLOCK_SCORE] = rng.integers(params.max_marks * CONFIG.mark_hops)
    state.clock[CLOCK_HOP] = 1000
    return state


def _each(*tails: tuple[Any, ...]) -> Callable[[FrozenRandom], list[tuple]]:
    """Params and a busy state, followed by each of these tails."""

    def build(rng: FrozenRandom) -> list[tuple]:
        params = _params()
        return [(params, _busy_state(rng, params), *tail) for tail in tails]

    return build


def _stream(rng: FrozenRandom) -> list[tuple]:
    params, output = _params(), init_output(_params())
    state = init_state(params)
    probes = init_probes(params)
    return [(params, state, x, output, probes) for x in _hops(rng)]


def _streams(rng: FrozenRandom) -> list[tuple]:
    """A stream of two marks; hops of four and of five, a whole row of signs and one pattern more."""
    cases = _stream(rng)
    for max_marks in (4, 5):
        params = _params(max_marks)
        state = _busy_state(rng, params)
        cases.append((params, state, _hops(rng)[4], init_output(params), init_probes(params)))
    return cases


def _load(rng: FrozenRandom) -> list[tuple]:
    """Hops on a busy ring; silence after silence, then after a single sample in each half and either part."""
    params = _params()
    hops = _hops(rng)
    cases = [(params, _busy_state(rng, params), x) for x in hops[:8]]
    for place in (None, 64, 65, 130, 131):
        state = init_state(params)
        if place is not None:
            state.input_q15[CONFIG.hop + place] = 1 << 12
        cases.append((params, state, hops[0]))
    return cases


def _windowed(rng: FrozenRandom) -> list[tuple]:
    samples = [-(1 << 15), -1, 0, 1, (1 << 15) - 1, *rng.integers(-(1 << 15), 1 << 15, 9).tolist()]
    return [(np.int64(x), np.int64(w)) for x in samples for w in (0, 1, 1 << 15, 12345678, (1 << 31) - 1)]


def _powers(rng: FrozenRandom) -> list[tuple]:
    parts = [np.int64(v) for v in (0, 1, -1, 1296000000, -1296000000, int(rng.integers(1 << 30)))]
    return [(re, im) for re in parts for im in parts]


def _bins(*floors: tuple[int, ...]) -> Callable[[FrozenRandom], list[tuple]]:
    """Bins of every size, one after the other, over each floor, with what else goes there."""

    def build(rng: FrozenRandom) -> list[tuple]:
        z = np.array([rng.integers(-(2 << k), 2 << k) for k in range(30) for _ in range(4)], np.int32)
        z[:6] = 0, 0, 1, -1, 1296000000, -1296000000
        ends = [(first, first + bins) for first in range(0, 56, 3) for bins in (1, 2, 4)]
        return [(z, *map(np.int64, (*end, *floor))) for floor in floors for end in ends]

    return build


def _band_levels(rng: FrozenRandom) -> list[tuple]:
    cases = []
    for shift in (1, 0, 2):
        for exponent in (-28, -13, 9, 3):
            state = _busy_state(rng, _params())
            rest = (0, CONFIG.bands >> shift, CONFIG.first_bin, shift, exponent)
            cases.append((state.z, state.level_q8, state.level_sum_q8, *map(np.int64, rest)))
    return cases


def _column_sums(rng: FrozenRandom) -> list[tuple]:
    cases = []
    for row in range(CONFIG.slot_hops):
        state = _busy_state(rng, _params())
        rest = (row, CONFIG.slot_hops, CONFIG.slots, CONFIG.bands)
        beyond = rng.integers(-127, 128, (CONFIG.mark_hops, state.feature.shape[1]))  # rows that do not count
        feature = np.concatenate([state.feature, beyond.astype(np.int8)])
        cases.append((feature, state.work, *map(np.int64, rest)))
    return cases


def _variances(rng: FrozenRandom) -> list[tuple]:
    """Busy states; energies that do not count follow those of the ring."""
    cases = []
    for params, state in _each(*[()] * 6)(rng):
        beyond = rng.integers(0, 1 << 20, CONFIG.mark_hops).astype(np.int32)
        cases.append((params, state._replace(energy=np.concatenate([state.energy, beyond]))))
    return cases


def _positive_sums(rng: FrozenRandom) -> list[tuple]:
    """Rows of features and signs of every kind, those of all four patterns among them; and the extremes."""
    cases = []
    for value in (None, None, None, None, 127, -127):
        feature = rng.integers(-127, 128, (4, 32)).astype(np.int8)
        if value is not None:
            feature[:] = value
        signs = rng.integers(-(1 << 31), 1 << 31, (3, 12)).astype(np.int32)
        signs[1] = -1
        sums = rng.integers(-1000, 1000, 4).astype(np.int32)
        row, column, at = rng.integers(3), 4 * rng.integers(3), rng.integers(4)
        cases.append((signs, feature, *map(np.int64, (row, column, at, 2)), sums))
    return cases


def _weighed(rng: FrozenRandom) -> list[tuple]:
    cases = []
    for params, state in _weights(rng)[::4]:
        row = np.int64(rng.integers(CONFIG.mark_hops))
        cases.append((state.work, state.activity_q19, state.feature, row, np.int64(params.bands)))
    # Mean squares one LSB short of a larger weight, and a contrast that tells these two weights apart.
    state = init_state(params)
    state.activity_q19[1 : 2 * ACTIVITY_SPAN + 2] = 236107
    state.activity_q19[1] += 9
    state.work[0] = 8000
    cases.append((state.work, state.activity_q19, state.feature, np.int64(0), np.int64(params.bands)))
    return cases


def _scored(rng: FrozenRandom) -> list[tuple]:
    """One row of signs of two patterns; rows of four and of the fifth."""
    cases: list[tuple] = []
    for max_marks, first in ((CONFIG.max_marks, 0), (5, 0), (5, 4)):
        params = _params(max_marks)
        for variance in (0, 10000, 1000000):
            for key in (0, 1):
                state, output = _busy_state(rng, params), init_output(params)
                cases.append((params, state, output, *map(np.int64, (key, first, variance))))
    return cases


def _ratios(rng: FrozenRandom) -> list[tuple]:
    params = _params()
    least = params.silence_variance
    top = 16 * CONFIG.bands * 127**2
    close = (params, np.int64(8670), np.int64(315649))  # the score is within 0.0003 LSB of a tie
    return [close] + [
        (params, np.int64(acc), np.int64(v))
        for acc in (0, 1, -1, 4 * CONFIG.bands * 127, -4 * CONFIG.bands * 127)
        for v in (0, least - 1, least, top, *rng.integers(least, top, 12).tolist())
    ]


def _odd_slots(rng: FrozenRandom) -> list[tuple]:
    """Slots of three hops, a third of whose sums is no integer; levels close enough not to be limited."""
    params = _params()._replace(slot_scale_q31=(1 << 31) // 12)
    cases = []
    for _ in range(40):
        state = _busy_state(rng, params)
        state.level_sum_q8[:] = rng.integers(6000, 7000, len(state.level_sum_q8))
        state.mean_q23[:] = rng.integers(-1 << 20, 1 << 20, len(state.mean_q23))
        cases.append((params, state))
    return cases


def _weights(rng: FrozenRandom) -> list[tuple]:
    """Mean squares from below that of noise to where the weight is 1, and all of them at once beyond."""
    params = _params()
    cases = []
    for low, high in ((0.0, 1.2), *[(0.3, 0.8)] * 40, (0.44, 0.46), (0.0, 30.0)):
        state = _busy_state(rng, params)
        state.activity_q19[:] = rng.integers(int(low * 2**19), int(high * 2**19), len(state.activity_q19))
        cases.append((params, state))
    return cases


def _sums(rng: FrozenRandom) -> list[tuple]:
    """Scores about the threshold or far below it, so many hops after the last report."""
    params = _params()
    cases = []
    mark = CONFIG.mark_hops
    for since in (0, mark // 2, mark // 2 + mark - 1, mark // 2 + mark, 3 * mark, 900):
        for low, high in ((-1500, 1500), (-1500, -900), (600, 1500), (600, 1500), (1000, 1030), (1024, 1025)):
            state = _busy_state(rng, params)
            state.score_q9[:] = rng.integers(low, high, state.score_q9.shape)
            state.peak[:, PEAK_LAST] = 1000 - since
            if high == 1025:
                state.clock[CLOCK_SCORE] = mark  # one mark back is the ring's first place
            cases.append((params, state, np.int64(rng.integers(2))))
    return cases


def _peaks(rng: FrozenRandom) -> list[tuple]:
    """Hop after hop: two peaks, one in the other's hold-off, one in its lockout, one long after."""
    params = _params()
    state = init_state(params)
    state.peak[:, PEAK_LAST] = 42 - CONFIG.lockout_hops  # 1100 is too early, 1500 in time
    report = rng.integers(2, 9, (2, 4)).astype(np.int32)
    scores = [0, 1100, 1500, 1400, 1500, 0, 1200, 0, 1200, 1300, 0, 0, 0, 0, 0, 1600, 0, 0, 0, 0, 0, 30000]
    cases: list[tuple] = []
    for hop, score in enumerate(scores):
        clock = state.clock.copy()
        clock[CLOCK_HOP] = 40 + hop
        now = state._replace(clock=clock)
        cases.append(
            (params, now, np.int64(1), np.int64(score), np.int64((score > 1000) + (score > 1400)), report)
        )
    return cases


_NAME = "firmware_model.watermark"
CASES: dict[str, Callable[[FrozenRandom], list[tuple]]] = {
    f"{_NAME}.frontend.load_frame": _load,
    f"{_NAME}.frontend.windowed_q30": _windowed,
    f"{_NAME}.frontend.place_floor": lambda rng: [(np.int64(e),) for e in range(-30, 18)],
    f"{_NAME}.frontend.power": _powers,
    f"{_NAME}.frontend.loud_band_q24": _bins((1 << 4,), (1 << 36,), (1 << 60,)),
    f"{_NAME}.frontend.quiet_band_q24": _bins((1 << 60, 2), (1 << 60, 16), (1 << 60, 32), (1 << 4, 2)),
    f"{_NAME}.frontend.band_levels": _band_levels,
    f"{_NAME}.frontend.update_levels": _each(*((np.int64(e),) for e in (-28, 9, 9, 0, 3, 3, 3, 3))),
    f"{_NAME}.frontend.update_features": lambda rng: _each(*[()] * 4)(rng) + _odd_slots(rng),
    f"{_NAME}.frontend.weigh": _weighed,
    f"{_NAME}.frontend.weigh_features": _weights,
    f"{_NAME}.frontend.process_frontend": lambda rng: [(*a[:3], a[4]) for a in _stream(rng)[:6]],
    f"{_NAME}.correlator.oldest_row": _each(*[()] * 12),
    f"{_NAME}.correlator.sums_of_columns": _column_sums,
    f"{_NAME}.correlator.score_variance": _variances,
    f"{_NAME}.correlator.sums_of_positive": _positive_sums,
    f"{_NAME}.correlator.correlate": _each(*((np.int64(row % 2), np.int64(99 * row)) for row in range(6))),
    f"{_NAME}.correlator.score_from": _ratios,
    f"{_NAME}.correlator.integrate": _sums,
    f"{_NAME}.detector.score_patterns": _scored,
    f"{_NAME}.detector.pick_peak": _peaks,
    f"{_NAME}.detector.process_frame": _streams,
}
