"""The compressor of a band: level, static curve, attack and release, gain."""

import numpy as np

from firmware_model.dynamics.gain_computer import reduction_q24
from firmware_model.dynamics.level import band_level, magnitude
from firmware_model.dynamics.settings.tuning import DynamicsParams
from firmware_model.dynamics.state import BankState
from fixedpoint._jit import kernel
from fixedpoint.arith import INT32_MAX, clip, narrow32, rnd_shift, shl, trn_shift
from fixedpoint.elementary import exp2_q24
from fixedpoint.filters.biquad import SIGNAL_FRAC_BITS, smooth

_RAIL_Q22 = (1 << 26) - 1
_STATE_SHIFT = 31  # reductions are held as Q9.55


@kernel
def smooth_reduction(params: DynamicsParams, state: BankState, band, wanted_q24):
    """Attack and release of the gain reduction: Q8.24.

    held = max(wanted, held + c_release (wanted - held));  reduction += c_attack (held - reduction)

    Source: "smooth, decoupled" peak detector of Giannoulis, Massberg, Reiss, JAES 60 (2012), on the
    reduction in log2. |reduction| < 2**6, so the states stay below 2**61.
    """
    wanted_q55 = shl(wanted_q24, _STATE_SHIFT)
    held_q55 = smooth(np.int64(state.held_q55[band]), wanted_q55, params.curve.release_q31[band])
    if held_q55 < wanted_q55:
        held_q55 = wanted_q55
    state.held_q55[band] = held_q55
    reduction_q55 = smooth(np.int64(state.reduction_q55[band]), held_q55, params.curve.attack_q31[band])
    state.reduction_q55[band] = reduction_q55
    return rnd_shift(reduction_q55, _STATE_SHIFT)


@kernel
def ramp_step(start, end, ramp_q32):
    """Step of a straight line over a control block, towards zero: the line stays between its ends.

    start, end : 0 to 2**31 - 1;  ramp_q32 : 1 / samples, Q.32
    """
    rise = narrow32(end - start)
    if rise < 0:
        return -trn_shift(narrow32(-rise) * narrow32(ramp_q32), 32)
    return trn_shift(rise * narrow32(ramp_q32), 32)


@kernel
def scale_row(x_q27, row, gain_q27, step_q27):
    """Multiply a row by a gain that rises by `step` before each sample; Q5.27, RND, SAT.

    Only the upper word of a product saturates: beyond +-16 a sample is within 31 LSB of the rail.

    Returns
    -------
    0 to 2**31, largest magnitude of the products
    """
    largest, smallest = np.int64(0), np.int64(0)
    for n in range(x_q27.shape[1]):
        gain_q27 = narrow32(gain_q27 + step_q27)
        product_q27 = rnd_shift(np.int64(x_q27[row, n]) * gain_q27, SIGNAL_FRAC_BITS)  # Q37.27
        high_q22 = clip(narrow32(trn_shift(product_q27, 5)), -_RAIL_Q22 - 1, _RAIL_Q22)
        y_q27 = narrow32(shl(high_q22, 5) + (product_q27 & 31))
        x_q27[row, n] = y_q27
        if y_q27 > largest:
            largest = y_q27
        if y_q27 < smallest:
            smallest = y_q27
    return magnitude(largest, smallest)


@kernel
def apply_gain(params: DynamicsParams, state: BankState, band, start_q27, end_q27):
    """Multiply a band by a gain that runs in a straight line from start (not included) to end; Q5.27, SAT.

    The line falls short of its end by less than 16 LSB of the gain; the next block starts from the end.

    Returns
    -------
    0 to 2**31, Q5.27, largest magnitude of what comes out
    """
    step_q27 = ramp_step(start_q27, end_q27, params.ramp_q32)
    peak_q27 = np.int64(0)
    for channel in range(params.channels):
        row_q27 = scale_row(state.band_q27, band * params.channels + channel, start_q27, step_q27)
        if row_q27 > peak_q27:
            peak_q27 = row_q27
    return peak_q27


@kernel
def compress_band(params: DynamicsParams, state: BankState, band):
    """Compress one control block of a band in place.

    Returns
    -------
    level_q24 : Q8.24, level at the end of the block
    gain_q27 : Q5.27, gain at the end of the block
    peak_q27 : Q5.27, 0 to 2**31, largest magnitude of what comes out

    Notes
    -----
    Arithmetic: gain = 2^(makeup - reduction) is at most 2**4, SAT; its product with the band saturates at 16
    (24 dB above full scale, `scale_row`), which takes a make-up that lifts a full-scale band beyond that.
    Error: gain within 1.5e-6 relative of the float64 reference in the whole chain (test_processor.py), 7e-7
    where the band is the input itself (test_compressor.py).
    """
    level_q24 = band_level(params, state, band)
    reduction = smooth_reduction(params, state, band, reduction_q24(params.curve, band, level_q24))
    gain_q27 = exp2_q24(np.int64(params.curve.makeup_q24[band]) - reduction, SIGNAL_FRAC_BITS)
    if gain_q27 > INT32_MAX:
        gain_q27 = np.int64(INT32_MAX)
    peak_q27 = apply_gain(params, state, band, np.int64(state.gain_q27[band]), gain_q27)
    state.gain_q27[band] = gain_q27
    return level_q24, gain_q27, peak_q27
