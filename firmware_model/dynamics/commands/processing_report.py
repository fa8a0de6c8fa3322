"""What `process` did, as a table for people."""

from typing import Any

from firmware_model.cli.terminal.output import number, table


def report(out: str, facts: dict[str, Any]) -> str:
    """The facts as lines and two tables."""
    levels = [
        [name, *(level(facts[f"{key}_{side}_{unit}"]) for side in ("in", "out"))]
        for name, key, unit in (("peak, dBFS", "peak", "dbfs"), ("loudness, LUFS", "loudness", "lufs"))
    ]
    bands = [
        [f"{_hertz(row['low_hz'])} to {_hertz(row['high_hz'])} Hz", *_reductions(row)]
        for row in facts["bands"]
    ]
    limiter = facts["limiter"]
    bands.append([f"limiter, {limiter['threshold_dbfs']:g} dBFS", *_reductions(limiter)])
    parts = [
        in_words(out, facts),
        table(["", "in", "out"], levels),
        table(["gain reduction, dB", "mean", "largest"], bands),
    ]
    if facts["max_error_lsb"] is not None:
        parts.append(f"Q15 against float, rounded to 16 bits: {difference(facts)}")
    return "\n\n".join(parts)


def in_words(out: str, facts: dict[str, Any]) -> str:
    """One line: what was written, and at what cost."""
    return (
        f"{out}: {facts['seconds']:.2f} s at {facts['fs_hz']} Hz, {channels(facts)}, "
        f"profile {facts['profile']}{arithmetic(facts)}, latency {facts['latency_ms']:.2f} ms, "
        f"{facts['ram_bytes']} bytes of RAM"
    )


def difference(facts: dict[str, Any]) -> str:
    """How far the two arithmetics are apart."""
    if facts["max_error_lsb"] == 0:
        return "equal bits"
    return f"largest difference {facts['max_error_lsb']} LSB, SNR {number(facts['snr_db'], 1, ' dB')}"


def arithmetic(facts: dict[str, Any]) -> str:
    """Which arithmetic the output is of, where it is not the firmware's."""
    return " in float" if facts["arith"] == "float" else ""


def channels(facts: dict[str, Any]) -> str:
    """ "mono" or "stereo"."""
    return "mono" if facts["channels"] == 1 else "stereo"


def level(value: float | None, unit: str = "") -> str:
    """One decimal; no minus before a zero."""
    return number(value if value is None else round(value, 1) + 0.0, 1, unit)


def _reductions(row: dict[str, float]) -> list[str]:
    return [level(row["mean_reduction_db"]), level(row["max_reduction_db"])]


def _hertz(freq_hz: float) -> str:
    return f"{freq_hz:.6g}"
