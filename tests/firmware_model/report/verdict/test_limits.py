"""Limits on a sweep: decided on the interval's end; wrong files, columns and rows are refused."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy import stats

from firmware_model.report.verdict import limits
from tests.firmware_model.cli import sweep_cases as cases
from tests.firmware_model.cli.cases import call
from tests.test_imports import ROOT

PLAN = cases.DISTANCE.replace("repeats = 4", "repeats = 12")
FAILED_ROW = 1  # music at 1 m


def outcome(condition):
    """Up to 6 m one mark of 288 is missed, at 10 m a third; a row takes distance / 10 s."""
    v = condition.values
    one = (
        v["distance_m"] == 6
        and v["rt60_s"] == 0.4
        and condition.repeat == 0
        and condition.programme == "music"
    )
    far = v["distance_m"] == 10
    missed = [far or (one and v["snr_db"] == 10), False, False]
    return cases.watermark_outcome(condition) | {
        "mark_scores": [1.0 if each else 12.0 for each in missed],
        "latency_s": v["distance_m"] / 10 if not far else None,
        "strays": int(far),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return cases.written(tmp_path_factory.mktemp("limits"), PLAN, outcome)


@pytest.fixture
def held(capsys, tmp_path, folder):
    """Status, limits and stderr for the text of a file of limits."""

    def run(text, *options, where=folder):
        path = tmp_path / "limits.toml"
        path.write_text(text)
        done = call(capsys, "report", where, "--no-page", "--limits", path, "--json", *options)
        facts = json.loads(done.out)["limits"] if done.out else None
        return done.status, facts, done.err

    return run


def limit(**entries):
    entries = {"name": "'home'", "measure": "'missed'"} | entries
    return "[[limit]]\n" + "".join(
        f"{key} = {value}\n" for key, value in entries.items() if value is not None
    )


HOME = "{distance_m = '<= 6', rt60_s = '≤ 0.5'}"


def test_a_share_is_decided_on_the_upper_end_of_its_interval(held):
    """1 of 432 marks is missed; the end of Wilson's interval is 1.3 %, although 0.23 % were measured."""
    high = stats.binomtest(1, 432).proportion_ci(0.95, method="wilson").high
    for bound, status in ((0.0131, 0), (0.0129, 1), (0.0024, 1), (0.002, 1)):
        done, (found,), _ = held(limit(at_most=bound, where=HOME))
        assert (done, found["ok"]) == (status, status == 0), bound
        assert found["value"] == pytest.approx(1 / 432)
        assert found["upper"] == pytest.approx(high)
        assert (found["name"], found["of"]) == ("home", "432 marks in 144 rows")
    assert "0.002315 measured" in found["says"]


def test_too_few_trials_are_said_with_the_number_that_would_do(held):
    text = limit(at_most=0.05, where="{distance_m = 1, rt60_s = 0.4, snr_db = 10, programme = 'voice'}")
    status, (found,), _ = held(text)
    assert (status, found["value"], found["ok"]) == (1, 0.0, False), "0 of 36 is not known to be below 5 %"
    needed = int(found["says"].split("about ")[1].split()[0])
    high = [stats.binomtest(0, n).proportion_ci(0.95, method="wilson").high for n in (needed - 2, needed)]
    assert high[0] > 0.05 >= high[1] or needed <= 74


def test_at_least_is_decided_on_the_lower_end(held):
    def held_at(bound):
        return held(limit(measure="'score'", at_least=bound, where="{distance_m = 3}"))

    done, (found,), _ = held_at(-100)
    assert done == 0
    assert held_at((found["lower"] + found["value"]) / 2)[0] == 1, "the mean would do"
    assert held_at(found["lower"] - 1e-9)[0] == 0


def test_a_measure_is_decided_on_students_interval_of_its_mean(held):
    _, (found,), _ = held(limit(measure="'latency_s'", at_most=9))
    values = np.repeat([0.1, 0.3, 0.6], 96)
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    assert (found["value"], found["lower"], found["upper"]) == pytest.approx((values.mean(), low, high))
    assert found["of"] == "288 rows, 96 more without a value"
    status, (found,), _ = held(limit(measure="'latency_s'", at_most=0.5, each_row="true"))
    assert (status, found["value"], found["says"]) == (1, 0.6, "the worst row has 0.6")
    assert held(limit(measure="'latency_s'", at_most=0.6, each_row="true"))[0] == 0


def test_rows_are_those_of_the_device_unless_another_arithmetic_is_asked_for(held):
    for arithmetic, rows in (
        ("", 384),
        (", arithmetic = 'float'", 384),
        (", arithmetic = ['q15', 'float']", 768),
    ):
        _, (found,), _ = held(limit(measure="'strays'", at_most=1, where="{row = '>= 1'" + arithmetic + "}"))
        assert found["of"] == f"{rows} rows"


def test_every_violation_is_in_the_junit_file_and_an_annotation(held, tmp_path):
    text = (
        limit(name="'a'", at_most=1)
        + "\n"
        + limit(name="'far: 10 m'", at_most=0.2, where="{distance_m = 10}")
    )
    status, found, err = held(text, "--junit", tmp_path / "out.xml", "--github")
    assert (status, [each["ok"] for each in found]) == (1, [True, False])
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()[0]
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", "1")
    assert [case.attrib["name"] for case in suite if len(case)] == ["far: 10 m"]
    annotations = [line for line in err.splitlines() if line.startswith("::")]
    assert len(annotations) == 1
    assert annotations[0].startswith(
        f"::error file={tmp_path}/limits.toml,line=6,title=far%3A 10 m::missed at most 0.2"
    )
    assert "0.3333 measured" in annotations[0]


def test_a_row_that_failed_keeps_no_limit_that_it_is_meant_by(held, tmp_path):
    broken = cases.written(tmp_path, PLAN, lambda c: "no room" if c.row == FAILED_ROW else outcome(c))
    status, (near, far), _ = held(
        limit(at_most=1, where="{distance_m = 1}")
        + limit(name="'far'", at_most=1, where="{distance_m = 10}"),
        where=broken,
    )
    assert (status, near["ok"], near["errors"], far["ok"], far["errors"]) == (1, False, 1, True, 0)
    assert "1 row ended in an error" in near["says"]
    failed = cases.written(
        tmp_path, PLAN, lambda c: "no room" if c.values["distance_m"] == 1 else outcome(c), "all"
    )
    status, (near, _), _ = held(
        limit(at_most=1, where="{distance_m = 1}") + limit(name="'far'", at_most=1), where=failed
    )
    assert (status, near["value"], near["upper"], near["ok"]) == (1, None, None, False)


def test_limits_stand_on_the_page(folder, capsys, tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text(limit(name="'a <b>'", at_most=0.2, where="{distance_m = 10}"))
    done = call(capsys, "report", folder, "--out", tmp_path / "p.html", "--limits", path, "--no-spectrograms")
    assert done.status == 1
    assert "0 of 1 limits kept; violated: a &lt;b&gt;." in (tmp_path / "p.html").read_text("utf-8")
    assert "limit a <b>: missed 0.3333" in done.out
    assert "VIOLATED" in done.out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            limit(at_most=0.1, where="{codec = 'opus-16'}"),
            "matches no row; codec = opus-16 asked for, codec is none",
        ),
        (limit(at_most=0.1, where="{distance_m = '> 10'}"), "matches no row; distance_m > 10 asked for"),
        (
            limit(at_most=0.1, where="{distance = 6}"),
            "where.distance: no such column; did you mean distance_m?",
        ),
        (limit(measure="'mised'", at_most=0.1), "measure 'mised': no such column; did you mean missed?"),
        (limit(measure="'mark_scores'", at_most=0.1), "measure 'mark_scores': no such column"),
        (limit(at_most=5), "missed is a share, from 0 to 1: 5 % is 0.05"),
        (limit(), "one of at_most and at_least is needed"),
        (limit(at_most=0.1, at_least=0), "one of at_most and at_least is needed"),
        (limit(at_most="'5 %'"), "at_most='5 %': must be a number"),
        (limit(at_most="nan"), "at_most=nan: must be a number"),
        (
            limit(at_most=0.1, where="{distance_m = '<= 6 m'}"),
            "a number is needed behind <=, without its unit",
        ),
        (
            limit(at_most=0.1, where="{distance_m = {max = 6}}"),
            "must be a value, a list of them, or a comparison",
        ),
        (limit(at_most=0.1, where="6"), "where=6: must be a table"),
        (limit(at_most=0.1, max=3), "max: is not known"),
        (limit(name=None, at_most=0.1), "name: missing"),
        (limit(at_most=0.1) + limit(at_most=0.2), "two limits have the name 'home'"),
        ("", "none found; tables [[limit]] are needed"),
        ("limits = 3", "'limits' found; tables [[limit]] are needed"),
        ("[[limit", "not TOML"),
        (
            limit(measure="'score'", at_most=1, where="{row = 1}"),
            "one row matches; the mean of at least 2 has an interval",
        ),
        (
            limit(measure="'latency_s'", at_most=1, where="{distance_m = 10}"),
            "latency_s has no value in the 96 rows",
        ),
    ],
)
def test_what_cannot_be_held_is_refused_in_one_line(held, text, says):
    status, found, err = held(text)
    assert (status, found) == (2, None)
    assert says in err
    assert err.count("\n") == 1


def test_a_sweep_that_is_not_complete_is_not_judged(held, tmp_path):
    part = cases.written(tmp_path, PLAN, outcome, rows=5)
    status, _, err = held(limit(at_most=1), where=part)
    assert status == 2
    assert "5 of 768 rows so far; limits are held against all of them" in err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--junit", "x.xml"), "--junit: has no meaning with no limits"),
        (("--github",), "--github: has no meaning with no limits"),
        (("--limits", "nowhere.toml"), "nowhere.toml: cannot be read"),
    ],
)
def test_options_that_do_not_fit(capsys, folder, options, says):
    done = call(capsys, "report", folder, *options)
    assert done.status == 2
    assert says in done.err


def test_the_example_is_about_columns_and_rows_of_its_sweep(capsys, tmp_path):
    plan = (ROOT / "examples/distance.toml").read_text("utf-8")
    folder = cases.written(tmp_path, plan, cases.watermark_outcome)
    path = ROOT / "examples/limits.toml"
    done = call(capsys, "report", folder, "--no-page", "--limits", path, "--json")
    names = [each["name"] for each in json.loads(done.out)["limits"]]
    assert names == [each.name for each in limits.load(str(path))]


def test_limits_of_another_product(capsys, tmp_path):
    folder = cases.written(tmp_path, cases.VOLUME, cases.dynamics_outcome)
    path = tmp_path / "limits.toml"
    path.write_text(limit(measure="'thd_db'", at_most=-20, where="{profile = 'headset', volume_db = '<= 0'}"))
    done = call(capsys, "report", folder, "--no-page", "--limits", path, "--json")
    assert json.loads(done.out)["limits"][0]["of"] == "16 rows"
