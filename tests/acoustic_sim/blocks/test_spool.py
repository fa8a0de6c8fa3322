"""Long signals on disk and in blocks."""

import tempfile

import numpy as np
import pytest

from acoustic_sim.blocks import spool
from acoustic_sim.blocks.spool import Spool, Window, in_blocks
from fixedpoint.errors import AudioError


@pytest.mark.parametrize("dtype", [np.float64, np.int16])
@pytest.mark.parametrize("in_memory", [1, 1 << 20])
def test_samples_come_back_as_they_went_in(monkeypatch, rng, dtype, in_memory):
    monkeypatch.setattr(spool, "_IN_MEMORY", in_memory)
    x = rng.integers(-100, 100, 1000).astype(dtype)
    with Spool(dtype) as kept:
        for start in range(0, 1000, 300):
            kept.add(x[start : start + 300])
        assert len(kept) == 1000
        assert kept.energy == np.sum(x.astype(float) ** 2)
        np.testing.assert_array_equal(np.concatenate(list(kept.blocks(64))), x)
        np.testing.assert_array_equal(kept.read(990, 2000), x[990:])
        kept.rewrite(2 * block for block in kept.blocks(64))
        np.testing.assert_array_equal(kept.read(0, 1000), 2 * x)
        assert kept.power == np.mean((2.0 * x) ** 2)


def test_a_full_disk_is_one_clear_line(monkeypatch):
    resource = pytest.importorskip("resource")  # POSIX: a limit on file size stands for a full disk
    monkeypatch.setattr(spool, "_IN_MEMORY", 1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with Spool() as kept, pytest.raises(AudioError, match=r"temporary file cannot be written.*TMPDIR"):
            kept.add(np.zeros(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert tempfile.gettempdir()


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_pieces_become_blocks(rng, size):
    x = rng.standard_normal(500)
    pieces = np.split(x, [3, 3, 120, 121, 400])
    blocks = list(in_blocks(pieces, size))
    np.testing.assert_array_equal(np.concatenate(blocks), x)
    assert {len(block) for block in blocks[:-1]} <= {size}
    assert 0 < len(blocks[-1]) <= size


def test_a_window_has_zeros_around_the_signal(rng):
    x = rng.standard_normal((100, 2))
    window = Window(np.split(x, [10, 35, 70]))
    whole = np.pad(x, ((20, 20), (0, 0)))
    for start in range(-20, 100, 15):
        np.testing.assert_array_equal(window.read(start, start + 20), whole[start + 20 :][:20])
