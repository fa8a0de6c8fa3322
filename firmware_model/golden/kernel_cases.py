"""Arguments for every registered kernel: inputs of the goldens, of the audit and of the search for floats.

A product's module ``kernel_cases`` has a table ``CASES``: qualified kernel name -> builder. A builder takes a
`FrozenRandom` and returns a list of argument tuples, scalars as np.int64; outputs and state are arrays in
those tuples and are compared after the call. Importing the module must import the kernels' own modules.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from firmware_model.golden.frozen_random import FrozenRandom
from firmware_model.product import BUILT_IN, LIBRARY, Product, working_plugins
from fixedpoint._jit import registered_kernels
from fixedpoint.errors import ConfigError, did_you_mean

Builder = Callable[[FrozenRandom], list[tuple]]
# Beginnings of names as they were when the goldens were first frozen: the random arguments go by those.
_SEEDED_AS = (("fixedpoint.filters.", "fixedpoint."),)


class _Cases(Mapping[str, Builder]):
    """Builders by kernel: the library's, the built-in products', those of installed packages."""

    def __init__(self) -> None:
        self.by_product: dict[Product, dict[str, Builder]] = {}
        self._all: dict[str, Builder] = {}

    def _filled(self) -> dict[str, Builder]:
        if not self._all:
            modules = [(product, product.part("kernel_cases")) for product in (LIBRARY, *BUILT_IN)]
            for product, module in modules:
                self.by_product[product] = dict(module.CASES)
            self.by_product |= working_plugins("kernel_cases", _table)
            for table in self.by_product.values():
                self._all |= table
        return self._all

    def of(self, product: Product) -> dict[str, Builder]:
        """Those of one product; `LIBRARY` has those of the shared kernels."""
        self._filled()
        if product not in self.by_product:
            self.by_product[product] = _table(product, product.part("kernel_cases"))
            self._all |= self.by_product[product]
        return self.by_product[product]

    def __getitem__(self, name: str) -> Builder:
        return self._filled()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._filled())

    def __len__(self) -> int:
        return len(self._filled())


def _table(product: Product, module: Any) -> dict[str, Builder]:
    if not isinstance(module.CASES, Mapping):
        raise product.wrong("kernel_cases", "CASES: a dictionary needed, kernel -> function")
    return dict(module.CASES)


CASES = _Cases()


class Call(NamedTuple):
    """One call of a kernel.

    before : (m,) int64, the integers of the arguments in order, arrays and tuples flattened
    returned : (k,) int64, what it returned
    after : (m,) int64, the arguments after the call
    """

    before: np.ndarray
    returned: np.ndarray
    after: np.ndarray


def arguments(name: str) -> list[tuple]:
    """Argument tuples of one kernel: the same in every process and on every machine."""
    seed = name
    for now, then in _SEEDED_AS:
        if name.startswith(now):
            seed = then + name.removeprefix(now)
    builder = CASES[name]
    made = builder(FrozenRandom(seed)) if callable(builder) else None
    if not isinstance(made, list) or not made or not all(isinstance(each, tuple) for each in made):
        raise ConfigError(
            f"kernel_cases.CASES: {name}: a function that gives a list of argument tuples needed"
        )
    return made


def find_kernel(name: str) -> Callable[..., Any]:
    """A registered kernel.

    Raises
    ------
    ConfigError
        There is none, though `CASES` has arguments for it.
    """
    known = registered_kernels()
    if name not in known:
        raise ConfigError(f"kernel_cases.CASES: {name}: no such kernel{did_you_mean(name, known, '; ')}")
    return known[name]


def calls(
    name: str,
    prepare: Callable[[tuple], tuple] = lambda args: args,
    context: Callable[[], AbstractContextManager] = nullcontext,
    built: list[tuple] | None = None,
) -> Iterator[Call]:
    """Call a kernel, within the context, with each of its argument tuples in turn; they may share a state.

    built : the argument tuples, where they are at hand
    """
    function = find_kernel(name)
    for args in map(prepare, arguments(name) if built is None else built):
        before = flat(args)
        with context():
            returned = function(*args)
        yield Call(before, flat(returned), flat(args))


def flat(value: Any) -> np.ndarray:
    """(n,) int64: the integers of a scalar, array, or tuple of them; None holds none."""
    parts = [part.ravel() for _, part in named_parts(value)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def named_parts(value: Any, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """(name, int64 array) of a scalar, an array, or each one in a tuple: "state.bank.level_q24"."""
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", tuple(map(str, range(len(value)))))
        for field, item in zip(fields, value, strict=True):
            yield from named_parts(item, f"{name}.{field}" if name else field)
    elif value is not None:
        yield name, np.asarray(value).astype(np.int64)
