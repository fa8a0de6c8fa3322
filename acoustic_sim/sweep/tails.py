"""From scores below the threshold to the rate above it: peaks, exact limits of counts, fits of the tail."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from scipy.stats import chi2, genextreme, gumbel_r

from fixedpoint.errors import ConfigError

BLOCK_SECONDS = 30.0  # of audio whose largest scores are fitted, and that is drawn again for the limits
REDRAWS = 200
LIMITS = (2.5, 97.5)  # percentiles
# The exponential is fitted to one peak in TAIL_SHARE, the highest, within these limits.
TAIL_SHARE, LEAST_FITTED, PEAKS_FITTED = 10, 50, 400
GEV_KEYS = 64  # drawn of all for each limit of the GEV, for time


class Tail(Protocol):
    """A law of the false alarms of one detector with one key."""

    def per_hour(self, threshold: float) -> float:
        """False alarms per hour at a threshold."""

    def threshold(self, per_hour: float) -> float:
        """The threshold that gives so many false alarms per hour."""


class GumbelTail(NamedTuple):
    """Largest score of a block after Gumbel: P(max < T) = exp(-exp(-(T - location)/scale))."""

    location: float
    scale: float
    block_hours: float

    def per_hour(self, threshold: float) -> float:
        return float(-gumbel_r.logcdf(threshold, self.location, self.scale) / self.block_hours)

    def threshold(self, per_hour: float) -> float:
        return float(gumbel_r.isf(-np.expm1(-per_hour * self.block_hours), self.location, self.scale))


class GevTail(NamedTuple):
    """Largest score of a block after the generalised extreme value law; shape < 0 is the heavy tail."""

    shape: float
    location: float
    scale: float
    block_hours: float

    def per_hour(self, threshold: float) -> float:
        # Past the end point of a bounded law, -0.0.
        return abs(float(genextreme.logcdf(threshold, *self[:3]) / self.block_hours))

    def threshold(self, per_hour: float) -> float:
        return float(genextreme.isf(-np.expm1(-per_hour * self.block_hours), *self[:3]))


class ExponentialTail(NamedTuple):
    """Peaks above `least`: rate(T) = peaks_per_hour exp(-(T - least)/mean_excess), for T from `least` on."""

    least: float
    mean_excess: float
    peaks_per_hour: float

    def per_hour(self, threshold: float) -> float:
        if not self.mean_excess > 0:
            return 0.0
        return float(self.peaks_per_hour * np.exp(-(threshold - self.least) / self.mean_excess))

    def threshold(self, per_hour: float) -> float:
        if not self.mean_excess > 0:
            return self.least
        return float(self.least + self.mean_excess * np.log(self.peaks_per_hour / per_hour))


class Estimate(NamedTuple):
    """A figure with 95 % limits from redrawn blocks of audio."""

    value: float
    low: float
    high: float


class Fit(NamedTuple):
    """A law fitted to all blocks, and to blocks drawn again, with replacement."""

    name: str
    tail: Tail
    redrawn: tuple[Tail, ...]

    def per_hour(self, threshold: float) -> Estimate:
        """False alarms per hour at a threshold."""
        redrawn = [tail.per_hour(threshold) for tail in self.redrawn]
        return Estimate(self.tail.per_hour(threshold), *map(float, np.percentile(redrawn, LIMITS)))

    def threshold(self, per_hour: float) -> Estimate:
        """The threshold for a rate."""
        redrawn = [tail.threshold(per_hour) for tail in self.redrawn]
        return Estimate(self.tail.threshold(per_hour), *map(float, np.percentile(redrawn, LIMITS)))


def poisson_limits(count: int, hours: float) -> tuple[float, float]:
    """95 % limits of a rate per hour, exact (Garwood 1936)."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low / hours), float(chi2.ppf(0.975, 2 * count + 2) / 2 / hours)


def block_hops(fs_hz: int, hop: int) -> int:
    """Hops of a block of audio."""
    return round(BLOCK_SECONDS * fs_hz / hop)


def block_maxima(score: np.ndarray, hops: int) -> np.ndarray:
    """(hops, keys) -> (blocks, keys) largest score in each whole block; none whole: in all there is."""
    blocks = max(len(score) // hops, 1)
    return score[: blocks * hops].reshape(blocks, -1, score.shape[1]).max(axis=1)


def peaks_above(score: np.ndarray, least: float, apart: int, block_hops: int) -> np.ndarray:
    """Peaks of a score, at least `apart` hops from any higher one.

    Parameters
    ----------
    score : (hops, keys) float
    least : peaks below this are left out
    apart : hops
    block_hops : hops of a block

    Returns
    -------
    (n, 2) float: block of the peak (counted over all keys alike), score
    """
    found = []
    for column in score.T:
        hops = np.flatnonzero(column >= least)
        while len(hops):
            top = hops[np.argmax(column[hops])]
            found.append((top // block_hops, column[top]))
            hops = hops[np.abs(hops - top) >= apart]
    return np.array(found, dtype=float).reshape(-1, 2)


def fit_block_maxima(block_max: np.ndarray, block_hours: float, rng: np.random.Generator) -> list[Fit]:
    """Gumbel and generalised extreme value distribution on block maxima.

    Parameters
    ----------
    block_max : (blocks, keys) float, the same audio in each row
    block_hours : duration of a block
    rng : draws rows, with replacement, for the limits: keys over the same audio are not independent audio

    Returns
    -------
    two Fit

    Raises
    ------
    ConfigError
        Fewer than two blocks, or maxima that are all the same.

    Notes
    -----
    Gumbel by moments, GEV by maximum likelihood on all maxima (limits on 64 keys drawn of all, for time).
    The maximum of many Gaussians falls faster than a Gumbel tail: that extrapolation errs on the safe side.
    """
    if len(block_max) < 2 or not np.std(block_max) > 0:
        raise ConfigError(f"block_max of shape {block_max.shape}: two blocks or more that differ are needed")

    def gumbel(sample: np.ndarray) -> Tail:
        scale = float(np.std(sample) * np.sqrt(6) / np.pi)
        return GumbelTail(float(np.mean(sample) - np.euler_gamma * scale), scale, block_hours)

    def gev(sample: np.ndarray) -> Tail:
        shape, location, scale = genextreme.fit(sample, start[0], loc=start[1], scale=start[2])
        return GevTail(float(shape), float(location), float(scale), block_hours)

    start = (0.1, float(np.mean(block_max)) - 0.2, float(np.std(block_max)) * 0.8)
    values = block_max.ravel()
    gumbels, gevs = [], []
    for redraw in range(REDRAWS):
        rows = rng.integers(len(block_max), size=len(block_max))
        gumbels.append(gumbel(block_max[rows].ravel()))
        if redraw < REDRAWS // 4:
            columns = rng.permutation(block_max.shape[1])[:GEV_KEYS]
            gevs.append(gev(block_max[np.ix_(rows, columns)].ravel()))
    return [
        Fit(f"Gumbel on maxima of {BLOCK_SECONDS:g} s", gumbel(values), tuple(gumbels)),
        Fit(f"GEV on maxima of {BLOCK_SECONDS:g} s", gev(values), tuple(gevs)),
    ]


def fitted_peaks(peaks: int) -> int:
    """How many of so many peaks the exponential is fitted to: few enough to be a tail."""
    return min(PEAKS_FITTED, max(peaks // TAIL_SHARE, LEAST_FITTED), peaks)


def fit_exponential(peaks: np.ndarray, blocks: int, hours: float, rng: np.random.Generator) -> Fit:
    """Exponential law over the highest peaks, `fitted_peaks` of them.

    Parameters
    ----------
    peaks : (n, 2) float: block, score; one or more
    blocks : number of audio blocks that were played
    hours : key-hours that they stand for

    Raises
    ------
    ConfigError
        No peaks.

    Notes
    -----
    `least` is the score of the lowest peak fitted. A Gaussian tail falls faster than an exponential: the
    extrapolation errs on the safe side.
    """
    if not len(peaks):
        raise ConfigError("peaks: none found; one or more are needed")
    least = float(np.sort(peaks[:, 1])[-fitted_peaks(len(peaks))])

    def tail(excesses: Sequence[np.ndarray]) -> Tail:
        excess = np.concatenate(excesses)
        return ExponentialTail(least, float(excess.mean()) if len(excess) else 0.0, len(excess) / hours)

    kept = peaks[peaks[:, 1] >= least]
    excess = kept[:, 1] - least
    by_block = [excess[kept[:, 0] == block] for block in np.unique(kept[:, 0])]
    by_block += [np.empty(0)] * (blocks - len(by_block))
    redrawn = [tail([by_block[i] for i in rng.integers(blocks, size=blocks)]) for _ in range(REDRAWS)]
    name = f"exponential on the {len(kept)} peaks above {least:.2f}"
    return Fit(name, tail([excess]), tuple(redrawn))
