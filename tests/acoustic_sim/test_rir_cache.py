import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from acoustic_sim.rir_cache import cache_folder, cached

KEY = "ab" * 32
H = np.random.default_rng(4).standard_normal(5000)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("BITTRUE_CACHE", str(tmp_path))
    return tmp_path / "rir"


def never():
    raise AssertionError("must come from the cache")


def test_a_hit_gives_the_same_bits_without_building(folder):
    assert np.array_equal(cached(KEY, lambda: H), H)
    assert np.array_equal(cached(KEY, never), H)
    assert os.listdir(folder) == [f"{KEY}.npy"], "no temporary file may stay behind"


def damage_cut(path: Path):
    path.write_bytes(path.read_bytes()[:-9])


def damage_empty(path: Path):
    path.write_bytes(b"")


def damage_bit(path: Path):
    data = bytearray(path.read_bytes())
    data[20000] ^= 1
    path.write_bytes(data)


def damage_other_array(path: Path):
    np.save(path, H)


def damage_pickle(path: Path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def damage_header_only(path: Path):
    np.save(path, np.zeros(32, np.uint8))


@pytest.mark.parametrize(
    "damage",
    [damage_cut, damage_empty, damage_bit, damage_other_array, damage_pickle, damage_header_only, os.unlink],
)
def test_a_damaged_file_is_rebuilt(folder, damage):
    cached(KEY, lambda: H)
    damage(folder / f"{KEY}.npy")
    assert np.array_equal(cached(KEY, lambda: H), H)
    assert np.array_equal(cached(KEY, never), H)


def test_a_response_that_is_not_finite_is_not_taken_from_the_cache(folder):
    cached(KEY, lambda: np.array([1.0, np.nan]))
    assert np.array_equal(cached(KEY, lambda: H), H)


def test_a_folder_that_cannot_be_written_is_no_error(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BITTRUE_CACHE", str(tmp_path / "file"))
    assert np.array_equal(cached(KEY, lambda: H), H)


def test_without_the_variable_the_users_cache_folder_is_used(monkeypatch):
    monkeypatch.delenv("BITTRUE_CACHE")
    assert cache_folder().parts[-2:] == ("bittrue", "rir")


def build_h():
    return H


def write_many(_):
    """Removes the file over and over, so that both processes write and read at once."""
    path = cache_folder() / f"{KEY}.npy"
    good = 0
    for _ in range(200):
        good += np.array_equal(cached(KEY, build_h), H)
        path.unlink(missing_ok=True)
    return good


def test_two_processes_writing_at_once_always_read_whole_files(folder):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(write_many, range(2))) == [200, 200]
    assert not list(folder.glob("*.tmp"))
