"""Golden cases: configurations, their inputs, and how far they are from the float64 twin."""

import numpy as np

from dcgate import reference
from dcgate.kernels import process_frame
from dcgate.params import BLOCK, CHANNELS, FS_HZ, GateConfig, quantise
from dcgate.state import init_probes, init_state
from firmware_model.case import Node
from firmware_model.golden.frozen_random import FrozenRandom
from firmware_model.golden.stimuli import amplitude, to_q15
from firmware_model.runs import Parts, samples_case
from fixedpoint.qformat import Q15, Q31, QFormat

PARTS_OF_ALL = Parts(process_frame, quantise, init_state, reference.process, init_probes)
_SIDES = ("left", "right")
NODES = (
    Node("blocked", QFormat(5, 27), _SIDES, 1, linear=True),
    Node("level", QFormat(17, 15), ("both",), BLOCK),
    Node("gain", Q31, ("both",), BLOCK),
    Node("output", Q15, _SIDES, 1),
)


def _case(name: str, summary: str, stimulus: str, config: GateConfig):
    return samples_case(
        PARTS_OF_ALL,
        config,
        name,
        summary,
        stimulus,
        NODES,
        fs_hz=FS_HZ,
        channels=CHANNELS,
        block=BLOCK,
    )


CASES = (
    _case("dcgate", "as shipped: words over hum and an offset, stereo, 48 kHz", "words", GateConfig()),
    _case(
        "dcgate-fast",
        "200 Hz corner, no hold, noise at the rails, stereo, 48 kHz",
        "rails",
        GateConfig(200.0, -20.0, -26.0, 1.0, 1.0, 0.0),
    ),
)


def _words() -> np.ndarray:
    """0.5 s: bursts of noise over an offset, the right channel 12 dB softer, quiet in between."""
    n = FS_HZ // 2
    rng = FrozenRandom("dcgate-words")
    t = np.arange(n) / FS_HZ
    loud = (t % 0.25 < 0.1).astype(float)
    noise = rng.normal(2 * n).reshape(2, n)
    x = noise * (amplitude(-70) + loud * amplitude(-18)) * np.array([[1.0], [amplitude(-12)]])
    return to_q15(x + np.array([[0.02], [-0.01]]))


def _rails() -> np.ndarray:
    """0.1 s: squares from rail to rail of several periods, then the lowest value, then silence."""
    i = np.arange(BLOCK * 40)
    squares = np.where(
        i % np.repeat([2, 7, 96, 480], BLOCK * 10) < np.repeat([1, 3, 48, 240], BLOCK * 10), 32767, -32768
    )
    low = np.full(BLOCK * 30, -32768)
    x = np.concatenate([squares, low, np.zeros(BLOCK * 30, int)])
    return np.stack([x, -1 - x]).astype(np.int16)


STIMULI = {
    "words": ("bursts of noise over an offset, 48 kHz", _words),
    "rails": ("squares from rail to rail, a constant, silence, 48 kHz", _rails),
}
# Largest error of each node against the twin that was measured, in the twin's unit.
BOUNDS = {
    "dcgate": {"blocked": 3.95e-09, "level": 1.53e-05, "gain": 4.77e-09, "output": 1.53e-05},
    "dcgate-fast": {"blocked": 9.04e-09, "level": 3.06e-05, "gain": 6.95e-10, "output": 1.53e-05},
}
# In which node a kernel's error is seen, for the conformance page.
PARTS = {
    "dcgate.kernels.block_dc": "dcgate:blocked",
    "dcgate.kernels.level_of": "dcgate:level",
    "dcgate.kernels.next_gain": "dcgate:gain",
    "dcgate.kernels.": "dcgate:output",
}
