"""Levels of a band: the largest sample or the mean square of a control block, in log2."""

import numpy as np

from firmware_model.dynamics.state import BankState
from firmware_model.dynamics.tuning import POWER_FRAC_BITS, SILENCE_Q24, DynamicsParams
from fixedpoint._jit import kernel
from fixedpoint.arith import rnd_shift, shl, trn_shift
from fixedpoint.biquad import SIGNAL_FRAC_BITS, smooth
from fixedpoint.elementary import log2_q24

_SQUARE_SHIFT = 2 * SIGNAL_FRAC_BITS - POWER_FRAC_BITS


@kernel
def block_peak(samples, x, first, rows):
    """Largest magnitude in a control block of several channels.

    samples : int;  x : (rows, samples) int32;  first, rows : the rows of x that count

    Returns
    -------
    0 to 2**31, in the format of x
    """
    peak = np.int64(0)
    for row in range(first, first + rows):
        for n in range(samples):
            v = np.int64(x[row, n])
            if v < 0:
                v = -v
            if v > peak:
                peak = v
    return peak


@kernel
def block_power(params: DynamicsParams, state: BankState, band):
    """Mean square of a band in a control block, the largest of the channels, Q14.50.

    Squares are below 2**62, TRN to 2**58; 16 of them are below 2**62.
    """
    largest = np.int64(0)
    for channel in range(params.channels):
        acc = np.int64(0)
        for n in range(1 << params.control_shift):
            v = np.int64(state.band_q27[band * params.channels + channel, n])
            acc += trn_shift(v * v, _SQUARE_SHIFT)  # Q.50
        if acc > largest:
            largest = acc
    return trn_shift(largest, params.control_shift)


@kernel
def band_level(params: DynamicsParams, state: BankState, band):
    """Level of a band at the end of a control block.

    Returns
    -------
    Q8.24, log2 of amplitude re full scale, -20 (-120 dBFS) or more

    Notes
    -----
    peak: log2 of the largest sample. rms: P += c (q - P) on the mean squares q, then log2(P) / 2.
    Error: peak 1.2e-7 of log2 (0.7e-6 dB), of `log2_q24`. rms reads low by the truncation of P, by
    2**-50 / c: 0.014 dB at -81 dBFS with 5 s at 96 kHz, nothing to speak of with usual times.
    Source: Giannoulis, Massberg, Reiss, "Digital dynamic range compressor design", JAES 60 (2012), sec. 2.
    """
    if params.curve.rms_q31[band] == 0:
        peak_q27 = block_peak(
            1 << params.control_shift, state.band_q27, band * params.channels, params.channels
        )
        level_q24 = log2_q24(peak_q27) - shl(np.int64(SIGNAL_FRAC_BITS), 24)
    else:
        power_q50 = smooth(
            np.int64(state.power_q50[band]), block_power(params, state, band), params.curve.rms_q31[band]
        )
        state.power_q50[band] = power_q50
        level_q24 = rnd_shift(log2_q24(power_q50) - shl(np.int64(POWER_FRAC_BITS), 24), 1)
    if level_q24 < SILENCE_Q24:
        return np.int64(SILENCE_Q24)
    return level_q24
