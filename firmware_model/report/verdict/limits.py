"""The file of limits: what is limited, to what, and in which rows."""

import math
import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from acoustic_sim.sweep.plan import parse_toml, read_text
from firmware_model.report.factors import text_of
from fixedpoint.errors import ConfigError, meant_or_accepted

_TABLE = "limit"
_KEYS = ("name", "measure", "at_most", "at_least", "each_row", "where")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    "≤": operator.le,
    ">=": operator.ge,
    "≥": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON = re.compile(r"\s*(<=|≤|>=|≥|<|>)\s*(.*?)\s*")


class Where(NamedTuple):
    """A condition on one column.

    text : as it was written
    sign, bound : of a comparison, "" where there is none
    values : that are accepted, of a condition without a comparison
    """

    column: str
    text: str
    sign: str
    bound: float
    values: tuple[Any, ...]

    def holds(self, value: Any) -> bool:
        """Whether a row with this value is meant."""
        if self.sign:
            return _is_number(value) and _OPERATORS[self.sign](value, self.bound)
        return any(
            value == wanted if _is_number(wanted) else text_of(self.column, value) == str(wanted)
            for wanted in self.values
        )

    def __str__(self) -> str:
        return f"{self.column} {self.text}" if self.sign else f"{self.column} = {self.text}"


class Limit(NamedTuple):
    """One limit.

    bound : largest value that is accepted, or the least where `at_least`
    each_row : every row has to keep it, instead of their mean
    where : all of these hold for the rows that are meant
    line : in the file, from 1
    """

    name: str
    measure: str
    bound: float
    at_least: bool
    each_row: bool
    where: tuple[Where, ...]
    line: int

    @property
    def asks(self) -> str:
        """ "at most 0.05"."""
        return f"at {'least' if self.at_least else 'most'} {self.bound:g}"


def load(path: str) -> list[Limit]:
    """The limits of a file.

    Raises
    ------
    ConfigError
        It cannot be read, or something in it is not as it should be.
    """
    text = read_text(path)
    table = parse_toml(text, path)
    unknown = [key for key in table if key != _TABLE]
    entries = table.get(_TABLE)
    if unknown or not isinstance(entries, list) or not entries:
        found = f"{unknown[0]!r} found" if unknown else "none found"
        raise ConfigError(
            f"{path}: {found}; tables [[limit]] are needed, one for each limit, and nothing else"
        )
    heads = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*limit\s*\]\]", line)]
    lines = heads if len(heads) == len(entries) else [1] * len(entries)
    limits: list[Limit] = []
    for number, (entry, line) in enumerate(zip(entries, lines, strict=True), 1):
        try:
            limits.append(_limit(entry, line))
        except ConfigError as error:
            raise ConfigError(f"{path}: limit {number}: {error}") from error
    names = [limit.name for limit in limits]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: two limits have the name {name!r}; a name of its own is needed")
    return limits


def _limit(entry: Any, line: int) -> Limit:
    if not isinstance(entry, dict):
        raise ConfigError("a table is needed")
    for key in entry:
        if key not in _KEYS:
            raise ConfigError(f"{key}: is not known; {meant_or_accepted(key, _KEYS)}")
    name, measure = (_word(entry, key) for key in ("name", "measure"))
    if ("at_most" in entry) == ("at_least" in entry):
        raise ConfigError(f"{name!r}: one of at_most and at_least is needed")
    key = "at_least" if "at_least" in entry else "at_most"
    if not _is_number(entry[key]) or not math.isfinite(entry[key]):
        raise ConfigError(f"{name!r}: {key}={entry[key]!r}: must be a number")
    each = entry.get("each_row", False)
    if not isinstance(each, bool):
        raise ConfigError(f"{name!r}: each_row={each!r}: must be true or false")
    where = entry.get("where", {})
    if not isinstance(where, dict):
        raise ConfigError(f"{name!r}: where={where!r}: must be a table, such as {{distance_m = '<= 6'}}")
    try:
        conditions = tuple(_where(column, value) for column, value in where.items())
    except ConfigError as error:
        raise ConfigError(f"{name!r}: {error}") from error
    return Limit(name, measure, float(entry[key]), key == "at_least", each, conditions, line)


def _word(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        found = "missing" if value is None else f"{value!r} found"
        raise ConfigError(f"{key}: {found}; a text of one line is needed")
    return value


def _where(column: str, value: Any) -> Where:
    """ "<= 6", a value, or a list of values."""
    if isinstance(value, str) and (compared := _COMPARISON.fullmatch(value)):
        sign, text = compared.groups()
        try:
            bound = float(text)
        except ValueError:
            bound = math.nan
        if not math.isfinite(bound):
            raise ConfigError(f"where.{column}={value!r}: a number is needed behind {sign}, without its unit")
        return Where(column, f"{sign} {bound:g}", sign, bound, ())
    values = tuple(value) if isinstance(value, list) else (value,)
    if not values or not all(isinstance(each, str) or _is_number(each) for each in values):
        raise ConfigError(
            f"where.{column}={value!r}: must be a value, a list of them, or a comparison such as '<= 6'"
        )
    return Where(column, " or ".join(text_of(column, each) for each in values), "", math.nan, values)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
