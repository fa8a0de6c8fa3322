"""From axes to conditions: full factorial, or a Latin hypercube."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from acoustic_sim.sweep.axes import PAIRED

FACTORIAL, HYPERCUBE = "factorial", "latin-hypercube"
DESIGNS = (FACTORIAL, HYPERCUBE)
SIGNIFICANT_DIGITS = 6  # of a number between two given ones: enough to tell, few enough to read
_HYPERCUBE_STREAM = 0x5EED  # apart from the seeds of rows


class Condition(NamedTuple):
    """One row: everything that decides its outcome.

    row : from 1
    programme : a kind of `acoustic_sim.programmes.excitation`, or the absolute path of a sound file
    repeat : from 0
    seed : in [0, 2^31), of the programme's excerpt, the noise and the microphone
    seconds : of the programme
    impostor_keys : how many keys that mark nothing are looked for as well
    values : every axis of the product; paths are absolute, None is "none" or "default"
    files : absolute path -> as the plan has it
    """

    row: int
    product: str
    programme: str
    repeat: int
    seed: int
    seconds: float
    impostor_keys: int
    values: dict[str, Any]
    files: Mapping[str, str] | None = None

    def in_plans_names(self, line: str) -> str:
        """`line` with files as the plan names them: the same on every machine."""
        files = self.files or {}
        for path in sorted(files, key=len, reverse=True):  # one may begin another
            line = line.replace(path, files[path])
        return line


class Span(NamedTuple):
    """Numbers from `low` to `high`; with `steps` those alone, evenly, or evenly in the logarithm."""

    low: float
    high: float
    steps: int | None
    logarithmic: bool

    def at(self, place: float) -> float:
        """The number at `place` in [0, 1]."""
        if self.logarithmic:
            value = self.low * (self.high / self.low) ** place
        else:
            value = self.low + (self.high - self.low) * place
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")

    def all(self) -> tuple[float, ...]:
        """The `steps` numbers."""
        if self.steps is None:
            raise ValueError("a span without steps is continuous")
        return tuple(self.at(step / max(self.steps - 1, 1)) for step in range(self.steps))


Levels = tuple[Any, ...] | Span  # a span here is a continuous one


def cells(levels: Mapping[str, Levels], design: str, samples: int, seed: int) -> Iterator[dict[str, Any]]:
    """The combinations of values, without `PAIRED`.

    Parameters
    ----------
    levels : of each axis, in the order of the rows: the first varies slowest
    samples, seed : of the hypercube

    Notes
    -----
    A hypercube has one stratum of each axis for each sample; an axis with n levels gives each of them
    samples/n strata, as evenly as that divides.
    """
    names = [name for name in levels if name != PAIRED]
    if design == FACTORIAL:
        for combination in itertools.product(*(levels[name] for name in names)):
            yield dict(zip(names, combination, strict=True))
        return
    from scipy.stats import qmc  # takes longer to import than all else that a worker needs

    free = [name for name in names if isinstance(levels[name], Span) or len(levels[name]) > 1]
    rng = np.random.default_rng((seed, _HYPERCUBE_STREAM))
    places = qmc.LatinHypercube(len(free), seed=rng).random(samples) if free else np.zeros((samples, 0))
    for sample in places.tolist():
        drawn = {name: _level(levels[name], place) for name, place in zip(free, sample, strict=True)}
        yield {name: drawn[name] if name in drawn else levels[name][0] for name in names}


def _level(levels: Levels, place: float) -> Any:
    if isinstance(levels, Span):
        return levels.at(place)
    return levels[int(place * len(levels))]


def seed_of(plan_seed: int, *where: int) -> int:
    """A seed in [0, 2^31) of its own for each place in a plan."""
    return int(np.random.SeedSequence((plan_seed, *where)).generate_state(1)[0]) >> 1


def order(names: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` in the order of `names`."""
    return {name: values[name] for name in names}
