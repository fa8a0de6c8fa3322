"""What `bittrue compare` made of a planted mistake, judged by the words that its cause must have."""

from enum import StrEnum
from typing import Any, NamedTuple

from benchmarks.planted.mistake import Mistake


class Outcome(StrEnum):
    """How a mistake was named.

    RIGHTLY : the cause that is stated names it;  AMONG : another does, which is said to fit as well
    NOT_EXPLAINED : no cause is stated;  FALSELY : one is, and none that is stated names it
    """

    RIGHTLY = "rightly"
    AMONG = "among equals"
    NOT_EXPLAINED = "not explained"
    FALSELY = "falsely"


class Verdict(NamedTuple):
    """outcome : see `Outcome`;  first : whether the first wrong node is right;  said : the stated cause"""

    outcome: Outcome
    first: bool
    said: str


def judge(mistake: Mistake, found: dict[str, Any], nodes: tuple[str, ...]) -> Verdict:
    """Of what --json printed.

    nodes : of the dump, in signal-flow order; where it lacks the first wrong one, the next after it is right
    """
    stated = [cause for cause in found["causes"] if found["likely_cause"] and cause["complete"]]
    said = f"{stated[0]['kind']}: {stated[0]['text']}" if stated else ""
    first = mistake.first if mistake.first in nodes else nodes[-1]
    named = [mistake.is_named_by(cause["kind"], cause["text"]) for cause in stated]
    if not stated:
        outcome = Outcome.NOT_EXPLAINED
    elif named[0]:
        outcome = Outcome.RIGHTLY
    else:
        outcome = Outcome.AMONG if any(named) else Outcome.FALSELY
    return Verdict(outcome, found["node"] == first, said)
