"""What the dynamics processor costs: speed, memory, multiplications, and the float64 twin's speed beside it.

Times are of one core, by the wall clock, after a call that loads or compiles the kernels; each is the median
of several, taken in turns so that a change in the machine's load meets all alike.
"""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from acoustic_sim.programmes.excitation import synthesise
from benchmarks.dynamics.multiplications import count_multiplications
from benchmarks.harness.report import Table, verdict
from firmware_model.dynamics.cases.configurations import reference_model
from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig, LimiterConfig
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.stream import Processor
from firmware_model.pcm import to_q15
from firmware_model.reference import processor as reference

FS_HZ = 48000
SPEED_TARGET = 100.0
FRAME_SAMPLES = 4800  # a tenth of a second at a time, as a stream comes
COUNTED_SAMPLES = 480
REPEATS = 9
_BAND = BandConfig(-30, 3, 6, 6, 5, 150, "rms", 10, -45, 2, 6, limiter_threshold_dbfs=-9)
EVERYTHING = DynamicsConfig(
    fs_hz=FS_HZ, edges_hz=(120.0, 500.0, 2000.0), bands=(_BAND,) * 4, limiter=LimiterConfig(-1.0)
)

Row = dict[str, Any]


def configurations(profiles: tuple[str, ...]) -> dict[str, DynamicsConfig]:
    """What is measured, by name."""
    found = {"4 bands, everything on, mono": EVERYTHING}
    for profile in profiles:
        for channels, name in ((1, "mono"), (2, "stereo")):
            found[f"{profile}, {name}"] = load_profile(profile, FS_HZ, channels)
    return found


def recording(seconds: float, channels: int) -> np.ndarray:
    """(channels, n) int16: synthesised music, the second channel 0.1 s late; its peak at -1 dBFS."""
    x = synthesise("music", 10.0, FS_HZ, 1)
    x_q15 = to_q15(x * (10 ** (-1 / 20) / np.abs(x).max()))
    played = np.resize(x_q15, round(seconds * FS_HZ))
    return np.stack([np.roll(played, FS_HZ // 10 * channel) for channel in range(channels)])


def run_stream(config: DynamicsConfig, x_q15: np.ndarray) -> Processor:
    """A recording through the processor frame by frame."""
    processor = Processor(config)
    for start in range(0, x_q15.shape[1], FRAME_SAMPLES):
        processor.push(x_q15[:, start : start + FRAME_SAMPLES])
    return processor


def median_seconds(passes: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median wall time of each, which take turns; a first turn does not count."""
    taken: dict[str, list[float]] = {name: [] for name in passes}
    for turn in range(repeats + 1):
        for name, once in passes.items():
            start = perf_counter()
            once()
            if turn:
                taken[name].append(perf_counter() - start)
    return {name: float(np.median(times)) for name, times in taken.items()}


def multiplications_per_sample(config: DynamicsConfig, x_q15: np.ndarray) -> float:
    """Mean over a hundredth of a second, after a second that brings levels and limiters to work."""
    processor = run_stream(config, x_q15[:, :FS_HZ])
    frame = np.ascontiguousarray(x_q15[:, FS_HZ : FS_HZ + COUNTED_SAMPLES])
    multiplications, _ = count_multiplications(processor.params, processor.state, frame)
    return multiplications / COUNTED_SAMPLES


def measure(profiles: tuple[str, ...], quick: bool) -> tuple[Table, list[Row]]:
    """Speed, state and multiplications of each configuration; the speed of the float64 twin of the first."""
    seconds = 4.0 if quick else 20.0
    chosen = configurations(profiles)
    inputs = {channels: recording(seconds, channels) for channels in (1, 2)}
    passes: dict[str, Callable[[], Any]] = {
        name: partial(run_stream, config, inputs[config.channels]) for name, config in chosen.items()
    }
    twin = "the same in float64 (NumPy, SciPy)"
    passes[twin] = partial(reference.process, inputs[1] / 32768.0, reference_model(EVERYTHING))
    times = median_seconds(passes, 3 if quick else REPEATS)

    columns = ["at 48 kHz", "times real time", "target", "state bytes", "multiplications per sample"]
    note = (
        "One core, synthesised music in frames of 0.1 s. State is all memory that the firmware holds."
        " Multiplications are counted while the interpreted kernels run; shifts and addresses are not."
        " A stereo sample is a pair."
    )
    table, rows = Table("Cost of the dynamics processor", columns, note), []
    first = next(iter(chosen))
    for name, config in chosen.items():
        speed, size = seconds / times[name], Processor(config).ram_bytes
        products = multiplications_per_sample(config, inputs[config.channels])
        target = verdict(speed, SPEED_TARGET) if name == first else ""
        table.add(name, f"{speed:.0f}", target, size, f"{products:.1f}")
        rows.append(
            {
                "configuration": name,
                "times_real_time": round(speed, 1),
                "state_bytes": size,
                "multiplications_per_sample": round(products, 2),
            }
        )
    ratio = times[twin] / times[first]
    table.add(twin, f"{seconds / times[twin]:.0f}", f"{ratio:.2f} times the time", "", "")
    rows.append({"configuration": twin, "times_real_time": round(seconds / times[twin], 1)})
    return table, rows
