"""What `detect` does: marks in a recording, by the Q15 detector, the float reference, or both."""

from typing import Any, NamedTuple

import numpy as np

from firmware_model.cli.terminal.output import Step, counted, number, table
from firmware_model.pcm import read_audio, to_mono, to_q15
from firmware_model.watermark import detector
from firmware_model.watermark.key import Key
from firmware_model.watermark.measures import metrics
from firmware_model.watermark.measures.float_twin import float_detect
from firmware_model.watermark.params import WatermarkConfig


class Found(NamedTuple):
    """facts : what --json prints;  clipped : samples that the resampler pushed past full scale."""

    facts: dict[str, Any]
    clipped: int


def detect_file(
    path: str, keys: list[Key], config: WatermarkConfig, arith: str, resample: bool, step: Step
) -> Found:
    """Find marks in a file.

    Parameters
    ----------
    arith : "q15", "float" or "both"
    resample : allow another rate than the detector's
    step : called as each of three stages begins
    """
    step("read")
    audio = read_audio(path, fs_hz=config.fs_hz, resample=resample, mixed=True)
    pcm = to_q15(to_mono(audio.samples))
    found: list[tuple[list[Any], np.ndarray]] = []
    if arith in ("q15", "both"):
        step("Q15 detector")
        found.append(_q15_detect(pcm, keys, config))
    if arith in ("float", "both"):
        step("float detector")
        detections, _, integrated = float_detect(pcm, keys, config)
        found.append((detections, integrated))
    detections, integrated = found[0]
    facts: dict[str, Any] = {
        "detections": [as_json(detection) for detection in detections],
        "threshold": config.threshold,
        "max_score": float(integrated.max()) if integrated.size else None,
    }
    if arith == "both":
        facts["score_error_max"] = metrics.score_error_max(found[0][1], found[1][1])
        alone = metrics.unpaired(found[0][0], found[1][0], metrics.pair_tolerance_s(config))
        facts["differences"] = [
            {"arith": name, **as_json(detection)}
            for name, only in zip(("q15", "float"), alone, strict=True)
            for detection in only
        ]
    return Found(facts, audio.clipped)


def _q15_detect(pcm: np.ndarray, keys: list[Key], config: WatermarkConfig) -> tuple[list[Any], np.ndarray]:
    """Detections, and (hops, keys) integrated scores; a recording shorter than a hop has neither."""
    if len(pcm) < config.hop:
        return [], np.empty((0, len(keys)))
    q15 = detector.detect(pcm, keys, config)
    return list(q15.detections), q15.integrated


def report(path: str, facts: dict[str, Any]) -> str:
    """The facts as a table and a line."""
    lines = []
    if facts["detections"]:
        rows = [
            [f"{row['time_s']:.3f}", f"{row['score']:.2f}", str(row["marks"]), str(row["key"])]
            for row in facts["detections"]
        ]
        lines = [table(["time (s)", "score", "marks", "key"], rows, left=0), ""]
    lines.append(
        f"{path}: {counted(len(facts['detections']), 'detection')}, threshold {facts['threshold']:g}, "
        f"highest score {number(facts['max_score'], 2)}"
    )
    if "differences" in facts:
        only = [f"{row['arith']} alone at {row['time_s']:.3f} s" for row in facts["differences"]]
        lines.append(
            f"Q15 and float: scores differ by at most {facts['score_error_max']:.4f}; "
            + (f"different detections: {', '.join(only)}" if only else "the same detections")
        )
    return "\n".join(lines)


def as_json(detection: Any) -> dict[str, Any]:
    """A detection of either arithmetic: `key` counts the --key options from 0."""
    return {
        "time_s": float(detection.time_s),
        "score": float(detection.score),
        "marks": int(detection.marks),
        "key": int(detection.key),
    }
