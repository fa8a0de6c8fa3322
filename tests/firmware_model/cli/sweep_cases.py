"""Results of sweeps that nobody ran: tables whose rates are known, written as a sweep writes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from acoustic_sim.sweep.design import Condition
from acoustic_sim.sweep.results import Results, Timing
from firmware_model.report import plans

DISTANCE = """
product = "watermark"
seed = 3
repeats = 4
impostor_keys = 4
false_alarms_per_hour = 0.5
[programme]
synthesise = ["music", "voice"]
seconds = 8
[axes]
distance_m = [1, 3, 6, 10]
rt60_s = [0.4, 0.9]
snr_db = [10, 20]
arithmetic = ["q15", "float"]
"""
CODECS = """
product = "watermark"
repeats = 3
[programme]
synthesise = ["music"]
seconds = 8
[axes]
codec = ["none", "mp3-128", "opus-16"]
drift_ppm = 20
"""
VOLUME = """
product = "mbdp"
repeats = 2
[programme]
synthesise = ["music", "voice"]
seconds = 4
[axes]
volume_db = {from = -20, to = 10, steps = 6}
profile = ["smart-speaker", "headset"]
arithmetic = ["q15", "float"]
"""
Outcome = dict[str, Any] | str


def written(
    folder: Path,
    text: str,
    outcome_of: Callable[[Condition], Outcome],
    name: str = "plan",
    rows: int | None = None,
) -> Path:
    """A plan and its rows, or the first of them, in `folder`, each as `outcome_of` has it; the results."""
    path = folder / f"{name}.toml"
    path.write_text(text)
    plan = plans.load(path)
    with Results.open(folder / name, plan, plans.study_of(plan.product).OUTCOME) as results:
        for condition in plan.conditions()[:rows]:
            results.add(condition, outcome_of(condition), Timing(0.25, "test"))
    return folder / name


def watermark_outcome(condition: Condition, marks: int = 3) -> Outcome:
    """Scores that fall with distance and reverberation; float is q15 and a little."""
    v = condition.values
    place = [v["distance_m"], v["rt60_s"], v["snr_db"] or 30, {"none": 0, "mp3-128": 1}.get(v["codec"], 4)]
    rng = np.random.default_rng([condition.seed, *(round(10 * number) for number in place)])
    mean = 15 - 0.9 * place[0] - 3 * place[1] + 0.1 * place[2] - place[3]
    one = mean * 0.7 + rng.normal(0, 1.5, marks)
    run = np.maximum(one, mean + rng.normal(0, 1.5, marks))
    unmarked = rng.gumbel(1.6, 0.4, (condition.impostor_keys, marks))
    extra = rng.normal(0, 0.02, marks) * (v["arithmetic"] != "q15")
    found = run >= 5.5
    latencies_s = [0.3 + float(rng.exponential(0.2)) if each else None for each in found]
    known = [seconds for seconds in latencies_s if seconds is not None]
    return {
        "marks": marks,
        "found": int(found.sum()),
        "found_one": int((one >= 5.5).sum()),
        "strays": 0,
        "score": float(run.max()),
        "mark_scores": (run + extra).tolist(),
        "one_mark_scores": (one + extra).tolist(),
        "impostor_scores": unmarked.ravel().tolist(),
        "latency_s": float(np.median(known)) if known else None,
        "mark_latencies_s": latencies_s,
        "hops_differ": None if v["arithmetic"] == "q15" else int(rng.integers(2)),
        "wsr_db": -20.0,
        "rt60_s_measured": v["rt60_s"],
        "drr_db": -3.0,
        "delay_s": v["distance_m"] / 343,
        "snr_db_at_microphone": v["snr_db"],
        "seconds": 8.0,
    }


def dynamics_outcome(condition: Condition) -> Outcome:
    """Louder and more distorted with the volume; float as q15 but for a hundredth."""
    v = condition.values
    rng = np.random.default_rng([condition.seed, round(v["volume_db"]) + 60])
    extra = 0.01 * (v["arithmetic"] != "q15")
    loud = v["volume_db"] + (3 if v["profile"] == "headset" else 0) + rng.normal(0, 0.5)
    return {
        "gain_db": min(0.0, -v["volume_db"] / 2) + extra,
        "bass_db": -20 + 0.5 * loud,
        "loudness_lufs": -25 + loud + extra,
        "thd_db": -40 + loud,
        "distortion_db": -35 + loud + extra,
        "compression_db": -0.1 * loud,
        "clipped": 0.0,
        "brown_out_s": None,
        "peak_mm": 1.0 + loud / 20,
        "max_error_lsb": None if v["arithmetic"] == "q15" else 1,
        "seconds": 4.0,
    }
