"""All the memory that the firmware holds, and the nodes that it shows."""

from typing import NamedTuple

import numpy as np

from dcgate.params import BLOCK, CHANNELS, GateParams


class GateState(NamedTuple):
    """State.

    x_q15 : (channels,) int16, the sample before
    y_q27 : (channels,) int32, Q5.27, the DC blocker's output before
    rest_q58 : (channels,) int64, what rounding it left, which the next sample is given
    blocked_q27 : (channels, block) int32, Q5.27, the DC blocker's output of this block
    gain_q31 : (1,) int32, at the end of the block before
    held : (1,) int32, blocks that the gate stays open for
    """

    x_q15: np.ndarray
    y_q27: np.ndarray
    rest_q58: np.ndarray
    blocked_q27: np.ndarray
    gain_q31: np.ndarray
    held: np.ndarray


class GateProbes(NamedTuple):
    """Inner nodes.

    blocked_q27 : (channels, n) int32;  level_q15, gain_q31 : (1, n / block) int32
    """

    blocked_q27: np.ndarray
    level_q15: np.ndarray
    gain_q31: np.ndarray


def init_state(params: GateParams) -> GateState:
    """As after endless silence: the gate is closed."""
    return GateState(
        np.zeros(CHANNELS, np.int16),
        np.zeros(CHANNELS, np.int32),
        np.zeros(CHANNELS, np.int64),
        np.zeros((CHANNELS, BLOCK), np.int32),
        np.zeros(1, np.int32),
        np.zeros(1, np.int32),
    )


def init_probes(params: GateParams, n: int) -> GateProbes:
    """Room for the nodes of n samples."""
    blocks = n // BLOCK
    return GateProbes(
        np.zeros((CHANNELS, n), np.int32), np.zeros((1, blocks), np.int32), np.zeros((1, blocks), np.int32)
    )
