"""Suspects are held against all of the evidence, and only what explains it all is stated as the cause."""

import numpy as np
import pytest

from firmware_model.golden.cases import find_case
from firmware_model.golden.causes import suspects
from firmware_model.golden.causes.gaps import gaps_of
from firmware_model.golden.causes.ranking import Tally, ranked, weigh_run
from firmware_model.golden.dumps.divergence import compare
from firmware_model.golden.dumps.dump_values import Held
from firmware_model.golden.dumps.evidence import gather
from tests.firmware_model.golden.causes.plants import causes_of

CASE = find_case("mbdp-headset")


@pytest.fixture(autouse=True)
def no_search(monkeypatch):
    """Nothing here is a fault of the arithmetic."""
    monkeypatch.setattr(suspects, "search_faults", lambda *_: [])


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(9).integers(-9000, 9000, (2, 4800)).astype(np.int16)


@pytest.fixture(scope="module")
def y(x):
    return CASE.trace(x)["output"]


def evidence_of(x, nodes):
    dump = {name: Held(array) for name, array in nodes.items()}
    return gather(CASE, Held(x), dump, compare(CASE, Held(x), dump))


def late(y, n, fill):
    gap = np.broadcast_to(np.asarray(fill, y.dtype).reshape(-1, 1), (2, n)) if np.ndim(fill) < 2 else fill
    return np.hstack([gap, y[:, :-n]])


def test_values_are_counted_by_what_they_are_in_model_and_dump(x, y):
    """Of 4 values that differ the suspect gives 3, and of those that agree it changes 1."""
    dump = y.copy()
    dump[0, 100:104] += 7
    suspect = dump.copy()
    suspect[0, 101] -= 1
    suspect[1, 2000] += 1
    tally = Tally(evidence_of(x, {"output": dump}), CASE)
    tally.take("output", 0, suspect[:, :1000])
    tally.take("output", 1000, suspect[:, 1000:])
    assert tally.hopeless
    assert tally.score() is None
    suspect[:, 101], suspect[:, 2000] = dump[:, 101], dump[:, 2000]
    tally = Tally(evidence_of(x, {"output": dump}), CASE)
    tally.take("output", 0, suspect)
    score = tally.score()
    assert (score.explained, score.of, score.spoiled, score.complete) == (4, 4, 0, True)
    assert score.stretch == (0, 4799)


def test_a_suspect_that_explains_3_of_200_is_no_cause(x, y):
    dump = y.copy()
    dump[:, 1000:1100] ^= 1
    suspect = y.copy()
    suspect[0, 1000:1003] ^= 1
    tally = Tally(evidence_of(x, {"output": dump}), CASE)
    tally.take("output", 0, suspect)
    assert tally.score() is None


def test_a_suspect_that_explains_nearly_all_is_said_and_not_stated(x, y):
    dump = late(y, 96, 0)
    dump[1, 3000:3004] ^= 1
    (cause,) = causes_of(CASE, x, {"output": dump})
    of = int(np.count_nonzero(dump != y))
    assert (cause.kind, cause.complete, cause.stated) == ("delay", False, False)
    assert (cause.explained, cause.of, cause.spoiled) == (of - 4, of, 0)
    assert cause.stretch == (0, 2999)


@pytest.mark.parametrize(
    ("fill", "says", "known"),
    [
        (0, "samples 0 to 95 of the dump are zeros", True),
        ("rotated", "samples 0 to 95 of the dump hold the last of the model's values: a ring", True),
        ("header", "samples 0 to 95 of the dump are the header of a WAV file", True),
        (1234, "samples 0 to 95 of the dump, which hold 1234 throughout, were not compared", False),
    ],
)
def test_what_fills_the_gap_of_a_delay_is_checked(x, y, fill, says, known):
    fills = {"rotated": y[:, -96:], "header": np.frombuffer(b"RIFF" * 96, "<i2").reshape(-1, 2).T}
    evidence = evidence_of(x, {"output": late(y, 96, fills.get(fill, fill))})
    (gap,) = gaps_of(evidence, CASE.output, np.arange(4800) >= 96)
    assert gap.text.startswith(says)
    assert (gap.values is not None, gap.beyond) == (known, False)


def test_a_gap_of_garbage_is_stated_and_not_bit_for_bit(x, y):
    garbage = np.random.default_rng(1).integers(-99, 99, (2, 96)).astype(y.dtype)
    dump = late(y, 96, garbage)
    cause = causes_of(CASE, x, {"output": dump})[0]
    assert (cause.stated, cause.complete) == (True, False)
    assert cause.explained == np.count_nonzero((dump != y)[:, 96:])
    assert cause.stretch == (96, 4799)
    holds = ", ".join(map(str, garbage.T.reshape(-1)[:3])) + ", ..."
    assert cause.gap == f"samples 0 to 95 of the dump, which hold {holds}, were not compared"


def test_a_run_is_dropped_as_soon_as_it_has_no_hope(x, y):
    evidence = evidence_of(x, {"output": late(y, 96, 0)})
    fed = []

    class Counted:
        def __init__(self):
            self.run = CASE.start()

        def push(self, x):
            fed.append(x.shape[1])
            return self.run.push(x)

    assert weigh_run(evidence, CASE, Counted(), x) is None
    assert sum(fed) < x.shape[1]


def test_what_explains_all_comes_before_what_explains_more_than_others(x, y):
    (cause,) = causes_of(CASE, x, {"output": late(y, 96, 0)})
    gap = cause._replace(complete=False)
    nearly = gap._replace(stated=False)
    assert ranked([nearly, gap, cause]) == [cause]
    assert ranked([nearly, gap]) == [gap]
    assert ranked([nearly, nearly._replace(spoiled=5)._replace(kind="worse")])[0] == nearly
