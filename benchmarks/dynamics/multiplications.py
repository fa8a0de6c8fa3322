"""How many multiplications a kernel needs: it is interpreted with integers that count their products.

The kernels name every integer `np.int64(x)`. Here that gives a `Counting`, which behaves as the number and
counts each product that it takes part in. Not counted: products with a constant power of two and with 1 << n,
which are shifts, and products of Python's own integers, which compute addresses.

As a program, it reads (params, state, x_q15) from standard input by pickle and answers with (multiplications,
y_q15); kernels must be interpreted there, so `count_multiplications` starts it with NUMBA_DISABLE_JIT=1.
"""

import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks.harness.report import ROOT
from firmware_model.dynamics.processor import process_frame
from firmware_model.dynamics.settings.tuning import DynamicsParams
from firmware_model.dynamics.state import DynamicsState
from fixedpoint._jit import registered_kernels

_FORMAT = re.compile(r"_q\d+$")  # a scalar parameter in a fixed-point format is data, not an address


class Counting(int):
    """An integer that counts, in `Counting.products`, the products of its kind."""

    products = 0

    def __mul__(self, other: Any) -> "Counting":
        if not _is_shift(self) and not _is_shift(other):
            Counting.products += 1
        return Counting(int(self) * int(other))

    __rmul__ = __mul__

    def __add__(self, other: Any) -> "Counting":
        return Counting(int(self) + int(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> "Counting":
        return Counting(int(self) - int(other))

    def __rsub__(self, other: Any) -> "Counting":
        return Counting(int(other) - int(self))

    def __lshift__(self, other: Any) -> "Counting":
        kind = PowerOfTwo if self == 1 else Counting
        return kind(int(self) << int(other))

    def __rshift__(self, other: Any) -> "Counting":
        return Counting(int(self) >> int(other))

    def __and__(self, other: Any) -> "Counting":
        return Counting(int(self) & int(other))

    def __or__(self, other: Any) -> "Counting":
        return Counting(int(self) | int(other))

    def __xor__(self, other: Any) -> "Counting":
        return Counting(int(self) ^ int(other))

    def __neg__(self) -> "Counting":
        return Counting(-int(self))


class PowerOfTwo(Counting):
    """1 << n: what is multiplied by it is shifted."""


def _is_shift(factor: Any) -> bool:
    """Whether a product with this factor is a shift: 1 << n, or a plain integer +-2^n (a constant), or 0."""
    if isinstance(factor, Counting):
        return isinstance(factor, PowerOfTwo)
    magnitude = abs(int(factor))
    return isinstance(factor, int) and magnitude & (magnitude - 1) == 0


class _CountingNumpy:
    """Stands for `np` inside kernels."""

    int16 = int32 = int64 = staticmethod(lambda x: x if isinstance(x, Counting) else Counting(x))

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _counting_range(*limits: Any) -> Iterator[Counting]:
    """A loop's variable is no constant, even where its value is a power of two."""
    return map(Counting, range(*limits))


@contextmanager
def counting() -> Iterator[type[Counting]]:
    """Kernels count inside; Counting.products starts at 0.

    Raises
    ------
    RuntimeError
        Kernels are compiled in this process.
    """
    kernels = registered_kernels()
    if any(hasattr(kernel, "py_func") for kernel in kernels.values()):
        raise RuntimeError("counting: kernels are compiled here, start Python with NUMBA_DISABLE_JIT=1")
    modules = {sys.modules[name.rpartition(".")[0]] for name in kernels}
    for module in modules:
        vars(module).update(np=_CountingNumpy(), range=_counting_range)
    Counting.products = 0
    try:
        yield Counting
    finally:
        for module in modules:
            vars(module).update(np=np)
            del vars(module)["range"]


def as_data(params: Any) -> Any:
    """The same parameters with scalars in a fixed-point format as `Counting`."""
    if not hasattr(params, "_fields"):
        return params
    fields = {name: as_data(value) for name, value in params._asdict().items()}
    data = {n: Counting(v) for n, v in fields.items() if isinstance(v, int) and _FORMAT.search(n)}
    return type(params)(**(fields | data))


def count_multiplications(
    params: DynamicsParams, state: DynamicsState, x_q15: np.ndarray
) -> tuple[int, np.ndarray]:
    """Multiplications for a frame, counted in a process of its own; `state` is left as it is.

    x_q15 : (channels, n) int16, n a whole number of control blocks

    Returns
    -------
    multiplications : int;  y_q15 : (channels, n) int16
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.dynamics.multiplications"],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        input=pickle.dumps((params, state, x_q15)),
        stdout=subprocess.PIPE,
        check=True,
    )
    multiplications, y_q15 = pickle.loads(done.stdout)
    return multiplications, y_q15


def main() -> None:
    """Count for the frame on standard input."""
    params, state, x_q15 = pickle.load(sys.stdin.buffer)
    y_q15 = np.empty_like(x_q15)
    params = as_data(params)
    with counting() as counted:
        process_frame(params, state, x_q15, y_q15, None)
    sys.stdout.buffer.write(pickle.dumps((counted.products, y_q15)))


if __name__ == "__main__":
    main()
