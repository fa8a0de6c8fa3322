"""Arrays kept on disk: same bits, damage, two writers at once, eviction, folders that cannot be written."""

import hashlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from acoustic_sim.border.array_store import (
    DEFAULT_LIMIT_BYTES,
    cache_root,
    cached,
    content_key,
    evict,
    limit_bytes,
)
from fixedpoint.errors import ConfigError

KEY = "ab" * 32
H = np.random.default_rng(4).standard_normal(5000)
OVERHEAD_BYTES = 32 + 300  # digest, and the .npz around one array: its name, its shape, the index


def build():
    return {"h": H}


def never():
    raise AssertionError("must come from the cache")


def same(arrays):
    return list(arrays) == ["h"] and arrays["h"].dtype == H.dtype and np.array_equal(arrays["h"], H)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("BITTRUE_CACHE", str(tmp_path))
    monkeypatch.delenv("BITTRUE_CACHE_LIMIT", raising=False)
    return tmp_path / "rir"


def test_a_hit_gives_the_same_bits_without_building(folder):
    assert same(cached("rir", KEY, build))
    assert same(cached("rir", KEY, never))
    assert os.listdir(folder) == [f"{KEY}.arrays"], "no temporary file may stay behind"


def test_several_arrays_of_any_kind_of_number_come_back_as_they_were(folder):
    arrays = {"pcm": np.array([[1, -2]], np.int16), "wsr_db": np.array(-23.5), "none": np.zeros(0)}
    cached("rir", KEY, lambda: arrays)
    again = cached("rir", KEY, never)
    assert list(again) == list(arrays)
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype
        assert again[name].shape == array.shape
        assert np.array_equal(again[name], array)


def test_kinds_are_kept_apart(folder):
    cached("rir", KEY, build)
    assert cached("noise", KEY, lambda: {"y": H + 1})["y"][0] == H[0] + 1


def test_a_key_tells_facts_apart_that_look_alike():
    assert (
        len({content_key(*facts) for facts in [("a", "b"), ("ab",), ("a", 1), ("a", 1.0), ("a", "1")]}) == 5
    )
    assert content_key("a", 1) == hashlib.sha256(b"('a', 1)").hexdigest()


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
    path.with_name(path.name + ".npy").rename(path)


def damage_digest_alone(path: Path):
    path.write_bytes(hashlib.sha256(b"").digest())


def damage_pickle(path: Path):
    np.save(path.with_suffix(".npy"), np.array([{"a": 1}], dtype=object), allow_pickle=True)
    body = path.with_suffix(".npy").read_bytes()
    path.write_bytes(hashlib.sha256(body).digest() + body)
    path.with_suffix(".npy").unlink()


def damage_folder_in_the_way(path: Path):
    path.unlink()
    path.mkdir()
    (path / "file").touch()


DAMAGES = [damage_cut, damage_empty, damage_bit, damage_other_array, damage_digest_alone, damage_pickle]


@pytest.mark.parametrize("damage", [*DAMAGES, os.unlink])
def test_a_damaged_file_is_rebuilt(folder, damage):
    cached("rir", KEY, build)
    damage(folder / f"{KEY}.arrays")
    assert same(cached("rir", KEY, build))
    assert same(cached("rir", KEY, never))


def test_arrays_that_are_not_finite_are_not_taken_from_the_cache(folder):
    cached("rir", KEY, lambda: {"h": np.array([1.0, np.nan])})
    assert same(cached("rir", KEY, build))


def test_a_folder_that_cannot_be_written_is_no_error(monkeypatch, tmp_path, folder):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BITTRUE_CACHE", str(tmp_path / "file"))
    assert same(cached("rir", KEY, build))


def test_a_file_that_cannot_be_replaced_is_no_error(folder):
    cached("rir", KEY, build)
    damage_folder_in_the_way(folder / f"{KEY}.arrays")
    assert same(cached("rir", KEY, build))
    assert not list(folder.glob("*.tmp"))


def test_without_the_variable_the_users_cache_folder_is_used(monkeypatch):
    monkeypatch.delenv("BITTRUE_CACHE")
    assert cache_root().parts[-1] == "bittrue"


# --- size ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", DEFAULT_LIMIT_BYTES),
        ("1000", 1000),
        ("500 MB", 5 * 10**8),
        ("2g", 2 * 10**9),
        ("1.5kB", 1500),
        ("0", 0),
    ],
)
def test_the_limit_in_bytes_or_with_a_unit(monkeypatch, text, size):
    monkeypatch.setenv("BITTRUE_CACHE_LIMIT", text)
    assert limit_bytes() == size


@pytest.mark.parametrize("text", ["lots", "-1", "1e9", "2 GiB", "nan"])
def test_a_limit_that_cannot_be_read_is_named(monkeypatch, text):
    monkeypatch.setenv("BITTRUE_CACHE_LIMIT", text)
    with pytest.raises(ConfigError, match=r"BITTRUE_CACHE_LIMIT=.*must be bytes, or a size such as") as error:
        limit_bytes()
    assert "\n" not in str(error.value)


def put(folder, name, used_at_s):
    cached(folder.name, name, build)
    os.utime(folder / f"{name}.arrays", (used_at_s, used_at_s))


def names(folder):
    return sorted(path.stem for path in folder.glob("*.arrays"))


def test_what_was_used_longest_ago_goes_first(folder, monkeypatch):
    """Four files of 40 kB under a limit of 3.5 of them: eviction goes down to 90 % of it, 3.15 files."""
    monkeypatch.setenv("BITTRUE_CACHE_LIMIT", str(int(3.5 * (H.nbytes + OVERHEAD_BYTES))))
    for age, name in enumerate(("aa", "bb", "cc")):
        put(folder, name, 1000 + age)
    cached("rir", "aa", never)  # used just now
    put(folder.parent / "noise", "dd", 2000)
    assert names(folder) == ["aa", "cc"]
    assert names(folder.parent / "noise") == ["dd"]


def test_an_entry_beyond_the_limit_is_not_kept_and_drives_nothing_out(folder, monkeypatch):
    put(folder, "aa", 1000)
    monkeypatch.setenv("BITTRUE_CACHE_LIMIT", "30kB")
    assert same(cached("rir", "bb", build))
    assert names(folder) == ["aa"]


ABANDONED = f"{KEY[:16]}x8_ab0cd.tmp"  # as tempfile names it


def test_eviction_leaves_strangers_and_fresh_work_alone(folder):
    """Everything here but one name is last century's; the folder is one that others use as well."""
    put(folder, "aa", 1000)
    strangers = [
        folder / "notes.txt",
        folder / "thesis.tmp",
        folder / "thesis.arrays",
        folder.parent / "docs" / "thesis.tmp",
        folder.parent / "docs" / ABANDONED,
        folder.parent / "docs" / "ab.arrays",
        folder.parent / ABANDONED,
    ]
    for path in [*strangers, folder / ABANDONED]:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
        os.utime(path, (1000, 1000))
    fresh = folder / ABANDONED.replace("ab0cd", "fresh")
    fresh.touch()
    evict(folder.parent, 0)
    left = {path for path in folder.parent.rglob("*") if path.is_file()}
    assert left == {*strangers, fresh}


def test_a_writer_that_is_killed_leaves_a_file_that_eviction_knows(folder, monkeypatch):
    monkeypatch.setattr("os.replace", lambda *paths: None)
    cached("rir", KEY, build)
    (name,) = os.listdir(folder)
    os.utime(folder / name, (1000, 1000))
    evict(folder.parent, 10**9)
    assert os.listdir(folder) == []


def test_a_kind_that_eviction_does_not_know_is_refused(folder):
    with pytest.raises(ValueError, match="kind='rirs': must be one of"):
        cached("rirs", KEY, build)


# --- processes ----------------------------------------------------------------------------------


def write_many(_):
    """Removes the file over and over, so that both processes write and read at once."""
    path = cache_root() / "rir" / f"{KEY}.arrays"
    good = 0
    for _ in range(200):
        good += same(cached("rir", KEY, build))
        path.unlink(missing_ok=True)
    return good


def crowd_out(worker):
    """Entries of its own, far more than the limit has room for."""
    return sum(same(cached("rir", f"{worker:02x}{i % 7:02x}", build)) for i in range(200))


@pytest.mark.parametrize("work", [write_many, crowd_out])
def test_two_processes_at_once_always_read_whole_files(folder, monkeypatch, work):
    limit = 5 * (H.nbytes + OVERHEAD_BYTES)
    monkeypatch.setenv("BITTRUE_CACHE_LIMIT", str(limit))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(work, range(2))) == [200, 200]
    assert not list(folder.glob("*.tmp"))
    assert sum(path.stat().st_size for path in folder.glob("*.arrays")) <= limit
