"""The multiband dynamics processor: crossover, band compressors and limiters, sum, full-band limiter."""

from typing import NamedTuple

import numpy as np

from firmware_model.dynamics.compressor import compress_band
from firmware_model.dynamics.crossover import split_bands
from firmware_model.dynamics.limiter import advance, limit_block
from firmware_model.dynamics.state import BankState, DynamicsState
from firmware_model.dynamics.tuning import DynamicsParams
from fixedpoint._jit import kernel
from fixedpoint.arith import rnd_shift, sat16, sat32
from fixedpoint.biquad import SIGNAL_FRAC_BITS

_TO_Q15 = SIGNAL_FRAC_BITS - 15


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
def process_bank(params: DynamicsParams, state: BankState, x_q15, start, bus_q27, probes):
    """One control block through crossover, compressors and band limiters, and the sum of the bands.

    Parameters
    ----------
    x_q15 : (channels, n) int16, Q1.15; the block begins at sample `start`
    bus_q27 : (channels, control samples) int32, Q5.27, SAT: the sum
    probes : None, or DynamicsProbes
    """
    split_bands(params, state, x_q15, start)
    if probes is not None:
        copy_rows(state.band_q27, probes.band_q27, start)
    block = start >> params.control_shift
    for band in range(params.bands):
        level_q24, gain_q27 = compress_band(params, state, band)
        if probes is not None:
            probes.level_q24[band, block] = level_q24
            probes.gain_q27[band, block] = gain_q27
        if params.band_limiter.blocks > 0:
            attenuation_q31 = limit_block(
                params.band_limiter,
                state.limiter,
                band,
                params.control_shift,
                params.channels,
                state.band_q27,
            )
            if probes is not None:
                probes.band_attenuation_q31[band, block] = attenuation_q31
    if params.band_limiter.blocks > 0:
        advance(params.band_limiter, state.limiter)
    if probes is not None:
        copy_rows(state.band_q27, probes.limited_q27, start)
    # sum of the bands
    for channel in range(params.channels):
        for n in range(1 << params.control_shift):
            acc = np.int64(0)
            for band in range(params.bands):
                acc += np.int64(state.band_q27[band * params.channels + channel, n])
            bus_q27[channel, n] = sat32(acc)


@kernel
def limit_bus(params: DynamicsParams, state: DynamicsState, y_q15, start, probes):
    """One control block of the bus through the full-band limiter, to Q1.15 from sample `start`, RND."""
    if probes is not None:
        copy_rows(state.bus_q27, probes.bus_q27, start)
    attenuation_q31 = limit_block(
        params.limiter, state.limiter, 0, params.control_shift, params.channels, state.bus_q27
    )
    advance(params.limiter, state.limiter)
    if probes is not None:
        probes.attenuation_q31[0, start >> params.control_shift] = attenuation_q31
    for channel in range(params.channels):
        for n in range(1 << params.control_shift):
            y_q15[channel, start + n] = sat16(rnd_shift(np.int64(state.bus_q27[channel, n]), _TO_Q15))


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
    the sum of the bands at +-16; |y| <= the full-band threshold (`limiter.limit_block`).
    Error: against the float64 reference see benchmarks/results/dynamics.md; held by
    tests/firmware_model/dynamics/test_processor.py.
    Source: Yang, Chhetri, Murgia, Hilmes, ICASSP 2019 (arXiv 1903.06392).
    """
    for block in range(x_q15.shape[1] >> params.control_shift):
        start = block << params.control_shift
        process_bank(params, state.bank, x_q15, start, state.bus_q27, probes)
        limit_bus(params, state, y_q15, start, probes)
