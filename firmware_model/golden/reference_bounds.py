"""How far each node of each case may be from the float64 reference: twice what was measured.

The largest error of a node over the frozen stimulus, in the reference's unit; see `case.Node.scale`.
"""

import numpy as np

from firmware_model.case import Case, Node
from firmware_model.golden.kernel_goldens import Difference
from fixedpoint.errors import ConfigError

MARGIN = 2.0


def measured(case: Case) -> dict[str, float]:
    """Largest error of each node that was measured, in the reference's unit: the product's BOUNDS.

    Raises
    ------
    ConfigError
        The product states none for this case, or not for each node.
    """
    assert case.product is not None, f"{case.name}: of no product"
    stated = case.product.part("cases").BOUNDS.get(case.name, {})
    missing = [node.name for node in case.nodes if not isinstance(stated.get(node.name), (int, float))]
    if missing:
        raise ConfigError(f"{case.name}: BOUNDS has no number for {', '.join(missing)}; one each needed")
    return stated


def error_of(node: Node, values: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """(rows, steps) float64: distance of a node's integers from the reference's values."""
    return np.abs(node.to_float(values) - exact)


def allowed_lsb(case: Case) -> float:
    """How far the output may be from the reference, in LSB of the output."""
    return MARGIN * measured(case)[case.output.name] / (case.output.fmt.lsb * case.output.scale)


def beyond_bounds(case: Case, x_q15: np.ndarray) -> tuple[Difference | None, float]:
    """The first value in signal-flow order that is further from the reference than it may be.

    Returns
    -------
    difference : expected is the reference's value in LSB of the node, rounded; None where all are within
    largest : the largest error of the output, in LSB
    """
    x_q15 = case.whole_blocks(x_q15)
    nodes, exact = case.trace(x_q15), case.reference(x_q15 / 32768)
    first, bounds = None, measured(case)
    for node in case.nodes:
        error = error_of(node, nodes[node.name], exact[node.name])
        beyond = ~(error <= MARGIN * bounds[node.name])  # a NaN is beyond
        if first is None and beyond.any():
            step = int(np.argmax(beyond.any(axis=0)))
            row = int(np.argmax(beyond[:, step]))
            value = exact[node.name][row, step] / (node.fmt.lsb * node.scale)
            expected = round(float(value)) if np.isfinite(value) else None
            first = Difference(node.name, node.rows[row], step, expected, int(nodes[node.name][row, step]))
    return first, float(error.max()) / (case.output.fmt.lsb * case.output.scale)
