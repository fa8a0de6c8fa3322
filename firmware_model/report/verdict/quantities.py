"""What a verdict can be about: trials of yes or no in each row, and measures, one number a row."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from firmware_model.product import find_product
from firmware_model.report.factors import words_of
from firmware_model.report.measures import Told
from firmware_model.report.source import DEVICE, Source

_NUMBERS = ("float", "int")


class Trials(NamedTuple):
    """Something that happens or not, several times in a row: marks that are missed.

    words : "marks missed"
    noun : of one trial, "mark"
    of : number of a row -> (trials,) bool
    fewer_is_better : whether it had better not happen
    """

    words: str
    noun: str
    of: Mapping[int, np.ndarray]
    fewer_is_better: bool = True


def trials_of(source: Source) -> dict[str, Trials]:
    """Those that the product's part `report` has in `judged`, and each outcome that is a flag."""
    if not source.rows:
        return {}
    found = {
        name: Trials(
            words_of(name)[0],
            "row",
            {row["row"]: np.array([row[name]]) for row in source.rows if row[name] is not None},
        )
        for name, kind in source.meta["outcome"].items()
        if kind == "bool"
    }
    product = find_product(source.meta["product"])
    judged = getattr(product.part("report"), "judged", None) if product.has("report") else None
    return found | (judged(source) if judged is not None else {})


def numbers_of(source: Source) -> list[str]:
    """Outcomes that are one number a row."""
    return [name for name, kind in source.meta["outcome"].items() if kind in _NUMBERS]


def measures_of(source: Source) -> dict[str, Told]:
    """Measures that the product's report shows, or else every outcome that is one number."""
    product = find_product(source.meta["product"])
    parts = [product.part(part) for part in ("report", "study") if product.has(part)]
    shown = next((part.MEASURES for part in parts if hasattr(part, "MEASURES")), None)
    names = numbers_of(source)
    if shown is not None:
        return {name: told for name, told in shown.items() if name in names}
    return {name: (*words_of(name), "") for name in names}


def better_of(source: Source) -> dict[str, str]:
    """Measure -> "more" or "less", of those of which the product says which is better."""
    product = find_product(source.meta["product"])
    parts = [product.part(part) for part in ("report", "study") if product.has(part)]
    return dict(next((part.BETTER for part in parts if hasattr(part, "BETTER")), {}))


def device_of(rows: Sequence[dict[str, Any]]) -> str:
    """The arithmetic that a verdict is about where nothing else is said."""
    names = list(dict.fromkeys(row["arithmetic"] for row in rows))
    return DEVICE if DEVICE in names else names[0]
