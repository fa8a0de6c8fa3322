"""A state that starts otherwise, or is mixed up from block to block, must be named."""

import numpy as np
import pytest

from firmware_model.golden.cases import find_case
from firmware_model.golden.causes.state_suspects import mixed_states
from firmware_model.golden.dumps.dump_values import Held
from tests.firmware_model.golden.causes.runs import STEREO, blocks, joined, named, noise

X = noise(STEREO, 2000)


def begun(change):
    run = STEREO.start()
    change(run)
    return {"output": run.push(X)["output"]}


def zeroed(run):
    run.state.bank.gain_q27[:] = 0


def shared(run):
    bank = run.state.bank
    run.state = run.state._replace(bank=bank._replace(reduction_q55=bank.held_q55))


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        (zeroed, "wrong initial state", "state.bank.gain_q27: zeros at the start"),
        (shared, "swapped states", "state.bank.held_q55 and state.bank.reduction_q55 are one array"),
    ],
)
def test_another_state_is_named(monkeypatch, change, kind, text):
    assert named(monkeypatch, STEREO, X, begun(change))[0] == (kind, text)


def before_every_block(change):
    run, parts = STEREO.start(), []
    for block in blocks(STEREO, X):
        change(run.state)
        parts.append(run.push(np.ascontiguousarray(block)))
    return {"output": joined(parts)["output"]}


def bands_swapped(state):
    state.bank.power_q48[[0, 1]] = state.bank.power_q48[[1, 0]]


def forgotten(state):
    state.bank.held_q55[:] = 0


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        (
            bands_swapped,
            "swapped states",
            "state.bank.power_q48: values 0 and 1 exchanged where they are read",
        ),
        (forgotten, "state not kept", "state.bank.held_q55 begins anew with every block"),
    ],
)
def test_a_state_that_is_mixed_up_is_named(monkeypatch, change, kind, text):
    assert (kind, text) in named(monkeypatch, STEREO, X, before_every_block(change))


@pytest.mark.parametrize("name", ["mbdp-headset", "watermark-small"])
def test_positions_in_rings_are_never_exchanged(name):
    case = find_case(name)
    found = [text for _, text, _ in mixed_states(case, Held(noise(case, 64 * case.block)))]
    assert not any("clock" in text and "exchanged" in text for text in found)
    assert any("exchanged" in text for text in found)
