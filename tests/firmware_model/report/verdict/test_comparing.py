"""Two sweeps compared: which rows are pairs, paired tests, what got better and worse, what only one has."""

import json
import shutil
import sqlite3

import numpy as np
import pytest
from scipy import stats

from tests.firmware_model.cli import sweep_cases as cases
from tests.firmware_model.cli.cases import call

HARMED = 6  # m: from here on, the second sweep misses the first mark of a row as well


def before(condition):
    """At 10 m the second mark is missed."""
    far = condition.values["distance_m"] == 10
    return cases.watermark_outcome(condition) | {"mark_scores": [12.0, 1.0 if far else 12.0, 12.0]}


def after(condition):
    """Worse at 6 m, better at 10 m with little noise."""
    v = condition.values
    worse, far = v["distance_m"] == HARMED, v["distance_m"] == 10 and v["snr_db"] == 10
    scores = [1.0 if worse else 12.0, 1.0 if far else 12.0, 12.0]
    return cases.watermark_outcome(condition) | {"mark_scores": scores, "strays": int(worse)}


@pytest.fixture
def compared(capsys):
    def run(first, second, *options):
        done = call(capsys, "report", first, second, "--json", *options)
        assert done.status == 0, done.err
        return json.loads(done.out)

    return run


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    return tuple(
        cases.written(folder, cases.DISTANCE, outcome, name)
        for name, outcome in (("first", before), ("second", after))
    )


def of(facts, measure):
    return next(each for each in facts["compared"] if each["measure"] == measure)


def test_marks_are_tested_in_pairs(compared, sweeps):
    """128 rows of q15, 3 marks each: 32 marks missed in the first alone were 16; in the second alone 32."""
    facts = compared(*sweeps)
    assert (facts["rows"], facts["arithmetic"], facts["only_first"]) == (128, ["q15", "q15"], [])
    found = of(facts, "missed")
    assert (found["first"]["found"], found["second"]["found"], found["first"]["total"]) == (32, 48, 384)
    assert (found["first_only"], found["second_only"]) == (16, 32)
    assert found["p_alone"] == pytest.approx(stats.binomtest(16, 48).pvalue)
    assert found["p"] > found["p_alone"], "corrected for the number of tests"
    assert len(found["better"]) == 16
    assert len(found["worse"]) == 32
    assert all("distance 6 m" in row["condition"] for row in found["worse"])
    assert all(
        "distance 10 m" in row["condition"] and "SNR 20 dB" in row["condition"] for row in found["better"]
    )
    assert found["verdict"] == "no difference shown"
    strays = of(facts, "strays")
    assert (strays["verdict"], strays["first"], strays["second"]) == ("worse", 0, 0.25)
    assert len(strays["worse"]) == 32


def test_the_same_sweep_twice_differs_in_nothing(compared, sweeps):
    facts = compared(sweeps[0], sweeps[0])
    for found in facts["compared"]:
        assert (found["p"], found["verdict"]) == (1.0, "no difference shown")
        assert not any(found[kind] for kind in ("better", "worse", "rose", "fell"))


def test_which_comes_first_turns_every_verdict_round(compared, sweeps):
    there, back = compared(*sweeps), compared(*sweeps[::-1])
    for a, b in zip(there["compared"], back["compared"], strict=True):
        assert a["p"] == b["p"]
        assert [row["first_row"] for row in a["better"]] == [row["first_row"] for row in b["worse"]]
        assert {a["verdict"], b["verdict"]} in (
            {"better", "worse"},
            {"no difference shown"},
            {"rose", "fell"},
        )


def test_rows_that_one_sweep_alone_has_and_rows_that_failed_are_said(compared, capsys, tmp_path, sweeps):
    less = cases.DISTANCE.replace("distance_m = [1, 3, 6, 10]", "distance_m = [3, 6, 10, 15]")
    other = cases.written(tmp_path, less, lambda c: "no room" if c.row == 1 else after(c))
    facts = compared(sweeps[0], other)
    assert (len(facts["only_first"]), len(facts["only_second"]), facts["errors_second"]) == (32, 32, [1])
    assert facts["rows"] == 95
    text = call(capsys, "report", sweeps[0], other).out
    shown = ", ".join(map(str, facts["only_first"][:10]))
    assert f"32 rows only {sweeps[0]} has, not compared: row {shown} and 22 more." in text
    assert f"32 rows only {other} has, not compared" in text
    assert f"1 row failed in {other} alone: row 1." in text


def test_what_the_sweeps_as_a_whole_differ_in_is_no_reason_not_to_pair(compared, tmp_path):
    plan = cases.CODECS.replace("repeats = 3", "repeats = 20")
    live = cases.written(tmp_path, plan + 'mode = "live"\n', cases.watermark_outcome, "live")
    informed = cases.written(tmp_path, plan, cases.watermark_outcome, "informed")
    facts = compared(informed, live)
    assert facts["rows"] == 60
    assert facts["differs"] == [f"mode informed in {informed}, live in {live}"]


def test_measures_are_tested_on_their_differences(compared, tmp_path):
    """Louder by half a decibel everywhere, distorted by up to one more at high volumes."""

    def louder(condition):
        found, v = cases.dynamics_outcome(condition), condition.values
        found["loudness_lufs"] += 0.5
        found["distortion_db"] += max(0.0, v["volume_db"]) / 10
        found["compression_db"] += 0.1
        return found

    first = cases.written(tmp_path, cases.VOLUME, cases.dynamics_outcome, "first")
    facts = compared(first, cases.written(tmp_path, cases.VOLUME, louder, "second"))
    loudness, residual = of(facts, "loudness_lufs"), of(facts, "distortion_db")
    assert loudness["difference"] == pytest.approx(0.5)
    assert (loudness["verdict"], residual["verdict"]) == ("better", "worse")
    assert (of(facts, "compression_db")["verdict"], of(facts, "thd_db")["verdict"]) == (
        "rose",
        "no difference shown",
    )
    d = np.repeat([0, 0, 0, 0, 0.4, 1.0], 8)
    assert residual["p_alone"] == pytest.approx(stats.wilcoxon(d).pvalue)
    assert residual["difference"] == pytest.approx(d.mean())
    low, high = stats.t.interval(0.95, len(d) - 1, d.mean(), stats.sem(d))
    assert (residual["low"], residual["high"]) == pytest.approx((low, high))
    changes = [row["second"] - row["first"] for row in residual["worse"]]
    assert changes == sorted(changes, reverse=True)
    assert "brown_out_s" not in [each["measure"] for each in facts["compared"]], "it has no value"


def test_rows_are_listed_with_their_conditions_and_counted_beyond_ten(capsys, sweeps):
    text = call(capsys, "report", *sweeps).out
    assert "worse, missed: 32 rows" in text
    assert "0 before, 1 after; distance 6 m, RT60 0.4 s, SNR 10 dB" in text
    assert "and 22 more" in text
    assert "McNemar" in text


def test_the_page_is_written_where_it_is_asked_for_and_nothing_else(capsys, tmp_path, sweeps):
    there = sorted(sweeps[0].rglob("*"))
    done = call(capsys, "report", *sweeps, "--out", tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text("utf-8")
    assert f"written: {tmp_path}/p.html" in done.out
    assert "32 rows, of which the 10 that changed most" in page
    assert sorted(sweeps[0].rglob("*")) == there


@pytest.mark.parametrize(
    ("plan", "outcome", "says"),
    [
        (cases.VOLUME, cases.dynamics_outcome, "two of one are needed"),
        (cases.DISTANCE.replace("seed = 3", "seed = 4"), before, "their seeds differ"),
        (
            cases.DISTANCE.replace("distance_m = [1, 3, 6, 10]", "distance_m = [2, 4]"),
            before,
            "distance is 1, 3, 6, 10 in ",
        ),
    ],
)
def test_sweeps_that_have_nothing_in_common_are_refused(capsys, tmp_path, sweeps, plan, outcome, says):
    other = cases.written(tmp_path, plan, outcome)
    done = call(capsys, "report", sweeps[0], other)
    assert done.status == 2
    assert says in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("option", [("--csv", "x.csv"), ("--limits", "x.toml"), ("--no-page",)])
def test_options_of_one_sweep_are_refused_with_two(capsys, sweeps, option):
    done = call(capsys, "report", *sweeps, *option)
    assert done.status == 2
    assert f"{option[0]}: has no meaning with two sweeps" in done.err


def test_a_file_of_one_name_and_another_content_is_said(compared, tmp_path):
    import soundfile

    plan = cases.CODECS.replace('synthesise = ["music"]', 'files = ["a.wav"]')
    folders = []
    for name, level in (("first", 0.1), ("second", 0.2)):
        soundfile.write(tmp_path / "a.wav", np.full(16000 * 9, level), 16000)
        folders.append(cases.written(tmp_path, plan, cases.watermark_outcome, name))
    assert compared(*folders)["differs"] == ["a.wav has another content in each"]


def test_versions_that_differ_are_said(compared, tmp_path, sweeps):
    other = shutil.copytree(sweeps[0], tmp_path / "copy")
    with sqlite3.connect(other / "results.sqlite") as table:
        (versions,) = table.execute("SELECT value FROM meta WHERE key = 'versions'").fetchone()
        run = json.loads(versions)[-1]
        table.execute(
            "UPDATE meta SET value = ? WHERE key = 'versions'", [json.dumps([run | {"numba": "0.1"}])]
        )
    table.close()
    assert compared(sweeps[0], other)["differs"] == [f"numba {run['numba']} and 0.1"]
