"""Profiles at equal loudness: where they are compared, the values there, and when they cannot be."""

import pytest

from firmware_model.dynamics.report.loudness import MEASURES, at_equal_loudness
from firmware_model.report import sweep_report
from firmware_model.report.factors import factor
from firmware_model.report.measures import measures_of
from tests.firmware_model.cli import sweep_cases as cases

PLAN = """
product = "mbdp"
[programme]
synthesise = ["music"]
seconds = 4
[axes]
volume_db = [0, 6]
profile = ["smart-speaker", "headset"]
"""
# Profile, volume: loudness, bass.
PLAYED = {
    ("smart-speaker", 0): (-20.0, -10.0),
    ("smart-speaker", 6): (-14.0, -7.0),
    ("headset", 0): (-23.0, -16.0),
    ("headset", 6): (-17.0, -12.0),
}


def section(changed=None):
    played = PLAYED | (changed or {})
    rows = [
        {"loudness_lufs": loudness, "bass_db": bass, "profile": profile, "volume_db": float(volume)}
        for (profile, volume), (loudness, bass) in played.items()
    ]
    along, by = (factor(name, [row[name] for row in rows]) for name in ("volume_db", "profile"))
    return at_equal_loudness(measures_of(rows, MEASURES), along, by)


def test_all_are_compared_where_the_quietest_is_loudest():
    """The headset's profile reaches -17 LUFS; half-way from -20 to -14 the other has -8.5 dB of bass."""
    found = section()
    assert found.paragraphs == [
        "At −17 LUFS, the most that every profile reaches: bass −12 dB headset, −8.5 smart-speaker."
    ]
    (table,) = found.tables
    assert table.rows == [["smart-speaker", "−8.5", "−14"], ["headset", "−12", "−17"]]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({("headset", 0): (-40.0, -30.0), ("headset", 6): (-34.0, -25.0)}, "no loudness that both have"),
        ({("headset", 6): (-24.0, -12.0)}, "quieter with more volume"),
        ({("headset", 6): (None, -12.0)}, "no loudness measured"),
    ],
)
def test_what_cannot_be_compared_is_left_out(changed, why):
    assert section(changed) is None, why


def test_the_page_begins_with_it(tmp_path):
    def outcome(condition):
        loudness, bass = PLAYED[condition.values["profile"], condition.values["volume_db"]]
        return cases.dynamics_outcome(condition) | {"loudness_lufs": loudness, "bass_db": bass}

    folder = cases.written(tmp_path, PLAN, outcome)
    facts = sweep_report.report(str(folder), None, None, None, False, lambda text: None)
    assert facts["findings"][1].startswith("At −17 LUFS, the most that every profile reaches: bass −12 dB")
    assert (folder / "report" / "equal-loudness.png").is_file()
    text = (folder / "report" / "report.html").read_text("utf-8")
    assert text.index("<h2>At equal loudness</h2>") < text.index("<h2>What volume does</h2>")
