"""Golden cases of products with the usual parts: from kernel, parameters, state and twin to a `Case`.

A product of the usual parts has ``quantise(config) -> Params``, ``init_state(params) -> State`` and, where it
has inner nodes, ``init_probes(params, n) -> Probes``, n being the samples of a call: a NamedTuple of arrays,
each (rows, steps) or (steps,), named as the node, with or without its format's suffix ("gain", "gain_q31").
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from math import lcm
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case, Form, Node
from fixedpoint.errors import ConfigError
from fixedpoint.qformat import QFormat
from fixedpoint.subset.names import is_kernel

_INTEGERS = (int, np.signedinteger)


class Parts(NamedTuple):
    """What a product's cases have in common.

    kernel : what processes a block, see `case.Form`
    quantise, init_state : see above
    reference : the float64 twin: (config, (channels, n) float64) -> nodes by name, (rows, n / step) float64
    init_probes : None where only the output is a node
    init_output : of a product that gives fields: params -> its NamedTuple
    """

    kernel: Callable[..., Any]
    quantise: Callable[[Any], Any]
    init_state: Callable[[Any], Any]
    reference: Callable[[Any, np.ndarray], Mapping[str, np.ndarray]]
    init_probes: Callable[[Any, int], Any] | None = None
    init_output: Callable[[Any], Any] | None = None


def samples_case(
    parts: Parts,
    config: Any,
    name: str,
    summary: str,
    stimulus: str,
    nodes: tuple[Node, ...],
    *,
    fs_hz: int,
    channels: int = 1,
    block: int = 1,
    latency: int = 0,
) -> Case:
    """A case of a product that gives samples; see `case.Case` for what is not of `Parts`.

    Raises
    ------
    ConfigError
        Parts that do not fit: no probe of a node's name, a state that is no NamedTuple of integers, ...
    """
    runner = _Samples(_name_of(parts.kernel), parts, nodes)
    _require_fit(name, parts, config, nodes, (fs_hz, channels, block))
    return Case(
        name=name,
        summary=summary,
        fs_hz=fs_hz,
        channels=channels,
        block=block,
        stimulus=stimulus,
        nodes=nodes,
        start=partial(SamplesRun, runner, config),
        plain=partial(runner.plain, config),
        reference=partial(_exact, name, parts, config, nodes),
        latency=latency,
    )


def fields_case(
    parts: Parts,
    config: Any,
    name: str,
    summary: str,
    stimulus: str,
    nodes: tuple[Node, ...],
    *,
    fs_hz: int,
    channels: int = 1,
    block: int = 1,
) -> Case:
    """A case of a product that gives fields, each a node if there is one of its name; else as `samples_case`.

    The last node, the output, must be one of the fields.
    """
    runner = _Fields(_name_of(parts.kernel), parts, nodes, channels, block)
    fields = parts.init_output(parts.quantise(config))._fields if parts.init_output else ()
    found = {node.name: _field(node, fields) for node in nodes}
    if found[nodes[-1].name] is None:
        raise ConfigError(
            f"{name}: node {nodes[-1].name}: no field of the output; one needed of the last node"
        )
    _require_fit(name, parts, config, nodes, (fs_hz, channels, block))
    return Case(
        name=name,
        summary=summary,
        fs_hz=fs_hz,
        channels=channels,
        block=block,
        stimulus=stimulus,
        nodes=nodes,
        start=partial(FieldsRun, runner, config),
        plain=partial(runner.plain, config),
        reference=partial(_exact, name, parts, config, nodes),
        form=Form.FIELDS,
        nodes_of={field: node for node, field in found.items() if field is not None},
    )


def call_kernel(kernel: Callable[..., Any], *arguments: Any) -> None:
    """Call a kernel that has no name of its own here; `causes.faults.sites` knows this function."""
    kernel(*arguments)


def _name_of(kernel: Any) -> str:
    """ "module:function", by which another process finds the kernel, or what stands in its place there."""
    return f"{kernel.__module__}:{kernel.__name__}"


def _kernel(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    kernel: Callable[..., Any] = getattr(import_module(module), function)
    return kernel


class _Samples(NamedTuple):
    """How a product that gives samples is run; kernel : as `_name_of`"""

    kernel: str
    parts: Parts
    nodes: tuple[Node, ...]

    def plain(self, config: Any, x_q15: np.ndarray) -> np.ndarray:
        """The production path, probes off."""
        params, y_q15 = self.parts.quantise(config), np.empty_like(x_q15)
        call_kernel(_kernel(self.kernel), params, self.parts.init_state(params), x_q15, y_q15, None)
        return y_q15


class SamplesRun:
    """A product that gives samples, with its probes on."""

    output = None

    def __init__(self, runner: _Samples, config: Any) -> None:
        self._runner = runner
        self.params = runner.parts.quantise(config)
        self.state = runner.parts.init_state(self.params)

    @property
    def kernel(self) -> Callable[..., Any]:
        """See `case.Run`."""
        return _kernel(self._runner.kernel)

    def push(self, x_q15: np.ndarray) -> dict[str, np.ndarray]:
        """See `case.Run`."""
        parts, nodes = self._runner.parts, self._runner.nodes
        probes = parts.init_probes(self.params, x_q15.shape[1]) if parts.init_probes else None
        y_q15 = np.empty_like(x_q15)
        call_kernel(self.kernel, self.params, self.state, x_q15, y_q15, probes)
        return {**_probed(probes, nodes[:-1], x_q15.shape[1]), nodes[-1].name: y_q15}


class _Fields(NamedTuple):
    """How a product that gives fields is run."""

    kernel: str
    parts: Parts
    nodes: tuple[Node, ...]
    channels: int
    block: int

    def blocks(self, x_q15: np.ndarray) -> list[np.ndarray]:
        """Of the input, as the kernel takes them."""
        starts = range(0, x_q15.shape[1], self.block)
        found = [np.ascontiguousarray(x_q15[:, start : start + self.block]) for start in starts]
        return [block[0] for block in found] if self.channels == 1 else found

    def plain(self, config: Any, x_q15: np.ndarray) -> np.ndarray:
        """The production path, probes off."""
        run = FieldsRun(self, config, probed=False)
        return run.push(x_q15)[self.nodes[-1].name]


class FieldsRun:
    """A product that gives fields, with its probes on, block by block."""

    def __init__(self, runner: _Fields, config: Any, probed: bool = True) -> None:
        self._runner, self._probed = runner, probed
        parts = runner.parts
        assert parts.init_output is not None
        self.params = parts.quantise(config)
        self.state, self.output = parts.init_state(self.params), parts.init_output(self.params)

    @property
    def kernel(self) -> Callable[..., Any]:
        """See `case.Run`."""
        return _kernel(self._runner.kernel)

    def push(self, x_q15: np.ndarray) -> dict[str, np.ndarray]:
        """See `case.Run`."""
        runner = self._runner
        parts = runner.parts
        kept: dict[str, list[np.ndarray]] = {}
        for x in runner.blocks(x_q15):
            probes = (
                parts.init_probes(self.params, runner.block) if parts.init_probes and self._probed else None
            )
            call_kernel(self.kernel, self.params, self.state, x, self.output, probes)
            for node in runner.nodes:
                field = _field(node, self.output._fields)
                if field is not None:
                    kept.setdefault(node.name, []).append(getattr(self.output, field).reshape(-1, 1).copy())
                elif probes is not None:
                    found = _probed(probes, (node,), runner.block)[node.name]
                    kept.setdefault(node.name, []).append(found.copy())
        return {name: np.ascontiguousarray(np.concatenate(found, axis=1)) for name, found in kept.items()}


def _field(node: Node, fields: tuple[str, ...]) -> str | None:
    """The field of a node: of its name, or of that with a format's suffix."""
    return next((field for field in fields if field == node.name or field.startswith(f"{node.name}_q")), None)


def _probed(probes: Any, nodes: tuple[Node, ...], n: int) -> dict[str, np.ndarray]:
    """Nodes by name, (rows, steps), from the probes of a call over n samples.

    Raises
    ------
    ConfigError
        A node without probe, or a probe of another shape.
    """
    found = {}
    for node in nodes:
        field = _field(node, probes._fields if probes is not None else ())
        if field is None:
            raise ConfigError(f"node {node.name}: no probe; a field {node.name} or {node.name}_q... needed")
        values = np.atleast_2d(getattr(probes, field))
        wanted = (len(node.rows), n // node.step)
        if values.shape != wanted:
            raise ConfigError(
                f"node {node.name}: probe {field} of shape {values.shape} found, {wanted} needed"
            )
        found[node.name] = values
    return found


def _exact(
    name: str, parts: Parts, config: Any, nodes: tuple[Node, ...], x: np.ndarray
) -> dict[str, np.ndarray]:
    """The float64 twin's nodes.

    Raises
    ------
    ConfigError
        It gives no node of a name, or one of another shape.
    """
    found = parts.reference(config, x)
    if not isinstance(found, Mapping):
        raise ConfigError(f"{name}: the reference gives {type(found).__name__}; nodes by name needed")
    for node in nodes:
        if node.name not in found:
            given = ", ".join(map(str, found)) or "none"
            raise ConfigError(f"{name}: node {node.name}: the reference gives {given}; all nodes needed")
        shape, wanted = np.shape(found[node.name]), (len(node.rows), x.shape[1] // node.step)
        if shape != wanted:
            raise ConfigError(f"{name}: node {node.name}: {shape} of the reference found, {wanted} needed")
    return dict(found)


def _require_fit(
    name: str, parts: Parts, config: Any, nodes: tuple[Node, ...], sizes: tuple[int, int, int]
) -> None:
    """Refuse what neither Numba nor the C could take, and nodes that the probes do not have."""
    for what, size in zip(("fs_hz", "channels", "block"), sizes, strict=True):
        if not isinstance(size, int) or size < 1:
            raise ConfigError(f"{name}: {what}={size!r}: must be an integer of 1 or more")
    if not is_kernel(parts.kernel):
        raise ConfigError(f"{name}: kernel {_name_of(parts.kernel)}: is no kernel; @kernel needed")
    if not nodes:
        raise ConfigError(f"{name}: no nodes found; the output at least needed")
    for node in nodes:
        if not isinstance(node, Node) or not isinstance(node.fmt, QFormat):
            found = getattr(node, "name", node)
            raise ConfigError(f"{name}: node {found}: a Node needed, its fmt a QFormat")
        if node.step < 1 or not node.rows:
            raise ConfigError(f"{name}: node {node.name}: a step of 1 or more and a row at least needed")
    params = parts.quantise(config)
    _require_integers(f"{name}: quantise", params)
    _require_integers(f"{name}: init_state", parts.init_state(params))
    if parts.init_probes is None or (len(nodes) == 1 and parts.init_output is None):
        return
    n = lcm(sizes[2], *(node.step for node in nodes))
    fields = parts.init_output(params)._fields if parts.init_output else ()
    inner = tuple(node for node in nodes if _field(node, fields) is None) if parts.init_output else nodes[:-1]
    try:
        _probed(parts.init_probes(params, n), inner, n)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error


def _require_integers(what: str, value: Any, field: str = "") -> None:
    """Raise ConfigError of all but a NamedTuple of integers, arrays of signed ones, and such tuples."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        for each in value._fields:
            _require_integers(what, getattr(value, each), f"{field}.{each}" if field else each)
        return
    kind = str(value.dtype) if isinstance(value, np.ndarray) else type(value).__name__
    if not field:
        raise ConfigError(f"{what} gives a {kind}; a NamedTuple of integers and arrays needed")
    sound = value.dtype.kind == "i" if isinstance(value, np.ndarray) else isinstance(value, _INTEGERS)
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise ConfigError(f"{what}: {field} = {value}: must be within 64 bits")
    if not sound or isinstance(value, bool):
        raise ConfigError(f"{what}: {field} is {kind}; an integer or an array of int8, 16, 32 or 64 needed")
