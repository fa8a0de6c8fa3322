"""Adding within the headroom: by hand, the bound on every input, and no change where there is room."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import firmware_model.watermark.headroom as headroom
from firmware_model.watermark.headroom import CEILING, Headroom


def added(x, w, reach, piece=1000):
    """(n, channels) -> y; energies of the mark and of the programme."""
    sums = Headroom(reach, x.shape[1])
    y = []
    for start in range(0, len(x), piece):
        y += sums.push(x[start : start + piece], w[start : start + piece])
    return np.concatenate([*y, *sums.finish()]), (sums.energy_w, sums.energy_x)


def add(x, w, reach):
    """(n,) in and out."""
    y, energies = added(np.array(x, dtype=np.float64)[:, None], np.array(w, dtype=np.float64)[:, None], reach)
    return y[:, 0], energies


def test_by_hand():
    # Room above 0.5 is CEILING - 0.5, so w = 2 (CEILING - 0.5) fits by half at n = 4: r = 1/2 there.
    # reach = 2: m = 1/2 at n = 4, 5, 6; envelope(n) = mean m(n..n+2): 5/6, 4/6, 3/6, 4/6, 5/6 at n = 2..6.
    x = np.zeros(9)
    w = np.full(9, 0.25)
    x[4], w[4] = 0.5, 2 * (CEILING - 0.5)
    envelope = np.array([1, 1, 5 / 6, 4 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1])
    y, (energy_w, energy_x) = add(x, w, 2)
    np.testing.assert_allclose(y, x + envelope * w, rtol=1e-15)
    assert energy_w == pytest.approx(np.sum((envelope * w) ** 2))
    assert energy_x == 0.25


def test_with_room_the_sum_is_plain(rng):
    x, w = 0.5 * rng.uniform(-1, 1, 500), 0.4 * rng.uniform(-1, 1, 500)
    np.testing.assert_array_equal(add(x, w, 16)[0], x + w)


def test_away_from_zero_at_full_scale_nothing_is_added():
    assert add([1.0, -1.0, CEILING], [0.1, -0.1, 0.1], 1)[0].tolist() == [1.0, -1.0, CEILING]


def test_towards_zero_at_full_scale_all_is_added():
    np.testing.assert_array_equal(add([1.0] * 8, [-0.1] * 8, 2)[0], [0.9] * 8)


@settings(max_examples=200, deadline=None)
@given(
    arrays(np.float64, (40, 2), elements=st.floats(-1, 1)),
    arrays(np.float64, (40, 2), elements=st.floats(-3, 3)),
    st.integers(1, 60),
)
def test_no_sample_passes_the_ceiling_nor_its_own_size(x, w, reach):
    y, _ = added(x, w, reach)
    assert (np.abs(y) <= np.maximum(CEILING, np.abs(x))).all()
    # and w is only attenuated, never turned round or raised
    slack = 4e-16 * (1 + np.abs(w))
    assert (np.minimum(x, x + w) - slack <= y).all()
    assert (y <= np.maximum(x, x + w) + slack).all()


def test_blocks_do_not_show(rng, monkeypatch):
    x, w = rng.uniform(-1, 1, (5000, 2)), 0.3 * rng.uniform(-1, 1, (5000, 2))
    whole, energies = added(x, w, 37)
    monkeypatch.setattr(headroom, "BLOCK_SAMPLES", 64)
    parts, sums = added(x, w, 37, piece=99)
    assert sums == pytest.approx(energies, rel=1e-12)
    np.testing.assert_allclose(parts, whole, atol=1e-14)  # the running mean of scipy rounds along the way
