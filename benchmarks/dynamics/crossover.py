"""The crossover in fixed point: how flat its sum is, and how close each band is to the float band.

A periodic multitone at full scale, sent through the kernel, is read at its own lines after one period of
settling (the slowest filter, 60 Hz, has decayed by 1500 dB then). What is divided by is the spectrum of the
16-bit input itself, so that its quantisation does not enter. The kernel's rounding repeats with the period,
bit for bit, so that further periods would not average it; multitones of other phases do.
"""

from functools import cache
from typing import Any

import numpy as np

from benchmarks.harness.report import Table, verdict
from firmware_model.dynamics.cases.configurations import reference_model
from firmware_model.dynamics.processor import init_probes, process_frame
from firmware_model.dynamics.settings.params import BandConfig, DynamicsConfig
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import init_state
from firmware_model.reference import crossover as reference
from fixedpoint.filters.biquad import SIGNAL_FRAC_BITS

FS_HZ = 48000
PERIOD = 1 << 15  # lines 1.46 Hz apart
LINES = 2000  # evenly spaced in pitch where the period has room for them
LOW_HZ, HIGH_HZ = 20.0, 0.45 * FS_HZ
LOWEST_EDGE_HZ, HIGHEST_EDGE_HZ = 60.0, 16000.0
THIRD_OCTAVE = 2 ** (1 / 3)
DEPTH_DB = -80.0  # bands are compared down to here
SUM_TARGET_DB, BAND_TARGET_DB = 0.001, 0.01
PHASES = 8  # multitones whose responses are averaged: the kernel's rounding noise falls by 9 dB
SEED = 1976

Edges = tuple[float, ...]
Row = dict[str, Any]


def edge_sets(random_sets: int, profiles: tuple[str, ...]) -> dict[str, list[Edges]]:
    """Edges by the name of their row: random ones for 2 to 6 bands, tight ones, those of the profiles."""
    rng = np.random.default_rng(SEED)
    groups: dict[str, list[Edges]] = {}
    for bands in range(2, 7):
        drawn = [random_edges(bands, rng) for _ in range(random_sets)]
        groups[f"{bands} bands, random edges"] = drawn
    groups["3 to 6 bands, a third of an octave apart"] = tight_edges()
    own = {name: load_profile(name, FS_HZ, 1).edges_hz for name in profiles}
    groups["edges of the profiles"] = sorted({edges for edges in own.values() if edges})
    return {name: sets for name, sets in groups.items() if sets}


def random_edges(bands: int, rng: np.random.Generator) -> Edges:
    """Edges evenly distributed in pitch from 60 Hz to 16 kHz."""
    low, high = np.log([LOWEST_EDGE_HZ, HIGHEST_EDGE_HZ])
    return tuple(float(edge) for edge in np.exp(np.sort(rng.uniform(low, high, bands - 1))))


def tight_edges() -> list[Edges]:
    """Two to five edges a third of an octave apart, at both ends of the range and between."""
    sets = []
    for count in range(2, 6):
        width = THIRD_OCTAVE ** (count - 1)
        for lowest in (LOWEST_EDGE_HZ, 250.0, 1000.0, 4000.0, HIGHEST_EDGE_HZ / width):
            edges = [min(lowest * THIRD_OCTAVE**i, HIGHEST_EDGE_HZ) for i in range(count)]
            sets.append(tuple(edges))
    return sets


@cache
def multitones() -> tuple[np.ndarray, np.ndarray]:
    """One period each of sums of tones of equal amplitude and random phases, their peaks at full scale.

    Returns
    -------
    x_q15 : (PHASES, PERIOD) int16;  lines : (m,) int, the tones' periods in it
    """
    lowest, highest = np.ceil(LOW_HZ * PERIOD / FS_HZ), np.floor(HIGH_HZ * PERIOD / FS_HZ)
    lines = np.unique(np.rint(np.geomspace(lowest, highest, LINES)).astype(int))
    spectrum = np.zeros((PHASES, PERIOD // 2 + 1), np.complex128)
    spectrum[:, lines] = np.exp(2j * np.pi * np.random.default_rng(SEED).random((PHASES, len(lines))))
    x = np.fft.irfft(spectrum, PERIOD)
    return np.rint(x * (32767 / np.abs(x).max(axis=1, keepdims=True))).astype(np.int16), lines


def deviation_db(got: np.ndarray, wanted: np.ndarray, depth_db: float = DEPTH_DB) -> float:
    """Largest difference in level between complex responses, dB, where the wanted one is above a level."""
    counts = np.abs(wanted) > 10 ** (depth_db / 20)
    if not counts.any():
        return 0.0
    return float(np.abs(20 * np.log10(np.abs(got[counts]) / np.abs(wanted[counts]))).max())


def mean_response(signals: np.ndarray, x: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Complex responses from settled periods, the mean over the multitones.

    Parameters
    ----------
    signals : (bands, 2 * PHASES * PERIOD) float64, of each multitone a period to settle and one to read
    x : (PHASES, PERIOD) float64, the multitones, in the same unit
    lines : (m,) int

    Returns
    -------
    (bands, m) complex128
    """
    read = signals.reshape(len(signals), len(x), 2, -1)[:, :, 1]
    return (np.fft.rfft(read)[..., lines] / np.fft.rfft(x)[:, lines]).mean(axis=1)


def measure_edges(edges: Edges) -> Row:
    """Deviations of the kernel's crossover, and of the float64 crossover by the same method: its floor."""
    config = DynamicsConfig(fs_hz=FS_HZ, edges_hz=edges, bands=(BandConfig(),) * (len(edges) + 1))
    tones_q15, lines = multitones()
    played = np.repeat(tones_q15, 2, axis=0).reshape(1, -1)
    params = quantise(config)
    probes = init_probes(params, played.shape[1])
    process_frame(params, init_state(params), played, np.empty_like(played), probes)
    model = reference_model(config)
    wanted = reference.band_response(lines * (FS_HZ / PERIOD), model)
    row: Row = {"edges_hz": [round(edge, 3) for edge in edges]}
    fixed = probes.band_q27 * 2.0**-SIGNAL_FRAC_BITS
    floats = reference.split(played / 32768.0, model)[:, 0]
    for prefix, signals in (("", fixed), ("floor_", floats)):
        got = mean_response(signals, tones_q15 / 32768.0, lines)
        row[f"{prefix}sum_db"] = deviation_db(got.sum(axis=0), np.ones(len(lines)))
        row[f"{prefix}band_db"] = max(deviation_db(g, w) for g, w in zip(got, wanted, strict=True))
    return row


def measure_group(name: str, sets: list[Edges]) -> Row:
    """The worst of many sets of edges."""
    rows = [measure_edges(edges) for edges in sets]
    worst = max(rows, key=lambda row: row["band_db"])
    names = ("sum_db", "band_db", "floor_sum_db", "floor_band_db")
    return {
        "group": name,
        "sets": len(sets),
        **{key: float(f"{max(row[key] for row in rows):.3g}") for key in names},
        "worst_band_edges_hz": worst["edges_hz"],
    }


def tabulate(rows: list[Row]) -> Table:
    """Deviations beside their targets."""
    columns = ["crossover", "sets", "sum, off flat dB", "target", "bands, off float dB", "target"]
    floor = [max(row[f"floor_{name}"] for row in rows) for name in ("sum_db", "band_db")]
    note = (
        f"Largest over all sets at {FS_HZ // 1000} kHz. Sum: from 20 Hz to 0.45 fs. Bands: Q5.27 nodes"
        f" against the float response where that is above {DEPTH_DB:g} dB. {PHASES} multitones of full scale,"
        " coherent FFT, mean response; the rest is mostly rounding noise at the foot of the slopes."
        f" The float64 crossover, likewise: {floor[0]:.0e} dB (sum) and {floor[1]:.0e} (bands)."
    )
    table = Table("Crossover in fixed point", columns, note)
    for row in rows:
        table.add(
            row["group"],
            row["sets"],
            f"{row['sum_db']:.1e}",
            verdict(row["sum_db"], SUM_TARGET_DB, at_least=False),
            f"{row['band_db']:.1e}",
            verdict(row["band_db"], BAND_TARGET_DB, at_least=False),
        )
    return table
