"""Cascades of direct-form-1 biquads, Q1.15 and Q1.31: CMSIS-DSP's arithmetic, and the same with rounding.

Each section computes y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] + a1 y[n-1] + a2 y[n-2], the sign of a as
CMSIS-DSP has it, opposite to SciPy's. The products' own filters are in `biquad`, which keeps low corners
exact; these are for firmware that calls arm_biquad_cascade_df1. `biquad_df1_design` makes their coefficients.
"""

from typing import NamedTuple

import numpy as np

from fixedpoint._jit import kernel
from fixedpoint.arith import rnd_shift, sat16, sat32, trn_shift
from fixedpoint.errors import AudioError, ConfigError
from fixedpoint.wide import mac_wide, shift_wrap64_wrap32

MAX_POST_SHIFT = 14  # arm_biquad_cascade_df1_q15 shifts by 15 - postShift, and goes wrong at 0


class BiquadParams(NamedTuple):
    """Coefficients of a cascade.

    coef : (sections, 5) int16 or int32, b0 b1 b2 a1 a2 of each; Q1.15 or Q1.31 with the point moved right by
        post_shift: 1 makes Q1.31 coefficients Q2.30
    post_shift : int, 0 <= post_shift <= 14
    """

    coef: np.ndarray
    post_shift: int


# --- state and blocks ------------------------------------------------------------------------


def init_state(params: BiquadParams) -> np.ndarray:
    """State at rest, (sections, 4) of the coefficients' type: x[n-1] x[n-2] y[n-1] y[n-2] of each section."""
    return np.zeros((len(params.coef), 4), params.coef.dtype)


def process_block(params: BiquadParams, state: np.ndarray, x: np.ndarray, arith: str = "rnd") -> np.ndarray:
    """Filter a block of any length; the state carries on.

    Parameters
    ----------
    params : from `quantise` or `from_integers`
    state : from `init_state`, changed
    x : (n,) int16 or int32, as the coefficients
    arith : "rnd", or "cmsis" for the bits of CMSIS-DSP

    Returns
    -------
    y : (n,) as x

    Raises
    ------
    AudioError
        x of another type or shape.
    ConfigError
        Another arith, a state of another cascade, or "rnd" in Q1.31 with coefficients that could overflow.
    """
    if arith not in ("rnd", "cmsis"):
        raise ConfigError(f"arith={arith!r}: must be rnd or cmsis")
    dtype = params.coef.dtype
    if not isinstance(x, np.ndarray) or x.dtype != dtype or x.ndim != 1:
        found = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise AudioError(f"x: {found} found; (n,) {dtype} needed")
    if state.shape != (len(params.coef), 4) or state.dtype != dtype:
        raise ConfigError(f"state: {state.dtype} {state.shape} found; {dtype} ({len(params.coef)}, 4) needed")
    if arith == "rnd" and dtype == np.int32 and not has_room(params.coef):
        raise ConfigError("params: a section's magnitudes sum to 2**32 or more; take a larger post_shift")
    x = np.ascontiguousarray(x)
    y = np.empty_like(x)
    kernels = {
        ("rnd", 2): biquad_df1_q15,
        ("cmsis", 2): biquad_df1_q15_trn,
        ("rnd", 4): biquad_df1_q31,
        ("cmsis", 4): biquad_df1_q31_trn_wrap,
    }
    kernels[arith, dtype.itemsize](params, state, x, y)
    return y


def has_room(coef: np.ndarray) -> bool:
    """Whether no input overflows an int64 sum: the magnitudes of each row sum to less than 2**32."""
    return bool(np.abs(coef.astype(np.int64)).sum(axis=-1).max() < 2**32)


# --- kernels ---------------------------------------------------------------------------------


@kernel
def section_sum(coef, k, x0, x1, x2, y1, y2):
    """The five products of section k, added in int64. Range: 5 * 2**30 in Q1.15; see `biquad_df1_q31`."""
    acc = np.int64(coef[k, 0]) * x0 + np.int64(coef[k, 1]) * x1 + np.int64(coef[k, 2]) * x2
    return acc + np.int64(coef[k, 3]) * y1 + np.int64(coef[k, 4]) * y2


@kernel
def section_sum_wide(coef, k, x0, x1, x2, y1, y2):
    """The five products of section k, added without overflow; returns high, low of `mac_wide`."""
    high, low = mac_wide(np.int64(0), np.int64(0), coef[k, 0], x0)
    high, low = mac_wide(high, low, coef[k, 1], x1)
    high, low = mac_wide(high, low, coef[k, 2], x2)
    high, low = mac_wide(high, low, coef[k, 3], y1)
    return mac_wide(high, low, coef[k, 4], y2)


@kernel
def load_section(state, k):
    """x[n-1], x[n-2], y[n-1], y[n-2] of section k, widened."""
    return np.int64(state[k, 0]), np.int64(state[k, 1]), np.int64(state[k, 2]), np.int64(state[k, 3])


@kernel
def store_section(state, k, x1, x2, y1, y2):
    """The four samples of section k back into the state."""
    state[k, 0], state[k, 1], state[k, 2], state[k, 3] = x1, x2, y1, y2


@kernel
def biquad_df1_q15(params, state, x, y):
    """Cascade of direct-form-1 biquads on a block of Q1.15, rounded.

    Parameters
    ----------
    params : BiquadParams, int16
    state : (sections, 4) int16, changed
    x : (n,) int16, Q1.15
    y : (n,) int16, Q1.15, output; may be x

    Notes
    -----
    Arithmetic: five products in an int64 accumulator, at most 5 * 2**30; one RND by 15 - post_shift and one
    SAT to Q1.15 for each section and sample. What rounding adds comes back through the poles.
    Domain: all int16 coefficients and inputs, post_shift 0 to 14.
    Error: against float64 with the rounded coefficients, two Butterworth sections, corner 1 kHz at 48 kHz,
    one second of noise at -6 dBFS: low-pass 22 LSB and 50.5 dB, high-pass 18 LSB and 66.3 dB;
    `biquad_df1_q15_trn` 83 LSB and 28.9 dB, 50 LSB and 49.1 dB. A constant of up to 44 LSB stays when the
    input stops: the dead band of direct form 1. Held by tests/fixedpoint/test_biquad_df1.py.
    State: 8 bytes for each section.
    Source: direct form 1; rounding is the house's, CMSIS-DSP truncates.
    """
    shift = 15 - np.int64(params.post_shift)
    for n in range(x.shape[0]):
        y[n] = x[n]
    for k in range(params.coef.shape[0]):
        x1, x2, y1, y2 = load_section(state, k)
        for n in range(x.shape[0]):
            x0 = np.int64(y[n])
            y0 = sat16(rnd_shift(section_sum(params.coef, k, x0, x1, x2, y1, y2), shift))
            x1, x2, y1, y2 = x0, x1, y0, y1
            y[n] = y0
        store_section(state, k, x1, x2, y1, y2)


@kernel
def biquad_df1_q15_trn(params, state, x, y):
    """Cascade of direct-form-1 biquads on a block of Q1.15, TRN, SAT.

    Bit-exact with arm_biquad_cascade_df1_q15, whose array of coefficients holds a 0 after each b0. Arguments,
    domain and state as `biquad_df1_q15`.
    """
    shift = 15 - np.int64(params.post_shift)
    for n in range(x.shape[0]):
        y[n] = x[n]
    for k in range(params.coef.shape[0]):
        x1, x2, y1, y2 = load_section(state, k)
        for n in range(x.shape[0]):
            x0 = np.int64(y[n])
            y0 = sat16(trn_shift(section_sum(params.coef, k, x0, x1, x2, y1, y2), shift))
            x1, x2, y1, y2 = x0, x1, y0, y1
            y[n] = y0
        store_section(state, k, x1, x2, y1, y2)


@kernel
def biquad_df1_q31(params, state, x, y):
    """Cascade of direct-form-1 biquads on a block of Q1.31, rounded and saturated.

    Parameters
    ----------
    params : BiquadParams, int32; the magnitudes of each section's coefficients sum to less than 2**32
    state : (sections, 4) int32, changed
    x : (n,) int32, Q1.31
    y : (n,) int32, Q1.31, output; may be x

    Notes
    -----
    Arithmetic: int64 accumulator; sum |coef| <= 2**32 - 1 and |x|, |y| <= 2**31 => at most 2**63 - 2**31, and
    half an LSB of at most 2**30 fits on top: no input and no state overflows it. One RND by 31 - post_shift
    and one SAT for each section and sample.
    Domain: as said; `biquad_df1_design.quantise` sees to it by the post shift: 1 (Q2.30) for a low-pass, 2
    (Q3.29) for a high-pass.
    Error: as in `biquad_df1_q15`, in LSB of Q1.31: low-pass 19 LSB and 146.7 dB, high-pass 18 LSB and 162.8
    dB; truncated 87 LSB and 124.9 dB, 49 LSB and 145.4 dB. Held by tests/fixedpoint/test_biquad_df1.py.
    State: 16 bytes for each section.
    Source: direct form 1. Not bit-exact with arm_biquad_cascade_df1_q31, which truncates and wraps.
    """
    shift = 31 - np.int64(params.post_shift)
    for n in range(x.shape[0]):
        y[n] = x[n]
    for k in range(params.coef.shape[0]):
        x1, x2, y1, y2 = load_section(state, k)
        for n in range(x.shape[0]):
            x0 = np.int64(y[n])
            y0 = sat32(rnd_shift(section_sum(params.coef, k, x0, x1, x2, y1, y2), shift))
            x1, x2, y1, y2 = x0, x1, y0, y1
            y[n] = y0
        store_section(state, k, x1, x2, y1, y2)


@kernel
def biquad_df1_q31_trn_wrap(params, state, x, y):
    """Cascade of direct-form-1 biquads on a block of Q1.31, TRN, WRAP.

    Bit-exact with arm_biquad_cascade_df1_q31 on the scalar C path; its code for Helium leaves out the low
    bits of its sums. Arguments and state as `biquad_df1_q31`, but all int32 coefficients are accepted:
    CMSIS-DSP lets its 64-bit accumulator wrap and takes the low word of the rest, so that a loud input comes
    out as noise of full scale, and so it does here.
    """
    shift = 31 - np.int64(params.post_shift)
    for n in range(x.shape[0]):
        y[n] = x[n]
    for k in range(params.coef.shape[0]):
        x1, x2, y1, y2 = load_section(state, k)
        for n in range(x.shape[0]):
            x0 = np.int64(y[n])
            high, low = section_sum_wide(params.coef, k, x0, x1, x2, y1, y2)
            y0 = shift_wrap64_wrap32(high, low, shift)
            x1, x2, y1, y2 = x0, x1, y0, y1
            y[n] = y0
        store_section(state, k, x1, x2, y1, y2)
