"""Results files whose tables do not hold together: one line that names the file and what is wrong."""

import sqlite3

import pytest

from acoustic_sim.sweep.results import Results
from fixedpoint.errors import ConfigError
from tests.acoustic_sim.sweep import toy


@pytest.fixture
def folder(tmp_path):
    plan = toy.load(str(toy.write_plan(tmp_path, repeats=1)))
    toy.write_undisturbed(plan, tmp_path / "results")
    return tmp_path / "results"


def read_all(folder):
    with Results.read(folder) as results:
        return results.rows(), results.timings()


def refused(folder):
    with pytest.raises(ConfigError) as raised:
        read_all(folder)
    line = str(raised.value)
    assert line.startswith(f"{folder}/results.sqlite: not a results file, or damaged (")
    assert "\n" not in line
    return line


def changed(folder, statement, *values):
    connection = sqlite3.connect(folder / "results.sqlite")
    with connection:
        assert connection.execute(statement, values).rowcount != 0
    connection.close()


@pytest.mark.parametrize(
    "key",
    ["plan", "path", "digest", "product", "settings", "axes", "outcome", "programmes", "versions", "rows"],
)
@pytest.mark.parametrize(
    "value", [None, "null", "[1, 2", "-", "[" * 100_000, '{"a": []}', "[[]]", '"x"', "3"], ids=range(9)
)
def test_what_a_file_says_of_itself_is_held_to_its_kind(folder, key, value):
    kinds = {"plan": str, "path": str, "digest": str, "product": str, "rows": int}
    if key in kinds and kinds[key] is {'"x"': str, "3": int}.get(value):
        pytest.skip("of the right kind")
    if key == "programmes" and value == "[[]]":
        pytest.skip("a list, of which only the words are shown")
    changed(folder, "UPDATE meta SET value = ? WHERE key = ?", value, key)
    assert "meta is damaged" in refused(folder)
    changed(folder, "DELETE FROM meta WHERE key = ?", key)
    assert f"meta is damaged: {key}" in refused(folder)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("score", "x"),
        ("score", b"\0"),
        ("marks", 1.5),
        ("found", "yes"),
        ("says", 3.5),
        ("scores", "[1, 2"),
        ("scores", '[{"a": 1}]'),
        ("scores", '["x"]'),
        ("scores", "7"),
        ("rt60_s", "[null]"),
        ("distance_m", "far"),
        ("seed", None),
        ("programme", None),
    ],
)
def test_a_cell_of_another_kind_than_its_column_is_named(folder, column, value):
    connection = sqlite3.connect(folder / "results.sqlite")
    (kind,) = [row[2] for row in connection.execute("PRAGMA table_info(rows)") if row[1] == column]
    connection.close()
    changed(folder, f'UPDATE rows SET "{column}" = ? WHERE row = 3', value)
    if kind == "TEXT" and isinstance(value, float):  # which SQLite turns into text
        assert read_all(folder)[0][2][column] == str(value)
        return
    assert "row 3" in (line := refused(folder)) or "a list in its table rows" in line


def test_a_column_that_is_gone_is_named(folder):
    changed(folder, 'ALTER TABLE rows RENAME COLUMN "score" TO "other"')
    assert "its table rows has no column score" in refused(folder)


@pytest.mark.parametrize(("column", "value"), [("seconds", "x"), ("worker", None), ("attempts", b"1")])
def test_a_damaged_timing_is_named(folder, column, value):
    changed(folder, f"UPDATE timing SET {column} = ? WHERE row = 2", value)
    assert "row 2 of its table timing is damaged" in refused(folder)
