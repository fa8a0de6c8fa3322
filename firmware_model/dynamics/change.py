"""Change of all settings while the processor runs, without a click: two banks and a fade."""

from typing import NamedTuple

import numpy as np

from firmware_model.dynamics.level import block_peak
from firmware_model.dynamics.processor import limit_bus, process_bank
from firmware_model.dynamics.settings.params import DynamicsConfig
from firmware_model.dynamics.settings.tuning import DynamicsParams
from firmware_model.dynamics.state import BankState, DynamicsState, init_bank
from fixedpoint._jit import kernel
from fixedpoint.arith import narrow32, rnd_shift

SETTLE_S = 0.05  # filters of 60 Hz and usual attacks have settled to 1 %
FADE_S = 0.05


class ChangeState(NamedTuple):
    """Memory of a change; only needed while it lasts.

    bank : BankState, of the next setting
    bus_q27 : (channels, control samples) int32, Q5.27, work area: the next setting's sum of bands
    clock : (1,) int32, samples since the change began
    fade : (3,) int32, sample at which the fade begins, its length, 1 / length in Q1.31
    """

    bank: BankState
    bus_q27: np.ndarray
    clock: np.ndarray
    fade: np.ndarray


def init_change(params: DynamicsParams, fs_hz: int) -> ChangeState:
    """Memory for a change to `params`."""
    samples = 1 << params.control_shift
    settle = round(SETTLE_S * fs_hz) // samples * samples
    length = round(FADE_S * fs_hz)
    return ChangeState(
        bank=init_bank(params),
        bus_q27=np.zeros((params.channels, samples), np.int32),
        clock=np.zeros(1, np.int32),
        fade=np.array([settle, length, (1 << 31) // length], np.int32),
    )


def carry_levels(before: DynamicsConfig, old: BankState, after: DynamicsConfig, new: BankState) -> None:
    """Start the compressors of the next setting from those of the present one; `new` is changed.

    Each band takes over the mean square and the reduction of the band that it shares most octaves with: slow
    compressors would otherwise begin without reduction, too loud for as long as their attack.
    """
    for band, (low_hz, high_hz) in enumerate(after.ranges_hz):
        shared = [np.log2(min(high_hz, high) / max(low_hz, low, 1.0)) for low, high in before.ranges_hz]
        source = int(np.argmax(shared))
        new.power_q48[band] = old.power_q48[source]
        new.held_q55[band] = old.held_q55[source]
        new.reduction_q55[band] = old.reduction_q55[source]


@kernel
def fade_bus(params: DynamicsParams, state: DynamicsState, change: ChangeState):
    """Pass the bus from the present setting to the next in a straight line, weight Q1.31; turn the clock.

    A mean of two Q5.27 values with weights that add to 1 cannot overflow.

    Returns
    -------
    0 to 2**31, Q5.27, largest magnitude on the bus
    """
    samples = 1 << params.control_shift
    length = np.int64(change.fade[1])
    for n in range(samples):
        done = np.int64(change.clock[0]) + n + 1 - np.int64(change.fade[0])
        weight_q31 = np.int64(0)
        if done >= length:
            weight_q31 = np.int64(1 << 31)
        elif done > 0:
            weight_q31 = done * np.int64(change.fade[2])
        for channel in range(params.channels):
            now_q27 = np.int64(state.bus_q27[channel, n])
            rise_q27 = np.int64(change.bus_q27[channel, n]) - now_q27
            state.bus_q27[channel, n] = narrow32(now_q27 + rnd_shift(rise_q27 * weight_q31, 31))
    change.clock[0] = np.int64(change.clock[0]) + samples
    return block_peak(state.bus_q27, 0, params.channels)


@kernel
def process_change(
    params: DynamicsParams, state: DynamicsState, after: DynamicsParams, change: ChangeState, x_q15, y_q15
):
    """Process a frame while one setting gives way to the next.

    Parameters
    ----------
    params, state : the setting in force, and the processor's state
    after, change : the next setting, with the same channels, control block and latency, and its memory
    x_q15, y_q15 : (channels, n) int16, Q1.15; n a whole number of control blocks

    Notes
    -----
    Both banks run. The next one's filters and levels settle unheard, then the bus passes from one to the
    other. The full-band limiter takes the next setting at once: its attenuation moves within the look-ahead
    and no faster, and |y| stays at or below the threshold under which each sample entered it.
    When the clock is past the fade, `state` with change.bank in place of its bank goes on under `after`.
    """
    for block in range(x_q15.shape[1] >> params.control_shift):
        start = block << params.control_shift
        process_bank(params, state.bank, x_q15, start, state.bus_q27, None)
        process_bank(after, change.bank, x_q15, start, change.bus_q27, None)
        peak_q27 = fade_bus(params, state, change)
        limit_bus(after, state, peak_q27, y_q15, start, None)
