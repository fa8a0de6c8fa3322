"""The README's section on sweeps against the code: every key and axis of a plan, its limits and default."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from acoustic_sim.codec import available_codecs
from acoustic_sim.sweep.axes import AXES, Axis
from acoustic_sim.sweep.plan import Plan
from firmware_model.cli import main, sweeping
from firmware_model.watermark.embedding.embedder import DEFAULT_STRENGTHS_DB
from fixedpoint.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SECTION = README.split("\n## Sweeps\n")[1].split("\n## ")[0]
EVERY_AXIS = {axis.name: axis for axes in AXES.values() for axis in axes}
UNITS = {"m": "metres", "s": "seconds"}  # what messages call them


def rows_of(heading: str, text: str = SECTION) -> dict[str, list[str]]:
    """First cell, without its backticks -> the others, of the table whose first heading is given."""
    lines = text.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {first.replace("`", ""): rest for first, *rest in cells}


KEYS, TABLE = rows_of("key"), rows_of("axis")
WITH_LIMITS = [name for name, cells in TABLE.items() if " to " in cells[0]]
WITH_WORDS = [name for name, axis in EVERY_AXIS.items() if axis.column is str and name != "codec"]


def limits(cell: str) -> tuple[float, float]:
    """The range that a cell gives."""
    found = re.search(r"(-?[\d.e-]+) to (-?[\d.e-]+)", cell)
    assert found, cell
    return float(found[1]), float(found[2])


def accepts(axis: Axis, number: float) -> bool:
    """Whether an axis takes a number, a room with sides of it, or a key with so many digits."""
    values: dict[str, Any] = {"room_m": [number] * 3, "key": "a" * int(number)}
    try:
        axis.read(values.get(axis.name, number), ROOT)
    except ValueError:
        return False
    return True


def plan_of(key: str = "", value: object = "") -> Plan:
    """The smallest plan, and one key of the README's table."""
    table, name = key.split() if " " in key else ("", key)
    given = f"{name} = {value}\n" if key else ""
    head = "" if table or key == "product" else given
    design = 'design = "latin-hypercube"\n' if key == "samples" else ""
    product = given if key == "product" else 'product = "mbdp"\n'
    music = "" if name in ("synthesise", "files") else 'synthesise = ["music"]\n'
    return sweeping.parse(f"{product}{design}{head}[programme]\n{music}{given if table else ''}", "p.toml")


def test_every_axis_of_the_code_is_in_the_table_in_its_order():
    assert list(TABLE) == list(EVERY_AXIS)
    *some, last = (f"`{axis.name}`" for axis in AXES["mbdp"])
    assert f"mbdp, has {', '.join(some)} and {last};" in SECTION


@pytest.mark.parametrize("name", WITH_LIMITS)
def test_limits_of_an_axis_are_those_that_it_accepts(name):
    axis, cell = EVERY_AXIS[name], TABLE[name][0]
    low, high = limits(cell)
    step = {"key": 2, "resample_hz": 1}.get(name, 0.01)
    assert accepts(axis, low)
    assert accepts(axis, high)
    assert not accepts(axis, low - step)
    assert not accepts(axis, high + step)
    unit = re.match(r"(\w+), ", cell)
    if axis.spans:
        assert unit
        assert UNITS.get(unit[1], unit[1]) in axis.accepted
    assert bool(re.search(r"or (none|default)$", cell)) == ('or "' in axis.accepted and axis.spans)


def test_every_number_has_its_limits_in_the_table():
    assert {name for name, axis in EVERY_AXIS.items() if axis.spans} <= set(WITH_LIMITS)


@pytest.mark.parametrize("name", WITH_WORDS)
def test_an_axis_of_words_says_what_its_message_says(name):
    assert TABLE[name][0] == EVERY_AXIS[name].accepted.removeprefix("one of ")


@pytest.mark.parametrize("name", EVERY_AXIS)
def test_default_of_an_axis(name):
    default = EVERY_AXIS[name].default
    absent = "default" if '"default"' in EVERY_AXIS[name].accepted else "none"
    shown = absent if default is None else f"{default:g}" if isinstance(default, float) else str(default)
    assert TABLE[name][1] == shown


def test_what_the_table_says_beside_limits_and_defaults():
    assert re.findall(r"(\w+)-KBPS", TABLE["codec"][0]) == list(available_codecs())
    informed, live = (f"{DEFAULT_STRENGTHS_DB[mode]:g} {mode}" for mode in ("informed", "live"))
    assert f"default is {informed}, {live}" in TABLE["strength_db"][2]
    text = 'product = "watermark"\n[programme]\nsynthesise = ["music"]\n[axes]\n'
    most = re.search(r"; (\d+) at most in a room made to fit", TABLE["distance_m"][0])
    assert most
    assert sweeping.parse(f"{text}distance_m = {most[1]}", "p.toml")
    with pytest.raises(ConfigError, match="in a room made to fit"):
        sweeping.parse(f"{text}distance_m = {most[1]}.01", "p.toml")
    codec, fault = TABLE["codec"][0].split("such as ")[1], re.search(r"q15\+[\w-]+", TABLE["arithmetic"][2])
    assert fault
    assert sweeping.parse(f'{text}codec = "{codec}"\narithmetic = "{fault[0]}"', "p.toml")
    span = re.search(r"`(\{from.*?\})`, with `(scale = .*?)`", SECTION)
    assert span
    (levels,) = (sweeping.parse(f"{text}distance_m = {span[1]}", "p.toml").axes).values()
    assert levels == (1, 3, 5, 7, 9, 11, 13, 15)
    assert sweeping.parse(f"{text}distance_m = {span[1][:-1]}, {span[2]}}}", "p.toml").axes


def test_seconds_that_a_mark_needs():
    text = 'product = "watermark"\n[programme]\nsynthesise = ["music"]\nseconds = '
    least = float(KEYS["[programme] seconds"][0].split("for marks from ")[1])
    assert sweeping.parse(f"{text}{least}", "p.toml").seconds == least
    with pytest.raises(ConfigError, match=f"a mark needs {least} s"):
        sweeping.parse(f"{text}{least - 0.001}", "p.toml")


def test_every_key_of_a_plan_is_in_the_table():
    with pytest.raises(ConfigError) as raised:
        sweeping.parse("zzz = 1\n[programme]\nzzz = 1\n", "p.toml")
    settings, programme = re.findall(r"zzz: unknown; accepted: ([\w, ]+)", str(raised.value))
    expected = {*settings.split(", "), *(f"[programme] {name}" for name in programme.split(", "))}
    assert set(KEYS) == expected - {"programme", "axes"}


@pytest.mark.parametrize("key", [key for key, cells in KEYS.items() if " to " in cells[0]])
def test_limits_and_default_of_a_key(key):
    low, high = limits(KEYS[key][0])
    name, whole = key.split()[-1], high == int(high) and low == int(low)
    for value in (low, high):
        found = getattr(plan_of(key, int(value) if whole else value), name)
        assert found == value
    for value in (low - 1 if whole else low / 2, high + 1):
        with pytest.raises(ConfigError, match=name):
            plan_of(key, int(value) if whole else value)
    if KEYS[key][1] == "must be given":
        with pytest.raises(ConfigError, match=f"{name}: missing"):
            sweeping.parse('product = "mbdp"\ndesign = "latin-hypercube"\n', "p.toml")
    else:
        assert getattr(plan_of(), name) == float(KEYS[key][1])


@pytest.mark.parametrize("key", ["product", "design", "[programme] synthesise"])
def test_choices_of_a_key(key):
    value = '["zzz"]' if " " in key else '"zzz"'
    with pytest.raises(ConfigError) as raised:
        plan_of(key, value)
    assert f"must be one of {KEYS[key][0]}" in str(raised.value)
    assert plan_of().design == KEYS["design"][1]


def test_what_the_section_shows_of_plans_and_commands():
    plans = set(re.findall(r"examples/\w+\.toml", SECTION))
    assert plans == {f"examples/{path.name}" for path in ROOT.glob("examples/*.toml")} - {
        "examples/firmware_map.toml"
    }
    rows = re.search(r"\(examples/distance\.toml\)\) has (\d+) rows", SECTION)
    assert rows
    assert len(sweeping.load(str(ROOT / "examples/distance.toml")).conditions()) == int(rows[1])
    commands = typer.main.get_command(main.app).commands  # type: ignore[attr-defined]
    assert {name.split()[1] for name in rows_of("command", README)} == set(commands)
    shown = re.findall(r"^\| `(sweep|report) (.*)", SECTION, re.MULTILINE)
    assert len(shown) == len(rows_of("option"))
    for command, line in shown:
        known = {name for each in commands[command].params for name in each.opts}
        assert set(re.findall(r"--[a-z-]+", line)) <= known
