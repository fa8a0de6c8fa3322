"""The first difference in signal-flow order, and its growth, by hand."""

import numpy as np

from firmware_model.golden.cases import find_case
from firmware_model.golden.dumps.divergence import compare, magnitude
from firmware_model.golden.dumps.dump_values import Held

CASE = find_case("mbdp-smart-speaker")
RNG = np.random.default_rng(8)
X = RNG.integers(-9000, 9000, (1, 4800)).astype(np.int16)


def compared(change, seconds=1.0):
    nodes = {name: array.copy() for name, array in CASE.trace(X).items()}
    change(nodes)
    return compare(CASE, Held(X), {name: Held(array) for name, array in nodes.items()}, seconds)


def test_equal_nodes_have_no_difference():
    found = compared(lambda nodes: None)
    assert found.first is None
    assert found.earliest is None
    assert [node.differing for node in found.nodes] == [0] * len(CASE.nodes)


def test_the_first_difference_is_the_earliest_of_its_node_and_of_equal_steps_the_first_row():
    def change(nodes):
        nodes["band"][3, 100] += 5
        nodes["band"][1, 100] -= 2
        nodes["band"][0, 101] += 9

    first = compared(change).first
    assert first is not None
    assert (first.node.name, first.row, first.step, first.sample) == ("band", 1, 100, 100)
    assert first.got - first.expected == -2


def test_signal_flow_goes_before_time_and_the_earlier_one_is_told():
    def change(nodes):
        nodes["output"][0, 50] ^= 1
        nodes["level"][2, 400] += 1

    found = compared(change)
    assert found.first is not None
    assert found.earliest is not None
    assert (found.first.node.name, found.first.sample) == ("level", 400 * CASE.block)
    assert (found.earliest.node.name, found.earliest.sample) == ("output", 50)


def test_growth_counts_values_and_the_largest_in_stretches_after_the_first():
    def change(nodes):
        y = nodes["output"][0]
        y[1000] += 1  # stretch of 1
        y[1005] += 3  # of 9
        y[1010] += 2  # of 90
        y[1099] += 4
        y[1100] += 7  # of 900

    (*_, output) = compared(change).nodes
    assert (output.differing, output.largest) == (5, 7)
    assert [tuple(part) for part in output.growth] == [
        (1000, 1001, 1, 1),
        (1001, 1010, 1, 3),
        (1010, 1100, 2, 4),
        (1100, 2000, 1, 7),
        (2000, 4800, 0, 0),
    ]


def test_frames_of_any_length_give_the_same():
    def change(nodes):
        nodes["gain"][1, 333:] += 2
        nodes["output"][0, 3000:] -= 1

    whole = compared(change)
    assert compared(change, seconds=0.01).nodes == whole.nodes
    assert whole.nodes[2].differing == 4800 // CASE.block - 333


def test_the_run_before_the_first_difference_is_kept():
    def change(nodes):
        nodes["output"][0, 3000] += 1

    found = compared(change, seconds=0.02)  # frames of 960
    assert found.frame_start == 2880
    y = found.before.push(X[:, 2880:])["output"]
    np.testing.assert_array_equal(y, CASE.trace(X)["output"][:, 2880:])


def test_a_short_and_a_long_dump_are_compared_as_far_as_both_go():
    y = CASE.trace(X)["output"]
    for dump in (y[:, :1000], np.hstack([y, y])):
        (node,) = compare(CASE, Held(X), {"output": Held(dump)}).nodes
        assert node.first is None
        assert (node.expected_steps, node.got_steps) == (4800, dump.shape[1])


def test_magnitude_is_exact_for_all_64_bits():
    low, high = np.array([-(2**63)]), np.array([2**63 - 1])
    assert magnitude(low, high)[0] == 2**64 - 1
