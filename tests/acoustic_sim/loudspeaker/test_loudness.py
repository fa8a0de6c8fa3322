"""Loudness in blocks against that of the whole signal."""

import numpy as np
import pytest

from acoustic_sim.loudspeaker import LoudnessMeter, measure_loudness


@pytest.mark.parametrize("fs_hz", [16000, 44100, 48000, 96000])
@pytest.mark.parametrize("block", [997, 1 << 14])
def test_blocks_measure_what_the_whole_does(fs_hz, block, rng):
    """A loud part, a soft one that the relative gate drops, and silence that the absolute one does."""
    n = int(1.73 * fs_hz)
    level = np.repeat([0.3, 0.01, 0.0], -(-n // 3))[:n, None]
    y = level * rng.standard_normal((n, 2))
    for channels in (1, 2):
        meter = LoudnessMeter(fs_hz, channels)
        for start in range(0, n, block):
            meter.push(y[start : start + block, :channels])
        whole = measure_loudness(y[:, :channels], fs_hz)
        assert meter.integrated_lufs() == pytest.approx(whole, abs=1e-9)


def test_nothing_to_gate_is_minus_infinity():
    meter = LoudnessMeter(48000, 1)
    meter.push(np.ones((19199, 1)))
    assert meter.integrated_lufs() == -np.inf  # a sample short of 400 ms
    silent = LoudnessMeter(48000, 1)
    silent.push(np.zeros((48000, 1)))
    assert silent.integrated_lufs() == -np.inf
