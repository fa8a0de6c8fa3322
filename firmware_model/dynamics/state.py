"""All the memory of the dynamics processor: what firmware holds from sample to sample, and its work areas."""

from typing import Any, NamedTuple

import numpy as np

from firmware_model.dynamics.settings.tuning import DynamicsParams, LimiterParams
from fixedpoint.arith import INT32_MAX
from fixedpoint.elementary import exp2_q24
from fixedpoint.filters.biquad import REST_Q54, REST_Q58, SIGNAL_FRAC_BITS

CLOCK_WANT, CLOCK_RELEASE = range(2)


class LimiterState(NamedTuple):
    """Memory of limiters of equal look-ahead; a row for each.

    clock : (2,) int32, positions in the rings of blocks + 1 and of blocks
    want_q31 : (rows, blocks + 1) int32, Q1.31, ring of attenuations that each block asks for (`limiter.hold`)
    since_q31 : (rows,) int32, Q1.31, the largest of this turn of the ring
    released_q62 : (rows,) int64, Q2.62, attenuation after the release
    released_q31 : (rows, blocks) int32, Q1.31, ring of the same, rounded up
    sum_q31 : (rows,) int64, sum over that ring
    attenuation_q31 : (rows,) int32, Q1.31, in force at the end of the block that left last
    delay_q27 : (rows * channels, blocks * control samples) int32, Q5.27, ring of the signal
    """

    clock: np.ndarray
    want_q31: np.ndarray
    since_q31: np.ndarray
    released_q62: np.ndarray
    released_q31: np.ndarray
    sum_q31: np.ndarray
    attenuation_q31: np.ndarray
    delay_q27: np.ndarray


class BankState(NamedTuple):
    """Memory of the bands.

    split_q58, split_q54 : (channels, 2 * (bands - 1)) int64, Q6.58 and Q10.54, first and second integrators
        of the two sections of each split
    allpass_q58, allpass_q54 : (channels, (bands - 1) (bands - 2) / 2) int64, likewise, of the all-passes
    power_q48 : (bands,) int64, Q16.48, sum of squares of a control block, averaged
    held_q55, reduction_q55 : (bands,) int64, Q9.55, gain reduction in log2, after release and after attack
    gain_q27 : (bands,) int32, Q5.27, gain at the end of the last block
    band_q27 : (bands * channels, control samples) int32, Q5.27, work area: row band * channels + channel
    sum_q26 : (channels, control samples) int32, Q6.26, work area: the sum of the bands so far
    limiter : LimiterState, a row for each band
    """

    split_q58: np.ndarray
    split_q54: np.ndarray
    allpass_q58: np.ndarray
    allpass_q54: np.ndarray
    power_q48: np.ndarray
    held_q55: np.ndarray
    reduction_q55: np.ndarray
    gain_q27: np.ndarray
    band_q27: np.ndarray
    sum_q26: np.ndarray
    limiter: LimiterState


class DynamicsState(NamedTuple):
    """Memory of the processor; the sum of the arrays' nbytes is its RAM.

    bank : BankState
    bus_q27 : (channels, control samples) int32, Q5.27, work area: the sum of the bands
    limiter : LimiterState, one row
    """

    bank: BankState
    bus_q27: np.ndarray
    limiter: LimiterState


def init_state(params: DynamicsParams) -> DynamicsState:
    """Memory as after endless silence, with no gain reduction."""
    samples = 1 << params.control_shift
    return DynamicsState(
        bank=init_bank(params),
        bus_q27=np.zeros((params.channels, samples), np.int32),
        limiter=_init_limiter(params.limiter, params.channels, samples),
    )


def init_bank(params: DynamicsParams) -> BankState:
    """Memory of the bands, as after endless silence."""
    bands, channels, samples = params.bands, params.channels, 1 << params.control_shift
    all_passes = (bands - 1) * (bands - 2) // 2 * params.all_pass
    makeup_q27 = [exp2_q24(np.int64(makeup), SIGNAL_FRAC_BITS) for makeup in params.curve.makeup_q24]
    return BankState(
        split_q58=np.full((channels, 2 * (bands - 1)), REST_Q58),
        split_q54=np.full((channels, 2 * (bands - 1)), REST_Q54),
        allpass_q58=np.full((channels, all_passes), REST_Q58),
        allpass_q54=np.full((channels, all_passes), REST_Q54),
        power_q48=np.zeros(bands, np.int64),
        held_q55=np.zeros(bands, np.int64),
        reduction_q55=np.zeros(bands, np.int64),
        gain_q27=np.minimum(makeup_q27, INT32_MAX).astype(np.int32),
        band_q27=np.zeros((bands * channels, samples), np.int32),
        sum_q26=np.zeros((channels, samples), np.int32),
        limiter=_init_limiter(params.band_limiter, channels, samples),
    )


def _init_limiter(params: LimiterParams, channels: int, samples: int) -> LimiterState:
    rows = len(params.threshold_q27) if params.blocks else 0
    return LimiterState(
        clock=np.zeros(2, np.int32),
        want_q31=np.zeros((rows, params.blocks + 1), np.int32),
        since_q31=np.zeros(rows, np.int32),
        released_q62=np.zeros(rows, np.int64),
        released_q31=np.zeros((rows, params.blocks), np.int32),
        sum_q31=np.zeros(rows, np.int64),
        attenuation_q31=np.zeros(rows, np.int32),
        delay_q27=np.zeros((rows * channels, params.blocks * samples), np.int32),
    )


def state_bytes(state: Any) -> int:
    """RAM of a state, bytes."""
    return int(sum(state_bytes(field) if isinstance(field, tuple) else field.nbytes for field in state))
