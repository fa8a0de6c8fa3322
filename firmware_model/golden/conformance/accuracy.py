"""Errors of kernels and products against exact arithmetic or the float64 reference, in LSB and dB.

A kernel of a few lines is held against its formula in exact fractions or float64, on the arguments that its
golden has. A kernel inside a product has no meaning alone: its figure is that of the product's node that it
ends in.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
import scipy  # its parts are loaded at their first use

from firmware_model.case import Case
from firmware_model.golden.frozen_random import FrozenRandom
from firmware_model.golden.kernel_cases import CASES, arguments
from firmware_model.golden.stimuli import load
from firmware_model.product import BUILT_IN, working_plugins
from fixedpoint._jit import registered_kernels
from fixedpoint.filters import biquad_df1, fir
from fixedpoint.filters.biquad_df1_design import butterworth
from fixedpoint.filters.biquad_df1_design import quantise as quantise_biquad
from fixedpoint.filters.fft import FFT_SIZES, init_fft, rfft_bfp
from fixedpoint.qformat import Q15, Q31, QFormat


class Error(NamedTuple):
    """Distance from the reference.

    largest_lsb : in LSB of the result's format
    snr_db : inf for none; None where the reference is silent
    what : of what, in words
    """

    largest_lsb: float
    snr_db: float | None
    what: str


# --- kernels by their formula ----------------------------------------------------------------


def _clip(value: Fraction | int, bits: int) -> Fraction | int:
    return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, value))


def _over(value: int, n: int) -> Fraction:
    return Fraction(value, 1 << n)


def _wrap(value: int, bits: int) -> int:
    return (value + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))


def _bits(x: int) -> int:
    return (x if x >= 0 else -x - 1).bit_length()


def _wide(high: int, low: int) -> int:
    return (high << 32) + low


# What each kernel of scalars should return: integers as they are, a real result in LSB before it is rounded;
# None outside the formula's domain.
FORMULAS: dict[str, Callable[..., Fraction | float | int | None]] = {
    "arith.clip": lambda x, low, high: min(max(x, low), high),
    "arith.sat16": lambda x: _clip(x, 16),
    "arith.sat32": lambda x: _clip(x, 32),
    "arith.wrap16": lambda x: _wrap(x, 16),
    "arith.wrap32": lambda x: _wrap(x, 32),
    "arith.narrow32": lambda x: x,
    "arith.rnd_shift": _over,
    "arith.trn_shift": _over,
    "arith.shl": lambda x, n: x << n,
    "arith.trn_shift32": lambda x, n: x >> n,
    "arith.rnd_shift32": _over,
    "arith.shl32": lambda x, n: x << n,
    "arith.neg32": lambda x: -x,
    "arith.sign_changes": lambda x: x ^ 2 * x,
    "arith.shl_sat16": lambda x, n: _clip(x << n, 16),
    "arith.shl_sat32": lambda x, n: _clip(x << n, 32),
    "arith.mul_q31_q15": lambda a, b: _clip(_over(a * b, 15), 32),
    "arith.mul_rnd": lambda a, b, n: _over(a * b, n),
    "arith.q31_to_q15": lambda x: _clip(_over(x, 16), 16),
    "arith.q15_to_q31": lambda x: x << 16,
    "arith.magnitude_bits": lambda x: x if x >= 0 else -x - 1,
    "arith.norm64": lambda x: 63 - _bits(x),
    "arith.norm32": lambda x: 31 - _bits(x),
    "arith.clz32": lambda x: 32 - x.bit_length(),
    "elementary.log2_q24": lambda x: math.log2(x) * 2**24 if x > 0 else None,
    "elementary.log2_of_positive_q24": lambda x: math.log2(x) * 2**24,
    "elementary.exp2_q24": lambda x, n: 2.0 ** (x / 2**24 + n) if x / 2**24 + n < 53 else None,
    "elementary.isqrt": lambda x: math.isqrt(max(x, 0)),
    "elementary.sqrt_q31": lambda x: math.sqrt(max(x, 0) * 2.0**31),
    "filters.biquad.allpass_of": lambda x, band, bend: x - _over(bend * band, 29),
    "filters.biquad.smooth": lambda y, x, c: y + _over((x - y) * c, 31),
    "wide.shift_wrap64_wrap32": lambda high, low, n: _wrap(_wrap(_wide(high, low), 64) >> n, 32),
    "wide.shift_rnd_sat32": lambda high, low, n: _clip(_over(_wide(high, low), n), 32),
}
for _suffix, _n in (("q15", 15), ("q31", 31)):
    FORMULAS |= {
        f"arith.add_{_suffix}": lambda a, b, n=_n: _clip(a + b, n + 1),
        f"arith.sub_{_suffix}": lambda a, b, n=_n: _clip(a - b, n + 1),
        f"arith.neg_{_suffix}": lambda x, n=_n: _clip(-x, n + 1),
        f"arith.abs_{_suffix}": lambda x, n=_n: _clip(abs(x), n + 1),
        f"arith.mul_{_suffix}": lambda a, b, n=_n: _clip(_over(a * b, n), n + 1),
        f"arith.mul_{_suffix}_trn": lambda a, b, n=_n: _clip(_over(a * b, n), n + 1),
    }


def by_formula(name: str) -> Error:
    """Error of a kernel of scalars over its golden's arguments.

    Notes
    -----
    Differences are exact where the formula is in integers or fractions.
    """
    function, formula = registered_kernels()[name], FORMULAS[name.removeprefix("fixedpoint.")]
    exact, apart = [], []
    for args in arguments(name):
        wanted = formula(*map(int, args))
        if wanted is not None:
            exact.append(float(wanted))
            apart.append(float(int(function(*args)) - wanted))
    return _error(np.array(apart), np.array(exact), f"formula, {len(exact)} arguments")


def _error(apart: np.ndarray, exact: np.ndarray, what: str) -> Error:
    power, noise = np.sum(exact**2), np.sum(apart**2)
    snr = math.inf if noise == 0 else 10 * math.log10(power / noise) if power > 0 else None
    return Error(float(np.abs(apart).max(initial=0.0)), snr, what)


# --- filters and transforms ------------------------------------------------------------------


def _noise(fmt: QFormat) -> np.ndarray:
    """One second at 48 kHz, uniform, -6 dBFS."""
    top = 1 << (fmt.n - 1)
    return FrozenRandom("accuracy").integers(-top, top, 48000).astype(fmt.dtype)


def of_biquad(fmt: QFormat, arithmetic: str) -> Error:
    """Two Butterworth low-pass sections at 1 kHz against SciPy's with the same rounded coefficients."""
    params = quantise_biquad(np.stack([butterworth("lowpass", 1000, 48000)] * 2), fmt)
    x = _noise(fmt)
    real = np.ldexp(params.coef.astype(float), params.post_shift - fmt.n)
    exact = scipy.signal.sosfilt(
        np.concatenate([real[:, :3], np.ones((2, 1)), -real[:, 3:]], axis=1), x.astype(float)
    )
    y = biquad_df1.process_block(params, biquad_df1.init_state(params), x, arithmetic)
    return _error(y - exact, exact, "SciPy's sosfilt, 4th-order low-pass at 1 kHz, noise")


def of_fir(fmt: QFormat, arithmetic: str) -> Error:
    """A 64-tap low-pass at 4 kHz against a float64 convolution with the same rounded taps."""
    params = fir.quantise(fir.lowpass(64, 4000, 48000), fmt)
    x = _noise(fmt)
    exact = np.convolve(x.astype(float), fmt.to_float(params.h))[: len(x)]
    y = fir.process_block(params, fir.init_state(params), x, arithmetic)
    return _error(y - exact, exact, "float64 convolution, 64 taps, noise")


def of_fft() -> Error:
    """The worst frame of tones, squares and noise of every size against numpy.fft."""
    worst: Error | None = None
    for n in FFT_SIZES:
        params = init_fft(n)
        for x in _frames(n):
            z = np.empty(n + 2, np.int32)
            exponent = int(rfft_bfp(params, x, z))
            exact = np.fft.rfft(x) * 2.0**-exponent
            parts = np.stack([exact.real, exact.imag], axis=1).ravel()
            error = _error(z - parts, parts, f"numpy.fft, worst frame, {n} points")
            if worst is None or (error.snr_db or 0) < (worst.snr_db or 0):
                worst = error
    assert worst is not None
    return worst


def _frames(n: int) -> Iterator[np.ndarray]:
    i = np.arange(n)
    for amplitude in (32767, 8192, 1):
        for bin_ in (1.0, 17.3, n / 8, n / 4 + 0.5):
            yield np.floor(amplitude * np.cos(2 * np.pi * bin_ * i / n) + 0.5).astype(np.int32)
        yield np.where(i % 10 < 5, amplitude, -amplitude).astype(np.int32)
    yield FrozenRandom("accuracy").integers(-(1 << 31), 1 << 31, n).astype(np.int32)


def of_reciprocal() -> Error:
    """Mantissas of `reciprocal` against 1/x in exact fractions, over its golden's arguments."""
    name = "fixedpoint.elementary.reciprocal"
    exact, apart = [], []
    for (x,) in arguments(name):
        if x:
            mantissa, exponent = registered_kernels()[name](x)
            wanted = Fraction(1, int(x)) / Fraction(2) ** int(exponent)
            exact.append(float(wanted))
            apart.append(float(int(mantissa) - wanted))
    return _error(np.array(apart), np.array(exact), f"formula, {len(exact)} arguments")


MEASURES: dict[str, Callable[[], Error]] = {
    "fixedpoint.elementary.reciprocal": of_reciprocal,
    "fixedpoint.filters.fft.rfft_bfp": of_fft,
    "fixedpoint.filters.biquad_df1.biquad_df1_q15": lambda: of_biquad(Q15, "rnd"),
    "fixedpoint.filters.biquad_df1.biquad_df1_q15_trn": lambda: of_biquad(Q15, "cmsis"),
    "fixedpoint.filters.biquad_df1.biquad_df1_q31": lambda: of_biquad(Q31, "rnd"),
    "fixedpoint.filters.biquad_df1.biquad_df1_q31_trn_wrap": lambda: of_biquad(Q31, "cmsis"),
    "fixedpoint.filters.fir.fir_q15": lambda: of_fir(Q15, "rnd"),
    "fixedpoint.filters.fir.fir_q15_trn": lambda: of_fir(Q15, "cmsis"),
    "fixedpoint.filters.fir.fir_q31": lambda: of_fir(Q31, "rnd"),
    "fixedpoint.filters.fir.fir_q31_trn_wrap": lambda: of_fir(Q31, "cmsis"),
}

# Kernels that are parts: the kernel, or the node of a case, in which their error is seen. Keys are kernels or
# the beginnings of their names; the longest that fits counts.
PART_OF = {
    "fixedpoint.filters.fft.": "fixedpoint.filters.fft.rfft_bfp",
    "fixedpoint.wide.mac_wide": "fixedpoint.wide.shift_rnd_sat32",
    "fixedpoint.filters.biquad_df1.section_sum_wide": "fixedpoint.filters.biquad_df1.biquad_df1_q31_trn_wrap",
    "fixedpoint.filters.biquad_df1.": "fixedpoint.filters.biquad_df1.biquad_df1_q31",
    "fixedpoint.filters.fir.convolve_wide": "fixedpoint.filters.fir.fir_q31",
    "fixedpoint.filters.fir.": "fixedpoint.filters.fir.fir_q15",
}


@cache
def _parts() -> dict[str, str]:
    """Those of the library and of all products."""
    parts = dict(PART_OF)
    for product in BUILT_IN:
        parts |= product.part("cases").PARTS
    for _, module in working_plugins("cases"):
        parts |= getattr(module, "PARTS", {})
    return parts


def part_of(kernel: str) -> str | None:
    """The kernel, or "case:node", in which a part's error is seen; None where none is known."""
    fitting = [start for start in _parts() if kernel.startswith(start)]
    return (_parts()[max(fitting, key=len)] or None) if fitting else None


# --- products --------------------------------------------------------------------------------


def of_case(case: Case) -> dict[str, Error]:
    """Error of every node of a product against its float64 twin, over the frozen stimulus."""
    x = case.whole_blocks(load(case))
    got, wanted = case.trace(x), case.reference(x / 32768.0)
    errors = {}
    for node in case.nodes:
        lsb = node.fmt.lsb * node.scale
        exact = wanted[node.name] / lsb
        errors[node.name] = _error(got[node.name] - exact, exact, f"float64 reference, {case.stimulus}")
    return errors


def of_kernels(
    nodes: dict[str, dict[str, Error]], names: Iterable[str] | None = None
) -> dict[str, Error | None]:
    """Error of every registered kernel, None where nothing is known.

    Parameters
    ----------
    nodes : case -> node -> Error, from `of_case`
    names : kernels, all where it is None
    """
    cached: dict[str, Error] = {}

    def error(name: str) -> Error | None:
        short = name.removeprefix("fixedpoint.")
        if name not in cached and (short in FORMULAS or name in MEASURES):
            cached[name] = by_formula(name) if short in FORMULAS else MEASURES[name]()
        if name in cached:
            return cached[name]
        case, _, node = name.partition(":")
        if node:
            return nodes.get(case, {}).get(node)
        whole = part_of(name)
        inner = error(whole) if whole else None
        return None if inner is None else inner._replace(what=f"part of {whole}")

    return {name: error(name) for name in (CASES if names is None else names)}
