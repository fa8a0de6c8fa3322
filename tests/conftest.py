"""Shared fixtures: real audio where the user has some, seeded chance, a cache that is not the user's."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

# Before NumPy is loaded: two test processes on two cores would only wait for each other's threads.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pytest
from hypothesis import settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as where a shell started this behind itself, with `&`
    signal.signal(signal.SIGINT, signal.default_int_handler)  # for the tests of Ctrl-C; children have it

settings.register_profile("bittrue", deadline=None)  # the first call of a kernel compiles it
settings.load_profile("bittrue")

REAL_DATA_FOLDERS = "music/, speech/, rir/, noise/"
# Of two processes the first compiles all kernels, the second needs none; then the longest, then the rest.
FIRST_FILES = [
    *("test_kernel_goldens", "test_kill", "test_mutations", "test_run", "test_codec", "test_cluster"),
    *("test_room", "test_excitation", "test_large_signal", "test_tails", "test_own_product"),
    *("test_audit", "test_row", "test_translator", "test_harness", "test_sweeping", "test_build"),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order in which processes take them: make tells xdist to keep it."""
    place = {name: i for i, name in enumerate(FIRST_FILES)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """$BITTRUE_DATA, the folder of real audio and room responses; without it the test is skipped."""
    folder = os.environ.get("BITTRUE_DATA")
    if not folder:
        pytest.skip(f"set BITTRUE_DATA=<folder with {REAL_DATA_FOLDERS}> to run the tests on real audio")
    if not Path(folder).is_dir():
        # A skip would hide that none of the tests that were asked for ran.
        pytest.fail(f"BITTRUE_DATA={folder}: no such folder; a folder with {REAL_DATA_FOLDERS} is needed")
    return Path(folder)


@pytest.fixture
def rng() -> np.random.Generator:
    """Chance that is the same in every run and in every order of tests."""
    return np.random.default_rng(20190519)


@pytest.fixture(scope="session", autouse=True)
def isolated_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """$BITTRUE_CACHE, where room responses are kept, in a temporary folder for the session.

    Compiled kernels stay where they are: their folder is named by a hash of the sources.
    """
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BITTRUE_CACHE", str(folder))
        yield folder
