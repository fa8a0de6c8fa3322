"""Frozen stimuli: what is in the files is what the formulas say, and drives the products to their edges."""

import numpy as np
import pytest

from firmware_model.golden import stimuli
from firmware_model.golden.cases import CASES
from firmware_model.golden.store import golden
from firmware_model.product import BUILT_IN, find_product
from firmware_model.watermark.cases.configurations import WatermarkConfig
from fixedpoint.errors import ConfigError

FIRST = {case.stimulus: case for case in CASES.values()}  # a case of each stimulus


@pytest.mark.parametrize("name", FIRST)
def test_frozen_samples_are_those_of_the_formula(name):
    case = FIRST[name]
    frozen, made = stimuli.load(case), stimuli.synthesise(case.product, name)
    assert frozen.dtype == made.dtype == np.int16
    assert frozen.shape == made.shape
    # Another machine's sine may fall to the other side of a rounding.
    apart = np.abs(frozen.astype(int) - made).max()
    assert apart <= 1, f"{apart} LSB apart, measured 0"


def test_every_stimulus_has_a_case_and_its_channels():
    for product in BUILT_IN:
        assert {case.stimulus for case in product.cases} == set(product.part("cases").STIMULI)
    for case in CASES.values():
        channels, samples = stimuli.load(case).shape
        assert channels == case.channels
        assert 0.4 <= samples / case.fs_hz <= 6.5


def test_stimuli_reach_the_rails_and_silence():
    squares, quiet = stimuli.load(FIRST["squares-96k-stereo"]), stimuli.load(FIRST["silence-16k-stereo"])
    assert (squares == -32768).any(axis=1).all()
    assert (squares[0] == 32767).any()
    assert np.abs(stimuli.load(FIRST["bursts-48k"])).max() >= 32767
    assert not quiet[:, 6400:].any()
    assert quiet[:, :6400].any(axis=1).all()


def test_each_of_the_three_marks_is_detected():
    integrated = golden(CASES["watermark-detector"])[0] / 512
    hops = np.flatnonzero(integrated > WatermarkConfig().threshold)
    marks = 1 + np.count_nonzero(np.diff(hops) > 10)
    assert marks == 3, hops


def test_stored_samples_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        stimuli.load(FIRST["silence-16k"])[0, 0] = 1


def test_an_unknown_name_is_refused_and_the_known_are_told():
    with pytest.raises(ConfigError, match=r"stimulus 'noise': must be one of bursts-48k, sweep-44k"):
        stimuli.load(FIRST["bursts-48k"]._replace(stimulus="noise"))
    with pytest.raises(ConfigError, match=r"stimulus 'noise': must be one of bursts-48k, sweep-44k"):
        stimuli.synthesise(find_product("mbdp"), "noise")
