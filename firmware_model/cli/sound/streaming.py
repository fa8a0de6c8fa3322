"""What `stream` does: a sound file through the product of a case, in integers, in float64, or in both."""

import io
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case, Form
from firmware_model.cli.terminal.output import Step, counted, number
from firmware_model.pcm import read_audio, to_q15
from fixedpoint.errors import AudioError, ConfigError

FRAME_S = 1.0  # of a call of the product


class Streamed(NamedTuple):
    """facts : what --json prints;  y : output node, (rows, steps) integers;  clipped : by the resampler"""

    facts: dict[str, Any]
    y: np.ndarray
    clipped: int


def stream_file(case: Case, path: str, arith: str, resample: bool, step: Step) -> Streamed:
    """Run a case's product over a file.

    Parameters
    ----------
    arith : "q15", "float" or "both"; what is written is the float one's for "float", else the integers
    step : called as each of up to four stages begins

    Raises
    ------
    AudioError
        Another rate, or another number of channels.
    """
    step("read")
    audio = read_audio(path, fs_hz=case.fs_hz, resample=resample)
    channels = audio.samples.shape[1]
    if channels != case.channels:
        raise AudioError(
            f"{path}: {counted(channels, 'channel')} found, {case.channels} needed by {case.name}"
        )
    x_q15 = np.ascontiguousarray(to_q15(audio.samples).T)
    n = x_q15.shape[1]
    # What is late comes out with silence behind the file, which is cut off at the front again.
    padded = np.pad(x_q15, ((0, 0), (0, case.latency + -(n + case.latency) % case.block)))
    late, steps = case.latency // case.output.step, -(-n // case.output.step)
    found: list[np.ndarray] = []
    if arith in ("q15", "both"):
        step("integers")
        parts = [frame[case.output.name] for frame in case.frames(padded, FRAME_S)]
        found.append(np.concatenate(parts, axis=1)[:, late : late + steps])
    if arith in ("float", "both"):
        step("float")
        exact = case.reference(padded / 32768.0)[case.output.name][:, late : late + steps]
        found.append(_rounded(case, exact))
    step("measure")
    y = found[0]
    error_lsb, snr_db = _apart(*found) if arith == "both" else (None, None)
    facts = {
        "case": case.name,
        "arith": arith,
        "fs_hz": case.fs_hz,
        "channels": case.channels,
        "seconds": n / case.fs_hz,
        "latency_ms": 1000 * case.latency / case.fs_hz,
        "peak_in_dbfs": _peak_db(x_q15, 32768.0),
        "peak_out_dbfs": _peak_db(y, 1 / case.output.fmt.lsb),
        "max_error_lsb": error_lsb,
        "snr_db": snr_db,
    }
    return Streamed(facts, y, audio.clipped)


def suffixes(case: Case) -> tuple[str, ...]:
    """Of what OUT may be: sound, or an array of the output where that is no sound."""
    return (".wav", ".flac") if is_sound(case) else (".npz",)


def is_sound(case: Case) -> bool:
    """Whether the output is samples, one for each of the input."""
    return case.form == Form.SAMPLES and case.output.step == 1 and case.output.fmt.dtype == np.int16


def arrays(case: Case, y: np.ndarray) -> bytes:
    """The output as an NPZ file: its node's name, (rows, steps) integers."""
    content = io.BytesIO()
    np.savez_compressed(content, **{case.output.name: y})  # type: ignore[arg-type]
    return content.getvalue()


def check_stdout(out: str, case: Case) -> None:
    """Raise ConfigError where what has to be written is no sound and OUT is standard output."""
    if out == "-" and not is_sound(case):
        raise ConfigError(
            f"-: {case.output.name} of {case.name} is no sound; a name that ends in .npz needed"
        )


def in_words(out: str, facts: dict[str, Any]) -> str:
    """One line."""
    levels = f"peak {number(facts['peak_in_dbfs'], 1)} to {number(facts['peak_out_dbfs'], 1, ' dBFS')}"
    line = f"{out}: {facts['seconds']:.2f} s of {facts['case']}, {levels}"
    if facts["max_error_lsb"] is None:
        return line
    return f"{line}; within {facts['max_error_lsb']} LSB of float64, SNR {number(facts['snr_db'], 1, ' dB')}"


def _rounded(case: Case, exact: np.ndarray) -> np.ndarray:
    """Real values of the output node as its integers: RND, SAT."""
    limits = np.iinfo(case.output.fmt.dtype)
    scaled = np.floor(exact / (case.output.fmt.lsb * case.output.scale) + 0.5)
    return np.clip(scaled, limits.min, limits.max).astype(case.output.fmt.dtype)


def _apart(y: np.ndarray, r: np.ndarray) -> tuple[int, float | None]:
    """Largest difference in LSB; signal to noise ratio, dB, None where the bits are equal."""
    d = y.astype(np.float64) - r
    noise, signal = float(np.sum(d * d)), float(np.sum(r.astype(np.float64) ** 2))
    if noise == 0:
        return 0, None
    return int(np.abs(d).max()), float(10 * np.log10(signal / noise)) if signal > 0 else -np.inf


def _peak_db(values: np.ndarray, full: float) -> float | None:
    peak = float(np.abs(values.astype(np.float64)).max(initial=0.0))
    return float(20 * np.log10(peak / full)) if peak else None
