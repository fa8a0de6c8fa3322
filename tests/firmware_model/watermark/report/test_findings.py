"""What a report finds and says: its headline, the latency, what cannot be placed or told."""

import pytest

from firmware_model.report import sweep_report
from firmware_model.report.sections import swept
from firmware_model.report.source import read
from firmware_model.watermark.report import swept_in_words
from tests.firmware_model.cli import sweep_cases as cases
from tests.firmware_model.report.test_sweep_report import Page, no_pictures  # noqa: F401 (a fixture)


def test_kinds_along_the_axis_and_a_threshold_that_cannot_be_placed(tmp_path):
    """One mark of three falls below 5.5 with Opus alone. 0.12 h say nothing of 0.1 per hour."""

    def outcome(condition):
        score = 5.0 if condition.values["codec"] == "opus-16" else 9.0
        return cases.watermark_outcome(condition) | {"mark_scores": [score, 9.0, 9.0]}

    folder = cases.written(tmp_path, cases.CODECS, outcome)
    facts = sweep_report.report(str(folder), None, None, None, False, lambda text: None)
    assert facts["threshold"]["how"] == "shipped"
    tables = Page((folder / "report" / "report.html").read_text("utf-8")).tables
    (heads,) = [rows[0] for rows in tables if any("one alone" in head for head in rows[0])]
    assert heads[2:] == ["missed at 5.5 (shipped), up to 4 marks added", "at 5.5 (shipped), one alone"]
    assert [row["found"] for row in facts["missed_along"]] == [0, 0, 3]
    assert (
        "More than 5 % of the marks are missed with codec opus-16 (33 %), with the other 2 no more than that"
        in facts["findings"][1]
    )
    assert facts["compared"] == []


def section(folder):
    source = read(str(folder))
    return swept(source, swept_in_words(source))


@pytest.mark.parametrize(
    ("snr", "says"),
    [
        ("", "the recording's level follows the volume."),
        ("snr_db = 10", "follows the volume; the SNR at the microphone is held."),
        ("snr_1m_db = 10", "follows the volume, and so does the SNR, which is given at 1 m and 0 dB."),
    ],
)
def test_what_the_volume_changes_is_said_where_it_varies(tmp_path, snr, says):
    plan = cases.CODECS.replace('codec = ["none", "mp3-128", "opus-16"]', "volume_db = [-10, 0]")
    folder = cases.written(tmp_path, f"{plan}{snr}\n", cases.watermark_outcome)
    assert section(folder).paragraphs[1].endswith(says)
    folder = cases.written(tmp_path, f"{cases.CODECS}{snr}\n", cases.watermark_outcome, "one-volume")
    assert "volume of 0 dB" not in " ".join(section(folder).paragraphs)


@pytest.mark.parametrize(
    ("axes", "says"),
    [
        ('profile = ["smart-speaker", "headset"]', "Loudness: −25 smart-speaker, −22 headset (LUFS)"),
        ("volume_db = [-10, 0]", "Loudness −35 to −25 LUFS from -10 dB to 0 dB"),
        (
            'volume_db = [-10, 0]\nprofile = ["smart-speaker", "headset"]',
            "Loudness at 0 dB: −25 smart-speaker",
        ),
        ("volume_db = 0", "Loudness −25 LUFS"),
    ],
)
def test_dynamics_findings_by_what_was_swept(tmp_path, axes, says):
    def outcome(condition):
        v = condition.values
        loudness = -25 + v["volume_db"] + 3 * (v["profile"] == "headset")
        return cases.dynamics_outcome(condition) | {"loudness_lufs": loudness}

    plan = f'product = "mbdp"\n[programme]\nsynthesise = ["music"]\nseconds = 4\n[axes]\n{axes}\n'
    folder = cases.written(tmp_path, plan, outcome)
    facts = sweep_report.report(str(folder), None, None, None, False, lambda text: None)
    assert [line for line in facts["findings"] if line.startswith(says)]


@pytest.mark.usefixtures("no_pictures")
def test_samples_of_a_hypercube_are_put_into_ranges_and_each_axis_stands_for_itself(tmp_path):
    """Twelve volumes that all differ: three ranges of four; a profile has four samples as well."""
    axes = 'volume_db = {from = -20, to = 10}\nprofile = ["smart-speaker", "headset", "transparent"]'
    settings = 'design = "latin-hypercube"\nsamples = 12\n[programme]\nsynthesise = ["music"]\nseconds = 4\n'
    plan = f'product = "mbdp"\n{settings}[axes]\n{axes}\n'
    folder = cases.written(tmp_path, plan, cases.dynamics_outcome)
    facts = sweep_report.report(str(folder), None, None, None, False, lambda text: None)
    assert "other axes differ as well" in facts["findings"][0]
    first_words = [line.split(" ")[0] for line in facts["findings"][1:]]
    assert first_words == ["Loudness", "THD", "Residual", "Loudness:", "THD:", "Residual:"]
    tables = Page((folder / "report" / "report.html").read_text("utf-8")).tables
    assert [len(rows) - 1 for rows in tables[:2]] == [3, 3]


@pytest.mark.usefixtures("no_pictures")
def test_latency_is_that_of_marks_not_of_rows(tmp_path):
    """Medians of rows would be 0.4 and 1 s; over the marks 0.2 0.4 4 1: median 0.7, largest 4."""

    def outcome(condition):
        seconds = [[0.2, 0.4, 4.0], [None, 1.0, None]][condition.repeat]
        return cases.watermark_outcome(condition) | {"mark_latencies_s": seconds, "latency_s": 1.0}

    plan = cases.CODECS.replace("repeats = 3", "repeats = 2").replace(', "mp3-128", "opus-16"', "")
    folder = cases.written(tmp_path, plan, outcome)
    facts = sweep_report.report(str(folder), None, None, None, False, lambda text: None)
    assert facts["latency_s"] == {"median": pytest.approx(0.7), "largest": 4.0}
    assert "Of all 4 marks found" in (folder / "report" / "report.html").read_text("utf-8")


@pytest.mark.usefixtures("no_pictures")
def test_the_headline_names_the_axis_that_matters_most(tmp_path):
    """The room is drawn along, being numbers; what loses the marks is the SNR."""

    def outcome(condition):
        scores = [9.0 if condition.values["snr_db"] is None else 2.0] * 3
        return cases.watermark_outcome(condition) | {"mark_scores": scores}

    axes = 'codec = ["none"]\nrt60_s = [0.3, 0.6]\nsnr_db = ["none", 5]\n'
    folder = cases.written(tmp_path, cases.CODECS.split("[axes]")[0] + "[axes]\n" + axes, outcome)
    facts = sweep_report.report(str(folder), None, None, None, False, lambda text: None)
    assert facts["along"] == "rt60_s"
    assert facts["findings"][1].startswith("More than 5 % of the marks are missed with SNR 5 dB (100 %)")


def test_where_nothing_is_missed_there_is_no_trade_off_but_a_margin(tmp_path):
    def outcome(condition):
        return cases.watermark_outcome(condition) | {"mark_scores": [20.0, 21.0, 22.0 - condition.repeat]}

    folder = cases.written(tmp_path, cases.CODECS, outcome)
    facts = sweep_report.report(str(folder), None, None, None, False, lambda text: None)
    assert "With every codec no mark is missed at the shipped threshold, 5.5." in facts["findings"][1]
    assert "the lowest score of a mark is 20.0" in facts["findings"][1]
    drawn = {path.stem for path in (folder / "report").glob("*.png")}
    assert drawn == {"missed", "scores", "latency"}
    assert "no trade-off to draw" in Page((folder / "report" / "report.html").read_text("utf-8")).text
