"""A block that is lost, doubled or left out must be named, and which one."""

import numpy as np
import pytest

from tests.firmware_model.golden.causes.runs import MONO, STEREO, blocks, joined, named, noise

X = noise(STEREO, 2000)
K = 300


def ran(order, x=X, case=STEREO):
    """Nodes of the blocks of these numbers, one after the other."""
    run, given = case.start(), blocks(case, x)
    return joined([run.push(np.ascontiguousarray(given[k])) for k in order])


N = X.shape[1] // STEREO.block


def without(output):
    """The output where block K was not processed: what stands in its place."""
    rest = ran([k for k in range(N) if k != K])["output"]
    at = K * STEREO.block
    place = {
        "input": X[:, at : at + STEREO.block],
        "silence": 0 * X[:, : STEREO.block],
        "old": rest[:, at - STEREO.block : at],
    }
    return {"output": np.hstack([rest[:, :at], place[output], rest[:, at:]])}


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("input", "its input passes"),
        ("silence", "silence in its place"),
        ("old", "the block before stands in its place"),
    ],
)
def test_a_block_that_is_not_processed_is_named(monkeypatch, output, says):
    found = named(monkeypatch, STEREO, X, without(output))
    assert found[0] == ("block not processed", f"block {K} (sample {K * STEREO.block}): {says}"), found


def test_a_block_that_is_processed_twice_is_named(monkeypatch):
    got = ran([*range(K + 1), *range(K, N)])["output"]
    at = K * STEREO.block
    got = {"output": np.hstack([got[:, :at], got[:, at + STEREO.block :]])}
    assert ("block processed twice", f"block {K} (sample {at})") in named(monkeypatch, STEREO, X, got)


def test_a_lost_block_of_the_input_is_named(monkeypatch):
    got = {"output": ran([*range(K), *range(K + 1, N), 0])["output"][:, : X.shape[1] - STEREO.block]}
    text = f"input block {K} (sample {K * STEREO.block}): those after it come one block early"
    assert ("block lost", text) in named(monkeypatch, STEREO, X, got)


def test_a_doubled_block_of_the_input_is_named_with_a_look_ahead_behind_it(monkeypatch):
    x = noise(MONO, 4800)
    n = x.shape[1] // MONO.block
    got = {"output": ran([*range(K), K - 1, *range(K, n - 1)], x, MONO)["output"]}
    found = named(monkeypatch, MONO, x, got)
    assert [kind for kind, _ in found] == ["block doubled"], found
    assert found[0][1].startswith(f"input block {K} (sample {K * MONO.block}) is that before it again")


def test_every_block_as_it_should_be_but_one_value_is_no_lost_block(monkeypatch):
    got = ran(range(N))["output"].copy()
    got[0, 700] += 1
    assert not named(monkeypatch, STEREO, X, {"output": got})
