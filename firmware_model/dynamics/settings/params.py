"""What the dynamics processor is set to, in hertz, decibels and milliseconds."""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from fixedpoint.errors import ConfigError
from fixedpoint.filters.biquad import MAX_RATIO

SAMPLE_RATES = (16000, 44100, 48000, 96000)
DETECTORS = ("peak", "rms")
MAX_BANDS = 6
MIN_EDGE_HZ = 20.0
MAX_GAIN_DB = 24.0  # of a band; gains are Q5.27
BLOCK_SECONDS = 1 / 4800  # a control block is the power of two of samples nearest to this


@dataclass(frozen=True)
class BandConfig:
    """One band: its compressor, then its limiter. The defaults leave the signal as it is.

    Parameters
    ----------
    threshold_dbfs : float, -80 to 0; level above which the compressor reduces
    ratio : float, 1 to infinity; decibels in for one decibel out, above the threshold
    knee_db : float, 0, or 0.1 to 24; width of the soft knee around the threshold
    makeup_db : float, -80 to 24; gain at all levels; with upward_range_db at most 24
    attack_ms, release_ms : float, 0.05 to 5000; time constants (63 %) of falling and of recovering gain
    detector : "peak" (largest sample of a control block) or "rms" (mean square, a sine reads 3 dB less)
    rms_ms : float, 0.05 to 5000; averaging time constant of the "rms" detector
    upward_threshold_dbfs : float, -80 to threshold_dbfs; level below which the gain rises
    upward_ratio : float, 1 to infinity; as `ratio`, below the upward threshold; 1 is off
    upward_range_db : float, 0 to 24; most that upward compression adds
    limiter_threshold_dbfs : float, -60 to 0, or None; no sample of the band leaves above this
    limiter_release_ms : float, 1 to 5000; time constant of the limiter's recovery

    Raises
    ------
    ConfigError
    """

    threshold_dbfs: float = 0.0
    ratio: float = 1.0
    knee_db: float = 0.0
    makeup_db: float = 0.0
    attack_ms: float = 5.0
    release_ms: float = 100.0
    detector: str = "peak"
    rms_ms: float = 10.0
    upward_threshold_dbfs: float = -80.0
    upward_ratio: float = 1.0
    upward_range_db: float = 0.0
    limiter_threshold_dbfs: float | None = None
    limiter_release_ms: float = 60.0

    def __post_init__(self) -> None:
        problems = [
            _outside(self, "threshold_dbfs", -80, 0),
            _outside(self, "ratio", 1, math.inf),
            _outside(self, "knee_db", 0, 24),
            _outside(self, "makeup_db", -80, 24),
            *(_outside(self, name, 0.05, 5000) for name in ("attack_ms", "release_ms", "rms_ms")),
            _not_one_of("detector", self.detector, DETECTORS),
            _outside(self, "upward_threshold_dbfs", -80, 0),
            _outside(self, "upward_ratio", 1, math.inf),
            _outside(self, "upward_range_db", 0, 24),
            _outside(self, "limiter_release_ms", 1, 5000),
        ]
        if self.limiter_threshold_dbfs is not None:
            problems.append(_outside(self, "limiter_threshold_dbfs", -60, 0))
        if _is_number(self.knee_db) and 0 < self.knee_db < 0.1:
            problems.append(f"knee_db={self.knee_db!r}: must be 0 or from 0.1 to 24")
        single = {problem.split("=")[0] for problem in problems if problem}
        low, high = self.upward_threshold_dbfs, self.threshold_dbfs
        if not single & {"upward_threshold_dbfs", "threshold_dbfs"} and low > high:
            problems.append(f"upward_threshold_dbfs={low!r}: must be at most threshold_dbfs={high!r}")
        gain, up = self.makeup_db, self.upward_range_db
        if not single & {"makeup_db", "upward_range_db"} and gain + up > MAX_GAIN_DB:
            problems.append(f"makeup_db={gain!r} + upward_range_db={up!r}: must be at most {MAX_GAIN_DB:g}")
        _raise(problems)


@dataclass(frozen=True)
class LimiterConfig:
    """The full-band limiter: no sample leaves above its threshold, whatever enters.

    Parameters
    ----------
    threshold_dbfs : float, -60 to 0; rounded down to a value that a 16-bit sample can have
    look_ahead_ms : float, 0.1 to 10; the signal's delay, in which the gain falls
    release_ms : float, 1 to 5000; time constant (63 %) of its recovery

    Raises
    ------
    ConfigError
    """

    threshold_dbfs: float = 0.0
    look_ahead_ms: float = 1.5
    release_ms: float = 60.0

    def __post_init__(self) -> None:
        _raise(
            [
                _outside(self, "threshold_dbfs", -60, 0),
                _outside(self, "look_ahead_ms", 0.1, 10),
                _outside(self, "release_ms", 1, 5000),
            ]
        )


@dataclass(frozen=True)
class DynamicsConfig:
    """The whole processor.

    Parameters
    ----------
    fs_hz : int, sample rate: 16000, 44100, 48000 or 96000
    channels : int, 1, or 2 for linked stereo: both get the gains of the louder one
    edges_hz : tuple of float, crossover frequencies, rising, 20 Hz to 0.45 fs_hz; up to five
    bands : tuple of BandConfig, one more than edges, from the lowest
    active : tuple of bool, one for each edge; the band below an inactive edge is taken over by the one above,
        whose settings hold. Empty: all are active
    all_pass : bool, keep the bands in phase, so that their sum is flat
    band_look_ahead_ms : float, 0.1 to 10; look-ahead of the band limiters
    limiter : LimiterConfig

    Raises
    ------
    ConfigError
    """

    fs_hz: int = 48000
    channels: int = 1
    edges_hz: tuple[float, ...] = ()
    bands: tuple[BandConfig, ...] = field(default_factory=lambda: (BandConfig(),))
    active: tuple[bool, ...] = ()
    all_pass: bool = True
    band_look_ahead_ms: float = 1.0
    limiter: LimiterConfig = field(default_factory=LimiterConfig)

    def __post_init__(self) -> None:
        _raise([_make_tuple(self, name) for name in ("edges_hz", "bands", "active")])
        if self.active == ():
            object.__setattr__(self, "active", (True,) * len(self.edges_hz))
        problems = [
            _not_one_of("fs_hz", self.fs_hz, SAMPLE_RATES),
            _not_one_of("channels", self.channels, (1, 2)),
            *_edge_problems(self.edges_hz, self.fs_hz),
            _not_one_of("all_pass", self.all_pass, (True, False)),
            _outside(self, "band_look_ahead_ms", 0.1, 10),
        ]
        if len(self.bands) != len(self.edges_hz) + 1:
            problems.append(
                f"bands: {len(self.bands)} found; {len(self.edges_hz) + 1} needed, one more than edges_hz"
            )
        if len(self.active) != len(self.edges_hz) or not all(isinstance(on, bool) for on in self.active):
            problems.append(f"active={list(self.active)!r}: must be true or false for each of edges_hz")
        _raise(problems)

    @property
    def control_samples(self) -> int:
        """Samples of a control block: 4, 8, 8, 16 at 16, 44.1, 48, 96 kHz."""
        return 1 << round(math.log2(self.fs_hz * BLOCK_SECONDS))

    @property
    def working_edges_hz(self) -> tuple[float, ...]:
        """Edges that are active."""
        return tuple(edge for edge, on in zip(self.edges_hz, self.active, strict=True) if on)

    @property
    def ranges_hz(self) -> list[tuple[float, float]]:
        """Lower and upper end of each working band, 0 and half the sample rate being the outermost."""
        return list(pairwise([0.0, *self.working_edges_hz, self.fs_hz / 2]))

    @property
    def working_bands(self) -> tuple[BandConfig, ...]:
        """Bands that there are: those below an active edge, and the highest."""
        below = zip(self.bands[:-1], self.active, strict=True)
        return (*(band for band, on in below if on), self.bands[-1])

    @property
    def band_blocks(self) -> int:
        """Look-ahead of the band limiters in control blocks; 0 where no band, working or not, has one."""
        if all(band.limiter_threshold_dbfs is None for band in self.bands):
            return 0
        return self._blocks(self.band_look_ahead_ms)

    @property
    def limiter_blocks(self) -> int:
        """Look-ahead of the full-band limiter in control blocks."""
        return self._blocks(self.limiter.look_ahead_ms)

    @property
    def latency_samples(self) -> int:
        """Delay from input to output, samples."""
        return (self.band_blocks + self.limiter_blocks) * self.control_samples

    def _blocks(self, ms: float) -> int:
        return max(1, math.floor(ms * self.fs_hz / 1000 / self.control_samples + 0.5))


def _edge_problems(edges_hz: tuple[float, ...], fs_hz: int) -> list[str | None]:
    highest = MAX_RATIO * (fs_hz if fs_hz in SAMPLE_RATES else SAMPLE_RATES[-1])
    if len(edges_hz) >= MAX_BANDS:
        return [f"edges_hz: {len(edges_hz)} found; at most {MAX_BANDS - 1} accepted, for {MAX_BANDS} bands"]
    problems: list[str | None] = [
        f"edges_hz: {edge!r} found; at {fs_hz} Hz must be from {MIN_EDGE_HZ:g} to {highest:g} Hz"
        for edge in edges_hz
        if not _is_number(edge) or not MIN_EDGE_HZ <= edge <= highest
    ]
    if not problems:
        problems += [
            f"edges_hz: {high!r} after {low!r} found; must rise"
            for low, high in pairwise(edges_hz)
            if low >= high
        ]
    return problems


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, float) or abs(value) < 1 << 53  # larger integers need not fit a float


def _outside(config: Any, name: str, low: float, high: float) -> str | None:
    """What is wrong with a field that must be a number within the limits; NaN is within none."""
    value = getattr(config, name)
    if _is_number(value) and low <= value <= high:
        return None
    limits = f"{low:g} or more" if high == math.inf else f"from {low:g} to {high:g}"
    number = "" if _is_number(value) else "a number, "
    return f"{name}={value!r}: must be {number}{limits}"


def _make_tuple(config: Any, name: str) -> str | None:
    """Hold lists and arrays as tuples of Python's own numbers; say what is wrong with anything else."""
    value = getattr(config, name)
    if not isinstance(value, (tuple, list, np.ndarray)):
        return f"{name}={value!r}: must be a tuple"
    plain = tuple(item.item() if isinstance(item, np.generic) else item for item in value)
    object.__setattr__(config, name, plain)
    return None


def _not_one_of(name: str, value: Any, accepted: tuple[Any, ...]) -> str | None:
    """What is wrong with a field that must be one of a few; True is not 1."""
    if any(value == choice and type(value) is type(choice) for choice in accepted):
        return None
    return f"{name}={value!r}: must be one of {', '.join(map(str, accepted))}"


def _raise(problems: list[str | None]) -> None:
    """Every bad value in one line."""
    found = [problem for problem in problems if problem]
    if found:
        raise ConfigError("; ".join(found))
