"""Names and folders that `bittrue new` takes, and those that it refuses in one line."""

import pytest

from firmware_model.cli.newcomer.package import check_name, create
from fixedpoint.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Gate", "must be small letters, digits and _"),
        ("my gate", "must be small letters"),
        ("1gate", "must be small letters"),
        ("class", "must be small letters"),
        ("gäte", "must be small letters"),
        ("g" * 31, "up to 30"),
        ("mbdp", "is a product already"),
        ("fixedpoint", "is a product already"),
        ("json", "a module of this name is installed"),
        ("bittrue", "a package of this name is installed"),  # pip would put it in bittrue's place
        ("scipy", "of this name is installed"),
        ("tests", "is the folder of the package's tests"),
        ("conftest", "is a file of pytest's"),
        ("both", "is what `bittrue export` calls"),
    ],
)
def test_a_name_that_would_not_do_is_refused(name, says):
    with pytest.raises(ConfigError) as found:
        check_name(name)
    assert str(found.value).startswith(f"NAME {name!r}: ")
    assert says in str(found.value)


def test_a_folder_that_is_there_or_has_no_parent_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("mine")
    for folder in ("", str(tmp_path / "full"), str(tmp_path / "full/x"), str(tmp_path / "no/where")):
        with pytest.raises(ConfigError, match="DIR "):
            create("mygate", folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "x"]
