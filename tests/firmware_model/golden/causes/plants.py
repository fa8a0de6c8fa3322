"""Dumps with planted faults, made by a route that shares nothing with the search for them.

The kernels run interpreted, in a process of their own, with a primitive replaced by hand in a namespace.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from firmware_model.case import Case
from firmware_model.golden.causes.suspects import Cause, find_causes
from firmware_model.golden.dumps.divergence import compare
from firmware_model.golden.dumps.dump_values import Held
from firmware_model.golden.dumps.evidence import gather

ROOT = Path(__file__).resolve().parents[4]

_PROCESS = """
import importlib, sys
import numpy as np
from firmware_model.golden.cases import find_case

def wrapped(v, bits):
    return (int(v) + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)

def half(n):
    return (1 << n) >> 1

FAULTS = {
    "truncation": lambda x, n: np.int64(int(x) // 2**n),
    "towards zero": lambda x, n: np.int64(int(x) // 2**n if x >= 0 else -(-int(x) // 2**n)),
    "to even": lambda x, n: np.int64((int(x) + half(n) - (half(n) > 0 and (int(x) >> n) % 2 == 0)) >> n),
    "away": lambda x, n: np.int64((int(x) + half(n) - (half(n) > 0 and x < 0)) >> n),
    "rounded": lambda x, n: np.int64((int(x) + half(n)) >> n),
    "wrapped": lambda x, low, high: np.int64(
        wrapped(x, int(high).bit_length() + 1) if low < 0 else min(max(int(x), int(low)), int(high))
    ),
}

WORDS = {"32 bits": 32, "40 bits": 40}

def fault_of(kind, name):
    if kind not in WORDS:
        return FAULTS[kind]
    # An accumulator of few bits holds what either primitive shifts.
    added = half if name == "rnd_shift" else lambda n: 0
    return lambda x, n: np.int64((wrapped(x, WORDS[kind]) + added(n)) >> n)

case = find_case(sys.argv[1])
for place in sys.argv[5:]:
    module, name = place.rsplit(".", 1)
    fault = fault_of(sys.argv[4], name)
    if module == "everywhere":
        true = getattr(importlib.import_module("fixedpoint.arith"), name)
        for loaded in list(sys.modules.values()):
            if getattr(loaded, name, None) is true:
                setattr(loaded, name, fault)
    else:
        setattr(importlib.import_module(module), name, fault)
with np.errstate(over="ignore"):
    np.savez(sys.argv[3], **case.trace(np.load(sys.argv[2])))
"""


def planted(folder: Path, case: Case, x: np.ndarray, fault: str, *places: str) -> dict[str, np.ndarray]:
    """Nodes of a case with a primitive replaced: places "module.name", or "everywhere.name"."""
    np.save(folder / "x.npy", x)
    environ = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}
    files = [str(folder / "x.npy"), str(folder / "nodes.npz")]
    command = [sys.executable, "-c", _PROCESS, case.name, *files, fault, *places]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    with np.load(folder / "nodes.npz") as nodes:
        return dict(nodes)


def causes_of(case: Case, x: np.ndarray, nodes: dict[str, np.ndarray]) -> list[Cause]:
    """What is found in a dump of these nodes."""
    dump = {name: Held(array) for name, array in nodes.items()}
    found = compare(case, Held(x), dump)
    return find_causes(gather(case, Held(x), dump, found), case, Held(x), dump)
