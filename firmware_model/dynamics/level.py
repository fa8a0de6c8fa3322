"""Levels of a band: the largest sample or the mean square of a control block, in log2."""

import numpy as np

from firmware_model.dynamics.settings.tuning import POWER_FRAC_BITS, SILENCE_Q24, DynamicsParams
from firmware_model.dynamics.state import BankState
from fixedpoint._jit import kernel
from fixedpoint.arith import rnd_shift, shl, trn_shift
from fixedpoint.elementary import log2_q24
from fixedpoint.filters.biquad import SIGNAL_FRAC_BITS, smooth

_SQUARE_SHIFT = SIGNAL_FRAC_BITS - POWER_FRAC_BITS // 2


@kernel
def magnitude(largest, smallest):
    """Largest magnitude of 32-bit values from the largest, at least 0, and the smallest, at most 0."""
    if largest + smallest < 0:
        return -smallest
    return largest


@kernel
def block_peak(x, first, rows):
    """Largest magnitude in a control block of several channels.

    x : (rows, samples) int32;  first, rows : the rows of x that count

    Returns
    -------
    0 to 2**31, in the format of x
    """
    largest, smallest = np.int64(0), np.int64(0)
    for row in range(first, first + rows):
        for n in range(x.shape[1]):
            v = np.int64(x[row, n])
            if v > largest:
                largest = v
            if v < smallest:
                smallest = v
    return magnitude(largest, smallest)


@kernel
def sum_of_squares(x_q27, row):
    """Of a row, Q16.48."""
    acc = np.int64(0)
    for n in range(x_q27.shape[1]):
        v_q24 = trn_shift(np.int64(x_q27[row, n]), _SQUARE_SHIFT)
        acc += v_q24 * v_q24  # Q.48
    return acc


@kernel
def block_power(params: DynamicsParams, state: BankState, band):
    """Sum of squares of a band in a control block, the largest of the channels, Q16.48.

    Samples TRN to Q8.24; 16 squares of at most 2**56 are at most 2**60.
    """
    largest = np.int64(0)
    for channel in range(params.channels):
        acc = sum_of_squares(state.band_q27, band * params.channels + channel)
        if acc > largest:
            largest = acc
    return largest


@kernel
def band_level(params: DynamicsParams, state: BankState, band):
    """Level of a band at the end of a control block.

    Returns
    -------
    Q8.24, log2 of amplitude re full scale, -20 (-120 dBFS) or more

    Notes
    -----
    peak: log2 of the largest sample. rms: P += c (q - P) on the sums q of n squares, then log2(P / n) / 2.
    Error: peak 1.2e-7 of log2 (0.7e-6 dB), of `log2_q24`. rms reads low by the truncation of P, by
    2**-48 / (n c), and by that of the samples, 2**-24: 1.7e-6 dB above -80 dBFS with 10 ms, and at -81 dBFS
    and 96 kHz 0.0007 dB with 1 s, 0.0035 dB with 5 s; tests/firmware_model/dynamics/test_level.py.
    Source: Giannoulis, Massberg, Reiss, "Digital dynamic range compressor design", JAES 60 (2012), sec. 2.
    """
    if params.curve.rms_q31[band] == 0:
        peak_q27 = block_peak(state.band_q27, band * params.channels, params.channels)
        level_q24 = log2_q24(peak_q27) - shl(np.int64(SIGNAL_FRAC_BITS), 24)
    else:
        power_q48 = smooth(
            np.int64(state.power_q48[band]), block_power(params, state, band), params.curve.rms_q31[band]
        )
        state.power_q48[band] = power_q48
        level_q24 = rnd_shift(log2_q24(power_q48) - shl(POWER_FRAC_BITS + params.control_shift, 24), 1)
    if level_q24 < SILENCE_Q24:
        return np.int64(SILENCE_Q24)
    return level_q24
