"""What the help of every command looks like: arguments by their names, no brackets of typer's."""

import re
import tomllib
from importlib.metadata import version

import pytest
import typer
from packaging.requirements import Requirement

from firmware_model.cli import main
from tests.firmware_model.cli.cases import call
from tests.test_imports import ROOT

COMMANDS = sorted(typer.main.get_command(main.app).commands)
# Packages whose output decides numbers or pictures that users keep.
DECIDING = {
    "numpy",
    "numba",
    "scipy",
    "soundfile",
    "soxr",
    "pyloudnorm",
    "pyroomacoustics",
    "matplotlib",
    "av",
}
DECIDING |= {"ziglang", "unicorn", "visqol-python", "pesq", "cmsisdsp"}


@pytest.mark.parametrize("name", COMMANDS)
def test_usage_names_arguments_as_the_pages_do(capsys, name):
    lines = call(capsys, name, "--help").out.splitlines()
    usage = " ".join(lines[: lines.index("")])
    assert re.fullmatch(
        rf"Usage: bittrue {name} \[OPTIONS\]( +([A-Z0-9]+(\.\.\.)?|\[[A-Z0-9]+(\.\.\.)?\]))*", usage
    ), usage
    assert not re.search(r"<list|\{[A-Z]|\[\[", "\n".join(lines))


def test_arguments_are_explained_by_the_same_names(capsys):
    text = call(capsys, "vectors", "--help").out
    assert "Usage: bittrue vectors [OPTIONS] DIR [CASE...]\n" in text
    assert re.search(r"^  CASE\.\.\.  \w", text, re.MULTILINE)
    assert "Usage: bittrue report [OPTIONS] DIR [DIR2]\n" in call(capsys, "report", "--help").out


def test_what_decides_output_has_an_upper_bound_and_says_why():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"].values()
    found = [Requirement(line) for lines in (project["dependencies"], *extras) for line in lines]
    bounded = {each.name for each in found if any(s.operator in ("<", "==") for s in each.specifier)}
    assert bounded == DECIDING
    for each in found:
        if each.name in bounded:
            assert re.search(rf'"{each.name}[<>=][^#\n]*#', text), each
    here = [each for each in found if each.name in bounded and each.name not in ("visqol-python", "pesq")]
    assert [str(each) for each in here if version(each.name) not in each.specifier] == [], (
        "what is tested here"
    )
