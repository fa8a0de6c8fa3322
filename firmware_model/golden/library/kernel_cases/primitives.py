"""Arguments for the kernels of `fixedpoint`: extremes of each domain, then random values."""

import math
from collections.abc import Callable

import numpy as np

import fixedpoint.elementary  # noqa: F401 (registers its kernels)
from firmware_model.golden.frozen_random import FrozenRandom
from fixedpoint.filters.biquad import butterworth
from fixedpoint.filters.fft import FftParams, init_fft

EDGES = {
    15: [-(1 << 15), -(1 << 15) + 1, -(1 << 14), -1, 0, 1, 1 << 14, (1 << 15) - 2, (1 << 15) - 1],
    31: [-(1 << 31), -(1 << 31) + 1, -(1 << 30), -1, 0, 1, 1 << 30, (1 << 31) - 2, (1 << 31) - 1],
}


def _ints(rng: FrozenRandom, bits: int, count: int = 40) -> list[np.int64]:
    """Extremes of a signed range of `bits` magnitude bits, then magnitudes of every size, of both signs."""
    top = 1 << bits
    edges = EDGES.get(bits, [-top, -top + 1, -1, 0, 1, top - 1])
    sizes = [1 << rng.integers(bits) for _ in range(count)]
    random = [rng.choice((-1, 1)) * rng.integers(size, 2 * size) for size in sizes]
    return [np.int64(v) for v in edges + random]


def _unary(bits: int, count: int = 40) -> Callable[[FrozenRandom], list[tuple]]:
    return lambda rng: [(x,) for x in _ints(rng, bits, count)]


def _powers(rng: FrozenRandom) -> list[tuple]:
    """All powers of two of 63 bits and their neighbours, of both signs; then values of every size."""
    near = [sign * ((1 << k) + d) for k in range(62) for d in (-1, 0, 1) for sign in (-1, 1)]
    long = [rng.integers(1 << 61, 1 << 62) for _ in range(1500)]
    return [(np.int64(v),) for v in near + long] + _unary(62, 200)(rng)


def _squares(rng: FrozenRandom) -> list[tuple]:
    """Squares and what is next to them, where a root that is not exact falls to the wrong side."""
    roots = [1 << 31, *(rng.integers(1 << k, 2 << k) for k in range(31) for _ in range(8))]
    return [(np.int64(r * r + d),) for r in roots for d in (-1, 0)] + _unary(62, 200)(rng)


def _binary(bits_a: int, bits_b: int) -> Callable[[FrozenRandom], list[tuple]]:
    return lambda rng: [(a, b) for a in _ints(rng, bits_a, 6) for b in _ints(rng, bits_b, 6)]


def _shift(bits: int, highest: int) -> Callable[[FrozenRandom], list[tuple]]:
    return lambda rng: [
        (x, np.int64(n)) for x in _ints(rng, bits, 6) for n in (0, 1, 2, highest // 2, highest)
    ]


def _exp2(rng: FrozenRandom) -> list[tuple]:
    whole = [np.int64(k << 24) for k in range(-128, 128, 9)]
    return [(x, np.int64(n)) for x in _ints(rng, 31, 120) + whole for n in (0, 15, 31, 62)]


def frames(rng: FrozenRandom, n: int) -> list[np.ndarray]:
    """Frames at the edges of the FFT's domain: silence, impulse, rails, noise loud and quiet."""
    sign = np.where(np.arange(n) % 32 < 16, 1, -1)
    return [
        np.zeros(n, np.int32),
        *np.eye(2, n, n - 2, dtype=np.int32),
        np.eye(1, n, 3, dtype=np.int32)[0],
        np.full(n, -(1 << 15), np.int32),
        np.full(n, -(1 << 31), np.int32),
        np.where(sign > 0, (1 << 31) - 1, -(1 << 31)).astype(np.int32),
        rng.integers(-(1 << 15), 1 << 15, n).astype(np.int32),
        rng.integers(-(1 << 31), 1 << 31, n).astype(np.int32),
        rng.integers(-3, 4, n).astype(np.int32),
    ]


def _rfft(rng: FrozenRandom) -> list[tuple]:
    return [(init_fft(n), x, np.zeros(n + 2, np.int32)) for n in (256, 512) for x in frames(rng, n)]


def _placed(params: FftParams, x: np.ndarray) -> np.ndarray:
    """A frame as `rfft_in_place` takes it."""
    z = np.zeros((len(x) // 2 + 1, 2), np.int32)
    z[params.place] = x.reshape(-1, 2)
    return z.ravel()


def _in_place(rng: FrozenRandom) -> list[tuple]:
    cases = []
    for n in (256, 512):
        for x in frames(rng, n):
            wide = x.astype(np.int64)
            mag = int(np.bitwise_or.reduce(wide ^ 2 * wide)) | 1
            cases.append((init_fft(n), _placed(init_fft(n), x), np.int64(mag)))
    return cases


def _first_stage(n: int) -> Callable[[FrozenRandom], list[tuple]]:
    def build(rng: FrozenRandom) -> list[tuple]:
        tight = rng.choice([-(1 << 28), (1 << 28) - 1], n + 2).astype(np.int32)
        loud = rng.choice([-(1 << 31), (1 << 31) - 1], n + 2).astype(np.int32)
        quiet = rng.choice([-1, 0, 1], n + 2).astype(np.int32)
        odd = rng.integers(-(1 << 31), 1 << 31, n + 2).astype(np.int32)
        soft = rng.integers(-(1 << 30), 1 << 30, n + 2).astype(np.int32)
        scales = [(tight, 3), (loud, 0), (quiet, 30), (odd, 0), (soft, 1)]
        scales += [(z, 3) for z in _single_outputs(n)]
        return [(init_fft(n), z, np.int64(up)) for z, up in scales]

    return build


def _single_outputs(n: int) -> list[np.ndarray]:
    """Silence; frames that leave one part of one output of the first stage other than 0."""
    radix = int(init_fft(n).size[1])
    frames = [np.zeros(n + 2, np.int32)]
    for k in range(radix):
        for value in (1 << 20, 1j * (1 << 20)):
            z = value * np.exp(2j * np.pi * k * np.arange(radix) / radix)
            frame = np.zeros((n // 2 + 1, 2), np.int32)
            frame[radix : 2 * radix] = np.rint(np.stack([z.real, z.imag], axis=1))
            frames.append(frame.ravel())
    return frames


def worst_stage(params: FftParams, q: int, offset: int, part: str) -> np.ndarray:
    """Inputs at +-2**29 that make the first output of each butterfly of span 4q as large as can be.

    part : "re" or "im", the part of the output that all four products add up in
    """
    m = int(params.size[0])
    z = np.full((m + 1, 2), 1 << 29, np.int32)
    twiddle = params.twiddle_q31[offset : offset + 6 * q].reshape(q, 3, 2)
    for base in range(0, m, 4 * q):
        for slot, power in ((2, 0), (1, 1), (3, 2)):  # bit-reversed order of the residues
            w_re, w_im = twiddle[:, power].T
            # Re(z w) is largest for z with the signs of conj(w), Im(z w) for those of j conj(w).
            signs = (w_re, -w_im) if part == "re" else (w_im, w_re)
            here = z[base + slot * q : base + (slot + 1) * q]
            here[:] = np.where(np.stack(signs, axis=1) >= 0, 1 << 29, -(1 << 29))
    return z.ravel()


def _stages(rng: FrozenRandom) -> list[tuple]:
    cases = []
    for n in (256, 512):
        params = init_fft(n)
        m, q = (int(v) for v in params.size)
        offset = 0
        while q < m:
            stage = (np.int64(q), np.int64(offset))
            for part in ("re", "im"):
                cases.append((params, worst_stage(params, q, offset, part), *stage, np.int64(0)))
            for unit in (1, 1j):
                for k in range(4):
                    # One output of the first butterfly: residues in bit-reversed order, twiddles of 1.
                    y = (unit * (1 << 20) * 1j ** (k * np.arange(4)))[[0, 2, 1, 3]]
                    z = np.zeros((m + 1, 2), np.int32)
                    z[: 4 * q : q] = np.rint(np.stack([y.real, y.imag], axis=1))
                    cases.append((params, z.ravel(), *stage, np.int64(0)))
            z = rng.integers(-(1 << 29), 1 << 29, n + 2).astype(np.int32)
            cases.append((params, z, *stage, np.int64(0)))
            z = rng.integers(-(1 << 30), 1 << 30, n + 2).astype(np.int32)
            cases.append((params, z, *stage, np.int64(1)))
            # The largest output of a stage, 1.3107 * 2**30, as input of the next.
            z = rng.choice([-1407366400, 1407366400], n + 2).astype(np.int32)
            cases.append((params, z, *stage, np.int64(2)))
            offset += 6 * q
            q *= 4
    return cases


def _split(rng: FrozenRandom) -> list[tuple]:
    cases = []
    for n in (256, 512):
        for shift, top in ((0, 1 << 29), (1, 1 << 30), (2, 1407366400)):  # 1.3107 * 2**30, a stage's largest
            for z in (rng.choice([-top, top], n + 2), rng.integers(-top, top, n + 2)):
                cases.append((init_fft(n), z.astype(np.int32), np.int64(shift)))
    return cases


def _products(rng: FrozenRandom) -> list[tuple]:
    """Parts of a stage's input times those of twiddles, whose sum of squares is about 1."""
    cases: list[tuple] = []
    for shift in (0, 1, 2):
        for angle in (0.0, 0.5, 2.0, math.pi / 4):
            b, d = (int((2**31 - 1) * f(angle)) for f in (math.cos, math.sin))
            for a, c in (
                (1407366400, -1407366400),
                (1, 1),
                (-3, 2),
                (rng.integers(1 << 30), rng.integers(9)),
            ):
                cases.append((a, b, c, d, shift))
    return [tuple(map(np.int64, case)) for case in cases]


def _means(rng: FrozenRandom) -> list[tuple]:
    top = 1407366400
    pairs = [(top, top), (-top, -top), (top, -top), (1, 0), (0, -1), (-3, -4), (5, 6), (7, 7), (-7, 8)]
    pairs += [(rng.integers(-top, top), rng.integers(-top, top)) for _ in range(20)]
    return [
        tuple(map(np.int64, (a, b, shift, shift == 0, (1 << shift) >> 1)))
        for a, b in pairs
        for shift in range(3)
    ]


def _sections(rng: FrozenRandom) -> list[tuple]:
    """Samples of sections of low and high corner, at states that input at +-4 of random sign leads to."""
    cases: list[tuple] = []
    for corner_hz in (20, 60, 1000, 20000):
        section = butterworth(corner_hz, 48000)
        g = section.gain_q27 / 2**28
        s1 = s2 = 0.0
        for x in rng.choice([-4, 4], 20):
            cases.append((int(x) << 27, int(s1 * 2.0**58), int(s2 * 2.0**54), *section[:3]))
            band = (s1 + g * (x - s2)) / (1 + g * (g + math.sqrt(2)))
            s1, s2 = 2 * band - s1, s2 + 2 * g * band
    return [tuple(np.int64(v) for v in case) for case in cases]


_BEND = butterworth(1000, 48000).bend_q29


def _int64(*values: int) -> tuple[np.int64, ...]:
    return tuple(np.int64(value) for value in values)


def _smoothed(rng: FrozenRandom) -> list[tuple]:
    top = (1 << 61) - 1
    pairs = [(-top, top), (top, -top), (0, 2 * top), (2 * top, 0), (5, 0), (-5, 0), (0, 5), (7, 7)]
    pairs += [(rng.integers(-top, top), rng.integers(-top, top)) for _ in range(20)]
    return [tuple(map(np.int64, (y, x, c))) for y, x in pairs for c in (0, 1, 1 << 20, (1 << 31) - 1)]


CASES = {
    "fixedpoint.arith.clip": lambda rng: [(x, np.int64(-9), np.int64(7)) for x in _ints(rng, 31)],
    "fixedpoint.arith.sat16": _unary(40),
    "fixedpoint.arith.sat32": _unary(62),
    "fixedpoint.arith.wrap16": _unary(61),
    "fixedpoint.arith.wrap32": _unary(61),
    "fixedpoint.arith.narrow32": _unary(31),
    "fixedpoint.arith.rnd_shift": _shift(61, 61),
    "fixedpoint.arith.trn_shift": _shift(62, 63),
    "fixedpoint.arith.shl": _shift(31, 31),
    "fixedpoint.arith.trn_shift32": lambda rng: [
        (x, np.int64(n)) for x in _ints(rng, 31, 9) for n in range(32)
    ],
    "fixedpoint.arith.rnd_shift32": lambda rng: [
        (x, np.int64(n)) for x in _ints(rng, 31, 9) for n in range(1, 32) if n > 1 or x < (1 << 31) - 1
    ],
    "fixedpoint.arith.shl32": lambda rng: [
        (x, np.int64(n)) for n in range(31) for x in _ints(rng, 31 - n, 3)
    ],
    "fixedpoint.arith.neg32": lambda rng: [a for a in _unary(31)(rng) if a[0] != -(1 << 31)],
    "fixedpoint.arith.sign_changes": _unary(31),
    "fixedpoint.arith.shl_sat16": _shift(15, 31),
    "fixedpoint.arith.shl_sat32": _shift(31, 31),
    "fixedpoint.arith.add_q15": _binary(15, 15),
    "fixedpoint.arith.sub_q15": _binary(15, 15),
    "fixedpoint.arith.neg_q15": _unary(15),
    "fixedpoint.arith.abs_q15": _unary(15),
    "fixedpoint.arith.mul_q15": _binary(15, 15),
    "fixedpoint.arith.mul_q15_trn": _binary(15, 15),
    "fixedpoint.arith.add_q31": _binary(31, 31),
    "fixedpoint.arith.sub_q31": _binary(31, 31),
    "fixedpoint.arith.neg_q31": _unary(31),
    "fixedpoint.arith.abs_q31": _unary(31),
    "fixedpoint.arith.mul_q31": _binary(31, 31),
    "fixedpoint.arith.mul_q31_trn": _binary(31, 31),
    "fixedpoint.arith.mul_q31_q15": _binary(31, 15),
    "fixedpoint.arith.mul_rnd": lambda rng: [
        (a, b, np.int64(n)) for a, b in _binary(31, 31)(rng) for n in (0, 30, 61)
    ],
    "fixedpoint.arith.q31_to_q15": _unary(31),
    "fixedpoint.arith.q15_to_q31": _unary(15),
    "fixedpoint.arith.magnitude_bits": lambda rng: [
        *_unary(62)(rng),
        *((np.int64(v),) for v in (-(1 << 63), (1 << 63) - 1, 1 << 62)),
    ],
    "fixedpoint.arith.norm64": _powers,
    "fixedpoint.arith.norm32": _unary(31),
    "fixedpoint.arith.clz32": lambda rng: [(x & np.int64(0xFFFFFFFF),) for x in _ints(rng, 32)],
    "fixedpoint.elementary.log2_q24": _powers,
    "fixedpoint.elementary.log2_of_positive_q24": lambda rng: [a for a in _powers(rng) if a[0] > 0],
    "fixedpoint.elementary.exp2_q24": _exp2,
    "fixedpoint.elementary.reciprocal": _powers,
    "fixedpoint.elementary.isqrt": _squares,
    "fixedpoint.elementary.sqrt_q31": _unary(31, 100),
    "fixedpoint.filters.biquad.svf": _sections,
    "fixedpoint.filters.biquad.allpass_of": lambda rng: (
        [_int64(x << 27, b << 27, _BEND) for x in (-4, 0, 4) for b in (-2, 0, 2)]
        + [_int64(rng.integers(1 << 29), rng.integers(1 << 28), _BEND) for _ in range(20)]
    ),
    "fixedpoint.filters.biquad.smooth": _smoothed,
    "fixedpoint.filters.fft.scale_to_28": lambda rng: [
        (x, np.int64(up)) for up in (0, 1, 3, 9, 30) for x in _ints(rng, 31 - up, 8)
    ],
    "fixedpoint.filters.fft.first_stage_radix2": _first_stage(256),
    "fixedpoint.filters.fft.first_stage_radix4": _first_stage(512),
    "fixedpoint.filters.fft.sum_of_products": _products,
    "fixedpoint.filters.fft.stage_radix4": _stages,
    "fixedpoint.filters.fft.mean": _means,
    "fixedpoint.filters.fft.split_real": _split,
    "fixedpoint.filters.fft.excess_bits": lambda rng: [(np.int64(2 << k) - 1,) for k in range(32)],
    "fixedpoint.filters.fft.rfft_in_place": _in_place,
    "fixedpoint.filters.fft.rfft_bfp": _rfft,
}
