"""What `detect` does: marks in a recording, by the Q15 detector, the float reference, or both."""

from typing import Any, NamedTuple

from firmware_model.cli.terminal.output import Step, counted, number, table
from firmware_model.pcm import to_mono, to_q15
from firmware_model.pcm_file import open_audio
from firmware_model.pcm_stream import Converted
from firmware_model.watermark.key import Key
from firmware_model.watermark.measures import metrics
from firmware_model.watermark.measures.listener import Listener
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
    step : called once, and told how far it has come
    """
    with open_audio(path, fs_hz=config.fs_hz, resample=resample, mixed=True) as file:
        source = Converted(path, file, config.fs_hz)
        step({"q15": "Q15 detector", "float": "float detector", "both": "Q15 and float detector"}[arith])
        both = Listener(keys, config, arith)
        taken = 0
        for block in source:
            both.push(to_q15(to_mono(block)))
            taken += len(block)
            step.at(taken / source.frames)
        both.finish()
    first = both.detections[0]
    facts: dict[str, Any] = {
        "detections": [as_json(detection) for detection in first],
        "threshold": config.threshold,
        "max_score": both.max_score,
    }
    if arith == "both":
        facts["score_error_max"] = both.score_error_max
        alone = metrics.unpaired(first, both.detections[1], metrics.pair_tolerance_s(config))
        facts["differences"] = [
            {"arith": name, **as_json(detection)}
            for name, only in zip(("q15", "float"), alone, strict=True)
            for detection in only
        ]
    return Found(facts, source.clipped)


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
