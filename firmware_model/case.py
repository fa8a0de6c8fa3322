"""A golden case: a product in one configuration, its stimulus, and its named nodes in signal-flow order."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np

from firmware_model.product import Product
from fixedpoint.qformat import QFormat


class Form(Enum):
    """What a product's kernel gives.

    SAMPLES : kernel(params, state, x, y, probes); x and y are (channels, n) int16, of whole blocks
    FIELDS : kernel(params, state, x, output, probes); x is one block, (n,) int16 of one channel or
        (channels, n) of several, and output a NamedTuple of arrays that are filled anew with each
    """

    SAMPLES = "samples"
    FIELDS = "fields"


class Node(NamedTuple):
    """A named internal signal.

    name : as the kernels' probes and the float64 reference name it, without the format's suffix
    fmt : format of its integers; the sign bit counts before the point
    rows : a label for each row: channel, band, key
    step : input samples for each of its values: 1, a control block, a hop
    scale : value of 1 in the reference's unit over one of fmt; 1 unless the firmware keeps another unit
    linear : whether it is a linear function of the input, so that its worst case can be derived
    """

    name: str
    fmt: QFormat
    rows: tuple[str, ...]
    step: int
    scale: float = 1.0
    linear: bool = False

    def to_float(self, values: np.ndarray) -> np.ndarray:
        """Integers of this node in the reference's unit."""
        return self.fmt.to_float(values) * self.scale


class Run(Protocol):
    """A product that runs, with its probes on.

    kernel : what processes a block
    params, state : the NamedTuples of integers that it is given
    output : of a product that gives FIELDS, its NamedTuple; None of one that gives SAMPLES
    """

    params: Any
    state: Any
    output: Any

    @property
    def kernel(self) -> Callable[..., Any]: ...

    def push(self, x_q15: np.ndarray) -> dict[str, np.ndarray]:
        """Nodes by name, (rows, n / step) integers, of (channels, n) int16 in whole blocks."""
        ...


class Case(NamedTuple):
    """A golden case.

    name : what commands call it
    summary : one line
    fs_hz, channels : of its input
    block : samples; inputs come in whole blocks
    stimulus : name of its frozen input, see `stimuli`
    nodes : in signal-flow order; the last is the output
    start : a fresh Run
    plain : the production path, probes off: (channels, n) int16 -> the last node's (rows, n / step) integers
    reference : the float64 twin: (channels, n) float64 -> nodes by name, (rows, n / step) float64
    form : what its kernel gives
    latency : samples from input to output, of a product that gives SAMPLES
    nodes_of : of one that gives FIELDS, field of its output -> node that it is
    alternatives : what may be mistaken for it, besides the product's other cases: (in words, a fresh Run)
    product : whose case it is, filled in by the register
    """

    name: str
    summary: str
    fs_hz: int
    channels: int
    block: int
    stimulus: str
    nodes: tuple[Node, ...]
    start: Callable[[], Run]
    plain: Callable[[np.ndarray], np.ndarray]
    reference: Callable[[np.ndarray], dict[str, np.ndarray]]
    form: Form = Form.SAMPLES
    latency: int = 0
    nodes_of: Mapping[str, str] = MappingProxyType({})
    alternatives: Callable[[], Iterable[tuple[str, Callable[[], Run]]]] = tuple
    product: Product | None = None

    @property
    def output(self) -> Node:
        """The last node."""
        return self.nodes[-1]

    def whole_blocks(self, x_q15: np.ndarray) -> np.ndarray:
        """(channels, n) without the samples after the last whole block; a copy of constants.

        For arrays that cannot be written to, kernels would be compiled a second time.
        """
        whole = np.ascontiguousarray(x_q15[:, : x_q15.shape[1] // self.block * self.block])
        return whole if whole.flags.writeable else whole.copy()

    def frames(self, x_q15: np.ndarray, seconds: float = 1.0) -> Iterator[dict[str, np.ndarray]]:
        """Nodes of a fresh run, frame by frame: the memory does not grow with the input."""
        run = self.start()
        length = max(1, round(seconds * self.fs_hz) // self.block) * self.block
        for first in range(0, x_q15.shape[1] - self.block + 1, length):
            yield run.push(self.whole_blocks(x_q15[:, first : first + length]))

    def trace(self, x_q15: np.ndarray) -> dict[str, np.ndarray]:
        """Nodes of a fresh run over the whole input."""
        return self.start().push(self.whole_blocks(x_q15))
