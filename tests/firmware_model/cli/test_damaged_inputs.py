"""Damaged files of every format through every command: status 0, 1 or 2, one line, never a fault of ours."""

import collections
import shutil

import pytest

from tests.firmware_model.cli import damage, damaged_inputs

QUICK, ALL = 60, 12_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs") / "whole"
    folder.mkdir()
    damaged_inputs.write_inputs(folder)
    return folder


def wrong(outcomes):
    return [
        f"case {found.number}: {found.wrong}: bittrue {found.line}: {found.err}"
        for found in outcomes
        if found.wrong
    ]


def test_a_sample_of_damaged_inputs_has_no_internal_fault(whole, rng):
    outcomes = list(damaged_inputs.run_cases(range(QUICK), whole))
    assert sorted(found.number for found in outcomes) == list(range(QUICK))
    assert wrong(outcomes) == []


@pytest.mark.slow
def test_damaged_inputs_have_no_internal_fault(whole, tmp_path):
    """Whole files first: what is refused of them is named, so that damage meets all that reads."""
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    for found in damaged_inputs.run_whole(copy):
        allowed = any(part in found.line for part in damaged_inputs.REFUSED) or found.out
        assert found.status in (0, 1) or allowed, found
        assert not found.wrong, found
    outcomes = list(damaged_inputs.run_cases(range(ALL), whole, processes=2))
    assert sorted(found.number for found in outcomes) == list(range(ALL))
    assert wrong(outcomes) == []
    statuses = collections.Counter(found.status for found in outcomes)
    assert min(statuses[0], statuses[1]) > ALL // 100, "damage that leaves nothing to compute"


def test_a_fault_of_ours_and_an_end_of_the_process_are_seen(whole, monkeypatch):
    """What the tests above look for can be found."""

    def fault(arguments):
        if "profile.toml" in arguments:
            raise SystemExit(70)
        raise KeyError("x")

    monkeypatch.setattr(damaged_inputs.main, "run", fault)
    assert all("KeyError" in line for line in wrong(damaged_inputs.run_cases(range(3), whole)))
    monkeypatch.setattr(damaged_inputs.main, "run", lambda _: damaged_inputs.os._exit(9))
    assert [found.wrong for found in damaged_inputs.run_cases(range(2), whole)] == [
        "status the process ended with 9"
    ] * 2
    monkeypatch.setattr(damaged_inputs.main, "run", lambda _: 70)
    assert all("status 70" in line for line in wrong(damaged_inputs.run_cases(range(3), whole)))


def test_every_kind_of_damage_changes_a_file_and_is_that_of_its_seed(whole, rng):
    for path in sorted(path for path in whole.rglob("*") if path.suffix in damage.OF_SUFFIX):
        content = path.read_bytes()
        for kind in damage.OF_SUFFIX[path.suffix]:
            changed = {kind(content, damaged_inputs.np.random.default_rng(seed)) for seed in range(4)}
            assert changed - {content}
            assert kind(content, damaged_inputs.np.random.default_rng(0)) in changed
