"""Tables of docs/ against the code: keys and axes of a plan, keys of a profile; limits and defaults."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from acoustic_sim.codec import available_codecs
from acoustic_sim.sweep.axes import Axis
from acoustic_sim.sweep.plan import Plan
from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig, LimiterConfig
from firmware_model.dynamics.settings.profiles import NAMES, load_profile, parse_profile
from firmware_model.report.plans import ASKING, load, parse
from firmware_model.watermark.embedding.embedder import DEFAULT_STRENGTHS_DB
from fixedpoint.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
SWEEPS = (ROOT / "docs/sweeps.md").read_text("utf-8")
DYNAMICS = (ROOT / "docs/dynamics.md").read_text("utf-8")
AXES = {name: asked().axes for name, asked in ASKING.items()}
EVERY_AXIS = {axis.name: axis for axes in AXES.values() for axis in axes}
UNITS = {"m": "metres", "s": "seconds"}  # what messages call them


def rows_of(heading: str, text: str = SWEEPS) -> dict[str, list[str]]:
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
    return parse(f"{product}{design}{head}[programme]\n{music}{given if table else ''}", "p.toml")


def test_every_axis_of_the_code_is_in_the_table_in_its_order():
    assert list(TABLE) == list(EVERY_AXIS)
    *some, last = (f"`{axis.name}`" for axis in AXES["mbdp"])
    assert f"mbdp, has {', '.join(some)} and {last};" in SWEEPS


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
    assert parse(f"{text}distance_m = {most[1]}", "p.toml")
    with pytest.raises(ConfigError, match="in a room made to fit"):
        parse(f"{text}distance_m = {most[1]}.01", "p.toml")
    codec, fault = TABLE["codec"][0].split("such as ")[1], re.search(r"q15\+[\w-]+", TABLE["arithmetic"][2])
    assert fault
    assert parse(f'{text}codec = "{codec}"\narithmetic = "{fault[0]}"', "p.toml")
    span = re.search(r"`(\{from.*?\})`, with `(scale = .*?)`", SWEEPS)
    assert span
    (levels,) = (parse(f"{text}distance_m = {span[1]}", "p.toml").axes).values()
    assert levels == (1, 3, 5, 7, 9, 11, 13, 15)
    assert parse(f"{text}distance_m = {span[1][:-1]}, {span[2]}}}", "p.toml").axes


def test_seconds_that_a_mark_needs():
    text = 'product = "watermark"\n[programme]\nsynthesise = ["music"]\nseconds = '
    least = float(KEYS["[programme] seconds"][0].split("for marks from ")[1])
    assert parse(f"{text}{least}", "p.toml").seconds == least
    with pytest.raises(ConfigError, match=f"a mark needs {least} s"):
        parse(f"{text}{least - 0.001}", "p.toml")


def test_every_key_of_a_plan_is_in_the_table():
    with pytest.raises(ConfigError) as raised:
        parse("zzz = 1\n[programme]\nzzz = 1\n", "p.toml")
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
            parse('product = "mbdp"\ndesign = "latin-hypercube"\n', "p.toml")
    else:
        assert getattr(plan_of(), name) == float(KEYS[key][1])


@pytest.mark.parametrize("key", ["product", "design", "[programme] synthesise"])
def test_choices_of_a_key(key):
    value = '["zzz"]' if " " in key else '"zzz"'
    with pytest.raises(ConfigError) as raised:
        plan_of(key, value)
    assert f"must be one of {KEYS[key][0]}" in str(raised.value)
    assert plan_of().design == KEYS["design"][1]


def test_what_the_page_shows_of_plans():
    plans = set(re.findall(r"\.\./examples/(\w+\.toml)", SWEEPS))
    assert plans == {path.name for path in ROOT.glob("examples/*.toml")} - {"firmware_map.toml"}
    found = re.search(r"\(\.\./examples/distance\.toml\), which has (\d+) rows", SWEEPS)
    assert found
    assert len(load(str(ROOT / "examples/distance.toml")).conditions()) == int(found[1])


# --- profiles of the dynamics processor -----------------------------------------------------------


def profile_keys() -> dict[tuple[str, str], tuple[str, str]]:
    """(table, key) -> range and default, of every key of a profile, in the order of the table."""
    found, table = {}, ""
    for first, (ranges, defaults) in rows_of("key", DYNAMICS).items():
        given = re.match(r"\[+(\w+)\]+", first)
        table = given[1] if given else table
        names = re.findall(r"\b[a-z_]+\b", re.sub(r"^\[+\w+\]+(, from the lowest:)?", "", first))
        cells = [ranges] if len(names) == 1 else ranges.split("; ")
        if cells[-1] == "the same":
            cells[-1] = cells[-2]
        for name, cell, default in zip(names, cells, defaults.split(", "), strict=True):
            found[table, name] = cell, default
    return found


PROFILE = profile_keys()
KINDS: dict[str, Any] = {"": DynamicsConfig, "limiter": LimiterConfig, "bands": BandConfig}


def accepts_profile(table: str, name: str, value: float) -> bool:
    """Whether a profile with one band takes a value; its make-up leaves room for what is asked for."""
    head = {"": "", "limiter": "[limiter]\n", "bands": "[[bands]]\n"}[table]
    try:
        parse_profile(f"{head}{name} = {value}\n", 48000, 1)
    except ConfigError:
        return False
    return True


def test_every_key_of_a_profile_is_in_the_table():
    expected = {(table, field.name) for table, kind in KINDS.items() for field in fields(kind)}
    expected -= {("", name) for name in ("fs_hz", "channels", "bands", "limiter")}
    assert set(PROFILE) == expected


@pytest.mark.parametrize(("table", "name"), PROFILE)
def test_limits_and_default_of_a_profile_key(table, name):
    cell, shown = PROFILE[table, name]
    default = getattr(KINDS[table](), name)
    words = {(): "all true" if name == "active" else "none: one band", None: "no limiter", "peak": '"peak"'}
    assert shown == (
        str(default).lower() if isinstance(default, bool) else words.get(default) or f"{default:g}"
    ), shown
    found = re.search(r"(-?[\d.]+) (?:up )?to (-?[\d.]+)", cell)
    if found and not isinstance(default, tuple):
        for value in (float(found[1]), float(found[2])):
            assert accepts_profile(table, name, value)
        for value in (float(found[1]) - 0.01, float(found[2]) + 0.01):
            assert not accepts_profile(table, name, value)
    elif name.endswith("ratio"):
        assert accepts_profile(table, name, 1)
        assert accepts_profile(table, name, float("inf"))
        assert not accepts_profile(table, name, 0.99)


def test_profiles_and_their_edges():
    rows = rows_of("profile", DYNAMICS)
    assert set(rows) == set(NAMES)
    for name, (_, edges, _) in rows.items():
        assert edges == ", ".join(f"{edge:g}" for edge in load_profile(name, 48000, 1).edges_hz)
