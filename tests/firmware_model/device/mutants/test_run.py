"""Mistakes in the exported C: every constant and every sum decides an output of some case of its product.

A sample runs in `make test`, all in `make test-slow`.
"""

import os
import shutil

import pytest

from firmware_model.device.mutants import run
from firmware_model.device.mutants.sites import CONFIGURED
from firmware_model.device.mutants.worker import FAULT, OUTPUT, STATE
from firmware_model.golden.cases import CASES
from tests.firmware_model.device.mutants.undecided import UNDECIDED

CC = os.environ.get("CC", "cc")
pytestmark = pytest.mark.skipif(shutil.which(CC) is None, reason=f"no C compiler named {CC}")
# A product -> its cases in turn: those that reach most stand first.
IN_TURN = {
    "mbdp": (
        "mbdp-rails",
        "mbdp-headset-extremes",
        "mbdp-smart-speaker",
        "mbdp-smart-speaker-extremes",
        "mbdp-six-bands",
        "mbdp-conventional",
        "mbdp-headset",
    ),
    "watermark": ("watermark-wide", "watermark-small", "watermark-detector"),
}
LIBRARY_TABLES = ("LOG2", "EXP2_Q30", "RECIPROCAL_Q30")
SAMPLE = 40  # one in so many runs in `make test`


def of_the_kernels(mistake: run.Mistake) -> bool:
    """Not of one configuration, and no lowest bit of a table."""
    place = mistake.place
    if place.kind == run.TABLE:
        return place.where in LIBRARY_TABLES and mistake.said != "lowest bit"
    return place.where != CONFIGURED


def undecided(found: dict[tuple[run.Place, str], str]) -> set[str]:
    """Places at which no mistake shows."""
    shown = {place for (place, _), says in found.items() if says}
    return {str(place) for place, _ in found if place not in shown}


@pytest.mark.slow
@pytest.mark.parametrize("product", IN_TURN)
def test_every_constant_and_every_sum_decides_an_output_but_those_listed(product):
    found = run.shown([CASES[name] for name in IN_TURN[product]], of_the_kernels)
    assert set(found.values()) <= {OUTPUT, STATE, FAULT, ""}
    assert undecided(found) == set(UNDECIDED[product])


@pytest.mark.parametrize("product", IN_TURN)
def test_a_sample_of_places_decides_an_output_of_the_case_that_reaches_most(product, tmp_path):
    case = CASES[IN_TURN[product][0]]
    made = run.export(case, tmp_path)
    chosen = [mistake for mistake in run.mistakes(made) if of_the_kernels(mistake)][::SAMPLE]
    says = run.verdicts(made, chosen)
    hidden = {str(each.place) for each, said in zip(chosen, says, strict=True) if not said}
    assert 0 < len(hidden) < 0.5 * len(chosen)
    assert sum(said == OUTPUT for said in says) > 0.4 * len(chosen)


def test_a_wrong_exp2_constant_shows_where_the_old_stimulus_does_not_reach_it(tmp_path):
    """Of the headset profile's first case 54 of the table's 192 constants decide nothing."""

    def decides(name: str) -> list[str]:
        made = run.export(CASES[name], tmp_path / name)
        chosen = [m for m in run.mistakes(made) if (m.place.where, m.said) == ("EXP2_Q30", "sign")][:6]
        assert len(chosen) == 6
        return run.verdicts(made, chosen)

    assert decides("mbdp-headset") == [""] * 6
    assert decides("mbdp-headset-extremes") == [OUTPUT] * 6


def test_what_is_undecided_names_places_that_exist(tmp_path):
    for product, names in IN_TURN.items():
        made = run.export(CASES[names[0]], tmp_path / product)
        places = {str(mistake.place) for mistake in run.mistakes(made)}
        assert sorted(set(UNDECIDED[product]) - places) == []
