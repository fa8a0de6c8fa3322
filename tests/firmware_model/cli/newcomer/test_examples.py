"""`bittrue examples`: the files of examples/, all or none, and with the wheel."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from firmware_model.cli.newcomer import examples
from tests.firmware_model.cli.cases import call
from tests.test_imports import ROOT

NAMES = sorted(path.name for path in (ROOT / "examples").glob("*.toml"))


def test_all_examples_are_written_as_they_are(capsys, tmp_path):
    done = call(capsys, "examples", tmp_path / "new", "--json")
    files = [Path(path) for path in json.loads(done.out)["files"]]
    assert done.status == 0
    assert (
        [path.name for path in files] == NAMES == sorted(path.name for path in (tmp_path / "new").iterdir())
    )
    assert all(path.read_bytes() == (ROOT / "examples" / path.name).read_bytes() for path in files)
    plan = call(capsys, "sweep", tmp_path / "new/smoke.toml", "--dry-run")
    assert plan.status == 0


def test_nothing_is_overwritten(capsys, tmp_path):
    (tmp_path / "smoke.toml").write_text("mine")
    (tmp_path / "else.txt").write_text("mine")
    done = call(capsys, "examples", tmp_path)
    assert done.status == 2
    assert "smoke.toml there already; another folder needed" in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["else.txt", "smoke.toml"]
    (tmp_path / "smoke.toml").unlink()
    assert call(capsys, "examples", tmp_path).status == 0, "other files are in nobody's way"


def test_a_folder_that_cannot_be_written_to_is_as_it_was(capsys, tmp_path, monkeypatch):
    wrote = examples.replace_file

    def full(path, content):
        if path.endswith(NAMES[3]):
            raise examples.BittrueError(f"{path}: cannot be written: No space left on device")
        wrote(path, content)

    monkeypatch.setattr(examples, "replace_file", full)
    done = call(capsys, "examples", tmp_path / "new")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "says"), [("a/b", "no such folder: a"), ("file", "is a file"), ("", "no such")]
)
def test_no_folder_is_one_line(capsys, tmp_path, monkeypatch, folder, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    done = call(capsys, "examples", folder)
    assert done.status == 2
    assert says in done.err


def test_the_wheels_files_are_found_where_no_clone_is(tmp_path, monkeypatch):
    """An installed package as pip leaves it: data below the environment's root, named in RECORD."""
    site = tmp_path / "lib/python3/site-packages"
    data = tmp_path.joinpath(*examples._INSTALLED)
    (site / "bittrue-0.1.0.dist-info").mkdir(parents=True)
    data.mkdir(parents=True)
    (data / "smoke.toml").write_text("x = 1")
    (site / "bittrue-0.1.0.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: bittrue\nVersion: 0.1.0\n"
    )
    record = "../../../share/bittrue/examples/smoke.toml,,\nfixedpoint/__init__.py,,\n"
    (site / "bittrue-0.1.0.dist-info/RECORD").write_text(record)
    monkeypatch.setattr(examples, "_CLONE", site)
    monkeypatch.setattr(sys, "path", [str(site)])
    assert [path.resolve() for path in examples.sources()] == [data / "smoke.toml"]


@pytest.mark.slow
def test_the_wheel_brings_them(tmp_path):
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        tmp_path,
        ROOT,
    ]
    subprocess.run(command, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    (wheel,) = tmp_path.glob("*.whl")
    brought = {
        Path(name).name for name in zipfile.ZipFile(wheel).namelist() if "/share/bittrue/examples/" in name
    }
    assert brought == set(NAMES)


def test_the_examples_are_declared_as_data_of_the_package():
    files = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["data-files"]
    assert files == {"/".join(examples._INSTALLED): ["examples/*.toml"]}
