"""The path block by block against the path in one piece."""

import dataclasses

import numpy as np
import pytest

from acoustic_sim import long_channel
from acoustic_sim.blocks import synthesis
from acoustic_sim.blocks.spool import Spool
from acoustic_sim.channel import propagate
from acoustic_sim.long_channel import propagated
from acoustic_sim.scene import build_scene
from fixedpoint.errors import AudioError

FS_HZ = 24000


def heard(x, scene):
    shares = []
    with propagated(np.split(x, [1000, 1001, 20_000]), len(x), FS_HZ, scene, shares.append) as found:
        pcm = np.concatenate(list(found.blocks))
    assert len(pcm) == found.frames
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    return pcm, found.facts


@pytest.mark.parametrize("drift_ppm", [0.0, 40.0])
@pytest.mark.parametrize("gain_db", [None, 3.0])
def test_blocks_are_heard_as_the_whole(rng, monkeypatch, drift_ppm, gain_db):
    x = 0.3 * rng.standard_normal(40_000)
    scene = build_scene(2.0, 0.3, 20.0, drift_ppm=drift_ppm, seed=3)
    scene = dataclasses.replace(scene, microphone=dataclasses.replace(scene.microphone, gain_db=gain_db))
    whole = propagate(x, FS_HZ, scene)
    pcm, facts = heard(x, scene)
    np.testing.assert_array_equal(pcm, whole.pcm)
    for name, value in dataclasses.asdict(facts).items():
        assert getattr(whole, name) == value
    for module in (long_channel.in_blocks, Spool.blocks):
        monkeypatch.setattr(module, "__defaults__", (8_192,))
    monkeypatch.setattr(synthesis, "BLOCK", 8_192)
    apart = np.abs(heard(x, scene)[0].astype(int) - whole.pcm)
    assert apart.max() <= 1
    assert np.mean(apart > 0) < 1e-3, np.mean(apart > 0)


def test_silence_has_no_snr(rng):
    with pytest.raises(AudioError, match="x is silent"):
        heard(np.zeros(30_000), build_scene(2.0, 0.3, 20.0))
