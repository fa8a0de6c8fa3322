"""Golden vectors for a project without Python: C headers, raw binary, WAV, NPZ, and a manifest of it all."""

import hashlib
import io
import json
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import numpy as np
import soundfile

from firmware_model.case import Case
from firmware_model.golden import stimuli, store
from firmware_model.golden.vectors import c_source
from firmware_model.golden.vectors.parameters import Parameter, parameters
from fixedpoint.qformat import Q15

MANIFEST = "manifest.json"


def export(cases: Iterable[Case]) -> dict[str, bytes]:
    """Contents of all files by path, "/" between folders: a folder for each case, and the test's sources.

    Raises
    ------
    GoldenError
        A frozen vector is missing or corrupted.

    Notes
    -----
    Raw files are little-endian and interleaved: all channels or rows of a step, then the next step. The same
    vectors give the same bytes.
    """
    cases = list(cases)
    files = {
        "Makefile": c_source.makefile(cases).encode(),
        "case.h": c_source.CASE_H.encode(),
        "main.c": c_source.MAIN_C.encode(),
        "replay.c": c_source.REPLAY_C.encode(),
    }
    described = []
    for case in cases:
        contents, facts = _of_case(case)
        files |= {f"{case.name}/{name}": content for name, content in contents.items()}
        described.append(facts)
    manifest = {
        "about": "Golden vectors of bittrue; raw files are little-endian and interleaved.",
        "bittrue": version("bittrue"),
        "cases": described,
        "files": [file_facts(path, content) for path, content in sorted(files.items())],
    }
    files[MANIFEST] = (json.dumps(manifest, indent=1) + "\n").encode()
    return files


def file_facts(path: str, content: bytes) -> dict[str, Any]:
    """Path, size and hash of a file."""
    return {"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _of_case(case: Case) -> tuple[dict[str, bytes], dict[str, Any]]:
    x_q15, golden = case.whole_blocks(stimuli.load(case)), store.golden(case)
    constants, node = parameters(case), case.output
    contents = {
        "vectors.h": c_source.vectors_header(case, x_q15, golden).encode(),
        "device.h": c_source.device_header(case, golden.dtype).encode(),
        "params.h": c_source.params_header(case, constants).encode(),
        "input.bin": _raw(x_q15),
        "output.bin": _raw(golden),
        "input.wav": _wav(x_q15, case.fs_hz),
        "vectors.npz": _npz({"input": x_q15, node.name: golden}),
        "params.npz": _npz({each.name: each.values for each in constants}),
    }
    if node.fmt == Q15 and node.step == 1:
        contents["output.wav"] = _wav(golden, case.fs_hz)
    facts = {
        "name": case.name,
        "summary": case.summary,
        "fs_hz": case.fs_hz,
        "block": case.block,
        "input": _array_facts(x_q15, str(Q15)) | {"channels": case.channels, "stimulus": case.stimulus},
        "output": _array_facts(golden, str(node.fmt)) | {"node": node.name, "rows": list(node.rows)},
        "parameters": {each.name: _parameter_facts(each) for each in constants},
    }
    return contents, facts


def _raw(values: np.ndarray) -> bytes:
    """(rows, steps) interleaved, little-endian."""
    return np.ascontiguousarray(values.T, values.dtype.newbyteorder("<")).tobytes()


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _wav(x_q15: np.ndarray, fs_hz: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, x_q15.T, fs_hz, "PCM_16", format="WAV")
    return buffer.getvalue()


def _array_facts(values: np.ndarray, fmt: str) -> dict[str, Any]:
    """Of the array in memory, row after row, as the store's own manifest has them."""
    return {
        "format": fmt,
        "dtype": values.dtype.name,
        "shape": list(values.shape),
        "sha256": store.digest(values),
    }


def _parameter_facts(parameter: Parameter) -> dict[str, Any]:
    fmt = parameter.fmt or "integer"
    about = "; ".join(parameter.about)
    return _array_facts(parameter.values, fmt) | ({"about": about} if about else {})
