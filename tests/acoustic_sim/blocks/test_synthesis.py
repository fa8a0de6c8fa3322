"""Noise made in blocks against noise made in one piece."""

import numpy as np
import pytest

from acoustic_sim.blocks import synthesis
from acoustic_sim.blocks.spool import Spool
from acoustic_sim.noise import ambient

FS_HZ = 16000


@pytest.mark.parametrize("kind", ["white", "cafe", "fan", "file"])
def test_blocks_do_not_show(kind, tmp_path, monkeypatch, rng):
    if kind == "file":
        import soundfile

        kind = str(tmp_path / "noise.wav")
        soundfile.write(kind, 0.1 * rng.standard_normal((9000, 2)), 12000)
    n = 25_000
    whole = ambient(kind, n, FS_HZ, 3)
    for block in (4_096, 10_007):
        monkeypatch.setattr(synthesis, "BLOCK", block)
        monkeypatch.setattr(Spool.blocks, "__defaults__", (block,))
        np.testing.assert_allclose(ambient(kind, n, FS_HZ, 3), whole, atol=1e-12)


@pytest.mark.parametrize("n", [1 << 19, 700_001])
def test_long_pink_noise_is_that_of_one_transform(n, monkeypatch):
    """Cut 4 s before and after, 5.5e-6 of the rms was lost; as shipped, 16 s, 7e-7."""
    found = []
    for at_once in (1 << 20, 1):
        monkeypatch.setattr(synthesis, "PINK_WHOLE", at_once)
        monkeypatch.setattr(synthesis, "PINK_REACH", 1 << 16)
        rng = np.random.default_rng(1)
        with Spool() as y:
            synthesis.pink_of(y, n - 5, n, FS_HZ, rng)
            found.append(y.read(0, n))
        after = rng.standard_normal()
    exact, got = found
    assert len(got) == len(exact) == n - 5
    assert np.std(got - exact) < 1.1e-5 * np.std(exact), np.std(got - exact) / np.std(exact)
    check = np.random.default_rng(1)
    check.standard_normal(n)
    assert after == check.standard_normal()  # what is drawn next is the same
