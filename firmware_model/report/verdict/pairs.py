"""Rows of two sweeps that are alike in all but what the sweeps as a whole differ in."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from firmware_model.report.factors import ARITHMETIC, text_of, words_of
from firmware_model.report.source import Source
from firmware_model.report.verdict.quantities import device_of
from fixedpoint.errors import ConfigError

Row = dict[str, Any]
_OF_A_ROW = ("row", "error")


class Pairs(NamedTuple):
    """Two sweeps, row by row.

    both : rows without error on either side;  only : of each sweep, the rows that it alone has
    errors : of each sweep, the rows that ended in an error in it alone
    both_failed : pairs in which both did
    differs : in words, what is one thing in all of the first and another in all of the second, versions too
    """

    both: list[tuple[Row, Row]]
    only: tuple[list[Row], list[Row]]
    errors: tuple[list[Row], list[Row]]
    both_failed: int
    differs: list[str]
    arithmetic: tuple[str, str]


def pair(first: Source, second: Source, names: tuple[str, str]) -> Pairs:
    """The rows of each sweep's own arithmetic, that of the device where it has it, by what they are of.

    Raises
    ------
    ConfigError
        Of two products, or no row of one is like a row of the other.
    """
    products = [source.meta["product"] for source in (first, second)]
    if products[0] != products[1]:
        raise ConfigError(
            f"{names[0]} is of the product {products[0]}, {names[1]} of {products[1]}; two of one are needed"
        )
    arithmetic = tuple(device_of(source.rows or source.failed) for source in (first, second))
    ours = [
        [row for row in (*source.rows, *source.failed) if row[ARITHMETIC] == device]
        for source, device in zip((first, second), arithmetic, strict=True)
    ]
    outcome = set(first.meta["outcome"]) | set(second.meta["outcome"])
    columns = [name for name in ours[0][0] if name in ours[1][0] and name not in (*_OF_A_ROW, *outcome)]
    apart = {name: values for name in columns if (values := _apart(name, *ours)) is not None}
    key = [name for name in columns if name not in apart]
    by_key = [{tuple(map(str, (row[name] for name in key))): row for row in rows} for rows in ours]
    common = [cell for cell in by_key[0] if cell in by_key[1]]
    if not common:
        raise ConfigError(f"{names[0]} and {names[1]} have no row in common: {_why_none(key, ours, names)}")
    pairs = [(by_key[0][cell], by_key[1][cell]) for cell in common]
    failed = [tuple(row["error"] is not None for row in each) for each in pairs]
    return Pairs(
        both=[each for each, flags in zip(pairs, failed, strict=True) if not any(flags)],
        only=(_without(by_key[0], by_key[1]), _without(by_key[1], by_key[0])),
        errors=(
            [a for (a, _), flags in zip(pairs, failed, strict=True) if flags == (True, False)],
            [b for (_, b), flags in zip(pairs, failed, strict=True) if flags == (False, True)],
        ),
        both_failed=failed.count((True, True)),
        differs=[
            *(f"{words_of(name)[0]} {a} in {names[0]}, {b} in {names[1]}" for name, (a, b) in apart.items()),
            *_other_files(first.meta, second.meta),
            *_other_versions(first.meta, second.meta),
        ],
        arithmetic=(arithmetic[0], arithmetic[1]),
    )


def _apart(name: str, first: Sequence[Row], second: Sequence[Row]) -> tuple[str, str] | None:
    """The values of an axis that has one in each sweep, another one; chance is never such an axis."""
    if name in ("seed", "repeat"):
        return None
    values = [{text_of(name, row[name]) for row in rows} for rows in (first, second)]
    if values[0] == values[1] or any(len(each) != 1 for each in values):
        return None
    return values[0].pop(), values[1].pop()


def _without(rows: Mapping[tuple[str, ...], Row], others: Mapping[tuple[str, ...], Row]) -> list[Row]:
    return [row for cell, row in rows.items() if cell not in others]


def _why_none(key: Sequence[str], ours: Sequence[Sequence[Row]], names: tuple[str, str]) -> str:
    """The first column in which they share nothing."""
    for name in key:
        values = [list(dict.fromkeys(text_of(name, row[name]) for row in rows)) for rows in ours]
        if not set(values[0]) & set(values[1]):
            if name == "seed":
                return "their seeds differ, and with them what is heard; two plans of one seed are needed"
            first, second = (", ".join(each[:4]) + (", …" if len(each) > 4 else "") for each in values)
            return f"{words_of(name)[0]} is {first} in {names[0]}, {second} in {names[1]}"
    return "each axis has common values, no row has all of them"


def _other_files(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Files of one name whose content is another in each."""
    before, after = first.get("files", {}), second.get("files", {})
    return [
        f"{name} has another content in each"
        for name in before
        if after.get(name, before[name]) != before[name]
    ]


def _other_versions(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Packages, and the digest of the product's sources, that computed the last rows of each."""
    before, after = (meta["versions"][-1] for meta in (first, second))
    return [
        f"{name} {before.get(name, 'none')} and {after.get(name, 'none')}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
