"""A product in one configuration: the kernel, and all the integers that it starts from."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case, Form, Run
from firmware_model.golden import stimuli as frozen
from firmware_model.product import Product
from fixedpoint.errors import ConfigError


class Array(NamedTuple):
    """An array of a state or an output, and its place: "state.bank.gain_q27".

    kind : NamedTuple that has it as a field
    """

    path: str
    values: np.ndarray
    kind: type


class Configured(NamedTuple):
    """A product in one configuration.

    product : whose files and public names begin with bittrue_NAME
    label : of the configuration, one line
    fs_hz, channels : of its input
    block : samples; it takes its input in whole blocks: a control block, a hop
    form : what its kernel gives
    kernel : what processes a block
    params : of the kernel
    state, output : as at the start; a product that gives samples has None as its output
    stimulus : makes (channels, n) int16, Q1.15, whole blocks, that exercise it
    latency_samples : delay of the samples that it gives
    """

    product: Product
    label: str
    fs_hz: int
    channels: int
    block: int
    form: Form
    kernel: Callable[..., Any]
    params: Any
    state: Any
    output: Any
    stimulus: Callable[[], np.ndarray]
    latency_samples: int = 0

    @property
    def name(self) -> str:
        """The product's."""
        return self.product.name

    @property
    def arguments(self) -> tuple[Any, ...]:
        """An example of each of the kernel's arguments."""
        x_q15 = np.zeros((self.channels, self.block), np.int16)
        signals = (x_q15, x_q15) if self.form == Form.SAMPLES else (self.one_block(x_q15), self.output)
        return (self.params, self.state, *signals, None)

    def one_block(self, x_q15: np.ndarray) -> np.ndarray:
        """(channels, n) as the kernel of a product that gives fields takes it: of one channel (n,)."""
        return x_q15[0] if self.channels == 1 else np.ascontiguousarray(x_q15)

    @property
    def parameter_names(self) -> list[str]:
        """Of the kernel: parameters, state, input, output, probes, whatever their names."""
        python = getattr(self.kernel, "py_func", self.kernel)
        return list(inspect.signature(python).parameters)

    @property
    def memory(self) -> list[Array]:
        """Arrays that firmware holds in RAM, as at the start, in order; those of the output are the last."""
        output = () if self.form == Form.SAMPLES else arrays(self.output, "output.")
        return [*arrays(self.state, "state."), *output]

    @property
    def state_bytes(self) -> int:
        """RAM of the state's arrays."""
        return sum(each.values.nbytes for each in arrays(self.state, "state."))

    @property
    def table_bytes(self) -> int:
        """Flash of the arrays among the parameters: coefficients and tables."""
        return sum(each.values.nbytes for each in arrays(self.params, ""))


def arrays(values: Any, prefix: str) -> Iterator[Array]:
    """Arrays of a NamedTuple and of those within."""
    for field, value in zip(values._fields, values, strict=True):
        if isinstance(value, tuple):
            yield from arrays(value, f"{prefix}{field}.")
        elif isinstance(value, np.ndarray):
            yield Array(prefix + field, value, type(values))


def of_case(case: Case) -> Configured:
    """A golden case's product, exercised by the case's stimulus."""
    return of_run(
        case,
        case.start(),
        f"{case.name}: {case.summary}",
        lambda: case.whole_blocks(frozen.load(case)),
    )


def of_run(case: Case, run: Run, label: str, stimulus: Callable[[], np.ndarray]) -> Configured:
    """A product in a case's configuration.

    Raises
    ------
    ConfigError
        The run is not of the case's form.
    """
    assert case.product is not None, f"{case.name}: of no product"
    if (run.output is None) != (case.form == Form.SAMPLES):
        found = "no output" if run.output is None else "an output"
        raise ConfigError(f"{case.name}: {found} found in a run of a product that gives {case.form.value}")
    return Configured(
        product=case.product,
        label=label,
        fs_hz=case.fs_hz,
        channels=case.channels,
        block=case.block,
        form=case.form,
        kernel=run.kernel,
        params=run.params,
        state=run.state,
        output=run.output,
        stimulus=stimulus,
        latency_samples=case.latency,
    )
