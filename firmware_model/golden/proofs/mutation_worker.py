"""Runs mutants in a copy of the packages, kernels interpreted; `python -m` this, in the copy.

Reads mutants as JSON from stdin and writes what the golden of each one's kernel says of it. What takes long
to import is imported once; each mutant gets a process forked from there, which imports the kernels.
"""

import json
import os
import signal
import sys
from importlib.util import cache_from_source
from pathlib import Path

from firmware_model.golden.proofs.mutants import Mutant

ROOT = Path.cwd()
LONGEST_S = 30  # of a mutant that no longer ends


def main() -> None:
    """One line of JSON: a verdict for each mutant, "" for equal bits."""
    import firmware_model.golden.frozen_random
    import firmware_model.golden.store  # noqa: F401 (all of NumPy, SciPy, Numba)
    from fixedpoint._jit import registered_kernels

    assert not registered_kernels()  # else a mutant would not be imported
    sys.stdout.write(json.dumps([verdict(Mutant(*fields)) for fields in json.load(sys.stdin)]))


def verdict(mutant: Mutant) -> str:
    """What the golden of the mutant's kernel says of it."""
    path = ROOT / mutant.path
    original = path.read_text("utf-8")
    read, write = os.pipe()
    path.write_text(mutant.source(ROOT), "utf-8")
    Path(cache_from_source(str(path))).unlink(missing_ok=True)  # is not held against the source's time
    try:
        child = os.fork()
        if child == 0:
            os.close(read)
            os.write(write, said(mutant.kernel)[:1000].encode())
            os._exit(0)
        os.close(write)
        with open(read, "rb") as answers:
            answer = answers.read().decode()
        _, status = os.waitpid(child, 0)
    finally:
        path.write_text(original, "utf-8")
    return answer if status == 0 else f"ended by signal {status}"


def said(kernel: str) -> str:
    """The first difference; "" where there is none."""
    signal.alarm(LONGEST_S)
    try:
        from firmware_model.golden.kernel_goldens import first_difference
        from firmware_model.golden.store import shipped

        return str(first_difference(kernel, shipped()) or "")
    except Exception as error:
        return f"{error!r}"


if __name__ == "__main__":
    main()
