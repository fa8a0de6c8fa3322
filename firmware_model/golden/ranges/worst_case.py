"""Worst cases of the linear nodes, derived instead of observed."""

import numpy as np

from firmware_model.case import Case

_FIRST_S, _LAST_S = 0.25, 8.0  # lengths of the impulse response that are tried
_TAIL = 1e-9  # of the norm in the response's second half: what follows adds less


def peak_gains(case: Case) -> dict[str, np.ndarray]:
    """Largest |value| that any input within [-1, 1] can bring about at each linear node.

    Returns
    -------
    by name, (rows,) float64 in the format's unit; infinite where the response does not decay within 8 s

    Notes
    -----
    |sum_k h[k] x[n - k]| <= sum_k |h[k]| for |x| <= 1, the L1 norm of the impulse response from input to
    node, summed over the input's channels; x[n - k] = sign h[k] reaches it. The response is that of the
    float64 reference, taken to decay without a pause; the integer node adds its rounding.
    Source: L. B. Jackson, Bell System Technical Journal 49 (1970).
    """
    linear = [node for node in case.nodes if node.linear]
    if not linear:
        return {}
    length_s = _FIRST_S
    while True:
        norms, tails = _norms(case, length_s)
        decayed = all((tails[node.name] <= _TAIL * norms[node.name]).all() for node in linear)
        if decayed or length_s >= _LAST_S:
            break
        length_s *= 2
    gains = {}
    for node in linear:
        norm, tail = norms[node.name], tails[node.name]
        gains[node.name] = np.where(tail <= _TAIL * norm, norm, np.inf) / node.scale
    return gains


def impulse_responses(case: Case, length_s: float) -> dict[str, np.ndarray]:
    """(channels, rows, steps) float64 of each linear node, in the reference's unit."""
    samples = max(1, round(length_s * case.fs_hz) // case.block) * case.block
    responses: dict[str, list[np.ndarray]] = {node.name: [] for node in case.nodes if node.linear}
    for channel in range(case.channels):
        x = np.zeros((case.channels, samples))
        x[channel, 0] = 1.0
        nodes = case.reference(x)
        for name, rows in responses.items():
            rows.append(nodes[name])
    return {name: np.stack(rows) for name, rows in responses.items()}


def _norms(case: Case, length_s: float) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """L1 norms by node, and what the second half of the response has in them."""
    magnitudes = {name: np.abs(h).sum(axis=0) for name, h in impulse_responses(case, length_s).items()}
    tails = {name: h[:, h.shape[1] // 2 :].sum(axis=1) for name, h in magnitudes.items()}
    return {name: h.sum(axis=1) for name, h in magnitudes.items()}, tails
