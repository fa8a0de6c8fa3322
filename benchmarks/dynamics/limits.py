"""Two facts of the integers: no sample leaves above the threshold, and silence in becomes silence out."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.harness.report import Table, verdict
from firmware_model.dynamics.settings.params import (
    MAX_BANDS,
    MIN_EDGE_HZ,
    BandConfig,
    DynamicsConfig,
    LimiterConfig,
)
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.dynamics.settings.tuning import threshold_to_q15
from firmware_model.dynamics.stream import Processor
from fixedpoint.arith import INT16_MAX, INT16_MIN
from fixedpoint.filters.biquad import MAX_RATIO

PERIODS = range(2, 513)  # samples; beyond, in steps of a semitone down to 20 Hz
LEAST_SAMPLES, LEAST_PERIODS = 512, 4  # of each period
SEMITONE = 2 ** (1 / 12)
NOISE_S, LOUD_S, QUIET_S = 1.0, 1.0, 2.0
HOSTILE_LIMITERS = 6  # settings drawn at random, for each rate
EXCESS_TARGET, SILENCE_TARGET = 0, 1
SEED = 2019
HOSTILE = "settings at random"

Row = dict[str, Any]


def periods(fs_hz: int, quick: bool) -> list[int]:
    """Of squares, pulses and runs: every period up to 512 samples, then by semitones to 20 Hz."""
    lengths = list(PERIODS)[:: 16 if quick else 1]
    long = float(PERIODS.stop)
    while long <= fs_hz / 20:
        lengths.append(round(long))
        long *= SEMITONE
    return lengths


def periodic(fs_hz: int, quick: bool) -> Iterator[np.ndarray]:
    """Full-scale squares, unit pulses of both signs, and runs of INT16_MIN, of every period."""
    for period in periods(fs_hz, quick):
        n = np.arange(max(LEAST_SAMPLES, LEAST_PERIODS * period))
        high = n % period < period // 2
        yield np.where(high, INT16_MAX, INT16_MIN)
        yield np.where(n % period == 0, np.where(n // period % 2, INT16_MIN, INT16_MAX), 0)
        yield np.where(high, INT16_MIN, 0)


def irregular(fs_hz: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Noise of two values and of all, steps between random levels, INT16_MIN for a second."""
    n = round(NOISE_S * fs_hz)
    yield rng.choice([INT16_MIN, INT16_MAX], n)
    yield rng.integers(INT16_MIN, INT16_MAX + 1, n)
    levels = rng.choice([INT16_MIN, INT16_MAX, 0, 1, -1], n)
    yield np.repeat(levels, rng.integers(1, 400, n))[:n]
    yield np.full(n, INT16_MIN)


def adversarial(fs_hz: int, channels: int, quick: bool, seed: int) -> np.ndarray:
    """(channels, n) int16, one after the other in random order; the second channel has its own order."""
    rng = np.random.default_rng(seed)
    pieces = [*periodic(fs_hz, quick), *irregular(fs_hz, rng)]
    rows = [np.concatenate([pieces[i] for i in rng.permutation(len(pieces))]) for _ in range(channels)]
    return np.stack(rows).astype(np.int16)


def excess_lsb(y_q15: np.ndarray, threshold_q15: int) -> int:
    """Largest magnitude of a sample less the threshold; -32768 counts as 32768."""
    return int(np.abs(y_q15.astype(np.int32)).max(initial=0)) - threshold_q15


def hostile_config(fs_hz: int, channels: int, rng: np.random.Generator) -> DynamicsConfig:
    """Any edges, make-up up to 24 dB, any threshold, look-ahead and release of the full-band limiter."""
    bands = int(rng.integers(1, MAX_BANDS + 1))
    edges = np.sort(rng.uniform(MIN_EDGE_HZ, MAX_RATIO * fs_hz, bands - 1))
    settings = [
        BandConfig(
            threshold_dbfs=rng.uniform(-40, 0),
            ratio=rng.uniform(1, 20),
            makeup_db=rng.uniform(0, 24),
            attack_ms=rng.uniform(0.05, 50),
            detector=str(rng.choice(["peak", "rms"])),
            limiter_threshold_dbfs=rng.uniform(-40, 0) if rng.random() < 0.5 else None,
        )
        for _ in range(bands)
    ]
    limiter = LimiterConfig(rng.uniform(-30, 0), rng.uniform(0.1, 10), rng.uniform(1, 500))
    return DynamicsConfig(
        fs_hz, channels, tuple(map(float, edges)), tuple(settings), band_look_ahead_ms=1.0, limiter=limiter
    )


def measure_limiter(profile: str, fs_hz: int, channels: int, quick: bool) -> Row:
    """Adversarial samples through one profile, or through settings drawn at random."""
    rng = np.random.default_rng([SEED, fs_hz, channels])
    if profile == HOSTILE:
        configs = [hostile_config(fs_hz, channels, rng) for _ in range(1 if quick else HOSTILE_LIMITERS)]
    else:
        configs = [load_profile(profile, fs_hz, channels)]
    row: Row = {"profile": profile, "fs_hz": fs_hz, "channels": channels, "samples": 0}
    excesses = []
    for number, config in enumerate(configs):
        x_q15 = adversarial(fs_hz, channels, quick, SEED + number)
        y_q15 = Processor(config).push(x_q15)
        excesses.append(excess_lsb(y_q15, threshold_to_q15(config.limiter.threshold_dbfs)))
        row["samples"] += y_q15.size
    return row | {"excess_lsb": max(excesses)}


def loud(fs_hz: int, low_hz: float) -> Iterator[np.ndarray]:
    """A second each that leaves the states full: low and high squares, the rail, noise."""
    n = np.arange(round(LOUD_S * fs_hz))
    for freq_hz in (low_hz, 1000.0, fs_hz / 4):
        yield np.where(n * freq_hz / fs_hz % 1 < 0.5, INT16_MAX, INT16_MIN)
    yield np.full(len(n), INT16_MIN)
    yield np.random.default_rng(SEED).choice([INT16_MIN, INT16_MAX], len(n))


def measure_silence(profile: str, fs_hz: int) -> Row:
    """Largest output from two seconds after a loud input stops, for another two seconds."""
    config = load_profile(profile, fs_hz, 1)
    low_hz = config.edges_hz[0] if config.edges_hz else 60.0
    largest, runs = 0, 0
    for x in loud(fs_hz, low_hz):
        quiet = np.zeros(2 * round(QUIET_S * fs_hz), np.int16)
        y_q15 = Processor(config).push(np.concatenate([x.astype(np.int16), quiet]))
        after = y_q15[:, len(x) + round(QUIET_S * fs_hz) :]
        largest, runs = max(largest, excess_lsb(after, 0)), runs + 1
    return {"profile": profile, "fs_hz": fs_hz, "runs": runs, "largest_lsb": largest}


def tabulate(limiter: list[Row], silence: list[Row]) -> Table:
    """A row for each profile."""
    columns = ["profile", "adversarial samples", "peak over threshold, LSB", "target"]
    columns += ["runs into silence", "peak after 2 s, LSB", "target"]
    note = (
        "At 16, 44.1, 48 and 96 kHz, mono and stereo: full-scale squares, pulses and INT16_MIN runs of every"
        f" period from 2 to {PERIODS.stop - 1} samples and on to 20 Hz, noise, steps. {HOSTILE.capitalize()}:"
        " 1 to 6 bands, make-up to 24 dB, any threshold, look-ahead and release. Silence: after a second of"
        " squares, rail or noise, mono."
    )
    table = Table("Limits: threshold and silence", columns, note)
    for profile in dict.fromkeys(row["profile"] for row in limiter):
        run = [row for row in limiter if row["profile"] == profile]
        quiet = [row for row in silence if row["profile"] == profile]
        excess = max(row["excess_lsb"] for row in run)
        cells = ["-", "-", "-"]
        if quiet:
            largest = max(row["largest_lsb"] for row in quiet)
            cells = [str(sum(row["runs"] for row in quiet)), str(largest)]
            cells.append(verdict(largest, SILENCE_TARGET, at_least=False))
        table.add(
            profile,
            f"{sum(row['samples'] for row in run):,}",
            excess,
            verdict(excess, EXCESS_TARGET, at_least=False),
            *cells,
        )
    return table
