"""All files of an export, by name: sources, vectors, the programs around them, README and manifest."""

import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from firmware_model.device.export import readme, vectors
from firmware_model.device.export.configured import Configured
from firmware_model.device.export.example_program import example_program, makefile
from firmware_model.device.export.product import CProduct, product_of
from firmware_model.device.export.vectors import Vectors
from firmware_model.device.export.vectors_program import vectors_program
from firmware_model.golden.store import digest
from firmware_model.golden.vectors.export import MANIFEST, file_facts


def contents(setups: Sequence[Configured], step: Callable[[str], None]) -> dict[str, bytes]:
    """Contents of all files, by name.

    Parameters
    ----------
    setups : one product or several
    step : called as each begins, with its name
    """
    texts: dict[str, str] = {}
    described = []
    for setup in setups:
        step(setup.name)
        product, computed = product_of(setup), vectors.compute(setup)
        texts[f"{product.prefix}.h"] = product.header
        texts[f"{product.prefix}.c"] = product.source
        texts[f"{product.prefix}_vectors.h"] = vectors.header(setup, computed)
        described.append(_facts(setup, product, computed))
    names = [setup.name for setup in setups]
    texts["main.c"] = example_program(setups)
    texts["test_vectors.c"] = vectors_program(setups)
    texts["Makefile"] = makefile(names)
    texts["README.md"] = readme.readme(setups)
    files = {name: text.encode() for name, text in texts.items()}
    manifest = {
        "about": "Firmware exported by bittrue; vectors are of this configuration, computed by the model.",
        "bittrue": version("bittrue"),
        "products": described,
        "files": [file_facts(name, content) for name, content in sorted(files.items())],
    }
    return files | {MANIFEST: (json.dumps(manifest, indent=1) + "\n").encode()}


def _facts(setup: Configured, product: CProduct, computed: Vectors) -> dict[str, Any]:
    return {
        "name": setup.name,
        "label": setup.label,
        "fs_hz": setup.fs_hz,
        "channels": setup.channels,
        "block": setup.block,
        "state_bytes": setup.state_bytes,
        "table_bytes": setup.table_bytes,
        "memory": [
            {"path": field.path, "dtype": field.dtype.name, "shape": list(field.shape)}
            for field in product.memory
        ],
        "vectors": {
            "input": _array_facts(computed.x_q15),
            **{name: _array_facts(values) for name, values in computed.outputs.items()},
            "memory": {a.path: digest(a.values) for a in computed.memory if a.values.size},
        },
    }


def _array_facts(values: np.ndarray) -> dict[str, Any]:
    return {"dtype": values.dtype.name, "shape": list(values.shape), "sha256": digest(values)}
