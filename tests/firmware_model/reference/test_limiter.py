"""Limiter of the float64 dynamics reference: the threshold holds for every input."""

import itertools

import numpy as np
import pytest

from firmware_model.reference.limiter import Delay, limit

GRID = [(4, 1), (8, 2), (8, 30), (16, 7)]  # samples in a block, blocks of look-ahead
THRESHOLD = 29204 / 32768


def adversarial(rng, h, blocks):
    """Full-scale signals of 64 look-aheads: squares of many periods, impulses, noise, steps, runs of -1."""
    n = 64 * blocks * h
    t = np.arange(n)
    for period in sorted({2, 3, h - 1, h, h + 1, 2 * h, blocks * h, blocks * h + 1, 2 * blocks * h}):
        yield np.where(t % (2 * period) < period, 1.0, -1.0)
    for gap in (1, h - 1, h, blocks * h - 1, blocks * h, blocks * h + 1, 5 * blocks * h):
        yield np.where(t % (gap + 1) == gap, -1.0, 0.0)
    yield rng.choice([-1.0, 1.0], n)
    yield rng.uniform(-1, 1, n) * np.repeat(rng.choice([0.0, 0.5, 1.0, 8.0], n // h), h)
    yield np.where(t < n // 3, THRESHOLD, np.where(t < n // 2, -1.0, 0.1))
    yield np.where(np.repeat(rng.random(n // h) < 0.1, h), -1.0, 0.0)
    yield np.full(n, -1.0)
    yield 16 * np.sin(0.02 * t**1.5)  # the most that the bus of the firmware holds


def test_limit_by_hand():
    """T = 1/2, peak 1 in block 0, L = 1, c = 1/2: a = .5 0 0 0, m = .5 .5 0 0, A = e = .5 .5 .25 .125."""
    x = np.array([[1.0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0]])
    y, attenuation = limit(x, 0.5, 1, 0.5, 4)
    assert attenuation.tolist() == [0.5, 0.5, 0.25, 0.125]
    # Block 0 leaves at 0.5; block 1 from 0.5 to 0.75; block 2 from 0.75 to 0.875.
    expected = [0, 0, 0, 0, 0.5, 0, 0, 0]
    expected += [0.5 * (0.5 + 0.25 * i / 4) for i in (1, 2, 3, 4)]
    expected += [0.5 * (0.75 + 0.125 * i / 4) for i in (1, 2, 3, 4)]
    assert y[0].tolist() == expected


def test_attenuation_by_hand_of_two_blocks():
    """L = 2: m = .5 .5 .5 0 0, e = .5 .5 .5 .25 .125, A the mean of two."""
    x = np.zeros((1, 20))
    x[0, 2] = -1
    y, attenuation = limit(x, 0.5, 2, 0.5, 4)
    assert attenuation.tolist() == [0.25, 0.5, 0.5, 0.375, 0.1875]
    assert y[0, 10] == -0.5
    assert np.count_nonzero(y) == 1


@pytest.mark.parametrize(("h", "blocks"), GRID)
@pytest.mark.parametrize("coefficient", [1e-4, 0.05, 1.0])
def test_no_input_passes_the_threshold(h, blocks, coefficient):
    rng = np.random.default_rng(h + blocks)
    worst = 0.0
    for x in adversarial(rng, h, blocks):
        y = limit(x[None], THRESHOLD, blocks, coefficient, h).y
        worst = max(worst, np.abs(y).max() / THRESHOLD)
    assert worst <= 1 + 1e-14, "measured 6.7e-16 to 5.6e-15 over, most where the input is 18 T"
    assert worst > 0.999


@pytest.mark.parametrize(("h", "blocks"), GRID)
def test_below_the_threshold_it_is_a_delay(h, blocks):
    x = np.random.default_rng(0).uniform(-THRESHOLD, THRESHOLD, (2, 100 * h))
    x[1, 17] = -THRESHOLD
    y, attenuation = limit(x, THRESHOLD, blocks, 0.1, h)
    assert np.array_equal(y, np.pad(x, ((0, 0), (blocks * h, 0)))[:, : 100 * h])
    assert not attenuation.any()


def test_steady_full_scale_leaves_at_the_threshold():
    y = limit(np.ones((1, 800)), 0.25, 5, 0.1, 8).y
    assert y[0, 40:] == pytest.approx(np.full(760, 0.25), abs=1e-16)


def test_attenuation_rises_straight_to_the_peak_and_falls_with_the_release():
    """A peak in block 10, L = 8: up in 8 equal steps to block 18, from there e times the mean of 8 steps."""
    c = 1 - np.exp(-1 / 20)
    x = np.zeros((1, 800))
    x[0, 83] = 1
    attenuation = limit(x, 0.5, 8, c, 8).attenuation
    assert attenuation[9:18] == pytest.approx(0.5 * np.arange(9) / 8, abs=1e-16)
    assert attenuation[18] == 0.5
    # 20 blocks are the time constant.
    assert attenuation[50] / attenuation[30] == pytest.approx(np.exp(-1), abs=1.2e-16), "measured 5.6e-17"


def test_both_channels_get_one_gain():
    rng = np.random.default_rng(1)
    loud = rng.uniform(-4, 4, 800)
    x = np.stack([loud, 0.01 * loud])
    y, attenuation = limit(x, 0.5, 3, 0.2, 8)
    alone = limit(loud[None], 0.5, 3, 0.2, 8)
    assert np.array_equal(attenuation, alone.attenuation)
    assert np.array_equal(y[0], alone.y[0])
    assert y[1] == pytest.approx(0.01 * y[0], abs=2e-18), "measured 8.7e-19"


def test_delay_longer_than_the_signal_leaves_silence():
    x = np.ones((2, 8))
    assert not Delay(12).push(x).any()
    assert Delay(5).push(x).tolist() == [[0] * 5 + [1] * 3] * 2
    assert np.array_equal(Delay(0).push(x), x)


def test_louder_input_never_has_more_gain():
    rng = np.random.default_rng(2)
    x = rng.uniform(-1, 1, (1, 1600))
    results = [limit(scale * x, 0.3, 4, 0.1, 8).attenuation for scale in (0.5, 1, 2, 4)]
    for softer, louder in itertools.pairwise(results):
        assert np.all(louder >= softer)
    assert results[0].max() < results[3].max()
