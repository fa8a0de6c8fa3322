"""Frozen stimuli of the golden cases: stored 16-bit samples, made once by the formulas of their products.

Goldens start from the stored integers. The formulas, which use the machine's sine, run only when the goldens
are written; they say what is in the files.
"""

from collections.abc import Callable

import numpy as np

from firmware_model.case import Case
from firmware_model.golden.store import load_stimulus
from firmware_model.product import Product
from fixedpoint.arith import INT16_MAX, INT16_MIN
from fixedpoint.errors import ConfigError


def load(case: Case) -> np.ndarray:
    """(channels, n) int16, Q1.15, the frozen samples of a case's stimulus.

    Raises
    ------
    ConfigError
        No stimulus of this name.
    GoldenError
        The stored samples are not those that were frozen, or none are frozen yet.
    """
    return fitting(case, load_stimulus(case))


def fitting(case: Case, x_q15: np.ndarray) -> np.ndarray:
    """A stimulus that has the case's channels and at least one of its blocks.

    Raises
    ------
    ConfigError
    """
    channels, n = x_q15.shape
    if channels != case.channels or n < case.block:
        needed = f"({case.channels}, {case.block} or more) needed by {case.name}"
        raise ConfigError(f"stimulus {case.stimulus!r}: ({channels}, {n}) found, {needed}")
    return x_q15


def synthesise(product: Product, name: str) -> np.ndarray:
    """(channels, n) int16, made afresh by the product's formula.

    Raises
    ------
    ConfigError
        The product has no stimulus of this name, or its formula gives something else.
    """
    made = np.ascontiguousarray(np.atleast_2d(_stimulus(product, name)[1]()))
    if made.dtype != np.int16 or made.ndim != 2:
        found = f"{made.ndim} dimensions of {made.dtype} found"
        raise ConfigError(f"stimulus {name!r}: {found}; (channels, n) or (n,) of int16 needed")
    return made


def in_words(product: Product, name: str) -> str:
    """What the product says of a stimulus.

    Raises
    ------
    ConfigError
    """
    return str(_stimulus(product, name)[0])


def _stimulus(product: Product, name: str) -> tuple[str, Callable[[], np.ndarray]]:
    stimuli = product.part("cases").STIMULI
    if name not in stimuli:
        raise ConfigError(f"stimulus {name!r}: must be one of {', '.join(stimuli)}")
    found = stimuli[name]
    if not isinstance(found, (tuple, list)) or len(found) != 2 or not callable(found[1]):
        raise ConfigError(f"stimulus {name!r}: STIMULI needs (words, function that makes it)")
    return found[0], found[1]


def to_q15(x: np.ndarray) -> np.ndarray:
    """Real samples, full scale 1, as int16: RND, SAT."""
    return np.clip(np.floor(x * 32768 + 0.5), INT16_MIN, INT16_MAX).astype(np.int16)


def amplitude(level_dbfs: float) -> float:
    """Of a level: 1 at 0 dBFS."""
    return float(10 ** (level_dbfs / 20))
