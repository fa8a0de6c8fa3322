"""The store: whatever is not as written is named; writing changes what changed, for a stated reason."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from firmware_model.golden import store
from firmware_model.golden.cases import find_case
from firmware_model.golden.store import MANIFEST, Frozen, GoldenError, Store, facts_of
from firmware_model.product import BUILT_IN, LIBRARY, find_product
from fixedpoint.errors import ConfigError

MBDP = find_product("mbdp")


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped store."""
    return shutil.copytree(store.goldens_folder(MBDP), tmp_path / "goldens")


def small(values, name="kernel:a", file="a.npz", **other):
    values = np.array(values, np.int32)
    return Frozen(name, file, {name: values}, facts_of(values, "Q1.31", {"what": "three values"}) | other)


def test_digest_is_of_little_endian_bytes():
    wanted = hashlib.sha256(bytes([1, 0, 255, 255])).hexdigest()
    for order in "<>":
        assert store.digest(np.array([1, -1], f"{order}i2")) == wanted


def test_shipped_store_is_sound_small_and_says_all():
    shipped = store.shipped()
    assert store.verify() == []
    folders = [store.goldens_folder(product) for product in (LIBRARY, *BUILT_IN)]
    assert sum(path.stat().st_size for folder in folders for path in folder.iterdir()) < 2_100_000
    for name, entry in shipped.entries.items():
        needed = {"sha256", "shape", "dtype", "format", "configuration", "versions", "reason"}
        assert needed <= entry.keys(), name
        assert len(entry["sha256"]) == 64
        assert entry["reason"]
        assert {"python", "numpy", "numba", "bittrue"} <= entry["versions"].keys()
        if name.startswith(("stimulus:", "output:")):
            values = shipped.array(name)
            assert (list(values.shape), values.dtype.name) == (entry["shape"], entry["dtype"])
            assert store.digest(values) == entry["sha256"]


def test_a_corrupted_vector_is_named_and_never_used(folder):
    content = bytearray((folder / "mbdp-headset.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "mbdp-headset.npz").write_bytes(content)
    (fault,) = Store(folder).verify()
    assert fault.startswith("mbdp-headset.npz: corrupted, its sha256 is ")
    with pytest.raises(GoldenError, match=r"mbdp-headset\.npz: corrupted"):
        Store(folder).array("output:mbdp-headset")
    Store(folder).array("output:mbdp-conventional")


def test_a_missing_and_a_foreign_file_are_named(folder):
    (folder / "kernels.npz").unlink()
    (folder / "mine.npz").write_bytes(b"")
    missing, foreign = Store(folder).verify()
    assert missing.startswith("kernels.npz: No such file")
    assert foreign == "mine.npz: is not in manifest.json; remove it"


def edited(manifest):
    manifest["entries"]["output:mbdp-headset"]["reason"] = "nothing to see"
    return json.dumps(manifest)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (edited, r"manifest\.json: was edited by hand"),
        (lambda manifest: json.dumps(manifest)[:-5], r"manifest\.json: is no manifest of goldens"),
        (lambda manifest: "[]", r"manifest\.json: is no manifest of goldens"),
    ],
)
def test_a_spoilt_manifest_is_named_and_not_overwritten(folder, spoil, says):
    text = spoil(json.loads((folder / MANIFEST).read_text("utf-8")))
    (folder / MANIFEST).write_text(text, "utf-8")
    with pytest.raises(GoldenError, match=says):
        Store(folder)
    with pytest.raises(GoldenError, match=says):
        store.write([small([1, 2, 3])], "a reason", folder)
    assert (folder / MANIFEST).read_text("utf-8") == text


def test_without_a_manifest_there_is_nothing_to_compare_with(tmp_path):
    with pytest.raises(GoldenError, match=r"manifest\.json: No such file"):
        Store(tmp_path)


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_writing_needs_a_reason(tmp_path, reason):
    with pytest.raises(ConfigError, match="a line is needed that says why"):
        store.write([small([1, 2, 3])], reason, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_what_changed_gets_the_new_reason(tmp_path):
    first = store.write([small([1, 2, 3]), small([4], "kernel:b")], "first  \n bits", tmp_path)
    assert first == (["kernel:a", "kernel:b"], [], [])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    same = store.write([small([1, 2, 3]), small([4], "kernel:b")], "the same again", tmp_path)
    assert not same
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    second = store.write(
        [small([1, 2, 4]), small([4], "kernel:b"), small([5], "kernel:c", "c.npz")], "b", tmp_path
    )
    assert second == (["kernel:c"], ["kernel:a"], [])
    after = Store(tmp_path)
    assert [after.entry(f"kernel:{name}")["reason"] for name in "abc"] == ["b", "first bits", "b"]
    assert after.array("kernel:a").tolist() == [1, 2, 4]
    third = store.write([small([1, 2, 4])], "fewer", tmp_path)
    assert third == ([], [], ["kernel:b", "kernel:c"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", MANIFEST]
    assert Store(tmp_path).verify() == []


def test_what_ends_while_files_are_made_leaves_the_old_ones(tmp_path, monkeypatch):
    old, new = ([small([n]), small([n], "kernel:c", "c.npz")] for n in (1, 2))
    store.write(old, "first", tmp_path)
    made, make = [], store._npz_bytes

    def ends_at_the_second(arrays):
        made.append(arrays)
        if len(made) == 2:
            raise KeyboardInterrupt
        return make(arrays)

    monkeypatch.setattr(store, "_npz_bytes", ends_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        store.write(new, "second", tmp_path)
    assert Store(tmp_path).verify() == []
    assert Store(tmp_path).array("kernel:a").tolist() == [1]


def test_a_changed_configuration_is_a_change(tmp_path):
    store.write([small([1, 2, 3])], "first", tmp_path)
    changes = store.write([small([1, 2, 3], configuration={"what": "other"})], "words", tmp_path)
    assert changes.changed == ["kernel:a"]


def test_a_corrupted_file_of_unchanged_goldens_is_written_again(tmp_path):
    store.write([small([1, 2, 3])], "first", tmp_path)
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[:-9])
    assert not store.write([small([1, 2, 3])], "mended", tmp_path)
    assert (tmp_path / "a.npz").read_bytes() == whole


def test_an_unknown_golden_is_refused():
    with pytest.raises(ConfigError, match=r"output 'mbdp': must be one of mbdp-smart-speaker, "):
        store.golden(find_case("mbdp-headset")._replace(name="mbdp"))
