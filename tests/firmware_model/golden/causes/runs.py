"""Runs that stand for a device, by another route than the suspects take, and the causes found of them."""

import numpy as np

from firmware_model.golden.cases import find_case
from firmware_model.golden.causes import suspects
from tests.firmware_model.golden.causes.plants import causes_of

MONO, STEREO = find_case("mbdp-smart-speaker"), find_case("mbdp-headset")


def noise(case, samples, amplitude=12000, seed=4):
    rng = np.random.default_rng(seed)
    return rng.integers(-amplitude, amplitude, (case.channels, samples)).astype(np.int16)


def named(monkeypatch, case, x, nodes):
    """(kind, text) of all causes that give all of the dump; faults of the arithmetic are not tried."""
    monkeypatch.setattr(suspects, "search_faults", lambda *_: [])
    return [(cause.kind, cause.text) for cause in causes_of(case, x, nodes) if cause.complete]


def blocks(case, x):
    """The input, block by block."""
    return [x[:, start : start + case.block] for start in range(0, x.shape[1], case.block)]


def joined(parts):
    """Nodes of all blocks."""
    return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}
