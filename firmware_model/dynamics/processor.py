"""The multiband dynamics processor: crossover, band compressors and limiters, sum, full-band limiter."""

from typing import NamedTuple

import numpy as np

from firmware_model.dynamics.compressor import compress_band
from firmware_model.dynamics.crossover import split_bands
from firmware_model.dynamics.level import magnitude
from firmware_model.dynamics.limiter import advance, limit_block
from firmware_model.dynamics.settings.tuning import DynamicsParams
from firmware_model.dynamics.state import BankState, DynamicsState
from fixedpoint._jit import kernel
from fixedpoint.arith import clip, narrow32, rnd_shift, sat16, shl, trn_shift
from fixedpoint.filters.biquad import SIGNAL_FRAC_BITS

_TO_SUM = 1  # bands are added up in Q6.26
_SUM_RAIL = (1 << 30) - 1


class DynamicsProbes(NamedTuple):
    """Named internal nodes, filled while n samples, or n / control samples blocks, are processed.

    band_q27 : (bands * channels, n) int32, Q5.27, out of the crossover; row band * channels + channel
    level_q24 : (bands, blocks) int32, Q8.24, log2 of amplitude
    gain_q27 : (bands, blocks) int32, Q5.27, of the compressor at the end of the block
    band_attenuation_q31 : (bands, blocks) int32, Q1.31, of the band limiter, for the block that leaves it
    limited_q27 : (bands * channels, n) int32, Q5.27, out of the band limiters
    bus_q27 : (channels, n) int32, Q5.27, sum of the bands
    attenuation_q31 : (1, blocks) int32, Q1.31, of the full-band limiter, for the block that leaves it
    """

    band_q27: np.ndarray
    level_q24: np.ndarray
    gain_q27: np.ndarray
    band_attenuation_q31: np.ndarray
    limited_q27: np.ndarray
    bus_q27: np.ndarray
    attenuation_q31: np.ndarray


def init_probes(params: DynamicsParams, samples: int) -> DynamicsProbes:
    """Room for the nodes of so many samples, a whole number of control blocks."""
    blocks, rows = samples >> params.control_shift, params.bands * params.channels
    return DynamicsProbes(
        band_q27=np.zeros((rows, samples), np.int32),
        level_q24=np.zeros((params.bands, blocks), np.int32),
        gain_q27=np.zeros((params.bands, blocks), np.int32),
        band_attenuation_q31=np.zeros((params.bands, blocks), np.int32),
        limited_q27=np.zeros((rows, samples), np.int32),
        bus_q27=np.zeros((params.channels, samples), np.int32),
        attenuation_q31=np.zeros((1, blocks), np.int32),
    )


@kernel
def copy_rows(source, target, start):
    """Copy the rows of a work area to target from column `start`: a probe."""
    for row in range(source.shape[0]):
        for n in range(source.shape[1]):
            target[row, start + n] = source[row, n]


@kernel
def add_row(x_q27, row, sum_q26, channel):
    """Add a row to the sum of a channel, TRN to Q6.26, SAT at 16: two of at most 2**30 fit a word.

    TRN of half an LSB of Q5.27 for each band. Coarser sums cost SNR: in Q8.24 quiet recordings fell to 86 dB.
    """
    for n in range(x_q27.shape[1]):
        y_q26 = narrow32(np.int64(sum_q26[channel, n]) + trn_shift(np.int64(x_q27[row, n]), _TO_SUM))
        sum_q26[channel, n] = clip(y_q26, -_SUM_RAIL - 1, _SUM_RAIL)


@kernel
def take_sum(sum_q26, channel, bus_q27):
    """Move the sum of a channel to its row of the bus, Q5.27, and leave 0.

    Returns
    -------
    0 to 2**31, largest magnitude of the row
    """
    largest, smallest = np.int64(0), np.int64(0)
    for n in range(sum_q26.shape[1]):
        y_q27 = narrow32(shl(np.int64(sum_q26[channel, n]), _TO_SUM))
        sum_q26[channel, n] = 0
        bus_q27[channel, n] = y_q27
        if y_q27 > largest:
            largest = y_q27
        if y_q27 < smallest:
            smallest = y_q27
    return magnitude(largest, smallest)


@kernel
def process_bank(params: DynamicsParams, state: BankState, x_q15, start, bus_q27, probes):
    """One control block through crossover, compressors and band limiters, and the sum of the bands.

    Parameters
    ----------
    x_q15 : (channels, n) int16, Q1.15; the block begins at sample `start`
    bus_q27 : (channels, control samples) int32, Q5.27, SAT: the sum
    probes : None, or DynamicsProbes

    Returns
    -------
    0 to 2**31, Q5.27, largest magnitude on the bus
    """
    split_bands(params, state, x_q15, start)
    if probes is not None:
        copy_rows(state.band_q27, probes.band_q27, start)
    block = start >> params.control_shift
    for band in range(params.bands):
        level_q24, gain_q27, peak_q27 = compress_band(params, state, band)
        if probes is not None:
            probes.level_q24[band, block] = level_q24
            probes.gain_q27[band, block] = gain_q27
        if params.band_limiter.blocks > 0:
            attenuation_q31 = limit_block(
                params.band_limiter,
                state.limiter,
                band,
                params.ramp_q32,
                params.channels,
                peak_q27,
                state.band_q27,
            )
            if probes is not None:
                probes.band_attenuation_q31[band, block] = attenuation_q31
        for channel in range(params.channels):
            add_row(state.band_q27, band * params.channels + channel, state.sum_q26, channel)
    if params.band_limiter.blocks > 0:
        advance(params.band_limiter, state.limiter)
    if probes is not None:
        copy_rows(state.band_q27, probes.limited_q27, start)
    # sum of the bands
    bus_peak_q27 = np.int64(0)
    for channel in range(params.channels):
        row_q27 = take_sum(state.sum_q26, channel, bus_q27)
        if row_q27 > bus_peak_q27:
            bus_peak_q27 = row_q27
    return bus_peak_q27


@kernel
def to_q15(x_q27, row, y_q15, start):
    """A row to Q1.15, from column `start` of the same row of y; RND, SAT."""
    for n in range(x_q27.shape[1]):
        y_q15[row, start + n] = sat16(rnd_shift(np.int64(x_q27[row, n]), SIGNAL_FRAC_BITS - 15))


@kernel
def limit_bus(params: DynamicsParams, state: DynamicsState, peak_q27, y_q15, start, probes):
    """One control block of the bus through the full-band limiter, to Q1.15 from sample `start`, RND.

    peak_q27 : 0 to 2**31, Q5.27, largest magnitude on the bus
    """
    if probes is not None:
        copy_rows(state.bus_q27, probes.bus_q27, start)
    attenuation_q31 = limit_block(
        params.limiter, state.limiter, 0, params.ramp_q32, params.channels, peak_q27, state.bus_q27
    )
    advance(params.limiter, state.limiter)
    if probes is not None:
        probes.attenuation_q31[0, start >> params.control_shift] = attenuation_q31
    for channel in range(params.channels):
        to_q15(state.bus_q27, channel, y_q15, start)


@kernel
def process_frame(params: DynamicsParams, state: DynamicsState, x_q15, y_q15, probes):
    """Process a frame of any number of whole control blocks.

    Parameters
    ----------
    params : DynamicsParams
    state : DynamicsState
    x_q15, y_q15 : (channels, n) int16, Q1.15; y is x of `latency_samples` ago, processed
    probes : None, or DynamicsProbes of n samples

    Notes
    -----
    Arithmetic: signals Q5.27 from input to output, rounded once by each multiplication; RND to Q1.15.
    Range: with |x| <= 1 every node of the crossover stays below 12, of 16. Gains saturate at 16, products and
    the sum of the bands at +-16, to within 31 LSB; |y| <= the full-band threshold (`limiter.limit_block`).
    The bands are added up in Q6.26, TRN, which saturates at +-16 after each.
    Error: on programme within 1 LSB of the float64 reference's output rounded to 16 bits, SNR 93 dB or more;
    tests/firmware_model/dynamics/test_processor.py. On recordings: benchmarks/results/dynamics.md.
    Source: Yang, Chhetri, Murgia, Hilmes, ICASSP 2019 (arXiv 1903.06392).
    """
    for block in range(x_q15.shape[1] >> params.control_shift):
        start = block << params.control_shift
        peak_q27 = process_bank(params, state.bank, x_q15, start, state.bus_q27, probes)
        limit_bus(params, state, peak_q27, y_q15, start, probes)
