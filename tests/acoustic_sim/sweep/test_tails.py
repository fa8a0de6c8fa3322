"""Peaks, exact limits of counts, and fits on draws whose law is known."""

import numpy as np
import pytest

from acoustic_sim.sweep.tails import (
    ExponentialTail,
    GevTail,
    GumbelTail,
    block_hops,
    block_maxima,
    fit_block_maxima,
    fit_exponential,
    fitted_peaks,
    peaks_above,
    poisson_limits,
)
from fixedpoint.errors import ConfigError


def test_exact_poisson_limits():
    """None seen: -ln 0.025 = 3.689 over the hours; three: Garwood's table gives 0.619 to 8.767."""
    assert poisson_limits(0, 10.0) == pytest.approx((0.0, 0.36889), abs=1e-5)
    assert poisson_limits(3, 1.0) == pytest.approx((0.6187, 8.7673), abs=1e-4)


def test_a_peak_takes_its_neighbourhood_with_it():
    score = np.zeros((40, 2))
    score[[5, 8, 25], 0] = 4.0, 5.0, 3.0
    score[[0, 39], 1] = 3.5, 2.0
    found = peaks_above(score, 3.0, apart=10, block_hops=20)
    assert found.tolist() == [[0.0, 5.0], [1.0, 3.0], [0.0, 3.5]]


def test_blocks_are_thirty_seconds_and_whole():
    assert block_hops(16000, 512) == 938
    score = np.arange(14.0).reshape(7, 2)
    assert block_maxima(score, 3).tolist() == [[4, 5], [10, 11]]  # the seventh hop is left over
    assert block_maxima(score[:2], 3).tolist() == [[2, 3]]  # none is whole


@pytest.mark.parametrize(
    "tail",
    [
        GumbelTail(3.0, 0.25, 0.01),
        GevTail(0.1, 3.0, 0.3, 0.01),
        GevTail(-0.1, 3.0, 0.3, 0.01),
        ExponentialTail(4.6, 0.2, 1.5),
    ],
)
@pytest.mark.parametrize("per_hour", [1.0, 0.1, 1e-4])
def test_threshold_and_rate_are_each_others_inverse(tail, per_hour):
    assert tail.per_hour(tail.threshold(per_hour)) == pytest.approx(per_hour, rel=1e-6)


def test_tails_by_hand():
    """Gumbel: -log cdf = exp(-(T - location)/scale). Exponential: 2 exp(-(5 - 4)/0.5)."""
    assert GumbelTail(3.0, 0.5, 0.01).per_hour(5.0) == pytest.approx(np.exp(-4) / 0.01)
    assert ExponentialTail(4.0, 0.5, 2.0).per_hour(5.0) == pytest.approx(2 * np.exp(-2))
    assert GevTail(0.5, 3.0, 0.5, 0.01).per_hour(4.5) == 0.0  # past the end point 3 + 0.5/0.5
    assert ExponentialTail(4.0, 0.0, 2.0).per_hour(5.0) == 0.0  # all peaks alike


def test_exponential_fit_finds_the_rate_of_an_exponential_tail(rng):
    """20000 peaks over 3 with mean excess 0.25 in 1000 h: rate(5.5) = 20 exp(-10) = 0.00091 per hour."""
    peaks = np.stack([rng.integers(500, size=20000), 3 + rng.exponential(0.25, 20000)], axis=1)
    fit = fit_exponential(peaks, 500, 1000.0, rng)
    rate = fit.per_hour(5.5)
    assert rate.low < 20 * np.exp(-10) < rate.high
    assert rate.low < rate.value < rate.high
    wanted = fit.threshold(20 * np.exp(-10))
    assert wanted.low < 5.5 < wanted.high


def test_the_exponential_is_fitted_to_the_highest_tenth_within_limits():
    assert [fitted_peaks(n) for n in (1, 30, 499, 1000, 4000, 10**6)] == [1, 30, 50, 100, 400, 400]


def test_gumbel_fit_finds_the_rate_of_gumbel_maxima(rng):
    """Maxima with location 3 and scale 0.25 in blocks of 0.01 h: rate(5.5) = exp(-10)/0.01 per hour."""
    gumbel, gev = fit_block_maxima(rng.gumbel(3, 0.25, (200, 20)), 0.01, rng)
    rate = gumbel.per_hour(5.5)
    assert rate.low < 100 * np.exp(-10) < rate.high
    assert gev.per_hour(5.5).value < 10 * 100 * np.exp(-10)


def test_limits_come_from_the_blocks_not_from_the_keys(rng):
    """Eight keys that hear the same in every block know no more than one key: the limits stay as wide."""
    maxima = rng.gumbel(3, 0.25, (60, 1))
    widths = []
    for keys in (1, 8):
        gumbel, _ = fit_block_maxima(np.repeat(maxima, keys, axis=1), 0.01, rng)
        rate = gumbel.per_hour(4)
        widths.append(np.log(rate.high / rate.low))
    # Eight times as many blocks would make it 0.35.
    assert abs(widths[1] / widths[0] - 1) < 0.3, widths


def test_what_cannot_be_fitted_is_said(rng):
    with pytest.raises(ConfigError, match="two blocks or more"):
        fit_block_maxima(np.array([[3.0, 4.0]]), 0.01, rng)
    with pytest.raises(ConfigError, match="peaks: none"):
        fit_exponential(np.empty((0, 2)), 3, 1.0, rng)
