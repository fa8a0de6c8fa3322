"""From scores below the threshold to the rate above it: peaks, exact limits of counts, fits of the tail."""

from typing import NamedTuple

import numpy as np
from scipy.stats import chi2, genextreme, gumbel_r

BLOCK_HOPS = 938  # 30 s: blocks whose largest scores are fitted, and that are drawn again for the limits
REDRAWS = 200
LIMITS = (2.5, 97.5)  # percentiles
PEAKS_FITTED = 400  # the exponential is fitted to the highest peaks, this many


class Extrapolation(NamedTuple):
    """A rate at the threshold from a fit below it, per hour, with 95 % limits from redrawn audio blocks."""

    fit: str
    per_hour: float
    low: float
    high: float


def poisson_limits(count: int, hours: float) -> tuple[float, float]:
    """95 % limits of a rate per hour, exact (Garwood 1936)."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low / hours), float(chi2.ppf(0.975, 2 * count + 2) / 2 / hours)


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


def fit_block_maxima(
    block_max: np.ndarray, threshold: float, block_hours: float, rng: np.random.Generator
) -> list[Extrapolation]:
    """Gumbel and generalised extreme value distribution on block maxima.

    Parameters
    ----------
    block_max : (blocks, keys) float, the same audio in each row
    threshold : float
    block_hours : duration of a block
    rng : draws rows, with replacement, for the limits: keys over the same audio are not independent audio

    Returns
    -------
    two Extrapolation

    Notes
    -----
    Gumbel by moments, GEV by maximum likelihood on all maxima (limits on 64 keys drawn of all, for time).
    The maximum of many Gaussians falls faster than a Gumbel tail: that extrapolation errs on the safe side.
    """

    def gumbel_rate(sample: np.ndarray) -> float:
        scale = np.std(sample) * np.sqrt(6) / np.pi
        return float(
            -gumbel_r.logcdf(threshold, np.mean(sample) - np.euler_gamma * scale, scale) / block_hours
        )

    def gev_rate(sample: np.ndarray, start: tuple[float, float, float]) -> float:
        shape, location, scale = genextreme.fit(sample, start[0], loc=start[1], scale=start[2])
        return float(-genextreme.logcdf(threshold, shape, location, scale) / block_hours)

    start = (0.1, float(np.mean(block_max)) - 0.2, float(np.std(block_max)) * 0.8)
    values = block_max.ravel()
    gumbel, gev = gumbel_rate(values), gev_rate(values, start)
    gumbels, gevs = [], []
    for redraw in range(REDRAWS):
        rows = rng.integers(len(block_max), size=len(block_max))
        gumbels.append(gumbel_rate(block_max[rows].ravel()))
        if redraw < REDRAWS // 4:
            columns = rng.permutation(block_max.shape[1])[:64]
            gevs.append(gev_rate(block_max[np.ix_(rows, columns)].ravel(), start))
    return [
        Extrapolation("Gumbel on maxima of 30 s", gumbel, *np.percentile(gumbels, LIMITS)),
        Extrapolation("GEV on maxima of 30 s", gev, *np.percentile(gevs, LIMITS)),
    ]


def fit_exponential(
    peaks: np.ndarray, blocks: int, hours: float, threshold: float, rng: np.random.Generator
) -> Extrapolation:
    """Exponential law over the highest PEAKS_FITTED peaks: rate(T) = rate(u) exp(-(T - u)/mean excess).

    Parameters
    ----------
    peaks : (n, 2) float: block, score
    blocks : number of audio blocks that were played
    hours : key-hours that they stand for

    Notes
    -----
    u is the score of the lowest peak fitted. A Gaussian tail falls faster than an exponential: safe side.
    """
    order = np.argsort(peaks[:, 1])
    least = float(peaks[order[-min(PEAKS_FITTED, len(peaks))], 1])

    def rate(excess: np.ndarray) -> float:
        if not len(excess) or not excess.mean() > 0:
            return 0.0
        return float(len(excess) / hours * np.exp(-(threshold - least) / excess.mean()))

    kept = peaks[peaks[:, 1] >= least]
    excess = kept[:, 1] - least
    by_block = [excess[kept[:, 0] == block] for block in np.unique(kept[:, 0])]
    by_block += [np.empty(0)] * (blocks - len(by_block))
    rates = [
        rate(np.concatenate([by_block[i] for i in rng.integers(blocks, size=blocks)])) for _ in range(REDRAWS)
    ]
    name = f"exponential on the {len(kept)} peaks above {least:.2f}"
    return Extrapolation(name, rate(excess), *np.percentile(rates, LIMITS))
