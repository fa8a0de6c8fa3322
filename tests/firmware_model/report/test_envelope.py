"""Columns of a picture, collected in blocks."""

from itertools import pairwise

import numpy as np
import pytest

from firmware_model.report.envelope import Envelope


@pytest.mark.parametrize("n", [1, 5, 999, 5000])
@pytest.mark.parametrize("block", [1, 7, 800, 6000])
def test_columns_are_those_of_the_whole(n, block, rng):
    x = rng.standard_normal((2, n))
    envelope = Envelope(2, n, 64)
    for start in range(0, n, block):
        envelope.push(x[:, start : start + block])
    edges = [*envelope.edges, n]
    assert len(envelope.edges) == min(n, 64)
    columns = [x[:, a:b] for a, b in pairwise(edges)]
    np.testing.assert_array_equal(envelope.low, np.stack([c.min(axis=1) for c in columns], axis=1))
    np.testing.assert_array_equal(envelope.high, np.stack([c.max(axis=1) for c in columns], axis=1))
    np.testing.assert_allclose(envelope.mean, np.stack([c.mean(axis=1) for c in columns], axis=1))
