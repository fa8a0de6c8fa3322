"""Entry points read from folders of installed packages."""

import sys

import pytest

from firmware_model.entry_points import EntryPoint, entry_points

GROUP = "bittrue.test"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on the path; returns what installs a package of a name there."""
    monkeypatch.setattr(sys, "path", [str(tmp_path / "nowhere"), str(tmp_path / "first"), str(tmp_path)])
    (tmp_path / "first").mkdir()

    def install(folder, text, name="", place=tmp_path):
        info = place / folder
        info.mkdir()
        (info / "entry_points.txt").write_text(text)
        if name:
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n\nName: of the text\n"
            )
        return info

    return install


def test_all_of_a_group_are_found_in_order_with_their_distribution(site):
    site(
        "b_pack-1.0.dist-info",
        f"[console_scripts]\nx = y:z\n\n[{GROUP}]\nb = mod.b:B\n# c = d:e\n a=mod:A\n",
        "B.Pack",
    )
    site("old-2.egg-info", f"[{GROUP}]\nold = o:O\n[other]\nno = n:N\n")
    assert entry_points(GROUP) == [
        EntryPoint("a", "mod:A", "B.Pack"),
        EntryPoint("b", "mod.b:B", "B.Pack"),
        EntryPoint("old", "o:O", "old"),
    ]
    assert entry_points("bittrue.none") == []


def test_of_two_distributions_of_a_name_the_first_on_the_path_counts(site, tmp_path):
    site("my_pack-2.0.dist-info", f"[{GROUP}]\nnew = n:N\n", "my-pack", tmp_path / "first")
    site("My.Pack-1.0.dist-info", f"[{GROUP}]\nold = o:O\n", "my-pack")
    assert [point.name for point in entry_points(GROUP)] == ["new"]


def test_what_is_no_text_is_passed_over(site):
    info = site("bad-1.0.dist-info", "")
    (info / "entry_points.txt").write_bytes(b"\xff\xfe[bittrue.test]")
    assert entry_points(GROUP) == []


def test_an_entry_point_loads_an_attribute_and_names_a_wrong_value():
    assert EntryPoint("x", "os.path:join", "d").load() is sys.modules["os.path"].join
    assert EntryPoint("x", "json : decoder.JSONDecoder [extra]", "d").load().__name__ == "JSONDecoder"
    with pytest.raises(ValueError, match="entry point 'json': must be module:attribute"):
        EntryPoint("x", "json", "d").load()


def test_the_same_are_found_as_by_the_standard_library():
    from importlib import metadata

    for group in ("console_scripts", "pytest11"):
        ours = {(point.name, point.value) for point in entry_points(group)}
        assert ours == {(point.name, point.value) for point in metadata.entry_points(group=group)}
