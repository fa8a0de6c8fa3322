"""The float64 twin, from the equations: NumPy and SciPy, nothing of the kernels."""

from itertools import pairwise

import numpy as np
from scipy.signal import lfilter

from dcgate.params import BLOCK, GateConfig


def process(config: GateConfig, x: np.ndarray) -> dict[str, np.ndarray]:
    """Nodes by name, (rows, steps) float64.

    x : (2, n) float64, full scale 1, whole blocks
    """
    blocked = lfilter([1.0, -1.0], [1.0, -config.pole], x, axis=1)
    level = np.minimum(np.abs(blocked).reshape(2, -1, BLOCK).max(axis=(0, 2)), 1.0)
    opens, closes = 10 ** (config.open_dbfs / 20), 10 ** (config.close_dbfs / 20)
    attack, release = config.per_block(config.attack_ms), config.per_block(config.release_ms)
    gain, held, gains = 0.0, 0, [0.0]
    for each in level:
        if each >= opens or (gain > 0 and each >= closes and held > 0):
            held = config.hold_blocks + 1
        elif held > 0:
            held -= 1
        gain += (1 - gain) * attack if held > 0 else -gain * release
        gains.append(gain)
    ramp = np.concatenate(
        [begin + (end - begin) * np.arange(1, BLOCK + 1) / BLOCK for begin, end in pairwise(gains)]
    )
    return {
        "blocked": blocked,
        "level": level[np.newaxis],
        "gain": np.array(gains[1:])[np.newaxis],
        "output": np.clip(blocked * ramp, -1.0, 32767 / 32768),
    }
