"""Single-token faults in a product's kernels: whether the golden of the kernel that holds one catches it.

Each mutant runs in a temporary copy of the packages, its kernel interpreted, and is held against the golden
of that kernel alone. A mutant that no golden catches is equivalent, or says what the kernel's arguments lack.
"""

import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from firmware_model.golden.proofs import mutation_worker
from firmware_model.golden.proofs.mutants import Mutant, mutants
from firmware_model.golden.store import goldens_folder
from firmware_model.product import Product

OURS = Path(__file__).resolve().parents[3]
_PACKAGES = ("fixedpoint", "firmware_model")


class Tried(NamedTuple):
    """tried : mutants that ran;  missed : those of which no bit differs, in words"""

    tried: list[Mutant]
    missed: list[str]


def missed(product: Product, every: int = 1, processes: int = 2) -> Tried:
    """Run the mutants of a product's kernels, or one in so many.

    Raises
    ------
    RuntimeError
        A worker process failed.
    """
    root, top = _place(product)
    inside = product.package.replace(".", "/")
    chosen = mutants(root, [inside])[::every]
    with tempfile.TemporaryDirectory(prefix="bittrue-") as folder:
        copies = []
        for number in range(processes):
            copies.append(Path(folder) / str(number))
            copy_of_the_packages(copies[-1], {**dict.fromkeys(_PACKAGES, OURS), top: root})
        found = verdicts(copies, chosen)
    return Tried(chosen, [str(mutant) for mutant, says in found.items() if not says])


def _place(product: Product) -> tuple[Path, str]:
    """The folder that holds a product's top-level package, and that package's name."""
    top = product.package.split(".")[0]
    return goldens_folder(Product(top, "", top)).parents[1], top


def copy_of_the_packages(folder: Path, roots: dict[str, Path]) -> Path:
    """Sources and goldens, compiled so that each mutant compiles one file only.

    roots : package -> the folder that holds it
    """
    for package, root in roots.items():
        shutil.copytree(root / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(folder, quiet=1, invalidation_mode=unchecked):
        raise RuntimeError(f"{folder}: a copy that does not compile")
    return folder


def verdicts(copies: Sequence[Path], chosen: Sequence[Mutant]) -> dict[Mutant, str]:
    """What the golden of each mutant's kernel says of it; "" where no bit differs. A worker for each copy.

    Raises
    ------
    RuntimeError
        A worker failed.
    """
    parts = [chosen[i :: len(copies)] for i in range(len(copies))]
    workers = [_start(copy, part) for copy, part in zip(copies, parts, strict=True)]
    found: dict[Mutant, str] = {}
    for part, worker in zip(parts, workers, strict=True):
        out, err = worker.communicate()
        if worker.returncode != 0:
            raise RuntimeError(f"mutants: the worker ended with status {worker.returncode}: {err}")
        found |= dict(zip(part, json.loads(out), strict=True))
    return found


def _start(folder: Path, chosen: Sequence[Mutant]) -> "subprocess.Popen[str]":
    """A worker on these mutants, in its own copy."""
    environ = {
        **os.environ,
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    (folder / "mutants.json").write_text(json.dumps(chosen), "utf-8")
    command = [sys.executable, "-W", "ignore", "-m", mutation_worker.__name__]
    pipe = subprocess.PIPE
    with open(folder / "mutants.json", encoding="utf-8") as given:
        return subprocess.Popen(
            command, cwd=folder, env=environ, stdin=given, stdout=pipe, stderr=pipe, text=True
        )
