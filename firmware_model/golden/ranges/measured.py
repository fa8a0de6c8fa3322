"""Ranges: how much of its word every node uses, and what its rounding costs, over input of any length."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from firmware_model.case import Case, Node

_SPAN = 1 << 16  # values requantised at a time: they stay in the processor's cache


class NodeRange:
    """What the values of one node take up; frames are added as they come, and none is kept.

    Parameters
    ----------
    node : Node

    Attributes
    ----------
    count : int, values seen in each row
    low, high : (rows,) int64, least and largest value
    rails : (rows,) int64, values at the format's least or largest, where a saturated one ends up
    histogram : (rows, bits) int64; column b counts the values that need b bits beside the sign: with 2^(b-1)
        <= |value| < 2^b for b > 0 (-2^b, which needs no more bits, among them), 0 and -1 for b = 0
    signal_energy : (rows,) float64, sum of squares of the float64 node, LSB^2
    error_energy : (rows, n + 1) float64, LSB^2; column k sums the squared differences of the float64 node
        from this one requantised to k fractional bits, RND, SAT at its own full scale; column n from this one
        as it is
    max_error : (rows,) float64, largest difference of the two, LSB
    """

    def __init__(self, node: Node) -> None:
        rows = len(node.rows)
        self.node = node
        self.count = 0
        self.low = np.full(rows, node.fmt.max_int, np.int64)
        self.high = np.full(rows, node.fmt.min_int, np.int64)
        self.rails = np.zeros(rows, np.int64)
        self.histogram = np.zeros((rows, node.fmt.bits), np.int64)
        self.signal_energy = np.zeros(rows)
        self.error_energy = np.zeros((rows, node.fmt.n + 1))
        self.max_error = np.zeros(rows)

    def add(self, values: np.ndarray) -> None:
        """Count values, (rows, steps) integers."""
        if not values.shape[1]:
            return
        fmt, values = self.node.fmt, values.astype(np.int64)
        self.count += values.shape[1]
        self.low = np.minimum(self.low, values.min(axis=1))
        self.high = np.maximum(self.high, values.max(axis=1))
        self.rails += np.count_nonzero((values == fmt.min_int) | (values == fmt.max_int), axis=1)
        magnitude = values ^ (values >> 63)
        # The top bit alone decides; without the one below it, no conversion to double rounds up to the next.
        _, bits = np.frexp((magnitude & ~(magnitude >> 1)).astype(np.float64))
        column = bits + fmt.bits * np.arange(len(values))[:, None]
        counts = np.bincount(column.ravel(), minlength=self.histogram.size)
        self.histogram += counts.reshape(self.histogram.shape)

    def compare(self, values: np.ndarray, reference: np.ndarray) -> None:
        """Add up signal and error: (rows, steps) integers and float64, the latter in the reference's unit."""
        n = self.node.fmt.n
        span = max(1, _SPAN // len(values))
        for start in range(0, values.shape[1], span):
            v = values[:, start : start + span].astype(np.int64)
            r = np.ldexp(reference[:, start : start + span] / self.node.scale, n)
            self.signal_energy += np.square(r).sum(axis=1)
            self.max_error = np.maximum(self.max_error, np.abs(v - r).max(axis=1))
            for k in range(n + 1):
                top = (1 << (self.node.fmt.m - 1 + k)) - 1  # rounding reaches beyond the largest value only
                requantised = np.minimum(requantise(v, n - k), top) << (n - k)
                self.error_energy[:, k] += np.square(requantised - r).sum(axis=1)

    @property
    def peak(self) -> np.ndarray:
        """(rows,) float64, largest |value| in the format's unit."""
        return np.ldexp(np.maximum(np.abs(self.low), np.abs(self.high)).astype(np.float64), -self.node.fmt.n)

    @property
    def bits_used(self) -> np.ndarray:
        """(rows,) int, bits that hold every value seen, the sign's among them."""
        return np.array(
            [width(low, high) for low, high in zip(self.low.tolist(), self.high.tolist(), strict=True)]
        )

    @property
    def headroom_db(self) -> float:
        """Full scale of the format to the largest |value| of all rows, dB; infinite where all are 0."""
        peak = self.peak.max()
        return float(20 * np.log10(2.0 ** (self.node.fmt.m - 1) / peak)) if peak else np.inf

    def sqnr_db(self, frac_bits: int | None = None) -> np.ndarray:
        """Signal to quantisation noise: energy of the float64 node to that of the error.

        frac_bits : requantised to so many; None is the node as it is

        Returns
        -------
        (rows,) float64, dB; infinite where there is no error, NaN where the float64 node is all zeros
        """
        error = self.error_energy[:, -1 if frac_bits is None else frac_bits]
        sqnr = np.full(len(error), np.nan)
        heard = self.signal_energy > 0
        sqnr[heard] = np.inf
        both = heard & (error > 0)
        sqnr[both] = 10 * np.log10(self.signal_energy[both] / error[both])
        return sqnr


def requantise(values: Any, shift: int) -> Any:
    """floor(values * 2^-shift + 1/2), RND: an int or int64 array with so many fractional bits less."""
    return (values + ((1 << shift) >> 1)) >> shift


def width(low: int, high: int) -> int:
    """Bits of two's complement that hold both, the sign's among them."""
    return 1 + max((v if v >= 0 else ~v).bit_length() for v in (low, high))


def worst_row(values: np.ndarray, *, least: bool) -> int | None:
    """Row of the least or of the largest value, NaN left out; None where there is no other."""
    if np.isnan(values).all():
        return None
    return int(np.nanargmin(values) if least else np.nanargmax(values))


def measure(case: Case, inputs: Iterable[Iterable[np.ndarray]], excerpt_s: float) -> dict[str, NodeRange]:
    """Ranges of all nodes of a case, by name.

    Parameters
    ----------
    case : Case
    inputs : recordings, each run from the initial state; each yields frames of (channels, n) int16, Q1.15, of
        whole blocks
    excerpt_s : seconds from the beginning of each recording that the float64 reference processes too

    Notes
    -----
    Memory: one frame, and the nodes of one excerpt.
    """
    ranges = {node.name: NodeRange(node) for node in case.nodes}
    limit = round(excerpt_s * case.fs_hz) // case.block * case.block
    for frames in inputs:
        run, kept, samples = case.start(), [], 0
        for x_q15 in frames:
            nodes = run.push(x_q15)
            for name, values in nodes.items():
                ranges[name].add(values)
            if samples < limit:
                kept.append((x_q15, nodes))
                samples += x_q15.shape[1]
        if kept and limit:
            _compare_excerpt(case, ranges, kept, min(samples, limit))
    return ranges


def _compare_excerpt(
    case: Case,
    ranges: dict[str, NodeRange],
    kept: list[tuple[np.ndarray, dict[str, np.ndarray]]],
    samples: int,
) -> None:
    x_q15 = np.concatenate([frame for frame, _ in kept], axis=1)[:, :samples]
    reference = case.reference(np.ldexp(x_q15.astype(np.float64), -15))
    for node in case.nodes:
        values = np.concatenate([nodes[node.name] for _, nodes in kept], axis=1)[:, : samples // node.step]
        ranges[node.name].compare(values, reference[node.name])
