"""Arguments for the kernels of direct-form biquads, FIR filters and wide accumulators."""

import numpy as np

from firmware_model.golden.frozen_random import FrozenRandom
from fixedpoint.filters.biquad_df1 import BiquadParams
from fixedpoint.filters.fir import FirParams

# Two low-pass sections at 1/48 of the rate and a high-pass section, in Q2.14 and Q3.29: as integers, since a
# golden's argument must not depend on the machine's mathematical functions.
_COEF_Q14 = [
    [64, 128, 64, 29741, -13614],
    [64, 128, 64, 29741, -13614],
    [14937, -29874, 14937, 29741, -13614],
]
_COEF_Q29 = [
    [2100386, 4200772, 2100386, 974579342, -446109974],
    [2100386, 4200772, 2100386, 974579342, -446109974],
    [489390057, -978780114, 489390057, 974579342, -446109974],
]
_TOP: dict[type, int] = {np.int16: 1 << 15, np.int32: 1 << 31}
_LENGTHS = (1, 2, 24)


def _blocks(rng: FrozenRandom, dtype: type) -> list[np.ndarray]:
    """Blocks of noise, rails in runs and single LSBs."""
    top = _TOP[dtype]
    noise = [rng.integers(-top, top, n) for n in _LENGTHS]
    rails = np.where(np.arange(40) % 14 < 7, top - 1, -top)
    return [block.astype(dtype) for block in (*noise, rails, rng.integers(-1, 2, 16))]


def _all_integers(rng: FrozenRandom, dtype: type, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Coefficients without regard to stability: random, and the lowest of the format throughout."""
    top = _TOP[dtype]
    return [rng.integers(-top, top, shape).astype(dtype), np.full(shape, -top, dtype)]


def _cascades(rng: FrozenRandom, params: list[BiquadParams], dtype: type) -> list[tuple]:
    top = _TOP[dtype]
    cases = []
    for p in params:
        for x in _blocks(rng, dtype):
            state = rng.choice([-top, top - 1, 0, 1], (len(p.coef), 4)).astype(dtype)
            cases.append((p, state, x, np.zeros_like(x)))
    return cases


def _biquads_q15(rng: FrozenRandom) -> list[tuple]:
    filters = [BiquadParams(np.array(_COEF_Q14, np.int16), 1)]
    filters += [BiquadParams(c, p) for c in _all_integers(rng, np.int16, (2, 5)) for p in (0, 14)]
    return _cascades(rng, filters, np.int16)


def _with_room(rng: FrozenRandom) -> list[BiquadParams]:
    """Coefficients whose magnitudes sum to less than 2**32, up to all but 1 of it."""
    fullest = np.array([[-(1 << 31), (1 << 31) - 1, 0, 0, 0], [0, -(1 << 31), 0, 0, (1 << 31) - 1]], np.int32)
    random = (rng.integers(-(1 << 31), 1 << 31, (2, 5)) >> 2).astype(np.int32)
    coef = [np.array(_COEF_Q29, np.int32), fullest, random]
    return [BiquadParams(c, p) for c in coef for p in (2, 0, 14)]


def _biquads_q31(rng: FrozenRandom) -> list[tuple]:
    return _cascades(rng, _with_room(rng), np.int32)


def _biquads_q31_wrap(rng: FrozenRandom) -> list[tuple]:
    filters = [BiquadParams(c, p) for c in _all_integers(rng, np.int32, (2, 5)) for p in (0, 14)]
    return _cascades(rng, [*_with_room(rng)[:1], *filters], np.int32)


def _sections(rng: FrozenRandom, filters: list[BiquadParams], dtype: type) -> list[tuple]:
    top = _TOP[dtype]
    return [
        (p.coef, np.int64(k), *map(np.int64, rng.choice([-top, top - 1, 3], 5)))
        for p in filters
        for k in range(len(p.coef))
    ]


def _sums(rng: FrozenRandom) -> list[tuple]:
    q15 = [BiquadParams(c, 0) for c in _all_integers(rng, np.int16, (2, 5))]
    return _sections(rng, q15, np.int16) + _sections(rng, _with_room(rng), np.int32)


def _wide_sums(rng: FrozenRandom) -> list[tuple]:
    filters = [BiquadParams(c, 0) for c in _all_integers(rng, np.int32, (2, 5))]
    return _sections(rng, filters, np.int32)


def _stored(rng: FrozenRandom) -> list[tuple]:
    return [
        (np.zeros((2, 4), dtype), np.int64(k), *map(np.int64, rng.integers(-_TOP[dtype], _TOP[dtype], 4)))
        for dtype in (np.int16, np.int32)
        for k in (0, 1)
    ]


def _firs(rng: FrozenRandom, dtype: type) -> list[tuple]:
    """Impulse responses of 1, 2 and 17 taps."""
    top = _TOP[dtype]
    cases = []
    for h in [h for taps in (1, 2, 17) for h in _all_integers(rng, dtype, (taps,))]:
        for x in _blocks(rng, dtype):
            state = rng.choice([-top, top - 1, 5], len(h) - 1).astype(dtype)
            cases.append((FirParams(h), state, x, np.zeros_like(x)))
    return cases


def _convolutions(rng: FrozenRandom, dtype: type) -> list[tuple]:
    return [(p.h, state, x, np.int64(len(x) - 1)) for p, state, x, _ in _firs(rng, dtype)]


def _kept(rng: FrozenRandom) -> list[tuple]:
    top = _TOP[np.int16]
    states = [rng.integers(-top, top, n).astype(np.int16) for n in (0, 1, 5, 40)]
    return [(state.copy(), x) for state in states for x in _blocks(rng, np.int16)]


def _macs(rng: FrozenRandom) -> list[tuple]:
    low, high = -(1 << 31), (1 << 31) - 1
    pairs = [(low, low), (low, high), (high, high), (-1, 1), (0, low)]
    pairs += [tuple(rng.integers(low, high + 1, 2).tolist()) for _ in range(8)]
    starts = [(0, 0), (1 << 58, 1 << 60), (-(1 << 58), (1 << 61) - (1 << 32))]
    return [tuple(map(np.int64, (*start, *pair))) for start in starts for pair in pairs]


def _wide(rng: FrozenRandom) -> list[tuple]:
    sums = [(0, 0), (-1, (1 << 32) - 1), (1 << 31, 0), (-(1 << 31) - 1, 5 << 32), (1 << 58, (1 << 60) + 7)]
    sums += [(rng.integers(-(1 << 34), 1 << 34), rng.integers(1 << 36)) for _ in range(8)]
    sums += [(rng.integers(-(1 << 24), 1 << 24), rng.integers(1 << 36)) for _ in range(8)]
    return [tuple(map(np.int64, (*s, n))) for s in sums for n in (1, 17, 31, 32)]


CASES = {
    "fixedpoint.wide.mac_wide": _macs,
    "fixedpoint.wide.shift_wrap64_wrap32": _wide,
    "fixedpoint.wide.shift_rnd_sat32": _wide,
    "fixedpoint.filters.biquad_df1.section_sum": _sums,
    "fixedpoint.filters.biquad_df1.section_sum_wide": _wide_sums,
    "fixedpoint.filters.biquad_df1.load_section": lambda rng: [
        (state, k) for _, state, *_ in _biquads_q15(rng)[:5] for k in (np.int64(0), np.int64(1))
    ],
    "fixedpoint.filters.biquad_df1.store_section": _stored,
    "fixedpoint.filters.biquad_df1.biquad_df1_q15": _biquads_q15,
    "fixedpoint.filters.biquad_df1.biquad_df1_q15_trn": _biquads_q15,
    "fixedpoint.filters.biquad_df1.biquad_df1_q31": _biquads_q31,
    "fixedpoint.filters.biquad_df1.biquad_df1_q31_trn_wrap": _biquads_q31_wrap,
    "fixedpoint.filters.fir.keep_latest": _kept,
    "fixedpoint.filters.fir.convolve": lambda rng: _convolutions(rng, np.int16),
    "fixedpoint.filters.fir.convolve_wide": lambda rng: _convolutions(rng, np.int32),
    "fixedpoint.filters.fir.fir_q15": lambda rng: _firs(rng, np.int16),
    "fixedpoint.filters.fir.fir_q15_trn": lambda rng: _firs(rng, np.int16),
    "fixedpoint.filters.fir.fir_q31": lambda rng: _firs(rng, np.int32),
    "fixedpoint.filters.fir.fir_q31_trn_wrap": lambda rng: _firs(rng, np.int32),
}
