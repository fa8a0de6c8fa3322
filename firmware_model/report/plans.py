"""The plans of sweeps: what each product asks of them, and what decides their rows."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from acoustic_sim.sweep.axes import Asked, Axis
from acoustic_sim.sweep.design import Condition
from acoustic_sim.sweep.plan import Plan, load_plan, parse_plan
from acoustic_sim.sweep.worker import Evaluate
from firmware_model.cli.terminal.output import STDIO
from firmware_model.product import Product, find_product, products
from fixedpoint.errors import ConfigError

_SHARED = (  # of the sources that decide a row; reports, benchmarks and the commands do not
    "fixedpoint/**/*.py",
    "acoustic_sim/*.py",
    "acoustic_sim/loudspeaker/*.py",
    "acoustic_sim/blocks/*.py",
    "acoustic_sim/border/*.py",
    "acoustic_sim/programmes/*.py",
    "acoustic_sim/sound_files/*.py",
    "acoustic_sim/sweep/axes.py",
    "acoustic_sim/sweep/playback.py",
    "firmware_model/*.py",
    "firmware_model/reference/*.py",
    "firmware_model/golden/causes/faults/*.py",
)
_OF_A_PRODUCT = ("**/*.py", "**/*.toml")
_NOT_OF_ROWS = ("commands", "report", "goldens")  # parts of a product
_STDIN_NAME = "standard input"


class Study(Protocol):
    """What a product's part `study` has for a sweep.

    AXES : of its plans, see `acoustic_sim.sweep.axes`; one of them is `ARITHMETIC`
    OUTCOME : name of each part of a row's outcome -> its type
    CHECKS : see `acoustic_sim.sweep.axes.Asked`; optional
    group_key, evaluate : see `acoustic_sim.sweep.run`
    heard : what a row's microphone, or listener, hears: (n,) int16, Q1.15, and its rate in Hz; optional
    MEASURES : of a product without a part `report`, see `report.measures`
    BETTER : measure -> "more" or "less", by which two sweeps are compared; optional
    """

    AXES: tuple[Axis, ...]
    OUTCOME: Mapping[str, type]
    CHECKS: Mapping[str, Callable[[Any], object]]
    group_key: Callable[[Condition], Any]
    evaluate: Evaluate
    heard: Callable[[Condition], tuple[Any, int]]


class _Asking(Mapping[str, Callable[[], Asked]]):
    """Products that have a study; each is imported when it is asked."""

    def __getitem__(self, name: str) -> Callable[[], Asked]:
        return lambda: _asked(find_product(name))

    def __iter__(self) -> Iterator[str]:
        return (product.name for product in products() if product.has("study"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


ASKING: Mapping[str, Callable[[], Asked]] = _Asking()


def _asked(product: Product) -> Asked:
    study = product.part("study")
    return Asked(study.AXES, getattr(study, "CHECKS", {}))


def study_of(name: str) -> Study:
    """What a product computes in a row.

    Raises
    ------
    ConfigError, ProductError
    """
    study: Study = find_product(name).part("study")
    return study


def load(path: str) -> Plan:
    """A plan, checked as its product asks as well.

    Raises
    ------
    ConfigError
    """
    return load_plan(path, ASKING)


def read(path: str) -> Plan:
    """A plan to run, as `load`; "-" is standard input, whose sound files are relative to the working folder.

    Raises
    ------
    ConfigError
    """
    if path != STDIO:
        return load(path)
    if sys.stdin is None:
        raise ConfigError(f"{path}: cannot be read: standard input is closed")
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{_STDIN_NAME}: not UTF-8 text; a TOML file is needed") from error
    return parse(text, _STDIN_NAME)


def parse(text: str, path: str) -> Plan:
    """A plan whose text is at hand, checked as `load` does; `path` is that of its file, there or not."""
    return parse_plan(text, path, ASKING)


@cache
def code_digest(name: str) -> str:
    """First 16 hex digits of the SHA-256 of the sources that decide a product's rows, as at the first call.

    A worker of a cluster has loaded them by then: what is edited later does not count there either.
    """
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for file, path in [*_files(root, _SHARED), *_of_product(find_product(name))]:
        digest.update(file.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _files(folder: Path, patterns: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            yield path.relative_to(folder).as_posix(), path


def _of_product(product: Product) -> Iterator[tuple[str, Path]]:
    spec = find_spec(product.package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for file, path in _files(Path(folder), _OF_A_PRODUCT):
            if file.split("/")[0] not in _NOT_OF_ROWS:
                yield f"{product.package}/{file}", path
