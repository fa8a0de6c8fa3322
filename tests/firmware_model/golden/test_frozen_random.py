"""The generator behind goldens: splitmix64's published values, exact scaling."""

import numpy as np
import pytest

from firmware_model.golden.frozen_random import FrozenRandom


def test_bits_are_those_of_splitmix64():
    rng = FrozenRandom("any")
    rng._state = 1234567
    # First values of the authors' C code (prng.di.unimi.it/splitmix64.c) for this seed.
    assert rng.bits(5).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_two_draws_are_one():
    one, two = FrozenRandom("a"), FrozenRandom("a")
    np.testing.assert_array_equal(one.bits(7), np.concatenate([two.bits(3), two.bits(4)]))
    assert FrozenRandom("b").bits(1) != FrozenRandom("a").bits(1)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 4), (-(1 << 31), 1 << 31), (0, 1 << 62)])
def test_integers_keep_to_their_range(low, high):
    size = 2000
    values = FrozenRandom("range").integers(low, high, size)
    assert values.dtype == np.int64
    assert values.min() >= low
    assert values.max() < high
    if high - low < size:
        assert set(values.tolist()) == set(range(low, high))


def test_without_a_size_come_python_numbers():
    rng = FrozenRandom("one")
    assert type(rng.integers(5)) is int
    assert type(rng.random()) is float
    assert rng.choice([7]) == 7
    assert rng.choice([1, 2], (3, 4)).shape == (3, 4)


def test_random_is_a_multiple_of_2_to_minus_53():
    values = FrozenRandom("real").random(1000)
    scaled = values * 2.0**53
    np.testing.assert_array_equal(scaled, np.floor(scaled))
    assert 0 <= values.min() < 0.01
    assert 0.99 < values.max() < 1


def test_normal_has_mean_0_and_variance_1():
    values = FrozenRandom("normal").normal(100_000)
    mean, variance = values.mean(), values.var()
    assert abs(mean) < 0.01, f"measured {mean}"  # three standard errors
    assert abs(variance - 1) < 0.015, f"measured {variance}"
    assert np.abs(values).max() <= 6
