"""The compressor of a band: level, static curve, attack and release, gain."""

import numpy as np

from firmware_model.dynamics.gain_computer import reduction_q24
from firmware_model.dynamics.level import band_level
from firmware_model.dynamics.state import BankState
from firmware_model.dynamics.tuning import DynamicsParams
from fixedpoint._jit import kernel
from fixedpoint.arith import INT32_MAX, rnd_shift, sat32, shl
from fixedpoint.biquad import SIGNAL_FRAC_BITS, smooth
from fixedpoint.elementary import exp2_q24

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
def apply_gain(params: DynamicsParams, state: BankState, band, start_q27, end_q27):
    """Multiply a band by a gain that runs in a straight line from start (not included) to end; Q5.27, SAT."""
    step_q27 = end_q27 - start_q27
    for n in range(1 << params.control_shift):
        rise_q27 = rnd_shift(step_q27 * (n + 1), params.control_shift)
        gain_q27 = start_q27 + rise_q27
        for channel in range(params.channels):
            row = band * params.channels + channel
            v = np.int64(state.band_q27[row, n])
            state.band_q27[row, n] = sat32(rnd_shift(v * gain_q27, SIGNAL_FRAC_BITS))


@kernel
def compress_band(params: DynamicsParams, state: BankState, band):
    """Compress one control block of a band in place.

    Returns
    -------
    level_q24 : Q8.24, level at the end of the block
    gain_q27 : Q5.27, gain at the end of the block

    Notes
    -----
    Arithmetic: gain = 2^(makeup - reduction) is at most 2**4, SAT; its product with the band saturates at 16
    (24 dB above full scale), which takes a make-up that lifts a full-scale band beyond that.
    Error: gain within 2.9e-6 relative of the float64 reference in the whole chain, 7e-7 where the band is not
    all but silent; see tests/firmware_model/dynamics.
    """
    level_q24 = band_level(params, state, band)
    reduction = smooth_reduction(params, state, band, reduction_q24(params.curve, band, level_q24))
    gain_q27 = exp2_q24(np.int64(params.curve.makeup_q24[band]) - reduction, SIGNAL_FRAC_BITS)
    if gain_q27 > INT32_MAX:
        gain_q27 = np.int64(INT32_MAX)
    apply_gain(params, state, band, np.int64(state.gain_q27[band]), gain_q27)
    state.gain_q27[band] = gain_q27
    return level_q24, gain_q27
