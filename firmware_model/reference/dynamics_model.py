"""Settings of the float64 multiband dynamics processor in Hz, dB and ms, and its time grid."""

import math
from dataclasses import dataclass
from itertools import pairwise

LOG2_PER_DB = math.log2(10) / 20  # levels are log2 of amplitude: 1 dB is 0.166, 6.02 dB are 1
CONTROL_SAMPLES = {16000: 4, 44100: 8, 48000: 8, 96000: 16}  # by sample rate: blocks of 167 to 250 us


@dataclass(frozen=True)
class BandModel:
    """Compressor and limiter of one band; the defaults leave the band as it is.

    Parameters
    ----------
    threshold_dbfs : float, T, dB relative to an amplitude of 1
    ratio : float >= 1 or inf, R, dB in per dB out above the threshold
    knee_db : float >= 0, W, width of the soft knee
    makeup_db : float, gain where there is no reduction
    attack_ms, release_ms : float > 0, time constants (63 %)
    detector : "peak" or "rms"
    rms_ms : float > 0, time constant (63 %) of the mean square; the peak detector has none
    upward_threshold_dbfs : float <= threshold_dbfs, T_up, levels below it are raised
    upward_ratio : float >= 1 or inf, R_up, dB in per dB out below the upward threshold
    upward_range_db : float >= 0, M, the most that a level is raised
    limiter_threshold_dbfs : float, or None for no limiter
    limiter_release_ms : float > 0, time constant (63 %)
    """

    threshold_dbfs: float = 0.0
    ratio: float = 1.0
    knee_db: float = 0.0
    makeup_db: float = 0.0
    attack_ms: float = 5.0
    release_ms: float = 100.0
    detector: str = "peak"
    rms_ms: float = 10.0
    upward_threshold_dbfs: float = -100.0
    upward_ratio: float = 1.0
    upward_range_db: float = 0.0
    limiter_threshold_dbfs: float | None = None
    limiter_release_ms: float = 50.0

    def __post_init__(self) -> None:
        if self.detector not in ("peak", "rms"):
            raise ValueError(f'detector="{self.detector}": must be "peak" or "rms"')
        for name in ("attack_ms", "release_ms", "rms_ms", "limiter_release_ms"):
            _check_positive(name, getattr(self, name))
        for name, least in (("ratio", 1), ("upward_ratio", 1), ("knee_db", 0), ("upward_range_db", 0)):
            if not getattr(self, name) >= least:
                raise ValueError(f"{name}={getattr(self, name)}: must be at least {least}")


@dataclass(frozen=True)
class LimiterModel:
    """The full-band limiter.

    Parameters
    ----------
    threshold_dbfs : float, dB relative to an amplitude of 1
    look_ahead_ms : float >= 0, rounded to at least one control block
    release_ms : float > 0, time constant (63 %)
    """

    threshold_dbfs: float = 0.0
    look_ahead_ms: float = 2.0
    release_ms: float = 50.0

    def __post_init__(self) -> None:
        _check_positive("release_ms", self.release_ms)

    @property
    def threshold(self) -> float:
        """T, amplitude: the highest value of 16-bit output at or below threshold_dbfs."""
        return min(math.floor(32768 * 10 ** (self.threshold_dbfs / 20)), 32767) / 32768


@dataclass(frozen=True)
class DynamicsModel:
    """The whole processor: crossover, a compressor and a limiter per band, full-band limiter.

    Parameters
    ----------
    fs_hz : int, sample rate: 16000, 44100, 48000 or 96000
    channels : int, 1 or 2; both channels of a pair get one gain
    edges_hz : (N - 1,) float, ascending, between 0 and fs_hz / 2
    bands : (N,) BandModel, lowest first
    active : (N - 1,) bool, per edge. Without split j, band j below it vanishes with its settings and the
        band above takes over its range
    all_pass : bool, whether the lower bands are kept in phase with the higher
    band_look_ahead_ms : float >= 0, of every band's limiter, rounded to at least one control block
    limiter : LimiterModel

    Raises
    ------
    ValueError
        A value outside these ranges.
    """

    fs_hz: int
    channels: int
    edges_hz: tuple[float, ...]
    bands: tuple[BandModel, ...]
    active: tuple[bool, ...]
    all_pass: bool
    band_look_ahead_ms: float
    limiter: LimiterModel

    def __post_init__(self) -> None:
        if self.fs_hz not in CONTROL_SAMPLES:
            raise ValueError(f"fs_hz={self.fs_hz}: must be one of {', '.join(map(str, CONTROL_SAMPLES))}")
        if self.channels not in (1, 2):
            raise ValueError(f"channels={self.channels}: must be 1 or 2")
        for name, needed in (("edges_hz", len(self.bands) - 1), ("active", len(self.bands) - 1)):
            if len(getattr(self, name)) != needed:
                raise ValueError(f"{name}: {len(getattr(self, name))} found, {needed} needed, bands - 1")
        bounds = (0, *self.edges_hz, self.fs_hz / 2)
        if not all(low < high for low, high in pairwise(bounds)):
            raise ValueError(f"edges_hz={self.edges_hz}: must ascend between 0 and {self.fs_hz / 2:g}")

    @property
    def control_samples(self) -> int:
        """H, samples in a control block: levels and gains are computed once in each."""
        return CONTROL_SAMPLES[self.fs_hz]

    @property
    def active_edges_hz(self) -> tuple[float, ...]:
        """Edges of the splits that are active."""
        return tuple(edge for edge, active in zip(self.edges_hz, self.active, strict=True) if active)

    @property
    def active_bands(self) -> tuple[BandModel, ...]:
        """The bands that are left: those below an active split, and the highest."""
        return tuple(band for band, active in zip(self.bands, (*self.active, True), strict=True) if active)

    @property
    def band_blocks(self) -> int:
        """Lb, control blocks of delay of every band; 0 where no band, active or not, has a limiter."""
        if all(band.limiter_threshold_dbfs is None for band in self.bands):
            return 0
        return self._look_ahead_blocks(self.band_look_ahead_ms)

    @property
    def limiter_blocks(self) -> int:
        """L, control blocks of look-ahead of the full-band limiter."""
        return self._look_ahead_blocks(self.limiter.look_ahead_ms)

    @property
    def latency_samples(self) -> int:
        """(Lb + L) H, delay of the output."""
        return (self.band_blocks + self.limiter_blocks) * self.control_samples

    def smoothing(self, tau_ms: float) -> float:
        """c = 1 - exp(-H / (fs tau)), per control block: 63 % of a step are reached after tau."""
        return -math.expm1(-self.control_samples / (self.fs_hz * tau_ms / 1000))

    def _look_ahead_blocks(self, look_ahead_ms: float) -> int:
        """Rounded, halves upwards."""
        return max(1, math.floor(look_ahead_ms * self.fs_hz / 1000 / self.control_samples + 0.5))


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name}={value}: must be positive and finite")
