"""A product that costs nothing, and fails where a test wants it to; importable by worker processes."""

import os
import signal
import sys
import time
from pathlib import Path

from acoustic_sim.sweep.plan import Plan
from acoustic_sim.sweep.results import Results, Timing
from acoustic_sim.sweep.run import run
from firmware_model.report.plans import load
from fixedpoint.errors import AudioError

OUTCOME = {"score": float, "marks": int, "found": bool, "scores": list, "says": str}
PLAN = """
product = "watermark"
seed = 7
repeats = {repeats}
[programme]
synthesise = ["music"]
[axes]
distance_m = {{from = 1, to = 5, steps = 5}}
snr_db = [0, 10]
arithmetic = ["q15", "float"]
"""
RAISES, FAILS, DIES, DIES_ONCE = 1.0, 2.0, 3.0, 4.0  # metres


def write_plan(folder: Path, repeats: int = 2) -> Path:
    """20 rows for each repeat."""
    path = folder / "plan.toml"
    path.write_text(PLAN.format(repeats=repeats))
    return path


def group_key(condition):
    return condition.values["distance_m"], condition.repeat


def outcome(condition):
    scores = [condition.seed / 7 + k / 3 for k in range(3)]
    return {
        "score": sum(scores) / condition.values["distance_m"],
        "marks": condition.row,
        "found": condition.row % 2 == 0,
        "scores": scores,
        "says": f"{condition.programme} at {condition.values['distance_m']} m",
    }


def write_undisturbed(plan: Plan, folder: Path) -> None:
    """The table of a run that nothing goes wrong in, without the processes of one."""
    with Results.open(folder, plan, OUTCOME) as results:
        for condition in plan.conditions():
            results.add(condition, outcome(condition), Timing(0.0, "here", 1))


def evaluate(conditions):
    for condition in conditions:
        yield condition, outcome(condition)


def evaluate_slowly(conditions):
    """20 ms a row."""
    for condition in conditions:
        time.sleep(0.02)
        yield condition, outcome(condition)


def evaluate_badly(conditions):
    """At one distance rows raise, at another are errors, at a third one ends its process, one just once."""
    for condition in conditions:
        distance_m, is_first = condition.values["distance_m"], condition.repeat == 0
        is_loud = is_first and condition.values["snr_db"] == 0
        if distance_m == RAISES and is_loud:
            raise ZeroDivisionError("no such\nluck")
        if distance_m == FAILS and is_first:
            yield condition, "rir='a.wav': no such file"
            continue
        if distance_m == FAILS:
            raise AudioError("silent")
        if distance_m == DIES and is_loud and condition.values["arithmetic"] == "float":
            os._exit(3)
        if distance_m == DIES_ONCE and is_loud and condition.values["arithmetic"] == "q15":
            die_once(condition)
        yield condition, outcome(condition)


def die_once(condition):
    """As out of memory: killed from outside, and well the next time."""
    been_here = Path(os.environ["TOY_FOLDER"]) / str(condition.row)
    if not been_here.exists():
        been_here.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def main():
    """A sweep in a process of its own: PLAN DIR EVALUATE JOBS."""
    path, folder, function, jobs = sys.argv[1:]
    with Results.open(folder, load(path), OUTCOME) as results:
        run(results, globals()[function], group_key, jobs=int(jobs))


if __name__ == "__main__":
    from tests.acoustic_sim.sweep import toy

    toy.main()
