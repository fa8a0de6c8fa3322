"""Vectors of an exported product: an input, and what the model makes of it, as a C header."""

from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Form
from firmware_model.device.export.configured import Array, Configured
from firmware_model.device.export.facts import prefix
from firmware_model.device.export.header import member
from firmware_model.golden.vectors.c_source import array, comment


class Vectors(NamedTuple):
    """An input, and the model's results.

    x_q15 : (channels, n) int16, Q1.15
    outputs : by name, in order; of a product that gives samples y, (channels, n) int16, Q1.15; of one that
        gives fields each of them, (blocks, size)
    memory : arrays of state and output after the last sample
    """

    x_q15: np.ndarray
    outputs: dict[str, np.ndarray]
    memory: list[Array]


def compute(setup: Configured) -> Vectors:
    """Run the model over the stimulus; `setup` itself stays as at the start."""
    x_q15 = setup.stimulus()
    fresh = setup._replace(state=_copied(setup.state), output=_copied(setup.output))
    if setup.form == Form.SAMPLES:
        y_q15 = np.empty_like(x_q15)
        setup.kernel(setup.params, fresh.state, x_q15, y_q15, None)
        return Vectors(x_q15, {"y": y_q15}, fresh.memory)
    kept: dict[str, list[np.ndarray]] = {field: [] for field in setup.output._fields}
    for start in range(0, x_q15.shape[1], setup.block):
        x = setup.one_block(x_q15[:, start : start + setup.block])
        setup.kernel(setup.params, fresh.state, x, fresh.output, None)
        for field, values in zip(fresh.output._fields, fresh.output, strict=True):
            kept[field].append(values.flatten())
    return Vectors(x_q15, {field: np.stack(hops) for field, hops in kept.items()}, fresh.memory)


def header(setup: Configured, vectors: Vectors) -> str:
    """Text of PREFIX_vectors.h."""
    own = prefix(setup.name)
    guard = f"{own}_vectors_h"
    samples = vectors.x_q15.shape[1]
    parts = [
        comment([f"Vectors of {own}.h: an input, the model's output, and its memory after the last sample."]),
        f"#ifndef {guard}\n#define {guard}",
        f'#include "{own}.h"',
        f"#define {own.upper()}_VECTOR_SAMPLES {samples} /* of each channel */",
        comment(["Q1.15; all samples of a channel, then all of the next."]),
        array(f"{own}_input", vectors.x_q15.ravel()),
    ]
    for name, values in vectors.outputs.items():
        says = "The same, out." if setup.form == Form.SAMPLES else f"self->output.{name} of every hop."
        parts += [comment([says]), array(f"{own}_expected_{name}", values.ravel())]
    held = [each for each in vectors.memory if each.values.size]  # C has no empty array
    parts.append(comment(["The memory afterwards."]))
    parts += [array(f"{own}_final_{member(path)}", values.ravel()) for path, values, _ in held]
    listed = [f'    F("{path}", {member(path)})' for path, _, _ in held]
    parts.append(comment(["For each array: F(name in the model, member of the memory struct)."]))
    parts.append(" \\\n".join([f"#define {own.upper()}_ARRAYS(F)", *listed]))
    return "\n\n".join([*parts, f"#endif /* {guard} */"]) + "\n"


def _copied(values: Any) -> Any:
    """A NamedTuple of arrays, copied to the last."""
    if isinstance(values, tuple):
        return type(values)(*map(_copied, values))  # type: ignore[call-arg]
    return values.copy() if isinstance(values, np.ndarray) else values
