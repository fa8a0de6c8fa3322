"""The source of an exported product: kernels, the configuration in flash, init and process."""

from typing import Any

import numpy as np

from firmware_model.case import Form
from firmware_model.device.export.configured import Array, Configured, arrays
from firmware_model.device.export.facts import prefix
from firmware_model.device.export.header import member
from firmware_model.golden.vectors.c_source import array, literal
from fixedpoint.arith import INT32_MAX, INT32_MIN
from fixedpoint.c99.translator import Module
from fixedpoint.c99.types import ArrayRef, CFunction, Parameter, Struct, StructRef, length_suffix

_FILL = """\
static void fill_@w@(int@w@_t *values, int32_t n, int@w@_t value)
{
    for (int32_t i = 0; i < n; i++) {
        values[i] = value;
    }
}"""
_COPY = """\
static void copy_@w@(int@w@_t *values, const int@w@_t *from, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        values[i] = from[i];
    }
}"""


def source(setup: Configured, module: Module) -> str:
    """Text of PREFIX.c."""
    kernel = module.functions[0]
    structs = {p.name: p.ref.struct for p in kernel.parameters if isinstance(p.ref, StructRef)}
    params = list(arrays(setup.params, ""))
    patterned = [each for each in setup.memory if each.values.size and not _uniform(each.values)]
    blocks = [
        module.source,
        "/* ==== The configuration: tables, coefficients, initial values */",
        *(_table(_table_name(each.path), each.values) for each in params if each.values.size),
        *(_table(_initial_name(each.path), each.values) for each in patterned),
        _configuration(structs[setup.parameter_names[0]], setup.params),
        "/* ==== The instance */",
        *_helpers(setup.memory, patterned),
        "\n".join(_init(setup, structs)),
        "\n".join(_process(setup, kernel)),
    ]
    return "\n\n".join(block.strip("\n") for block in blocks) + "\n"


# --- the configuration ---


def _table_name(path: str) -> str:
    return f"table_{member(path)}"


def _initial_name(path: str) -> str:
    return f"initial_{member(path)}"


def _table(name: str, values: np.ndarray) -> str:
    """Flat, as the kernels index it."""
    return array(name, values.ravel())


def _configuration(struct: Struct, params: Any) -> str:
    """The kernels' parameters as one constant."""
    lines = _initialiser(struct, params, "", "    ")
    return "\n".join([f"static const {struct.name} configuration = {{", *lines, "};"])


def _initialiser(struct: Struct, values: Any, path: str, indent: str) -> list[str]:
    lines = []
    for field, value in zip(values._fields, values, strict=True):
        if isinstance(value, tuple):
            lines.append(f"{indent}.{field} = {{")
            lines += _initialiser(struct.nested[field], value, f"{path}{field}.", indent + "    ")
            lines.append(f"{indent}}},")
        elif isinstance(value, np.ndarray):
            pointer = _table_name(path + field) if value.size else "0"
            lines.append(f"{indent}.{field} = {pointer},{'' if value.size else ' /* of no element */'}")
            lines += [f"{indent}.{name} = {n}," for name, n in _lengths(struct, field, value)]
        else:
            lines.append(f"{indent}.{field} = {_number(int(value))},")
    return lines


def _number(value: int) -> str:
    """An integer constant, no longer than it has to be."""
    return literal(value, "int32_t" if INT32_MIN <= value <= INT32_MAX else "int64_t")


def _lengths(struct: Struct, field: str, values: np.ndarray) -> list[tuple[str, int]]:
    """Members beside an array that hold its lengths, as far as the kernels use them."""
    kind = struct.fields()[field]
    used = sorted(struct.storage[field].lengths)
    return [(field + length_suffix(kind, d), values.shape[d]) for d in used]  # type: ignore[arg-type]


# --- the instance ---


def _uniform(values: np.ndarray) -> bool:
    return bool((values == values.flat[0]).all())


def _width(values: np.ndarray) -> str:
    return str(8 * values.dtype.itemsize)


def _helpers(memory: list[Array], patterned: list[Array]) -> list[str]:
    """Loops for the types of integers that there are."""
    copied = {_width(each.values) for each in patterned}
    filled = {_width(each.values) for each in memory if each.values.size and _uniform(each.values)}
    return [
        text.replace("@w@", width)
        for text, widths in ((_FILL, filled), (_COPY, copied))
        for width in sorted(widths, key=int)
    ]


def _init(setup: Configured, structs: dict[str, Struct]) -> list[str]:
    own = prefix(setup.name)
    lines = [f"void {own}_init({own} *self)", "{", f"    {own}_memory *memory = &self->memory;", ""]
    lines.append("    self->params = &configuration;")
    lines += _pointers(structs[setup.parameter_names[1]], setup.state, "state.")
    if setup.form == Form.FIELDS:
        lines += _pointers(structs[setup.parameter_names[3]], setup.output, "output.")
    lines.append("")
    for path, values, _ in setup.memory:
        if not values.size:
            continue
        target = f"{_width(values)}(memory->{member(path)}"
        if _uniform(values):
            lines.append(f"    fill_{target}, {values.size}, {_number(int(values.flat[0]))});")
        else:
            lines.append(f"    copy_{target}, {_initial_name(path)}, {values.size});")
    return [*lines, "}"]


def _pointers(struct: Struct, values: Any, path: str) -> list[str]:
    lines = []
    for field, value in zip(values._fields, values, strict=True):
        here = path + field
        if isinstance(value, tuple):
            lines += _pointers(struct.nested[field], value, f"{here}.")
            continue
        pointer = f"memory->{member(here)};" if value.size else "0; /* of no element */"
        lines.append(f"    self->{here} = {pointer}")
        lines += [f"    self->{path}{name} = {n};" for name, n in _lengths(struct, field, value)]
    return lines


def _process(setup: Configured, kernel: CFunction) -> list[str]:
    own = prefix(setup.name)
    signals = "int32_t n, int16_t *y" if setup.form == Form.SAMPLES else ""
    head = f"void {own}_process({', '.join(filter(None, [f'{own} *self', 'const int16_t *x', signals]))})"
    texts = ("self->params", "&self->state", "x", "y" if setup.form == Form.SAMPLES else "&self->output")
    given = dict(zip(setup.parameter_names, texts, strict=False))  # the last name is that of the probes
    arguments = [argument for p in kernel.parameters for argument in _passed(p, given[p.name], setup)]
    return [head, "{", f"    {kernel.name}({', '.join(arguments)});", "}"]


def _passed(parameter: Parameter, name: str, setup: Configured) -> list[str]:
    """An argument; a signal is followed by those of its lengths that are used."""
    if not isinstance(parameter.ref, ArrayRef):
        return [name]
    steps = "n" if setup.form == Form.SAMPLES else str(setup.block)
    lengths = [str(setup.channels), steps] if parameter.ref.type.ndim == 2 else [steps]
    return [name, *(lengths[d] for d in sorted(parameter.ref.storage.lengths))]
