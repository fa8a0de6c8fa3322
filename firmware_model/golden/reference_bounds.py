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
        "band": 3.21e-07,  # 43 LSB
        "level": 6.38e-02,  # 1.07e+06 LSB
        "gain": 3.26e-06,  # 436 LSB
        "band_attenuation": 5.71e-07,  # 1.23e+03 LSB
        "limited": 8.74e-07,  # 117 LSB
        "bus": 9.01e-07,  # 121 LSB
        "attenuation": 2.5e-07,  # 535 LSB
        "output": 1.58e-05,  # 0.516 LSB
    },
    "mbdp-conventional": {
        "band": 7.97e-08,  # 10.7 LSB
        "level": 1.01e-02,  # 1.68e+05 LSB
        "gain": 1.71e-07,  # 22.9 LSB
        "band_attenuation": 0.0,  # 0 LSB
        "limited": 1.47e-07,  # 19.7 LSB
        "bus": 2.01e-07,  # 26.9 LSB
        "attenuation": 4.44e-08,  # 95.3 LSB
        "output": 1.54e-05,  # 0.503 LSB
    },
    "mbdp-headset": {
        "band": 4.84e-08,  # 6.49 LSB
        "level": 3.39e-02,  # 5.68e+05 LSB
        "gain": 1.89e-07,  # 25.3 LSB
        "band_attenuation": 0.0,  # 0 LSB
        "limited": 6.47e-08,  # 8.68 LSB
        "bus": 8.65e-08,  # 11.6 LSB
        "attenuation": 0.0,  # 0 LSB
        "output": 1.54e-05,  # 0.503 LSB
    },
    "mbdp-six-bands": {
        "band": 2.50e-06,  # 334 LSB
        "level": 4.39e-02,  # 7.36e+05 LSB
        "gain": 2.40e-06,  # 322 LSB
        "band_attenuation": 2.06e-07,  # 442 LSB
        "limited": 5.95e-07,  # 79.8 LSB
        "bus": 1.01e-06,  # 135 LSB
        "attenuation": 3.49e-07,  # 748 LSB
        "output": 1.62e-05,  # 0.529 LSB
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
