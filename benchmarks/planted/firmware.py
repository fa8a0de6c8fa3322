"""A golden case's exported C on this host, run on the case's stimulus, its memory kept block by block."""

import ctypes
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from firmware_model.case import Case, Form
from firmware_model.device.export.build import INSTANCE, MEMORY, device_source
from firmware_model.device.export.product import CProduct
from firmware_model.golden import stimuli
from fixedpoint.c99.host import compiler
from fixedpoint.errors import ConfigError

Read = Callable[[np.ndarray], np.ndarray]
"""(blocks,) of `CProduct.memory_dtype`, memory after each block -> a node, (blocks, rows, steps)."""


def column(member: str, memory: np.ndarray) -> np.ndarray:
    """A node of one value a block and row."""
    return memory[member].reshape(len(memory), -1, 1)


_FLAGS = ("-std=c99", "-O1", "-fwrapv", "-fPIC", "-fno-semantic-interposition", "-shared", "-Wl,-Bsymbolic")
# The firmware is handed a copy of each block, and of one channel the block that follows it as well.
_LOOP = """
#include <string.h>
void device_run(const int16_t *x, int32_t blocks, {prefix}_memory *kept, int16_t *y);
void device_run(const int16_t *x, int32_t blocks, {prefix}_memory *kept, int16_t *y)
{{
    {init}(&{instance});
    for (int32_t i = 0; i < blocks; i++) {{
        {process};
        kept[i] = *{memory}();
    }}
}}
"""


def run(
    case: Case, product: CProduct, source: str, folder: Path, read: Mapping[str, Read]
) -> dict[str, np.ndarray]:
    """Nodes by name, (rows, steps), that a source of the product gives.

    Parameters
    ----------
    source : of `product`, edited;  folder : for the files
    read : by node, the output of a product that gives samples not among them

    Raises
    ------
    ConfigError
        The compiler does not take the source.
    """
    library = ctypes.CDLL(str(_build(case, product, source, folder)))
    x_q15 = case.whole_blocks(stimuli.load(case))
    blocks = x_q15.shape[1] // case.block
    given = x_q15.reshape(case.channels, blocks, case.block).transpose(1, 0, 2)
    given = np.concatenate([given, np.zeros_like(given[:1])]).copy()
    y_q15 = np.zeros_like(given[:-1])
    kept = np.zeros(blocks, product.memory_dtype)
    library.device_run(_pointer(given), ctypes.c_int32(blocks), _pointer(kept), _pointer(y_q15))
    made = {
        node.name: read[node.name](kept) if node.name in read else y_q15
        for node in case.nodes
        if node.name in read or (node is case.output and case.form == Form.SAMPLES)
    }
    return {name: np.concatenate(list(values), axis=1) for name, values in made.items()}


def _build(case: Case, product: CProduct, source: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{product.prefix}.h").write_text(product.header, "utf-8")
    size = case.channels * case.block
    samples = f"&{INSTANCE}, x + {size} * i"
    arguments = f"{samples}, {case.block}, y + {size} * i" if case.form == Form.SAMPLES else samples
    loop = _LOOP.format(
        prefix=product.prefix,
        init=product.init,
        instance=INSTANCE,
        process=f"{product.process}({arguments})",
        memory=MEMORY,
    )
    (folder / "firmware.c").write_text(f"{source}\n{device_source(product)}{loop}", "utf-8")
    path = folder / "firmware.so"
    command = [compiler(), *_FLAGS, "-o", str(path), str(folder / "firmware.c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigError(f"{command[0]}: {done.stderr.strip().splitlines()[0]}")
    return path


def _pointer(values: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(values.ctypes.data)
