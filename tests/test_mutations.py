"""Small faults in the kernels' sources: the golden of the kernel that holds one catches it.

Tokens, named constants, sums held in 32 and in 40 bits, products held in 32.

A sample of all mutants runs in `make test`, every one in `make test-slow`. Each runs in a temporary copy of
the packages, its kernel interpreted, and is held against the golden of that kernel alone.
"""

from functools import cache
from pathlib import Path

import pytest

from firmware_model.golden import kernel_cases
from firmware_model.golden.proofs.mutants import Mutant, marks, mutants
from firmware_model.golden.proofs.mutation import copy_of_the_packages, verdicts
from tests import equivalent_mutants
from tests.equivalent_widths import EQUIVALENT_WIDTHS, UNREACHED

EQUIVALENT = equivalent_mutants.EQUIVALENT | EQUIVALENT_WIDTHS | UNREACHED
ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("fixedpoint", "firmware_model")
PROCESSES = 2
WITHOUT_A_TOKEN_TO_MUTATE = ["fixedpoint.arith.narrow32"]
SAMPLE = 60  # one in so many runs in `make test`; none of these runs into the limit of time


@cache
def every_mutant() -> list[Mutant]:
    """Not while tests are collected, which every process does."""
    return mutants(ROOT, PACKAGES)


@cache
def every_mark() -> dict[Mutant, str]:
    return marks(ROOT, every_mutant())


@pytest.fixture(scope="module")
def copies(tmp_path_factory) -> list[Path]:
    """A folder for each process; a worker leaves it as it was."""
    roots = dict.fromkeys(PACKAGES, ROOT)
    return [copy_of_the_packages(tmp_path_factory.mktemp("copy") / "c", roots) for _ in range(PROCESSES)]


def listed(mutant: Mutant) -> bool:
    """What fits in 32 bits fits in 40."""
    mark = every_mark()[mutant]
    return mark in EQUIVALENT or mark.replace("|40 bits]", "|32 bits]") in EQUIVALENT_WIDTHS


def check(found: dict[Mutant, str]) -> None:
    """Every mutant is caught but those that are equivalent; and these are not."""
    missed = [mutant for mutant, says in found.items() if not says]
    unlisted = [str(mutant) for mutant in missed if not listed(mutant)]
    assert unlisted == []
    caught = [f"{mutant}: {found[mutant]}" for mutant in found if listed(mutant) and found[mutant]]
    assert caught == []  # else it is not equivalent: take it off the list


def sample() -> list[Mutant]:
    """One mutant of each kernel, and one in so many of all."""
    first = {mutant.kernel: mutant for mutant in reversed(every_mutant())}
    return sorted({*first.values(), *every_mutant()[::SAMPLE]})


def test_a_sample_of_mutants_is_caught_by_the_golden_of_their_kernel(copies):
    chosen = sample()
    assert {mutant.kernel for mutant in chosen} == {mutant.kernel for mutant in every_mutant()}
    found = verdicts(copies, chosen)
    check(found)
    assert sum(bool(says) for says in found.values()) > 0.9 * len(chosen)


@pytest.mark.slow
def test_every_mutant_is_caught_by_the_golden_of_its_kernel(copies):
    check(verdicts(copies, every_mutant()))


def test_without_a_mutation_the_copy_passes(copies):
    """What is caught is caught for its mutation, not because the copy does not run."""
    whole = [mutant._replace(new=mutant.old) for mutant in every_mutant()[:: len(every_mutant()) // 12]]
    assert set(verdicts(copies, whole).values()) == {""}


def test_mutants_are_of_every_kind_and_of_every_kernel_that_can_have_one():
    without = set(kernel_cases.CASES) - {mutant.kernel for mutant in every_mutant()}
    assert sorted(without) == WITHOUT_A_TOKEN_TO_MUTATE
    assert len(every_mutant()) > 1000
    assert {mutant.said for mutant in every_mutant()} == {"", "32 bits", "40 bits"}
    assert any(mutant.new == "(MEAN_SHIFT + 1)" for mutant in every_mutant())
    kinds = {mutant.old for mutant in every_mutant() if not mutant.old[0].isdigit()}
    assert {
        "+",
        "-",
        "*",
        "<<",
        ">>",
        "&",
        "<",
        ">=",
        "==",
        "and",
        "rnd_shift",
        "trn_shift",
        "sat32",
    } <= kinds


def test_the_list_of_equivalent_mutants_names_those_that_exist():
    assert sorted(set(EQUIVALENT) - set(every_mark().values())) == []
