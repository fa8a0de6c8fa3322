"""Every primitive and kernel that CMSIS-DSP has as well, held against the `cmsisdsp` package bit for bit.

Each operation runs on every pair of extremes, on random input over the whole range, and, where one argument
of 16 bits is all there is, on all 65536 values. Where the house rounds and CMSIS-DSP truncates, the
difference is bounded instead, and the reason is given.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from firmware_model.golden.conformance import cmsis
from firmware_model.golden.frozen_random import FrozenRandom
from fixedpoint import arith, elementary
from fixedpoint.errors import ConfigError
from fixedpoint.filters import biquad_df1, fir
from fixedpoint.filters.biquad_df1_design import from_integers

Pair = tuple[str, np.ndarray, np.ndarray]  # the input in words, our integers, theirs
_POST_SHIFTS = (0, 1, 2, 14)
_TRUNCATES = "rounds to nearest where CMSIS-DSP truncates"


class Operation(NamedTuple):
    """An operation that both have.

    name : "mult_q15"
    function : CMSIS-DSP's, "arm_mult_q15"
    kernel : ours
    bound_lsb : 0 for the same bits, or how far apart they may be
    note : what is done besides calling the kernel, or why the bits differ
    pairs : both results, input by input
    """

    name: str
    function: str
    kernel: str
    bound_lsb: int
    note: str
    pairs: Callable[[FrozenRandom], Iterator[Pair]]


class Match(NamedTuple):
    """How an operation compares.

    compared, different : values
    largest_lsb : largest difference
    first : the first difference beyond the bound: input, index, CMSIS-DSP's integer, ours; None for none
    """

    operation: Operation
    compared: int
    different: int
    largest_lsb: int
    first: tuple[str, int, int, int] | None

    @property
    def holds(self) -> bool:
        """Whether the difference is within the operation's bound."""
        return self.first is None


def compare(name: str) -> Match:
    """Run one operation in both.

    Raises
    ------
    ConfigError
        No operation of this name.
    CmsisError
        The `cmsisdsp` package is not installed; see `cmsis.installed`.
    """
    if name not in OPERATIONS:
        raise ConfigError(f"operation {name!r}: must be one of {', '.join(OPERATIONS)}")
    operation = OPERATIONS[name]
    compared = different = largest = 0
    first = None
    for label, ours, theirs in operation.pairs(FrozenRandom(name)):
        if ours.shape != theirs.shape:
            raise cmsis.CmsisError(f"{operation.function}: {theirs.shape} values for {ours.shape} of ours")
        apart = np.abs(ours.astype(np.int64) - theirs.astype(np.int64))
        compared += apart.size
        different += int(np.count_nonzero(apart))
        largest = max(largest, int(apart.max(initial=0)))
        beyond = np.flatnonzero(apart > operation.bound_lsb)
        if first is None and len(beyond):
            i = int(beyond[0])
            first = (label, i, int(theirs[i]), int(ours[i]))
    return Match(operation, compared, different, largest, first)


# --- inputs ----------------------------------------------------------------------------------


def _extremes(dtype: type) -> np.ndarray:
    info = np.iinfo(dtype)
    return np.array(
        [*range(info.min, info.min + 3), *range(-2, 3), *range(info.max - 2, info.max + 1)], dtype
    )


def pairs_of(dtype: type, rng: FrozenRandom, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of extremes, then random pairs, half of them of every magnitude: two (n,) arrays."""
    info = np.iinfo(dtype)
    x, y = (grid.ravel() for grid in np.meshgrid(_extremes(dtype), _extremes(dtype)))
    random = rng.integers(info.min, info.max + 1, (2, count))
    random[:, ::2] >>= rng.integers(0, info.bits, (2, count))[:, ::2]
    random = random.astype(dtype)
    return np.concatenate([x, random[0]]), np.concatenate([y, random[1]])


def _ones(dtype: type, rng: FrozenRandom) -> np.ndarray:
    """All numbers of 16 bits, or extremes and random ones of 32."""
    return np.arange(-(1 << 15), 1 << 15).astype(np.int16) if dtype is np.int16 else pairs_of(dtype, rng)[0]


def _signals(dtype: type, rng: FrozenRandom) -> dict[str, np.ndarray]:
    info = np.iinfo(dtype)
    return {
        "noise": rng.integers(info.min, info.max + 1, 300).astype(dtype),
        "rails": rng.choice([info.min, info.max], 300).astype(dtype),
        "lowest": np.full(300, info.min, dtype),
        "single LSBs": rng.integers(-1, 2, 300).astype(dtype),
    }


# --- elementwise -----------------------------------------------------------------------------


def _map(function: Callable[..., Any], *arrays: np.ndarray, constants: tuple[int, ...] = ()) -> np.ndarray:
    return np.array(
        [int(function(*row, *constants)) for row in zip(*(x.tolist() for x in arrays), strict=True)]
    )


def _unary(function: str, dtype: type, ours: Callable[..., Any], rng: FrozenRandom) -> Iterator[Pair]:
    x = _ones(dtype, rng)
    yield "x", _map(ours, x), cmsis.call(function, x, dtype=dtype)


def _binary(function: str, dtype: type, ours: Callable[..., Any], rng: FrozenRandom) -> Iterator[Pair]:
    x, y = pairs_of(dtype, rng)
    yield "x, y", _map(ours, x, y), cmsis.call(function, x, y)


def _scaled(function: str, dtype: type, ours: Callable[..., Any], rng: FrozenRandom) -> Iterator[Pair]:
    """With constants: extremes and random ones."""
    info = np.iinfo(dtype)
    x = pairs_of(dtype, rng, 1000)[0]
    for c in [info.min, info.max, 0, 1, -1, *rng.integers(info.min, info.max + 1, 5).tolist()]:
        constants = (c, 0) if "scale" in function else (c,)
        yield f"constant {c}", _map(ours, x, constants=(c,)), cmsis.call(function, x, scalars=constants)


def _shifted(
    function: str, dtype: type, sign: int, ours: Callable[..., Any], rng: FrozenRandom
) -> Iterator[Pair]:
    x = pairs_of(dtype, rng, 1000)[0]
    for n in range(1, np.iinfo(dtype).bits):
        yield f"by {sign * n}", _map(ours, x, constants=(n,)), cmsis.call(function, x, scalars=(sign * n,))


def _clipped(function: str, dtype: type, rng: FrozenRandom) -> Iterator[Pair]:
    info = np.iinfo(dtype)
    x = _ones(dtype, rng)
    for low, high in (
        (-100, 7),
        (info.min, info.max),
        (info.min, info.min),
        (3, 3),
        (info.max - 1, info.max),
    ):
        ours = _map(arith.clip, x, constants=(low, high))
        yield f"{low} to {high}", ours, cmsis.call(function, x, scalars=(low, high))


def _square_roots(rng: FrozenRandom) -> Iterator[Pair]:
    x = pairs_of(np.int32, rng)[0]
    yield "x", _map(elementary.sqrt_q31, x), cmsis.sqrt_q31(x)


def _dot_q15(function: str, rng: FrozenRandom) -> Iterator[Pair]:
    """A sum of products is one sample of a FIR filter; the sum is exact."""
    state = np.zeros(299, np.int16)
    for label, x in _signals(np.int16, rng).items():
        y = x if "power" in function else rng.integers(-(1 << 15), 1 << 15, len(x)).astype(np.int16)
        ours = int(fir.convolve(np.ascontiguousarray(x[::-1]), state, y, len(x) - 1))
        theirs = cmsis.call(function, *([x] if "power" in function else [x, y]))
        yield label, np.array([ours]), np.array([int(theirs)])


# --- filters ---------------------------------------------------------------------------------


def _blocks(x: np.ndarray) -> list[np.ndarray]:
    """Unequal blocks: the state is part of what is compared."""
    return np.split(x, [1, 8, 150])


def _firs(dtype: type, taps: tuple[int, ...], arithmetic: str, rng: FrozenRandom) -> Iterator[Pair]:
    info = np.iinfo(dtype)
    for count in taps:
        h = rng.integers(info.min, info.max + 1, count).astype(dtype)
        if arithmetic == "rnd":
            h = h // np.array(2 * count, dtype)  # so that nothing saturates here and wraps there
        for label, x in _signals(dtype, rng).items():
            params = fir.FirParams(h)
            state = fir.init_state(params)
            ours = [fir.process_block(params, state, block, arithmetic) for block in _blocks(x)]
            yield f"{count} taps, {label}", np.concatenate(ours), cmsis.fir(h, _blocks(x))


def _biquads(dtype: type, rng: FrozenRandom) -> Iterator[Pair]:
    """Coefficients over the whole range, poles anywhere: an overflow must be theirs as well."""
    info = np.iinfo(dtype)
    for sections in (1, 3):
        for post_shift in _POST_SHIFTS:
            coef = rng.integers(info.min, info.max + 1, (sections, 5)).astype(dtype)
            for label, x in _signals(dtype, rng).items():
                params = from_integers(coef, post_shift)
                state = biquad_df1.init_state(params)
                made = [biquad_df1.process_block(params, state, block, "cmsis") for block in _blocks(x)]
                theirs = cmsis.biquad_df1(coef, post_shift, _blocks(x))
                yield f"{sections} sections, post shift {post_shift}, {label}", np.concatenate(made), theirs


# --- table -----------------------------------------------------------------------------------


def _mult_q31(a: int, b: int) -> int:
    return int(arith.mul_q31_trn(a, b)) & ~1


def _scale_q31(a: int, b: int) -> int:
    # The upper word, shifted left with saturation: -1 * -1 is 1 - 2**-31, in arm_mult_q31 1 - 2**-30.
    return int(arith.shl_sat32(arith.trn_shift(a * b, 32), 1))


def _table() -> Iterator[Operation]:
    module = "fixedpoint.arith."
    for suffix, dtype in (("q15", np.int16), ("q31", np.int32)):
        bits = np.iinfo(dtype).bits

        def row(name: str, kernel: str, pairs: Any, *args: Any, bound: int = 0, note: str = "") -> Operation:
            function = f"arm_{name.split(',')[0]}"
            return Operation(name, function, kernel, bound, note, partial(pairs, function, *args))

        for name, kernel in (("add", "add"), ("sub", "sub")):
            ours = getattr(arith, f"{kernel}_{suffix}")
            yield row(f"{name}_{suffix}", f"{module}{kernel}_{suffix}", _binary, dtype, ours)
        for name, kernel in (("negate", "neg"), ("abs", "abs")):
            ours = getattr(arith, f"{kernel}_{suffix}")
            yield row(f"{name}_{suffix}", f"{module}{kernel}_{suffix}", _unary, dtype, ours)
        left = getattr(arith, f"shl_sat{bits}")
        yield row(f"shift_{suffix}, left", f"{module}shl_sat{bits}", _shifted, dtype, 1, left)
        yield row(f"shift_{suffix}, right", f"{module}trn_shift", _shifted, dtype, -1, arith.trn_shift)
        yield row(f"clip_{suffix}", f"{module}clip", _clipped, dtype)
        add = getattr(arith, f"add_{suffix}")
        yield row(f"offset_{suffix}", f"{module}add_{suffix}", _scaled, dtype, add, note="b constant")
        rounded = getattr(arith, f"mul_{suffix}")
        apart = 1 if suffix == "q15" else 2
        kernel = f"{module}mul_{suffix}"
        yield row(f"mult_{suffix}, rounded", kernel, _binary, dtype, rounded, bound=apart, note=_TRUNCATES)
    trn, cleared = f"{module}mul_q15_trn", "LSB cleared, since CMSIS-DSP keeps the upper word"
    yield row("mult_q15", trn, _binary, np.int16, arith.mul_q15_trn)
    yield row("mult_q31", f"{module}mul_q31_trn", _binary, np.int32, _mult_q31, note=cleared)
    yield row("scale_q15", trn, _scaled, np.int16, arith.mul_q15_trn, note="b constant, shift 0")
    upper = "b constant, shift 0: the upper word of the product, by shl_sat32"
    yield row("scale_q31", f"{module}trn_shift", _scaled, np.int32, _scale_q31, note=upper)
    yield row("q15_to_q31", f"{module}q15_to_q31", _unary, np.int16, arith.q15_to_q31)
    word = partial(_shift_by, 16)
    yield row("q31_to_q15", f"{module}trn_shift", _unary, np.int32, word, note="by 16")
    down = arith.q31_to_q15
    yield row("q31_to_q15, rounded", f"{module}q31_to_q15", _unary, np.int32, down, bound=1, note=_TRUNCATES)
    exact_sum = "one sample of a filter; exact"
    yield row("dot_prod_q15", "fixedpoint.filters.fir.convolve", _dot_q15, note=exact_sum)
    yield row("power_q15", "fixedpoint.filters.fir.convolve", _dot_q15, note=exact_sum)
    yield from _filters()
    root = "to nearest, where CMSIS-DSP iterates Newton's formula in Q1.31"
    kernel = "fixedpoint.elementary.sqrt_q31"
    yield Operation("sqrt_q31", "arm_sqrt_q31", kernel, 14, root, _square_roots)


def _shift_by(n: int, x: int) -> int:
    return int(arith.trn_shift(x, n))


def _filters() -> Iterator[Operation]:
    overflow = "its overflow included"
    biquad = "fixedpoint.filters.biquad_df1.biquad_df1_"
    exact, all_counts = (2, 4, 16, 34), (1, 2, 5, 33)
    for name, kernel, note, pairs in (
        ("fir_q15", "fixedpoint.filters.fir.fir_q15_trn", "", partial(_firs, np.int16, exact, "cmsis")),
        (
            "fir_q31",
            "fixedpoint.filters.fir.fir_q31_trn_wrap",
            overflow,
            partial(_firs, np.int32, all_counts, "cmsis"),
        ),
        ("biquad_cascade_df1_q15", f"{biquad}q15_trn", "", partial(_biquads, np.int16)),
        ("biquad_cascade_df1_q31", f"{biquad}q31_trn_wrap", overflow, partial(_biquads, np.int32)),
    ):
        yield Operation(name, f"arm_{name}", kernel, 0, note, pairs)
    for suffix, dtype, taps in (("q15", np.int16, exact), ("q31", np.int32, all_counts)):
        pairs = partial(_firs, dtype, taps, "rnd")
        kernel = f"fixedpoint.filters.fir.fir_{suffix}"
        yield Operation(f"fir_{suffix}, rounded", f"arm_fir_{suffix}", kernel, 1, _TRUNCATES, pairs)


OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _table()}
