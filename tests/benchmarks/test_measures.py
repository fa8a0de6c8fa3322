"""What the benchmarks count and how: scores at marks, materials, the tables of README.md and docs/."""

import pytest

from benchmarks import readme, summary
from benchmarks.harness.report import Table, verdict
from benchmarks.material import hosts, rooms
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import ConfigError

# --- by hand ---------------------------------------------------------------------------------


def test_verdicts():
    assert verdict(99.0, 99.0) == "≥ 99 yes"
    assert verdict(0.2, 0.1, at_least=False) == "≤ 0.1 **NO**"
    assert verdict(1.0, None) == "-"


# --- materials ----------------------------------------------------------------------------------


def test_every_class_is_known_and_every_host_has_a_key_of_its_own():
    assert {kind for kind, _ in hosts.MUSIC_CLASSES.values()} <= set(hosts.CLASSES)
    keys = {hosts.host_key(name) for name in hosts.MUSIC_CLASSES}
    assert len(keys) == len(hosts.MUSIC_CLASSES)


def test_conditions_differ_in_drift_alone_and_meet_every_noise():
    found = [rooms.conditions(host, room) for host in range(35) for room in range(len(rooms.ROOMS))]
    assert {condition.noise for cell in found for condition in cell} == set(rooms.NOISES)
    assert all(len(cell) == 6 for cell in found)
    for still, drifting in zip(found[0][::2], found[0][1::2], strict=True):
        assert (still.noise, still.seed, still.snr_db) == (drifting.noise, drifting.seed, drifting.snr_db)


@pytest.mark.parametrize(
    ("value", "says"), [(None, "BITTRUE_DATA is not set"), ("/nowhere", "no folder music/")]
)
def test_without_the_data_one_line_says_what_is_needed(monkeypatch, value, says):
    if value is None:
        monkeypatch.delenv("BITTRUE_DATA", raising=False)
    else:
        monkeypatch.setenv("BITTRUE_DATA", value)
    with pytest.raises(ConfigError, match=says) as error:
        hosts.data_folder()
    assert "\n" not in str(error.value)


@pytest.mark.real
def test_every_host_has_room_for_four_marks(real_data):
    for name in hosts.host_names():
        host = hosts.load_host(name)
        assert host.seconds >= 4 * WatermarkConfig().mark_seconds + 1
        assert host.samples.ndim == 1


# --- the README ---------------------------------------------------------------------------------


def test_readme_sections_are_replaced_whole(tmp_path, monkeypatch):
    table = Table("Cost", ["a", "b"])
    table.add("x", 1)
    monkeypatch.setattr(readme, "RESULTS", tmp_path)
    (tmp_path / "cost.readme.md").write_text(table.markdown(), "utf-8")
    text = "before\n<!-- benchmark cost -->\nold\n<!-- end -->\nafter\n"
    once = readme.filled(text)
    assert once.startswith("before\n<!-- benchmark cost -->\n**Cost**\n")
    assert "| x | 1 |" in once
    assert "old" not in once
    assert once.endswith("<!-- end -->\nafter\n")
    assert readme.filled(once) == once


def test_a_readme_section_without_results_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    monkeypatch.setattr(readme, "RESULTS", tmp_path)
    with pytest.raises(ConfigError, match="benchmark cost"):
        readme.filled("<!-- benchmark cost -->\n<!-- end -->")


def test_a_figure_that_the_results_do_not_have_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"no detection\.json in benchmarks/results"):
        summary.summary(tmp_path)
    (tmp_path / "detection.json").write_text('{"tables": []}', "utf-8")
    with pytest.raises(ConfigError, match=r"detection\.json: no .*one mark"):
        summary.summary(tmp_path)
