"""The firmware, in the kernel subset: integers, named roundings, no allocation."""

import numpy as np

from dcgate.params import BLOCK, CHANNELS, STEP_Q31
from fixedpoint._jit import kernel
from fixedpoint.arith import narrow32, rnd_shift, sat16, sat32, shl, trn_shift


@kernel
def block_dc(params, state, x, channel, first):
    """y[n] = x[n] - x[n-1] + pole y[n-1], Q5.27, of one block of a channel.

    Notes
    -----
    The pole's product is Q5.58 and exact; what its rounding leaves is added to the next, so that a constant
    input comes to rest at 0 and leaves no limit cycle. |y| <= 2 + 2 of the 16 that Q5.27 holds.
    """
    pole = np.int64(params.pole_q31)
    before = np.int64(state.x_q15[channel])
    y = np.int64(state.y_q27[channel])
    rest = state.rest_q58[channel]
    for i in range(BLOCK):
        now = np.int64(x[channel, first + i])
        total = pole * y + rest  # Q5.58
        kept = rnd_shift(total, 31)  # Q5.27
        rest = total - shl(kept, 31)
        y = kept + shl(now - before, 12)  # Q1.15 to Q5.27
        state.blocked_q27[channel, i] = narrow32(y)
        before = now
    state.x_q15[channel] = sat16(before)
    state.y_q27[channel] = narrow32(y)
    state.rest_q58[channel] = rest


@kernel
def level_of(state):
    """Largest magnitude of the block over all channels, Q1.15, saturated."""
    largest = np.int64(0)
    for channel in range(CHANNELS):
        for i in range(BLOCK):
            v = np.int64(state.blocked_q27[channel, i])
            if v < 0:
                v = np.int64(0) - v
            if v > largest:
                largest = v
    return sat16(rnd_shift(largest, 12))


@kernel
def next_gain(params, state, level):
    """The gain at the end of the block, Q1.31: towards 1 while open, towards 0 once the hold is over."""
    held = np.int64(state.held[0])
    open_before = np.int64(state.gain_q31[0]) > 0
    if level >= np.int64(params.open_q15) or (
        open_before and level >= np.int64(params.close_q15) and held > 0
    ):
        held = np.int64(params.hold_blocks) + np.int64(1)
    elif held > 0:
        held = held - np.int64(1)
    state.held[0] = narrow32(held)
    gain = np.int64(state.gain_q31[0])
    if held > 0:
        return sat32(gain + rnd_shift((np.int64(0x7FFFFFFF) - gain) * np.int64(params.attack_q31), 31))
    return sat32(gain - rnd_shift(gain * np.int64(params.release_q31), 31))


@kernel
def apply_gain(state, y, first, begin, end):
    """The block times a straight line from one gain to the next, rounded to Q1.15."""
    step = trn_shift((end - begin) * np.int64(STEP_Q31), 31)  # Q1.31 a sample
    for channel in range(CHANNELS):
        gain = begin
        for i in range(BLOCK):
            gain = gain + step
            v = np.int64(state.blocked_q27[channel, i])
            y[channel, first + i] = sat16(rnd_shift(v * gain, 43))  # Q5.27 * Q1.31 = Q6.58 to Q1.15


@kernel
def process_frame(params, state, x, y, probes):
    """Blocks of 48 samples of two channels: DC blocker, level, gain.

    x, y : (2, n) int16, Q1.15, n a multiple of 48; y may be x
    """
    block = np.int64(0)
    for first in range(0, x.shape[1], BLOCK):
        for channel in range(CHANNELS):
            block_dc(params, state, x, channel, first)
        level = level_of(state)
        begin = np.int64(state.gain_q31[0])
        end = next_gain(params, state, level)
        apply_gain(state, y, first, begin, end)
        state.gain_q31[0] = narrow32(end)
        if probes is not None:
            for channel in range(CHANNELS):
                for i in range(BLOCK):
                    probes.blocked_q27[channel, first + i] = state.blocked_q27[channel, i]
            probes.level_q15[0, block] = narrow32(level)
            probes.gain_q31[0, block] = narrow32(end)
        block = block + np.int64(1)
