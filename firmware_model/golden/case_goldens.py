"""Goldens of the products' cases: the output whole, each node by its hash and by marks to find a difference.

Of a node before the output the first steps are kept, and of the rest a check sum of each row over each
stretch of steps: nodes are four to ten times as large as the output.
"""

import dataclasses
import zlib
from typing import Any

import numpy as np

from firmware_model.case import Case, Node
from firmware_model.golden.kernel_cases import flat
from firmware_model.golden.kernel_goldens import Difference
from firmware_model.golden.stimuli import load
from firmware_model.golden.store import Frozen, Shipped, Store, digest, facts_of, shipped

HEAD_STEPS, HEAD_VALUES = 512, 1 << 14  # of a node, kept whole: so many at most, but a stretch in any case
STRETCH = 64  # steps that share a check sum


def freeze(case: Case, x_q15: np.ndarray) -> list[Frozen]:
    """The goldens of a case: its output, and its other nodes."""
    file = f"{case.name}.npz"
    frozen = []
    nodes = case.trace(x_q15)
    for node in case.nodes:
        values = nodes[node.name]
        fmt = str(node.fmt)
        if node == case.output:
            key = f"output:{case.name}"
            frozen.append(Frozen(key, file, {key: values}, facts_of(values, fmt, _configuration(case))))
        else:
            key = f"node:{case.name}:{node.name}"
            kept = {f"{key}:head": values[:, : _head_steps(node)], f"{key}:sums": check_sums(values)}
            facts = facts_of(values, fmt, {"case": case.name, "step": node.step})
            frozen.append(Frozen(key, file, kept, facts))
    return frozen


def first_difference(case: Case, store: Store | Shipped) -> Difference | None:
    """Run a case on its frozen stimulus and hold it against its goldens; None where all bits are equal.

    The first node in signal-flow order that differs is told. Where all nodes are equal, the production path,
    its probes off, has to give the same output.

    Raises
    ------
    ConfigError
        No golden of this name.
    GoldenError
        The store is not as it was written.
    """
    wanted = store.array(f"output:{case.name}")
    if parameters_digest(case) != store.entry(f"output:{case.name}")["configuration"]["parameters_sha256"]:
        return Difference("parameters", "", 0, None, None)
    x_q15 = case.whole_blocks(load(case))
    nodes = case.trace(x_q15)
    for node in case.nodes:
        values = nodes[node.name]
        if node == case.output:
            found = between(node, wanted, values)
        else:
            found = _node_difference(store, f"node:{case.name}:{node.name}", node, values)
        if found:
            return found
    return between(case.output, wanted, case.plain(x_q15))


def between(node: Node, wanted: np.ndarray, got: np.ndarray) -> Difference | None:
    """The first step, and there the first row, at which (rows, steps) arrays differ."""
    if wanted.shape != got.shape:
        return Difference(node.name, f"shape {got.shape}, {wanted.shape} needed", 0, None, None)
    if np.array_equal(wanted, got):
        return None
    step = int(np.flatnonzero((wanted != got).any(axis=0))[0])
    row = int(np.flatnonzero(wanted[:, step] != got[:, step])[0])
    return Difference(node.name, node.rows[row], step, int(wanted[row, step]), int(got[row, step]))


def check_sums(values: np.ndarray) -> np.ndarray:
    """(rows, stretches) uint16: the low half of the CRC-32 of the little-endian bytes of each stretch."""
    little = values.astype(values.dtype.newbyteorder("<"))
    starts = range(0, values.shape[1], STRETCH)
    sums = [
        [zlib.crc32(row[start : start + STRETCH].tobytes()) & 0xFFFF for start in starts] for row in little
    ]
    return np.array(sums, np.uint16)


def parameters_digest(case: Case) -> str:
    """SHA-256 of the integers that the firmware is configured with: tables, coefficients, thresholds."""
    return digest(flat(vars(case.start())["params"]))


def _node_difference(store: Store | Shipped, key: str, node: Node, got: np.ndarray) -> Difference | None:
    entry = store.entry(key)
    if list(got.shape) != entry["shape"]:
        return Difference(node.name, f"shape {got.shape}, {tuple(entry['shape'])} needed", 0, None, None)
    if digest(got) == entry["sha256"]:
        return None
    found = between(node, store.array(key, "head"), got[:, : _head_steps(node)])
    if found:
        return found
    row, stretch = _first(store.array(key, "sums") != check_sums(got))
    return Difference(node.name, node.rows[row], stretch * STRETCH, None, None)


def _head_steps(node: Node) -> int:
    return min(HEAD_STEPS, max(STRETCH, HEAD_VALUES // len(node.rows)))


def _first(differs: np.ndarray) -> tuple[int, int]:
    """(row, column) of the first column with a True; (0, 0) where there is none."""
    column = int(np.argmax(differs.any(axis=0)))
    return int(np.argmax(differs[:, column])), column


def of_the_same_firmware(case: Case) -> list[str]:
    """The other cases of a product whose parameters are the same: what reaches more with another stimulus."""
    entries = shipped().entries
    wanted = parameters_digest(case)
    return [
        other.name
        for other in (case.product.cases if case.product else ())
        if other.name != case.name
        and entries.get(f"output:{other.name}", {}).get("configuration", {}).get("parameters_sha256")
        == wanted
    ]


def _configuration(case: Case) -> dict[str, Any]:
    """What the case is: in words, in units, and the hash of the integers made of them."""
    settings = [_jsonable(argument) for argument in getattr(case.plain, "args", ())]
    return {
        "what": case.summary,
        "stimulus": case.stimulus,
        "settings": settings,
        "parameters_sha256": parameters_digest(case),
    }


def _jsonable(value: Any) -> Any:
    """Dataclasses as objects; an infinite ratio as text, JSON having no such number."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (tuple, list)):
        return [_jsonable(item) for item in value]
    return str(value) if isinstance(value, float) and np.isinf(value) else value
