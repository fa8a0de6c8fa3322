"""The kernel, its parts, its twin and its case: small enough for one file."""

from typing import NamedTuple

import numpy as np

from firmware_model.case import Node
from firmware_model.golden.frozen_random import FrozenRandom
from firmware_model.runs import Parts, fields_case
from fixedpoint._jit import kernel
from fixedpoint.arith import narrow32, rnd_shift
from fixedpoint.qformat import QFormat

BLOCK, CHANNELS = 32, 2
Q16_15 = QFormat(17, 15)


class Params(NamedTuple):
    """fall_q31 : int, share of the peak that is left after a block"""

    fall_q31: int


class State(NamedTuple):
    """peak_q15 : (channels,) int32"""

    peak_q15: np.ndarray


class Output(NamedTuple):
    """peak_q15 : (channels,) int32;  over : (1,) int32, channels at full scale in this block"""

    peak_q15: np.ndarray
    over: np.ndarray


@kernel
def process_frame(params, state, x, output, probes):
    """Peak of each channel, which falls from block to block."""
    over = np.int64(0)
    for channel in range(CHANNELS):
        peak = rnd_shift(np.int64(state.peak_q15[channel]) * np.int64(params.fall_q31), 31)
        loudest = np.int64(0)
        for i in range(BLOCK):
            v = np.int64(x[channel, i])
            if v < 0:
                v = np.int64(0) - v
            if v > loudest:
                loudest = v
        if loudest > peak:
            peak = loudest
        if loudest >= 32767:
            over = over + np.int64(1)
        state.peak_q15[channel] = narrow32(peak)
        output.peak_q15[channel] = narrow32(peak)
    output.over[0] = narrow32(over)


def quantise(fall: float) -> Params:
    return Params(int(np.floor(fall * 2**31 + 0.5)))


def init_state(params: Params) -> State:
    return State(np.zeros(CHANNELS, np.int32))


def init_output(params: Params) -> Output:
    return Output(np.zeros(CHANNELS, np.int32), np.zeros(1, np.int32))


def reference(fall: float, x: np.ndarray) -> dict[str, np.ndarray]:
    loudest = np.abs(x).reshape(CHANNELS, -1, BLOCK).max(axis=2)
    peaks = np.zeros_like(loudest)
    held = np.zeros(CHANNELS)
    for step in range(loudest.shape[1]):
        held = np.maximum(held * fall, loudest[:, step])
        peaks[:, step] = held
    over = (loudest >= 32767 / 32768).sum(axis=0, keepdims=True)
    return {"over": over.astype(float), "peak": peaks}


CASES = (
    fields_case(
        Parts(process_frame, quantise, init_state, reference, init_output=init_output),
        0.99,
        "meter",
        "noise that fades, stereo, 16 kHz",
        "fade",
        (
            Node("over", QFormat(32, 0), ("both",), BLOCK),
            Node("peak", Q16_15, ("left", "right"), BLOCK),
        ),
        fs_hz=16000,
        channels=CHANNELS,
        block=BLOCK,
    ),
)


def _fade() -> np.ndarray:
    noise = FrozenRandom("meter").integers(-(1 << 15), 1 << 15, (CHANNELS, 3200))
    noise[:, 40] = -(1 << 15)
    return (noise >> (np.arange(3200) // 400)).astype(np.int16)


STIMULI = {"fade": ("noise that fades, 16 kHz", _fade)}
BOUNDS = {"meter": {"over": 0.0, "peak": 1e-4}}
PARTS = {"meter.cases.": "meter:peak"}
