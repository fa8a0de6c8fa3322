"""The runner: every row once, whatever becomes of workers and rows."""

import pytest

from acoustic_sim.sweep.results import Results
from acoustic_sim.sweep.results_file import ResultsError
from acoustic_sim.sweep.run import MAX_TRIES_ALONE, Progress, _Pace, batches, run
from acoustic_sim.sweep.worker import Answer, evaluate_batch
from firmware_model.report.plans import load
from tests.acoustic_sim.sweep import toy


@pytest.fixture
def plan(tmp_path):
    return load(toy.write_plan(tmp_path))


def sweep(plan, folder, evaluate=toy.evaluate, **options):
    with Results.open(folder, plan, toy.OUTCOME) as results:
        return run(results, evaluate, toy.group_key, **options)


def rows(folder):
    with Results.read(folder) as results:
        return results.rows()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The table of a run that nothing went wrong in; `test_every_row_is_there_once_…` runs one."""
    folder = tmp_path_factory.mktemp("undisturbed")
    toy.write_undisturbed(load(toy.write_plan(folder)), folder / "out")
    return rows(folder / "out")


def test_every_row_is_there_once_and_progress_is_told(tmp_path, plan, undisturbed):
    told = []
    done = sweep(plan, tmp_path / "out", jobs=2, progress=told.append)
    assert done == Progress(40, 0, 0, 40, seconds_left=0.0) == told[-1]
    assert [progress.done for progress in told] == list(range(41))
    found = rows(tmp_path / "out")
    assert found == undisturbed
    assert [row["row"] for row in found] == list(range(1, 41))
    for row, condition in zip(found, plan.conditions(), strict=True):
        assert {name: row[name] for name in toy.OUTCOME} == toy.outcome(condition)
    with Results.read(tmp_path / "out") as results:
        assert len({timing.worker for timing in results.timings().values()}) == 2
        assert {timing.attempts for timing in results.timings().values()} == {1}


def answers(worker, *seconds):
    return [Answer(row, {}, each, worker) for row, each in enumerate(seconds, 1)]


def test_time_left_counts_what_each_batch_begins_with_and_not_the_compiling():
    """What a batch shares takes 5 s, a row 1 s: 8 rows in 2 batches last 18 s, with two workers 9."""
    pace = _Pace()
    pace.add(answers("a", 40.0, 1.0, 1.0, 1.0))
    assert pace.seconds_left(8, 2) is None, "cheap rows alone would say 8 s"
    pace.add(answers("", 9.0))  # its worker died
    pace.add([])
    pace.add(answers("a", 6.0, 1.0, 1.0, 1.0))
    assert pace.seconds_left(8, 2) == 18.0
    pace.add(answers("b", 50.0, 1.0))
    assert pace.seconds_left(8, 2) == 9.0
    assert pace.seconds_left(0, 0) == 0.0


def test_time_left_of_batches_of_one_row():
    pace = _Pace()
    for seconds in (30.0, 2.0, 4.0):
        pace.add(answers("a", seconds))
    assert pace.seconds_left(10, 10) == 30.0


def test_what_is_done_already_is_not_computed_again(tmp_path, plan, undisturbed):
    with Results.open(tmp_path / "out", plan, toy.OUTCOME) as results:
        for condition in plan.conditions()[::3]:
            results.add(condition, toy.outcome(condition), (0.0, "before", 1))
    assert sweep(plan, tmp_path / "out", jobs=1) == Progress(40, 14, 0, 40, seconds_left=0.0)
    assert rows(tmp_path / "out") == undisturbed
    assert sweep(plan, tmp_path / "out", no_evaluate, jobs=1) == Progress(40, 40, 0, 40)


def no_evaluate(conditions):
    raise AssertionError("nothing is missing")


def test_rows_that_fail_are_rows_and_harm_no_others(tmp_path, plan, undisturbed, monkeypatch):
    monkeypatch.setenv("TOY_FOLDER", str(tmp_path))
    done = sweep(plan, tmp_path / "out", toy.evaluate_badly, jobs=2)
    found = rows(tmp_path / "out")
    errors = {row["row"]: row["error"] for row in found if row["error"]}
    expected = {}
    for c in plan.conditions():
        distance_m, is_first = c.values["distance_m"], c.repeat == 0
        is_loud = is_first and c.values["snr_db"] == 0
        if distance_m == toy.RAISES and is_loud:
            expected[c.row] = "ZeroDivisionError: no such luck"
        elif distance_m == toy.FAILS:
            expected[c.row] = "rir='a.wav': no such file" if is_first else "silent"
        elif distance_m == toy.DIES and is_loud and c.values["arithmetic"] == "float":
            expected[c.row] = "worker died"
    assert errors == expected
    assert done[:4] == (40, 0, len(expected), 40)
    well = [row for row in found if row["row"] not in errors]
    assert well == [row for row in undisturbed if row["row"] not in errors]
    with Results.read(tmp_path / "out") as results:
        attempts = {row: timing.attempts for row, timing in results.timings().items()}
    assert {attempts[row] for row, error in errors.items() if error == "worker died"} == {MAX_TRIES_ALONE}
    again = sweep(plan, tmp_path / "out", jobs=1)
    assert again[:4] == (40, 40, done.errors, 40), "an error is a result, and is not tried again"
    with Results.open(tmp_path / "out", plan, toy.OUTCOME) as results:
        assert results.forget_errors() == len(expected)
        run(results, toy.evaluate, toy.group_key)
    assert rows(tmp_path / "out") == undisturbed


def test_a_batch_that_stops_short_leaves_no_row_without_an_answer(plan):
    first, *others = plan.conditions()[:5]

    def only_alone(conditions):
        yield conditions[0], {"score": 1.0}
        if len(conditions) > 1:
            raise KeyError("more than one")

    answers = evaluate_batch(only_alone, [first, *others])
    assert [answer.outcome for answer in answers] == [{"score": 1.0}] * 5
    assert [answer.outcome for answer in evaluate_batch(lambda c: [], [first])] == ["no outcome"]


def test_groups_stay_together_and_large_ones_are_cut(plan):
    rows = plan.conditions()
    found = batches(rows, toy.group_key, 1)
    assert [len(batch.conditions) for batch in found] == [4] * 10
    assert all(len({toy.group_key(c) for c in batch.conditions}) == 1 for batch in found)
    # 40 rows for 2 workers of 8 batches each: 2 rows a batch; one group: at most 32, here 5.
    assert [len(batch.conditions) for batch in batches(rows, lambda c: 0, 2)] == [2] * 20
    assert [len(batch.conditions) for batch in batches(rows * 20, lambda c: 0, 1)] == [32] * 25
    assert sorted(c.row for batch in found for c in batch.conditions) == [c.row for c in rows]


def test_rows_that_cannot_be_written_end_the_sweep_and_its_workers(tmp_path, plan):
    with Results.open(tmp_path / "out", plan, toy.OUTCOME) as results:
        pages = results._connection.execute("PRAGMA page_count").fetchone()[0]
        results._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(ResultsError, match="cannot be written"):
            run(results, toy.evaluate, toy.group_key, jobs=2)
    sweep(plan, tmp_path / "out", jobs=1)
    assert len(rows(tmp_path / "out")) == 40
