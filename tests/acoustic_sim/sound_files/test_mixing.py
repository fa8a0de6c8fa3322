"""Means of channels: said where they lose much, refused where nothing is left."""

import numpy as np
import pytest

from acoustic_sim.sound_files.mixing import Mixing
from acoustic_sim.sound_files.samples import SoundError


def said(*frames):
    mixing, remarks = Mixing(), []
    for x in frames:
        mixing.add(x)
    mixing.check(remarks.append)
    return remarks


@pytest.mark.parametrize("right", [1.0, 0.0, 0.5, -0.5])
def test_channels_that_leave_most_of_them_need_no_word(rng, right):
    x = rng.standard_normal(1000)
    assert said(np.stack([x, right * x], 1)) == []
    assert said(x[:, None], -x[:, None]) == []


def test_channels_without_relation_and_silence_need_no_word(rng):
    assert said(rng.standard_normal((1000, 2))) == []
    assert said(np.zeros((10, 2))) == []


def test_what_is_lost_in_the_mean_is_said(rng):
    x = rng.standard_normal(1000)
    # mean 0.1 x, power 0.01; of the channels (1 + 0.64) / 2
    assert said(np.stack([x, -0.8 * x], 1)) == [
        "the mean of the channels lies 19.1 dB below them: they are in anti-phase"
    ]


def test_channels_that_cancel_are_refused(rng):
    x = np.round(rng.normal(0, 3000, 1000))
    with pytest.raises(SoundError, match=r"cancel each other \(anti-phase\)"):
        said(np.stack([x, -x], 1))
    with pytest.raises(SoundError):
        said(np.stack([x, 1 - x], 1))  # an LSB is left
