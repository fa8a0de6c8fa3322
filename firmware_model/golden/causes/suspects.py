"""The likely cause of a difference: usual suspects are tried, and ranked by what they explain of it."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from firmware_model.case import Case
from firmware_model.golden.causes import data_suspects, misreading, run_suspects, transport
from firmware_model.golden.causes.faults.modes import KINDS
from firmware_model.golden.causes.faults.primitives import ALTERED
from firmware_model.golden.causes.faults.processes import other_cases, search_faults
from firmware_model.golden.causes.faults.search import ALL_CALLS
from firmware_model.golden.causes.ranking import Cause, Tally, begins_alike, cause_of, ranked, weigh_run
from firmware_model.golden.causes.telling import mark_of_case, marks_of_nodes, told_apart
from firmware_model.golden.dumps.dump_values import Held, Values
from firmware_model.golden.dumps.evidence import Evidence, first_step, origin_of

MISREAD = "form of the file"
# Right values, wrongly written.
FORMS = (MISREAD, data_suspects.BYTE_ORDER, data_suspects.UNSIGNED, *transport.KINDS)
# What may look like another thing is said after it, where both fit: a constant has many values to try.
_LAST = ("coefficient order", KINDS[ALTERED])
_UNREPEATED = "an input that does not repeat itself"


class _Found(NamedTuple):
    """A cause, and what tells it apart; `marks` is called where there is more than one."""

    cause: Cause
    marks: Callable[[], dict[str, str]]


def find_causes(
    evidence: Evidence, case: Case, x: Values, nodes: dict[str, Values], cache: Path | None = None
) -> list[Cause]:
    """Suspects that give the dump, the simplest first; if there is none, those that give most of it.

    What was only written otherwise needs no other cause; all the others are tried, and ranked.

    Parameters
    ----------
    x : input of the whole dump;  nodes : the dump
    cache : folder for compiled copies, None for the user's
    """
    causes = list(_of_the_data(evidence, case, nodes))
    if any(cause.complete for cause in causes):
        complete = [*_swapped_input(evidence, case, x, causes), *ranked(causes)]
        return _with_alternatives(complete, _UNREPEATED if len(complete) > 1 else "")
    found = [
        *(_Found(cause, dict) for cause in causes),
        *_of_the_run(evidence, case, x),
        *_of_the_arithmetic(evidence, cache),
    ]
    found.sort(key=lambda one: _LAST.index(one.cause.kind) if one.cause.kind in _LAST else -1)
    best = ranked([one.cause for one in found])
    if len(best) < 2 or not best[0].complete:
        return best
    marks = [one.marks() for one in found if one.cause.complete]
    return _with_alternatives(best, told_apart(evidence, case, marks))


def _swapped_input(evidence: Evidence, case: Case, x: Values, causes: list[Cause]) -> list[Cause]:
    """The input's channels swapped, where words of the dump seem to be: it is as likely, and is one fault."""
    if case.channels < 2 or evidence.run is not None or ranked(causes)[0].kind != transport.WORDS:
        return []
    suspects = run_suspects.suspects(case, evidence.x, x)
    swap = next((suspect for suspect in suspects if suspect.kind == "channel swap"), None)
    score = swap and weigh_run(evidence, case, swap.start(), swap.x, swap.valid)
    return [cause_of(score, swap.kind, swap.text)] if swap and score and score.complete else []


def _with_alternatives(causes: list[Cause], told_apart_by: str) -> list[Cause]:
    names = [f"{cause.kind}: {cause.text}" for cause in causes]
    return [
        cause._replace(
            alternatives=tuple(name for i, name in enumerate(names) if i != k), told_apart_by=told_apart_by
        )
        for k, cause in enumerate(causes)
    ]


def _of_the_data(evidence: Evidence, case: Case, nodes: dict[str, Values]) -> Iterator[Cause]:
    for options, equal in misreading.misread(evidence, case, nodes):
        tally = Tally(evidence, case)
        for name, got in evidence.got.items():
            tally.take(name, 0, got if name in equal else evidence.expected[name][:, : got.shape[1]])
        score = tally.score()
        if score:
            yield cause_of(score, MISREAD, f"equal when read with {options}")
        if score and score.complete:
            return  # the same once more in other words is no other cause
    named: set[str] = (
        set()
    )  # kinds, and texts, of which the first that fits speaks for the same in other words
    for guess in data_suspects.guesses(evidence, case, nodes):
        said = guess.kind in named or guess.simpler in named
        weighed = None if said else data_suspects.weigh(guess, evidence, case)
        if weighed:
            score, gap = weighed
            named.add(guess.text)
            yield cause_of(score, guess.kind, guess.text, gap=gap)
            if score.complete and guess.kind not in data_suspects.IN_TIME:
                named |= data_suspects.alike(guess.kind)


def _of_the_run(evidence: Evidence, case: Case, x: Values) -> Iterator[_Found]:
    if evidence.run is not None:
        return
    steps = {node.name: node.step for node in case.nodes}
    earliest = min(first_step(evidence, name) * steps[name] for name in evidence.diverging)
    for suspect in run_suspects.suspects(case, evidence.x, x, earliest, evidence.got):
        if suspect.exact and not begins_alike(evidence, case, suspect.start(), suspect.x, earliest):
            continue
        score = weigh_run(evidence, case, suspect.start(), suspect.x, suspect.valid)
        if score:
            nodes = suspect.start().push(suspect.x)
            origin = origin_of(evidence, case, nodes) if suspect.x is evidence.x else None
            cause = cause_of(score, suspect.kind, suspect.text, origin)
            yield _Found(cause, partial(_marks_of_run, case, suspect, nodes))


def _marks_of_run(case: Case, suspect: run_suspects.Suspect, nodes: dict[str, np.ndarray]) -> dict[str, str]:
    marks = marks_of_nodes(nodes)
    for other, x in other_cases(case).values():
        same = (
            one
            for one in run_suspects.suspects(other, x, Held(x))
            if (one.kind, one.text) == (suspect.kind, suspect.text)
        )
        there = next(same, None)
        if there is not None:
            marks |= [mark_of_case(other, there.start(), there.x)]
    return marks


def _of_the_arithmetic(evidence: Evidence, cache: Path | None) -> Iterator[_Found]:
    # The likeliest kind first, and of it the narrowest place: what can be seen of the fault lies there.
    order = list(KINDS)
    matches = sorted(
        search_faults(evidence, cache), key=lambda match: (order.index(match.mode), len(match.sites))
    )
    for match in matches:
        text = match.where
        if match.widest:
            text += f"; the same bits result if the same is wrong {_widely(match.widest)}"
        cause = cause_of(match.score, KINDS[match.mode], text, match.origin)
        yield _Found(cause, partial(dict, match.marks))


def _widely(where: str) -> str:
    """ "in all of apply_gain (file)" of "in apply_gain (file)"; other places as they are."""
    whole = where.startswith("in ") and not where.endswith(ALL_CALLS)
    return f"in all of {where.removeprefix('in ')}" if whole else where
