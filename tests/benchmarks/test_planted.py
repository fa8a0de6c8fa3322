"""Mistakes planted in the exported C: each is found once in it, and is judged by what a cause says."""

import shutil

import numpy as np
import pytest

from benchmarks.planted import example
from benchmarks.planted.__main__ import EXAMPLE, MISTAKES, dump_of, exported
from benchmarks.planted.mistake import Mistake, entry, table, text
from benchmarks.planted.verdict import Outcome, judge
from firmware_model.golden import stimuli
from firmware_model.golden.cases import find_case
from firmware_model.golden.causes import suspects
from firmware_model.golden.dumps.divergence import compare
from firmware_model.golden.dumps.dump_values import Held
from firmware_model.golden.dumps.evidence import gather
from fixedpoint.errors import ConfigError

OURS = [mistake for mistake in MISTAKES if mistake not in example.MISTAKES]
NAMED = (
    "16-bit coefficients, section, rounded",
    "attack and release exchanged, smooth_reduction",
    "wrong initial state, levels, zeros",
    "another key's coefficients, the two keys exchanged",
    "block not processed, no output",
    pytest.param("block lost, in the queue of the input", marks=pytest.mark.slow),
)
needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="no cc")


def named(name: str) -> Mistake:
    return next(mistake for mistake in OURS if f"{mistake.kind}, {mistake.where}" == name)


def test_there_are_enough_of_them_and_of_many_kinds():
    assert len(MISTAKES) >= 60
    assert len({mistake.kind for mistake in MISTAKES}) >= 15
    assert EXAMPLE.is_dir()


@pytest.mark.parametrize("case", sorted({mistake.case for mistake in OURS}))
def test_each_is_found_once_in_the_c_and_changes_it(case):
    source = exported(case).source
    for mistake in OURS:
        if mistake.case == case:
            assert mistake.plant(source) != source


def test_what_stands_twice_or_nowhere_in_the_source_is_refused():
    for source in ("x = 1; x = 1;", "y = 1;"):
        with pytest.raises(ConfigError, match="once needed"):
            text("x = 1;", "x = 2;")(source)
    assert text("a = b + c;", "a = b - c;")("a =\n    b + c;") == "a = b - c;"
    with pytest.raises(ConfigError, match="changes nothing"):
        table("t", lambda values: values)("int t[2] = { 1, 2 };")
    with pytest.raises(ConfigError, match="once needed"):
        entry("t", 3, 4)("int t[2] = { 1, 2 };")


def found(*causes):
    row = [{"kind": kind, "text": words, "complete": True} for kind, words in causes]
    return {"node": "gain", "likely_cause": "said" if row else None, "causes": row}


@pytest.mark.parametrize(
    ("causes", "outcome"),
    [
        ([("16-bit coefficients", "section: rounded")], Outcome.RIGHTLY),
        ([("zeros", "here"), ("16-bit coefficients", "section: rounded")], Outcome.AMONG),
        ([("16-bit coefficients", "curve.attack_q31")], Outcome.FALSELY),
        ([], Outcome.NOT_EXPLAINED),
    ],
)
def test_a_cause_is_judged_by_its_words(causes, outcome):
    mistake = named(NAMED[0])
    judged = judge(mistake, found(*causes), ("gain", "output"))
    assert judged.outcome == outcome
    assert judged.first
    assert not judge(mistake._replace(first="limited"), found(*causes), ("gain", "output")).first


@needs_cc
@pytest.mark.parametrize("name", NAMED)
def test_some_are_named_rightly(name, tmp_path, monkeypatch):
    monkeypatch.setattr(suspects, "search_faults", lambda *_: [])  # these are none of the arithmetic
    mistake = named(name)
    case = find_case(mistake.case)
    x, nodes = Held(stimuli.load(case)), dump_of(mistake, tmp_path)
    dump = {node: Held(np.asarray(values)) for node, values in nodes.items()}
    first = compare(case, x, dump)
    causes = suspects.find_causes(gather(case, x, dump, first), case, x, dump)
    assert first.first
    assert first.first.node.name == mistake.first
    assert causes[0].complete
    assert mistake.is_named_by(causes[0].kind, causes[0].text), causes
