"""How far each node of each case may be from the float64 reference: twice what was measured.

The largest error of a node over the frozen stimulus, in the reference's unit; see `case.Node.scale`.
"""

import numpy as np

from firmware_model.golden.case import Case, Node
from firmware_model.golden.kernel_goldens import Difference

MARGIN = 2.0

# Levels are log2 of power and their largest errors are those of levels near the floor, where an LSB of the
# band is a large part of it. The detector's scores are sums of features that the firmware keeps in 8 bits.
MEASURED: dict[str, dict[str, float]] = {
    "mbdp-smart-speaker": {
        "band": 3.12e-07,  # 41.8 LSB
        "level": 4.71e-02,  # 7.89e+05 LSB
        "gain": 3.22e-06,  # 431 LSB
        "band_attenuation": 3.27e-07,  # 701 LSB
        "limited": 5.37e-07,  # 72 LSB
        "bus": 5.34e-07,  # 71.6 LSB
        "attenuation": 1.37e-07,  # 293 LSB
        "output": 1.57e-05,  # 0.512 LSB
    },
    "mbdp-conventional": {
        "band": 5.18e-08,  # 6.95 LSB
        "level": 1.94e-02,  # 3.25e+05 LSB
        "gain": 1.21e-07,  # 16.2 LSB
        "band_attenuation": 0.0,  # 0 LSB
        "limited": 1.23e-07,  # 16.4 LSB
        "bus": 1.37e-07,  # 18.3 LSB
        "attenuation": 2.92e-08,  # 62.6 LSB
        "output": 1.54e-05,  # 0.502 LSB
    },
    "mbdp-headset": {
        "band": 5.04e-08,  # 6.75 LSB
        "level": 3.39e-02,  # 5.68e+05 LSB
        "gain": 1.89e-07,  # 25.3 LSB
        "band_attenuation": 0.0,  # 0 LSB
        "limited": 5.84e-08,  # 7.83 LSB
        "bus": 7.04e-08,  # 9.45 LSB
        "attenuation": 0.0,  # 0 LSB
        "output": 1.53e-05,  # 0.501 LSB
    },
    "mbdp-six-bands": {
        "band": 2.90e-06,  # 388 LSB
        "level": 2.11e-02,  # 3.53e+05 LSB
        "gain": 2.46e-06,  # 329 LSB
        "band_attenuation": 8.08e-08,  # 174 LSB
        "limited": 6.70e-07,  # 89.9 LSB
        "bus": 1.11e-06,  # 149 LSB
        "attenuation": 1.77e-07,  # 380 LSB
        "output": 1.62e-05,  # 0.53 LSB
    },
    "watermark-detector": {
        "band_level": 1.96e-03,  # 0.5 LSB
        "slot_level": 1.61e-03,  # 3.29 LSB
        "feature": 6.26e-03,  # 0.601 LSB
        "score": 5.63e-02,  # 28.8 LSB
        "integrated": 5.63e-02,  # 28.8 LSB
    },
    "watermark-small": {
        "band_level": 1.96e-03,  # 0.5 LSB
        "slot_level": 1.48e-03,  # 3.03 LSB
        "feature": 5.48e-03,  # 0.525 LSB
        "score": 2.53e-01,  # 130 LSB
        "integrated": 2.09e-01,  # 107 LSB
    },
}


def error_of(node: Node, values: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """(rows, steps) float64: distance of a node's integers from the reference's values."""
    return np.abs(node.to_float(values) - exact)


def allowed_lsb(case: Case) -> float:
    """How far the output may be from the reference, in LSB of the output."""
    return MARGIN * MEASURED[case.name][case.output.name] / (case.output.fmt.lsb * case.output.scale)


def beyond_bounds(case: Case, x_q15: np.ndarray) -> tuple[Difference | None, float]:
    """The first value in signal-flow order that is further from the reference than it may be.

    Returns
    -------
    difference : expected is the reference's value in LSB of the node, rounded; None where all are within
    largest : the largest error of the output, in LSB
    """
    x_q15 = case.whole_blocks(x_q15)
    nodes, exact = case.trace(x_q15), case.reference(x_q15 / 32768)
    first = None
    for node in case.nodes:
        error = error_of(node, nodes[node.name], exact[node.name])
        beyond = ~(error <= MARGIN * MEASURED[case.name][node.name])  # a NaN is beyond
        if first is None and beyond.any():
            step = int(np.argmax(beyond.any(axis=0)))
            row = int(np.argmax(beyond[:, step]))
            value = exact[node.name][row, step] / (node.fmt.lsb * node.scale)
            expected = round(float(value)) if np.isfinite(value) else None
            first = Difference(node.name, node.rows[row], step, expected, int(nodes[node.name][row, step]))
    return first, float(error.max()) / (case.output.fmt.lsb * case.output.scale)
