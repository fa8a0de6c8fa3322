"""What the detector costs: speed, memory, constancy in length, further keys; and the FFT's accuracy.

Times are of one core, by the wall clock, after a call that loads or compiles the kernels; each is the median
of several, taken in turns so that a change in the machine's load meets all alike.
"""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import numpy as np

from acoustic_sim.programmes.excitation import synthesise
from benchmarks.harness.report import Table, arguments, publish, run, verdict
from firmware_model.pcm import to_q15
from firmware_model.watermark.detector import Detector
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.filters.fft import FFT_SIZES, init_fft, rfft_bfp

SPEED_TARGET = 400.0
STATE_TARGET = 64 * 1024
BLOCK_SAMPLES = 1600  # a tenth of a second at a time, as a stream comes
KEY_COUNTS = (1, 2, 4, 8, 64)
FFT_TARGETS = {0: 70.0, -40: 60.0}
FRAMES = 200

_Name = TypeVar("_Name", bound=Hashable)


def recording(seconds: float, fs_hz: int) -> np.ndarray:
    """(n,) int16: half a minute of synthesised music, over and over."""
    x = to_q15(synthesise("music", 30.0, fs_hz, 1))
    return np.resize(x, round(seconds * fs_hz))


def time_detector(pcm: np.ndarray, keys: int, config: WatermarkConfig) -> tuple[float, float]:
    """Wall and processor seconds for one pass over a recording, block by block."""
    detector = Detector([Key(bytes([1, key])) for key in range(keys)], config)
    wall, processor = time.perf_counter(), time.process_time()
    for start in range(0, len(pcm), BLOCK_SAMPLES):
        detector.push(pcm[start : start + BLOCK_SAMPLES])
    detector.flush()
    return time.perf_counter() - wall, time.process_time() - processor


def medians(
    passes: Mapping[_Name, Callable[[], tuple[float, float]]], repeats: Mapping[_Name, int]
) -> dict[_Name, np.ndarray]:
    """Median (wall, processor) seconds of each pass; they take turns."""
    taken: dict[_Name, list[tuple[float, float]]] = {name: [] for name in passes}
    for turn in range(max(repeats.values())):
        for name, once in passes.items():
            if turn < repeats[name]:
                taken[name].append(once())
    return {name: np.median(times, axis=0) for name, times in taken.items()}


def measure_length(quick: bool) -> tuple[Table, list[dict[str, Any]]]:
    """Cost of a second of audio against the length of the recording."""
    config = WatermarkConfig()
    lengths = {"10 s": 10, "1 min": 60} if quick else {"10 s": 10, "10 min": 600, "1 h": 3600}
    pcm = recording(max(lengths.values()), config.fs_hz)
    passes = {
        name: partial(time_detector, pcm[: seconds * config.fs_hz], 1, config)
        for name, seconds in lengths.items()
    }
    counts = (15, 5, 3)
    found = medians(passes, dict(zip(lengths, counts, strict=False)))
    columns = [
        "recording",
        "times real time",
        "target",
        "µs per second of audio",
        "relative to 10 s",
        "processor s / wall s",
    ]
    table, data = Table("Speed of the Q15 detector, one key", columns), []
    base = found["10 s"][0] / lengths["10 s"]
    for (name, seconds), repeats in zip(lengths.items(), counts, strict=False):
        wall, processor = found[name]
        speed, each = seconds / wall, wall / seconds
        table.add(
            name,
            f"{speed:.0f}",
            verdict(speed, SPEED_TARGET),
            f"{each * 1e6:.0f}",
            f"{each / base:.3f}",
            f"{processor / wall:.2f}",
        )
        data.append(
            {
                "seconds": seconds,
                "repeats": repeats,
                "times_real_time": round(speed, 1),
                "relative_cost_per_second": round(each / base, 4),
                "processor_over_wall": round(processor / wall, 3),
            }
        )
    return table, data


def measure_keys(quick: bool) -> tuple[Table, list[dict[str, Any]]]:
    """Cost and memory of further keys, and memory of other layouts."""
    config = WatermarkConfig()
    pcm = recording(10 if quick else 30, config.fs_hz)
    seconds = len(pcm) / config.fs_hz
    passes = {keys: partial(time_detector, pcm, keys, config) for keys in KEY_COUNTS}
    found = medians(passes, dict.fromkeys(KEY_COUNTS, 3 if quick else 9))
    table, data = (
        Table("Keys: speed and memory", ["configuration", "times real time", "state bytes", "target"]),
        [],
    )
    layouts = [(f"{keys} key{'s' if keys > 1 else ''}", config, keys) for keys in KEY_COUNTS]
    layouts[0] = ("1 key (default)", config, 1)
    layouts.append(("1 key, hop 1024", WatermarkConfig(hop=1024, slot_hops=4), 1))
    layouts.append(("1 key, hop 256", WatermarkConfig(hop=256, slot_hops=16), 1))
    for name, layout, keys in layouts:
        size = Detector([Key(bytes([1, key])) for key in range(keys)], layout).state_bytes
        default = name.endswith("(default)")
        if layout is config:
            speed = seconds / found[keys][0]
        else:
            passed = medians({name: partial(time_detector, pcm, 1, layout)}, {name: 3})
            speed = seconds / passed[name][0]
        table.add(name, f"{speed:.0f}", size, verdict(size, STATE_TARGET, at_least=False) if default else "")
        data.append({"configuration": name, "times_real_time": round(speed, 1), "state_bytes": size})
    each = (found[KEY_COUNTS[-1]][0] - found[1][0]) / (KEY_COUNTS[-1] - 1) / found[1][0]
    table.add("each further key, share of one key's time", f"{100 * each:.1f} %", "", "")
    data.append({"configuration": "further key", "share_of_one_key": round(float(each), 4)})
    return table, data


def measure_fft() -> tuple[Table, list[dict[str, Any]]]:
    """Least SNR of the block-floating FFT, beside CMSIS-DSP's Q15 FFT where that is installed."""
    columns = ["points", "level dBFS", "least SNR dB", "target", "CMSIS-DSP arm_rfft_q15, least dB"]
    note = (
        f"{FRAMES} frames each of tones and of white noise, quantised to Q1.15, against numpy.fft in float64."
    )
    table, data = Table("Block-floating FFT", columns, note), []
    for n in FFT_SIZES:
        for dbfs, target in FFT_TARGETS.items():
            frames = list(_frames(n, dbfs))
            ours = min(_snr_db(_spectrum(x), x) for x in frames)
            theirs = _cmsis_least_snr_db(n, frames)
            table.add(
                n, dbfs, f"{ours:.1f}", verdict(ours, target), "-" if theirs is None else f"{theirs:.1f}"
            )
            row: dict[str, Any] = {"points": n, "level_dbfs": dbfs, "least_snr_db": round(ours, 1)}
            data.append(row | {"cmsis_least_snr_db": None if theirs is None else round(theirs, 1)})
    return table, data


def _frames(n: int, dbfs: int) -> Iterator[np.ndarray]:
    """Tones between bins and white noise, int16."""
    rng = np.random.default_rng(0)
    amplitude = 32767 * 10 ** (dbfs / 20)
    for _ in range(FRAMES):
        angle = 2 * np.pi * (rng.uniform(1, n / 2 - 1) * np.arange(n) / n + rng.random())
        for x in (amplitude * np.cos(angle), amplitude * rng.uniform(-1, 1, n)):
            yield np.floor(x + 0.5).astype(np.int16)


def _spectrum(x: np.ndarray) -> np.ndarray:
    z = np.empty(len(x) + 2, np.int32)
    exponent = rfft_bfp(init_fft(len(x)), x, z)
    return (z[0::2] + 1j * z[1::2]) * 2.0**exponent


def _snr_db(got: np.ndarray, x: np.ndarray) -> float:
    wanted = np.fft.rfft(x.astype(np.float64))
    return float(10 * np.log10(np.sum(np.abs(wanted) ** 2) / np.sum(np.abs(got - wanted) ** 2)))


def _cmsis_least_snr_db(n: int, frames: list[np.ndarray]) -> float | None:
    try:
        import cmsisdsp
    except ImportError:
        return None
    instance = cmsisdsp.arm_rfft_instance_q15()
    cmsisdsp.arm_rfft_init_q15(instance, n, 0, 1)
    found = []
    for x in frames:
        # It may use its input as work memory, and gives the spectrum over n.
        out = np.asarray(cmsisdsp.arm_rfft_q15(instance, x.copy()), dtype=float).reshape(-1, 2)[: n // 2 + 1]
        found.append(_snr_db((out[:, 0] + 1j * out[:, 1]) * n, x))
    return min(found)


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__)
    time_detector(recording(3, 16000), 2, WatermarkConfig())  # loads or compiles the kernels
    length, length_data = measure_length(options.quick)
    keys, keys_data = measure_keys(options.quick)
    fft, fft_data = measure_fft()
    data = {"length": length_data, "keys": keys_data, "fft": fft_data}
    publish("cost", options.folder, [length, keys, fft], data)


if __name__ == "__main__":
    run(main)
