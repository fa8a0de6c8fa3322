"""The page of a sweep: whole, self-contained, and of the rows in the table; exports; bad input."""

import base64
import csv
import io
import shlex
import sqlite3
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure

from firmware_model.report import sweep_report
from firmware_model.report.source import read
from firmware_model.report.style import _apart
from firmware_model.watermark import study
from fixedpoint.errors import BittrueError
from tests.firmware_model.cli import sweep_cases as cases
from tests.firmware_model.cli.cases import call
from tests.firmware_model.cli.exactness.test_conformance import Page as PlainPage

FAILED_ROW = 7


class Page(PlainPage):
    """Also with pictures, which have no end tag."""

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.links.append(dict(attrs)["src"])
            assert dict(attrs)["alt"]
        else:
            super().handle_starttag(tag, attrs)

    @property
    def text(self):
        return "".join(self.words)


@pytest.fixture
def no_pictures(monkeypatch):
    """Figures are made and not drawn, which takes most of the time; other tests draw the same ones."""
    monkeypatch.setattr(Figure, "savefig", lambda self, content, **_: content.write(b"a picture"))


@pytest.fixture(scope="module")
def distance(tmp_path_factory):
    """Results with one error."""

    def outcome(condition):
        if condition.row == FAILED_ROW:
            return "distance_m=1: no room <b>fits</b>"
        return cases.watermark_outcome(condition)

    return cases.written(tmp_path_factory.mktemp("a b"), cases.DISTANCE, outcome)


@pytest.fixture(scope="module")
def facts(distance):
    return sweep_report.report(str(distance), None, None, None, False, lambda text: None)


@pytest.fixture(scope="module")
def page(distance, facts):
    return Page((distance / "report" / "report.html").read_text("utf-8"))


def test_page_is_whole_and_self_contained(page, distance):
    assert page.open == []
    data = [link for link in page.links if not link.startswith("#")]
    assert all(link.startswith("data:image/png;base64,") for link in data)
    assert len(data) >= 5
    for rows in page.tables:
        assert len({len(row) for row in rows}) == 1, "as many cells in every row"
    pictures = [base64.b64decode(link.split(",")[1]) for link in data]
    files = {path.read_bytes() for path in (distance / "report").glob("*.png")}
    assert files == set(pictures), "the same pictures lie beside the page"


def test_page_says_what_was_swept_and_what_failed(page):
    assert "256 rows, 1 error; arithmetic q15, float." in page.text
    assert "distance_m=1: no room <b>fits</b>" in page.text, "escaped, so that it reads as it was"
    assert "distance_m = [1, 3, 6, 10]" in page.text
    assert ["distance", "m", "1, 3, 6, 10"] in [row for table in page.tables for row in table]


def test_misses_are_those_of_the_table(distance, facts):
    """Counted again from the database, at the threshold that the report gives."""
    rows = read(str(distance)).rows
    assert facts["marks"] == sum(row["marks"] for row in rows if row["arithmetic"] == "q15") == 127 * 3 + 0
    for level, found in zip((1, 3, 6, 10), facts["missed_along"], strict=True):
        scores = [
            score
            for row in rows
            if row["distance_m"] == level and row["arithmetic"] == "q15"
            for score in row["mark_scores"]
        ]
        missed = sum(score < facts["threshold"]["value"] for score in scores)
        assert (found["level"], found["found"], found["total"]) == (f"{level}", missed, len(scores))
    assert facts["along"] == "distance_m"
    assert facts["false_alarms_per_hour"] == 0.5


def test_float_is_compared_on_the_pairs_that_are_whole(distance, facts):
    """The failed row has no outcome: its pair is left out."""
    rows = read(str(distance)).rows
    (compared,) = facts["compared"]
    assert compared["rows"] == 127
    threshold = facts["threshold"]["value"]
    by_cell = {}
    for row in rows:
        cell = row["programme"], row["repeat"], row["distance_m"], row["rt60_s"], row["snr_db"]
        by_cell.setdefault(cell, {})[row["arithmetic"]] = np.array(row["mark_scores"])
    pairs = [(found["q15"], found["float"]) for found in by_cell.values() if len(found) == 2]
    q15, other = (np.concatenate(scores) for scores in zip(*pairs, strict=True))
    alone = np.count_nonzero((q15 >= threshold) & (other < threshold))
    assert compared["first_only"] == alone
    assert compared["both"] + compared["neither"] + compared["first_only"] + compared["second_only"] == 381
    assert compared["score_difference_max"] == np.abs(q15 - other).max()


def test_worst_rows_come_with_a_command_that_a_shell_takes(distance, page, facts):
    rows = {row["row"]: row for row in read(str(distance)).rows}
    shares = [
        np.mean(np.array(rows[n]["mark_scores"]) < facts["threshold"]["value"]) for n in facts["worst_rows"]
    ]
    assert len(shares) == 10
    assert shares == sorted(shares, reverse=True)
    q15 = [row for row in rows.values() if row["arithmetic"] == "q15"]
    rest = [row for row in q15 if row["row"] not in facts["worst_rows"]]
    worse = [np.mean(np.array(row["mark_scores"]) < facts["threshold"]["value"]) for row in rest]
    assert max(worse) <= min(shares)
    first = facts["worst_rows"][0]
    plan = distance.with_suffix(".toml")
    line = next(word for word in page.words if f"--row {first} " in word)
    expected = ["bittrue", "sweep", str(plan), "--row", str(first), "--wav", f"row-{first}.wav"]
    assert shlex.split(line) == expected, "the folder's name has a blank"


def test_spectrograms_are_of_the_row_and_a_row_that_cannot_be_heard_says_why(tmp_path, monkeypatch):
    folder = cases.written(tmp_path, cases.CODECS, cases.watermark_outcome)
    asked = []

    def heard(condition):
        asked.append(condition.row)
        if len(asked) == 1:
            raise BittrueError("café.wav: cannot be read")
        return np.zeros(16000, np.int16), 16000

    monkeypatch.setattr(study, "heard", heard)
    facts = sweep_report.report(str(folder), None, None, None, True, lambda text: None)
    page = Page((folder / "report" / "report.html").read_text("utf-8"))
    assert asked == facts["worst_rows"]
    assert "Its spectrogram could not be computed: café.wav: cannot be read." in page.text
    worst = [path.name for path in (folder / "report").glob("worst-*.png")]
    assert sorted(worst) == [f"worst-{i:02d}-row-{row}.png" for i, row in enumerate(asked, 1) if i > 1]


def found_at_the_end(folder):
    """The report's last finding, and the plan that its commands name; None where there are none."""
    facts = sweep_report.report(str(folder), None, None, None, False, lambda text: None)
    words = Page((folder / "report" / "report.html").read_text("utf-8")).words
    command = next((word for word in words if " --row " in word), None)
    assert (command is None) == ("Each with the command" not in "".join(words))
    return facts["findings"][-1], None if command is None else shlex.split(command)[2]


@pytest.mark.usefixtures("no_pictures")
def test_a_plan_is_found_from_any_folder_as_it_was_given_or_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cases.written(Path(), cases.CODECS, cases.watermark_outcome)
    for here, path in ((tmp_path, "plan.toml"), (tmp_path.parent, str(tmp_path / "plan.toml"))):
        monkeypatch.chdir(here)
        says, named = found_at_the_end(tmp_path / "plan")
        assert "plan" not in says
        assert named == path


@pytest.mark.usefixtures("no_pictures")
def test_a_plan_that_changed_or_is_gone_is_written_as_it_was(tmp_path):
    folder = cases.written(tmp_path, cases.CODECS, cases.watermark_outcome)
    plan, kept = tmp_path / "plan.toml", folder / "report" / "plan.toml"
    plan.write_text("# another layout is no other plan\n" + cases.CODECS)
    assert found_at_the_end(folder)[1] == str(plan)
    assert not kept.exists()
    plan.write_text(cases.CODECS.replace("drift_ppm = 20", "drift_ppm = 30"))
    assert found_at_the_end(folder) == (
        f"{plan} has changed since: {kept} is the plan as it was.",
        str(kept),
    )
    assert kept.read_text() == cases.CODECS
    plan.unlink()
    assert found_at_the_end(folder)[0] == f"{plan} is not there: {kept} is the plan as it was."


@pytest.mark.usefixtures("no_pictures")
def test_a_plan_that_needs_files_is_not_computed_again_without_them(tmp_path):
    noise = tmp_path / "noise.wav"
    soundfile.write(noise, np.zeros(16000), 16000)
    text = cases.CODECS + 'noise = "noise.wav"\n'
    folder = cases.written(tmp_path, text, cases.watermark_outcome)
    soundfile.write(noise, np.ones(16000), 16000)
    says = "A file that the plan names has changed since: the rows cannot be computed again."
    assert found_at_the_end(folder) == (says, None)
    noise.unlink()
    says, _ = found_at_the_end(folder)
    assert says.startswith(f"The plan cannot be used any more: {tmp_path}/plan.toml: axes.noise")
    (tmp_path / "plan.toml").unlink()
    says = f"{tmp_path}/plan.toml is not there: the rows cannot be computed again."
    assert found_at_the_end(folder) == (says, None)


def test_a_sweep_that_is_not_done_is_shown_as_far_as_it_is(tmp_path, capsys):
    folder = cases.written(tmp_path, cases.CODECS, cases.watermark_outcome)
    with sqlite3.connect(folder / "results.sqlite") as table:
        table.execute("DELETE FROM rows WHERE row > 4")
    table.close()
    done = call(capsys, "report", folder, "--no-spectrograms")
    assert done.status == 0, done.err
    assert "4 of 9 rows so far" in done.out


def test_dynamics_sweep(tmp_path, capsys):
    folder = cases.written(tmp_path, cases.VOLUME, cases.dynamics_outcome)
    done = call(capsys, "report", folder, "--no-spectrograms", "--json")
    assert done.status == 0, done.err
    found = done.json
    residual = [row for row in found["measured"] if row["measure"] == "distortion_db"]
    assert [row["level"] for row in residual] == ["-20 dB", "-14 dB", "-8 dB", "-2 dB", "4 dB", "10 dB"]
    rows = read(str(folder)).rows
    loudest = [r["distortion_db"] for r in rows if r["volume_db"] == 10 and r["arithmetic"] == "q15"]
    assert residual[-1]["median"] == np.median(loudest)
    largest = {row["measure"]: row["largest_difference"] for row in found["compared"]}
    assert largest["loudness_lufs"] == pytest.approx(0.01)
    assert largest["thd_db"] == 0
    page = Page((folder / "report" / "report.html").read_text("utf-8"))
    assert page.open == []
    assert "The 10 worst rows" in page.text
    assert {path.stem for path in (folder / "report").glob("*.png")} == {
        "equal-loudness",
        "measures",
        "map-loudness_lufs",
        "map-thd_db",
        "map-distortion_db",
    }


def test_tables_for_other_programs(distance, facts, tmp_path, capsys):
    out = tmp_path / "rows.csv", tmp_path / "rows.parquet"
    options = "--no-spectrograms", "--csv", out[0], "--parquet", out[1]
    before = (distance / "report" / "report.html").read_bytes()
    done = call(capsys, "report", distance, "--out", tmp_path / "p.html", *options)
    assert done.status == 0, done.err
    assert (tmp_path / "p.html").read_bytes() == before, "the same results give the same page"
    pictures = {path.name for path in (distance / "report").glob("*.png")}
    assert {path.name for path in (tmp_path / "p_files").iterdir()} == pictures
    rows = list(csv.DictReader(io.StringIO(out[0].read_text("utf-8"))))
    assert [int(row["row"]) for row in rows] == list(range(1, 257)), "the failed row too"
    assert rows[FAILED_ROW - 1]["error"] == "distance_m=1: no room <b>fits</b>"
    assert rows[FAILED_ROW - 1]["marks"] == ""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(out[1])
    source = read(str(distance)).rows
    known = [row for row in table.to_pylist() if row["error"] is None]
    for name in ("row", "distance_m", "mark_scores", "impostor_scores", "latency_s", "programme", "found"):
        assert [row[name] for row in known] == [row[name] for row in source], name
    assert b"bittrue.plan" in table.schema.metadata


def test_tables_alone_draw_nothing(distance, tmp_path, capsys):
    stamps = {path: path.stat().st_mtime_ns for path in (distance / "report").iterdir()}
    out = tmp_path / "rows.csv"
    done = call(capsys, "report", distance, "--csv", out, "--no-page", "--json")
    assert done.status == 0, done.err
    assert (done.json["files"], done.json["pictures"]) == ([str(out)], None)
    assert (done.json["rows"], done.json["errors"]) == (256, 1)
    assert {path: path.stat().st_mtime_ns for path in (distance / "report").iterdir()} == stamps
    done = call(capsys, "report", distance, "--csv", out, "--no-page")
    assert done.out == f"256 rows, 1 error; arithmetic q15, float.\nwritten: {out}\n"


def test_types_of_parquet_columns_are_those_of_the_plan_not_of_what_it_holds(tmp_path):
    import pyarrow.parquet

    types = []
    for name, text in (
        ("plain", ""),
        ("full", 'snr_db = [10, "none"]\nresample_hz = 44100\nroom_m = [[5, 4, 3]]\n'),
    ):
        folder = cases.written(
            tmp_path, cases.CODECS.replace("drift_ppm = 20\n", text), cases.watermark_outcome, name
        )
        out = tmp_path / f"{name}.parquet"
        sweep_report.report(str(folder), None, None, str(out), False, lambda text: None)
        types.append({field.name: str(field.type) for field in pyarrow.parquet.read_schema(out)})
    assert types[0] == types[1]
    assert [
        types[0][name] for name in ("row", "snr_db", "resample_hz", "room_m", "strength_db", "error")
    ] == [
        "int64",
        "double",
        "int64",
        "string",
        "double",
        "string",
    ]
    assert types[0]["mark_latencies_s"] == "list<element: double>"


@pytest.mark.usefixtures("no_pictures")
def test_a_folder_that_takes_no_pictures_can_be_reported_elsewhere(tmp_path, capsys):
    folder = cases.written(tmp_path, cases.CODECS, cases.watermark_outcome)
    (folder / "report").write_text("in the way")
    done = call(capsys, "report", folder, "--no-spectrograms")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "cannot be made: File exists; --out FILE puts page and pictures elsewhere" in done.err
    done = call(capsys, "report", folder, "--no-spectrograms", "--out", tmp_path / "p.html")
    assert done.status == 0, done.err


def test_a_page_that_fails_leaves_no_new_folder(tmp_path):
    outcome = {"mark_scores": [], "one_mark_scores": [], "marks": 0}
    folder = cases.written(tmp_path, cases.CODECS, lambda one: cases.watermark_outcome(one) | outcome)
    with pytest.raises(BittrueError, match="no row holds a mark"):
        sweep_report.report(str(folder), None, None, None, False, lambda text: None)
    assert not (folder / "report").exists()


def test_without_pyarrow_one_line_says_how_to_get_it(distance, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    done = call(capsys, "report", distance, "--parquet", tmp_path / "x.parquet")
    assert (done.status, done.out) == (2, "")
    assert done.err == "--parquet: pyarrow is not installed; pip install 'bittrue[parquet]'\n"
    assert not (tmp_path / "x.parquet").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--out", "x.pdf"], "suffix '.pdf' found; .html or .htm needed"),
        (["--csv", "x.txt"], "suffix '.txt' found; .csv needed"),
        (["--out", "nowhere/x.html"], "no such folder: nowhere"),
        (["--no-page"], "--no-page: nothing to write"),
        (
            ["--no-page", "--csv", "x.csv", "--out", "x.html"],
            "--no-page: the page x.html is asked for as well",
        ),
    ],
)
def test_bad_options_are_one_line(distance, capsys, monkeypatch, tmp_path, options, says):
    monkeypatch.chdir(tmp_path)
    done = call(capsys, "report", distance, *options)
    assert (done.status, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1


def test_folders_without_results_are_one_line(capsys, tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        done = call(capsys, "report", folder)
        assert (done.status, done.out) == (2, "")
        assert "no results.sqlite found" in done.err
    (tmp_path / "results.sqlite").write_text("no database at all, but long enough to look at" * 30)
    done = call(capsys, "report", tmp_path)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)


def test_nothing_but_errors_is_still_a_page_and_nothing_at_all_is_said(capsys, tmp_path):
    folder = cases.written(tmp_path, cases.CODECS, lambda condition: "codec: broken")
    done = call(capsys, "report", folder)
    assert done.status == 0, done.err
    assert (
        "9 rows, 9 errors; arithmetic q15.\nEvery row so far ended in an error: codec: broken\n" in done.out
    )
    assert "codec: broken" in Page((folder / "report" / "report.html").read_text("utf-8")).text
    with sqlite3.connect(folder / "results.sqlite") as table:
        table.execute("DELETE FROM rows")
    table.close()
    done = call(capsys, "report", folder)
    assert (done.status, done.out) == (2, "")
    assert "no rows yet" in done.err


def test_rows_without_a_mark_are_one_line(capsys, tmp_path):
    def outcome(condition):
        return cases.watermark_outcome(condition) | {"mark_scores": [], "one_mark_scores": [], "marks": 0}

    done = call(capsys, "report", cases.written(tmp_path, cases.CODECS, outcome))
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert "no row holds a mark; longer programmes are needed" in done.err


@pytest.mark.parametrize("heights", [[0.5], [0.5, 0.5, 0.5], [0.0, 0.0, 0.01], [0.99, 1.0, 1.0], [0.2, 0.8]])
def test_labels_keep_their_order_and_distance(heights):
    found = _apart(sorted(heights))
    assert all(b - a > 0.05 for a, b in pairwise(found))
    assert min(found) >= -1e-9
    assert max(found) <= 0.98 + 1e-9, "clear of the title"
