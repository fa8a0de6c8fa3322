"""Limits of a report as CI reads them."""

from collections.abc import Iterable, Mapping
from typing import Any

from firmware_model.cli.terminal import ci

Verdict = Mapping[str, Any]  # an entry of `limits`, as --json prints it


def junit(verdicts: Iterable[Verdict]) -> bytes:
    """JUnit XML: one suite, a case for each limit."""
    cases = [ci.Case("bittrue.limits", each["name"], 0.0, _failure(each)) for each in verdicts]
    return ci.junit("bittrue report", [ci.Suite("limits", len(cases), cases)])


def annotations(path: str, verdicts: Iterable[Verdict]) -> list[str]:
    """A workflow command of GitHub for each violation, at its limit's line."""
    return [
        ci.annotation(each["name"], says, path, each["line"])
        for each in verdicts
        if (says := _failure(each)) is not None
    ]


def _failure(verdict: Verdict) -> str | None:
    if verdict["ok"]:
        return None
    sign, bound = next((sign, verdict[key]) for key, sign in _ASKED.items() if key in verdict)
    return f"{verdict['measure']} {sign} {bound:g} asked for; {verdict['says']}; {verdict['of']}"


_ASKED = {"at_most": "at most", "at_least": "at least"}
