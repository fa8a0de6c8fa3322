"""Arguments of each kernel, for its own golden, the overflow audit and the checker of the subset."""

import numpy as np

from dcgate.kernels import process_frame  # noqa: F401 (registers the kernels)
from dcgate.params import BLOCK, CHANNELS, GateConfig, GateParams, quantise
from dcgate.state import GateState, init_probes, init_state
from firmware_model.golden.frozen_random import FrozenRandom

CONFIGS = (GateConfig(), GateConfig(200.0, -6.0, -80.0, 1.0, 2000.0, 2.0))
_TOP = (1 << 31) - 1


def _int64(*values: int) -> tuple[np.int64, ...]:
    return tuple(np.int64(value) for value in values)


def _states(rng: FrozenRandom) -> list[tuple[GateParams, GateState]]:
    """Each configuration with a state that holds anything that it can."""
    found = []
    for config in CONFIGS:
        for gain in (0, 1, _TOP // 2, _TOP):
            params = quantise(config)
            state = init_state(params)
            state.x_q15[:] = rng.integers(-(1 << 15), 1 << 15, CHANNELS)
            state.y_q27[:] = rng.integers(-(4 << 27), 4 << 27, CHANNELS)
            state.rest_q58[:] = rng.integers(-(1 << 30), 1 << 30, CHANNELS)
            state.blocked_q27[:] = rng.integers(-(4 << 27), 4 << 27, (CHANNELS, BLOCK)) >> int(gain > 1) * 9
            state.gain_q31[:] = gain
            state.held[:] = rng.integers(0, 3)
            found.append((params, state))
    return found


def _input(rng: FrozenRandom, blocks: int) -> np.ndarray:
    x = rng.integers(-(1 << 15), 1 << 15, (CHANNELS, blocks * BLOCK)).astype(np.int16)
    x[:, :BLOCK] = np.where(np.arange(BLOCK) % 6 < 3, 32767, -32768)
    return x


def _blocks(rng: FrozenRandom) -> list[tuple]:
    x = _input(rng, 2)
    return [(p, s, x, *_int64(channel, BLOCK)) for p, s in _states(rng) for channel in range(CHANNELS)]


def _levels(rng: FrozenRandom) -> list[tuple]:
    return [(s,) for _, s in _states(rng)]


def _gains(rng: FrozenRandom) -> list[tuple]:
    return [
        (p, s, level)
        for p, s in _states(rng)
        for level in _int64(0, p.close_q15 - 1, p.close_q15, p.open_q15, 32767)
    ]


def _applied(rng: FrozenRandom) -> list[tuple]:
    y = np.zeros((CHANNELS, BLOCK), np.int16)
    ends = ((0, _TOP), (_TOP, 0), (_TOP, _TOP), (0, 0), (1, 1 << 30))
    return [(s, y, *_int64(0, *pair)) for _, s in _states(rng) for pair in ends]


def _frames(rng: FrozenRandom) -> list[tuple]:
    made = []
    for params, state in _states(rng):
        x = _input(rng, 3)
        made.append((params, state, x, np.zeros_like(x), init_probes(params, x.shape[1])))
        made.append((params, state, x, np.zeros_like(x), None))
    return made


CASES = {
    "dcgate.kernels.block_dc": _blocks,
    "dcgate.kernels.level_of": _levels,
    "dcgate.kernels.next_gain": _gains,
    "dcgate.kernels.apply_gain": _applied,
    "dcgate.kernels.process_frame": _frames,
}
