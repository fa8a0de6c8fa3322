"""Linkwitz-Riley crossover of fourth order: one to six bands whose sum is an all-pass, to the last bit."""

import numpy as np

from firmware_model.dynamics.settings.tuning import DynamicsParams
from firmware_model.dynamics.state import BankState
from fixedpoint._jit import kernel
from fixedpoint.arith import narrow32
from fixedpoint.filters.biquad import allpass_of, svf


@kernel
def low_and_allpass(x_q27, x, low, s1_q58, s2_q54, gain_q27, drive_q31, hold_q31, bend_q29):
    """A row through a section: the low-pass into row `low`, the all-pass in place.

    Returns
    -------
    s1_q58, s2_q54 : the integrators after the block
    """
    for n in range(x_q27.shape[1]):
        v = np.int64(x_q27[x, n])
        band, first, s1_q58, s2_q54 = svf(v, s1_q58, s2_q54, gain_q27, drive_q31, hold_q31)
        x_q27[low, n] = first
        x_q27[x, n] = allpass_of(v, band, bend_q29)
    return s1_q58, s2_q54


@kernel
def low_and_rest(x_q27, x, low, s1_q58, s2_q54, gain_q27, drive_q31, hold_q31):
    """Row `low` through a section's low-pass in place; what comes out is taken from row `x`.

    Returns
    -------
    s1_q58, s2_q54 : the integrators after the block
    """
    for n in range(x_q27.shape[1]):
        v = np.int64(x_q27[low, n])
        _, second, s1_q58, s2_q54 = svf(v, s1_q58, s2_q54, gain_q27, drive_q31, hold_q31)
        x_q27[low, n] = second
        x_q27[x, n] = narrow32(np.int64(x_q27[x, n]) - second)
    return s1_q58, s2_q54


@kernel
def allpass_row(x_q27, x, s1_q58, s2_q54, gain_q27, drive_q31, hold_q31, bend_q29):
    """A row through a section's all-pass in place.

    Returns
    -------
    s1_q58, s2_q54 : the integrators after the block
    """
    for n in range(x_q27.shape[1]):
        v = np.int64(x_q27[x, n])
        band, _, s1_q58, s2_q54 = svf(v, s1_q58, s2_q54, gain_q27, drive_q31, hold_q31)
        x_q27[x, n] = allpass_of(v, band, bend_q29)
    return s1_q58, s2_q54


@kernel
def split(params: DynamicsParams, state: BankState, x, low, channel, edge):
    """Split a control block at one edge: the low band out, the high band in place of the input.

    Parameters
    ----------
    x : row of state.band_q27 that holds the block, and afterwards its high band
    low : row for the low band
    channel, edge : int

    Notes
    -----
    low = LP(LP(x)), two sequential Butterworth low-passes; high = AP(x) - low, AP that of the first.
    => low + high = AP(x) exactly, as integers. That high is HP(HP(x)) follows from LP^2 + HP^2 = AP, which
    holds for the rounded coefficients so well that the slope of `high` is right to 0.0021 dB at -80 dB and to
    0.018 dB at -117 dB with an edge of 20 Hz at 96 kHz, its worst; with edges from 60 Hz to 0.0008 and
    0.006 dB. Two sections do the work of four.
    Range: in any cascade of up to five splits with their all-passes, |node| < 12 for |x| <= 1: the largest of
    the nodes' L1 norms is 11.1, with all five edges at 0.45 fs (6.5 with edges up to fs/3); Q5.27 holds 16.
    Error: bands 0.017 LSB of 16 bits on programme; their sum is flat to 1.2e-6 dB, their slopes are right to
    0.0024 dB down to -80 dB, as far as a multitone shows it among the rounding noise.
    Rest: five splits on constant input, silence too, kept limit cycles in a band of at most 3 LSB of Q5.27
    with edges up to 0.08 fs, 12 up to 0.3 fs, 40 with all edges near 0.45 fs, and of 2, 20, 64 in the sum.
    16 bits hide them: 2048 would be seen. Behind 24 dB in every band they were 0.24 LSB of 16 bits, which
    silence hides as well, and which moves another constant by 1 LSB at most, where it lies beside a tie.
    Tests: tests/firmware_model/dynamics/test_crossover.py, and test_processor.py for rest.
    Source: Yang, Chhetri, Murgia, Hilmes, "Reconfigurable multitask audio dynamics processing scheme", ICASSP
    2019; S. Linkwitz, JAES 24 (1976).
    """
    gain_q27 = np.int64(params.section[edge, 0])
    drive_q31 = np.int64(params.section[edge, 1])
    hold_q31 = np.int64(params.section[edge, 2])
    bend_q29 = np.int64(params.section[edge, 3])
    i = 2 * edge
    s1 = np.int64(state.split_q58[channel, i])
    s2 = np.int64(state.split_q54[channel, i])
    s1, s2 = low_and_allpass(state.band_q27, x, low, s1, s2, gain_q27, drive_q31, hold_q31, bend_q29)
    state.split_q58[channel, i] = s1
    state.split_q54[channel, i] = s2
    s1 = np.int64(state.split_q58[channel, i + 1])
    s2 = np.int64(state.split_q54[channel, i + 1])
    s1, s2 = low_and_rest(state.band_q27, x, low, s1, s2, gain_q27, drive_q31, hold_q31)
    state.split_q58[channel, i + 1] = s1
    state.split_q54[channel, i + 1] = s2


@kernel
def keep_in_phase(params: DynamicsParams, state: BankState, x, channel, edge, slot):
    """Pass a band below an edge through that edge's all-pass, in place.

    x : row of state.band_q27;  slot : which integrators in state.allpass_q58 and state.allpass_q54
    """
    gain_q27 = np.int64(params.section[edge, 0])
    drive_q31 = np.int64(params.section[edge, 1])
    hold_q31 = np.int64(params.section[edge, 2])
    bend_q29 = np.int64(params.section[edge, 3])
    s1 = np.int64(state.allpass_q58[channel, slot])
    s2 = np.int64(state.allpass_q54[channel, slot])
    s1, s2 = allpass_row(state.band_q27, x, s1, s2, gain_q27, drive_q31, hold_q31, bend_q29)
    state.allpass_q58[channel, slot] = s1
    state.allpass_q54[channel, slot] = s2


@kernel
def split_bands(params: DynamicsParams, state: BankState, x_q15, start):
    """Split a control block of the input into all bands, in state.band_q27.

    Parameters
    ----------
    x_q15 : (channels, n) int16, Q1.15
    start : int, first sample of the block in x_q15

    Notes
    -----
    The high band of each split is split again; each low band passes the all-passes of the edges above it.
    """
    for channel in range(params.channels):
        top = (params.bands - 1) * params.channels + channel
        for n in range(1 << params.control_shift):
            state.band_q27[top, n] = np.int64(x_q15[channel, start + n]) * 4096  # Q5.27
        slot = 0
        for edge in range(params.bands - 1):
            split(params, state, top, edge * params.channels + channel, channel, edge)
            if params.all_pass == 1:
                for band in range(edge):
                    keep_in_phase(params, state, band * params.channels + channel, channel, edge, slot)
                    slot += 1
