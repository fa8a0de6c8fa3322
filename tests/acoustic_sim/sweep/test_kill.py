"""kill -9, of all processes of a sweep or of the parent alone: the same command goes on, nothing is lost."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from firmware_model.report.plans import load
from tests.acoustic_sim.sweep import toy
from tests.acoustic_sim.sweep.test_run import rows, sweep


def begin(plan, folder, evaluate="evaluate_slowly", jobs=2):
    """A sweep in a process group of its own."""
    command = [
        sys.executable,
        "-m",
        "tests.acoustic_sim.sweep.toy",
        plan.path,
        str(folder),
        evaluate,
        str(jobs),
    ]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)


def kill_after_some_rows(plan, folder, wanted, kill):
    """Kill a sweep once there are `wanted` rows more; one that has ended by then is left."""
    process = begin(plan, folder)
    before = rows_so_far(folder)
    while process.poll() is None and rows_so_far(folder) < before + wanted:
        time.sleep(0.01)
    end(process, kill)
    return process.pid


def end(process, kill=os.killpg):
    with contextlib.suppress(ProcessLookupError):
        kill(process.pid, signal.SIGKILL)
    _, err = process.communicate(timeout=30)  # when the last process that holds stderr has ended
    assert err == ""


def rows_so_far(folder):
    """0 also where the file is not yet, or has no tables yet."""
    if not (folder / "results.sqlite").exists():
        return 0
    connection = sqlite3.connect(folder / "results.sqlite")
    try:
        return connection.execute("SELECT count(*) FROM rows").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def disturbed(tmp_path, plan, rng, times):
    """A sweep killed with all its processes, as it begins or some rows later, many times; then left alone."""
    folder, rows_before, most = tmp_path / "disturbed", 0, len(plan.conditions()) // times
    for _ in range(times):
        if rng.random() < 0.3:  # before or as the file is made, or the workers
            kill_after(plan, folder, rng)
        else:
            kill_after_some_rows(plan, folder, int(rng.integers(1, most)), os.killpg)
        found = [row["row"] for row in rows(folder)] if rows_so_far(folder) else []
        assert len(set(found)) == len(found) >= rows_before, "a row was lost or doubled"
        rows_before = len(found)
    assert rows_before < len(plan.conditions()), "nothing was left to do for the last run"
    sweep(plan, folder, jobs=1)
    return table(folder)


def kill_after(plan, folder, rng):
    """Kill a sweep in its first two seconds."""
    process = begin(plan, folder)
    time.sleep(rng.uniform(0, 2))
    end(process)


def table(folder):
    """The table `rows` as SQL, sorted: its bytes."""
    connection = sqlite3.connect(folder / "results.sqlite")
    lines = [
        line for line in connection.iterdump() if line.startswith(('INSERT INTO "rows"', "CREATE TABLE rows"))
    ]
    connection.close()
    return "\n".join(sorted(lines)).encode()


def test_killed_over_and_over_the_table_is_that_of_an_undisturbed_run(tmp_path, rng):
    plan = load(toy.write_plan(tmp_path, repeats=3))
    assert len(plan.conditions()) == 60
    toy.write_undisturbed(plan, tmp_path / "undisturbed")
    assert disturbed(tmp_path, plan, rng, 2) == table(tmp_path / "undisturbed")


@pytest.mark.slow
def test_killed_20_times_the_table_is_that_of_an_undisturbed_run(tmp_path, rng):
    plan = load(toy.write_plan(tmp_path, repeats=10))
    assert len(plan.conditions()) == 200
    sweep(plan, tmp_path / "undisturbed", jobs=2)
    assert disturbed(tmp_path, plan, rng, 20) == table(tmp_path / "undisturbed")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_end_with_a_parent_that_is_killed_alone(tmp_path):
    plan = load(toy.write_plan(tmp_path, repeats=20))
    group = kill_after_some_rows(plan, tmp_path / "out", 1, os.kill)
    deadline = time.monotonic() + 20
    while (left := processes_of(group)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
    assert sweep(plan, tmp_path / "out", jobs=1).done == 400


def processes_of(group):
    """Live processes of a session."""
    found = []
    for folder in os.listdir("/proc"):
        if folder.isdigit():
            try:
                with open(f"/proc/{folder}/stat") as file:
                    state, _, _, session = file.read().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(session) == group and state != "Z":
                found.append(int(folder))
    return found
