"""Convolution and change of rate in blocks, against the whole."""

import numpy as np
import pytest
import soxr
from scipy import signal

from acoustic_sim.blocks.filters import convolved, resampled


@pytest.mark.parametrize("block", [50, 333, 2000])
@pytest.mark.parametrize("taps", [1, 40, 700])
def test_blocks_convolve_as_the_whole(rng, block, taps):
    x, h = rng.standard_normal(2000), rng.standard_normal(taps)
    y = np.concatenate(list(convolved((x[i : i + block] for i in range(0, 2000, block)), h)))
    np.testing.assert_allclose(y, signal.convolve(x, h), atol=1e-11)


@pytest.mark.parametrize("to_hz", [16000, 44100, 48000, 16000.32])
@pytest.mark.parametrize("channels", [None, 2])
def test_blocks_are_resampled_bit_for_bit_as_the_whole(rng, to_hz, channels):
    x = rng.uniform(-1, 1, 30_000 if channels is None else (30_000, channels))
    y = np.concatenate(
        list(resampled((x[i : i + 777] for i in range(0, 30_000, 777)), 16000, to_hz, channels))
    )
    np.testing.assert_array_equal(y, x if to_hz == 16000 else soxr.resample(x, 16000, to_hz, "VHQ"))
