"""A plan: what is swept, read from a TOML file, and the rows that come of it."""

import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from acoustic_sim.sweep.axes import PAIRED, Axis, Products
from acoustic_sim.sweep.design import FACTORIAL, Condition, Levels, Span, cells, order, seed_of
from acoustic_sim.sweep.plan_places import check_places
from acoustic_sim.sweep.plan_tables import Problems, read_axes, read_programme, read_settings
from fixedpoint.errors import ConfigError

MAX_ROWS = 1_000_000


@dataclass(frozen=True)
class Plan:
    """A plan that has been checked.

    text : of the file
    path : of the file, as given
    programmes : kinds of `acoustic_sim.programmes.excitation`, or absolute paths
    table : axes of the product, in the order of its table
    levels : of every axis, in the same order; a tuple, or a continuous `Span`
    files : absolute path -> as the plan has it
    false_alarms_per_hour : at which a report compares; no row depends on it
    """

    text: str
    path: str
    product: str
    seed: int
    design: str
    samples: int
    repeats: int
    false_alarms_per_hour: float
    impostor_keys: int
    programmes: tuple[str, ...]
    seconds: float
    table: tuple[Axis, ...]
    levels: dict[str, Levels]
    files: dict[str, str] = field(default_factory=dict)

    def conditions(self) -> tuple[Condition, ...]:
        """The rows, numbered from 1; the axis `PAIRED` varies fastest, then the repeat, then the programme.

        Notes
        -----
        A row's seed depends on the plan's seed, its programme and its repeat, and in a hypercube on its
        sample: rows of a factorial plan that differ in an axis alone hear the same excerpt, noise and
        microphone, so that their difference is the axis's, and repeats are what averages over chance. It
        never depends on `PAIRED`.
        """
        return self._conditions

    @cached_property
    def _conditions(self) -> tuple[Condition, ...]:
        names = [axis.name for axis in self.table]
        paired = self.levels[PAIRED]
        assert not isinstance(paired, Span)
        found: list[Condition] = []
        for place, cell in enumerate(cells(self.levels, self.design, self.samples, self.seed)):
            sample = () if self.design == FACTORIAL else (place,)
            rows = [order(names, cell | {PAIRED: value}) for value in paired]  # shared: no row changes it
            for which, programme in enumerate(self.programmes):
                for repeat in range(self.repeats):
                    seed = seed_of(self.seed, which, repeat, *sample)
                    for values in rows:
                        found.append(
                            Condition(
                                len(found) + 1,
                                self.product,
                                programme,
                                repeat,
                                seed,
                                self.seconds,
                                self.impostor_keys,
                                values,
                                self.files,
                            )
                        )
        return tuple(found)

    @cached_property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """Axes with more than one value, and the values that occur, sorted where they are numbers."""
        found = {}
        for name in self.levels:
            values = dict.fromkeys(condition.values[name] for condition in self.conditions())
            if len(values) > 1:
                numbers = all(isinstance(value, (int, float)) for value in values)
                found[name] = tuple(sorted(values)) if numbers else tuple(values)
        return found

    @cached_property
    def digest(self) -> str:
        """SHA-256, 64 hex digits, of all that decides the table, sound files by name and content.

        How the file is laid out, and what only a report uses, does not count.
        """
        content = {path: _sha256(path) for path in sorted(self.files)}
        counts = [axis.name for axis in self.table if axis.in_every_digest or self._uses(axis)]
        tree = {
            "product": self.product,
            "programmes": [self.as_written(name) for name in self.programmes],
            "seconds": self.seconds,
            "impostor_keys": self.impostor_keys,
            "files": {self.files[path]: digest for path, digest in content.items()},
            "rows": [
                [
                    c.programme != "" and self.as_written(c.programme),
                    c.repeat,
                    c.seed,
                    *(self.as_written(c.values[name]) for name in counts),
                ]
                for c in self.conditions()
            ],
        }
        text = json.dumps(tree, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def _uses(self, axis: Axis) -> bool:
        return self.levels[axis.name] != (axis.default,)

    def as_written(self, value: Any) -> Any:
        """A value as a table has it: paths as the plan names them, the rest as it is."""
        return self.files.get(value, value) if isinstance(value, str) else value


def load_plan(path: str | Path, products: Products) -> Plan:
    """Read and check a plan; every bad value is named, in one line.

    Parameters
    ----------
    path : of a TOML file; sound files in it are relative to its folder
    products : that there are, and what each asks of a plan, which is found out of the plan's own alone

    Raises
    ------
    ConfigError
        The file cannot be read, or something in it cannot be used.
    """
    return parse_plan(read_text(path), path, products)


def read_text(path: str | Path) -> str:
    """The text of a TOML file.

    Raises
    ------
    ConfigError
    """
    try:
        return Path(path).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise ConfigError(f"{path}: not UTF-8 text; a TOML file is needed") from error
        raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def parse_toml(text: str, path: str | Path) -> dict[str, Any]:
    """The table that a TOML file's text is.

    Raises
    ------
    ConfigError
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or numbers and nesting without end
        raise ConfigError(f"{path}: not TOML: {error}") from error


def parse_plan(text: str, path: str | Path, products: Products) -> Plan:
    """Check a plan whose text is at hand; `path` is that of its file, there or not. See `load_plan`."""
    table = parse_toml(text, path)
    problems = Problems(Path(path).resolve().parent)
    settings = read_settings(table, tuple(products), problems)
    asked = products[settings["product"]]()
    programmes, seconds = read_programme(table.get("programme"), asked.checks, problems)
    levels = read_axes(table.get("axes", {}), settings, products, problems)
    check_places(levels, problems)
    problems.raise_for(path)
    plan = Plan(
        text=text,
        path=str(path),
        programmes=programmes,
        seconds=seconds,
        table=asked.axes,
        levels=levels,
        files=problems.files,
        **settings,
    )
    _check_size(plan, problems)
    problems.raise_for(path)
    return plan


def _check_size(plan: Plan, problems: Problems) -> None:
    rows = plan.repeats * len(plan.programmes)
    for name, levels in plan.levels.items():
        if plan.design == FACTORIAL or name == PAIRED:
            rows *= len(levels)
    if plan.design != FACTORIAL:
        rows *= plan.samples
    if rows > MAX_ROWS:
        problems.add(f"{rows} rows: at most {MAX_ROWS} accepted")


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
