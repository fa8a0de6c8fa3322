"""Goldens of the products: whichever node a fault is in, it is found at its row and step."""

import numpy as np
import pytest

from firmware_model.golden import reference_bounds, stimuli, store
from firmware_model.golden.case_goldens import HEAD_STEPS, STRETCH, between, check_sums, first_difference
from firmware_model.golden.cases import CASES, find_case
from firmware_model.golden.conformance import check
from firmware_model.golden.kernel_goldens import Difference

CASE = find_case("mbdp-headset")


class Changed:
    """A run with one LSB more at a place of a node."""

    def __init__(self, case, name, row, step):
        self.run = case.start()
        self.params = self.run.params
        self.place = name, row, step

    def push(self, x_q15):
        nodes = self.run.push(x_q15)
        name, row, step = self.place
        nodes[name][row, step] += 1
        return nodes


def faulty(name, row, step, case=CASE):
    return case._replace(start=lambda: Changed(case, name, row, step))


@pytest.mark.parametrize("name", CASES)
def test_every_case_is_equal_to_its_golden(name):
    assert first_difference(CASES[name], store.shipped()) is None


@pytest.mark.parametrize("node", CASE.nodes, ids=lambda node: node.name)
def test_one_lsb_in_the_beginning_of_any_node_is_found_where_it_is(node):
    row = len(node.rows) - 1
    found = first_difference(faulty(node.name, row, 33), store.shipped())
    assert (found.node, found.row, found.step) == (node.name, node.rows[row], 33)
    assert found.got - found.expected == 1


@pytest.mark.parametrize("node", CASE.nodes[:-1], ids=lambda node: node.name)
def test_one_lsb_later_in_a_node_is_found_to_a_stretch(node):
    step = HEAD_STEPS + 5 * STRETCH + 17
    found = first_difference(faulty(node.name, 0, step), store.shipped())
    assert found == Difference(node.name, node.rows[0], step - 17, None, None)
    assert check.in_words(found).endswith(f"step {step - 17} or within the next 64 steps: other bits")


def test_one_lsb_in_the_last_sample_of_the_output_is_found():
    found = first_difference(faulty("output", 1, 15999), store.shipped())
    assert (found.node, found.row, found.step, found.got - found.expected) == ("output", "right", 15999, 1)


def test_the_first_node_in_signal_flow_order_is_told():
    both = Changed(CASE, "bus", 0, 10)
    both.run = Changed(CASE, "level", 0, 100)
    found = first_difference(CASE._replace(start=lambda: both), store.shipped())
    assert (found.node, found.step) == ("level", 100)


def test_a_production_path_that_differs_from_the_probed_one_is_found():
    def plain(x_q15):
        y_q15 = CASE.plain(x_q15)
        y_q15[0, 50] -= 1
        return y_q15

    found = first_difference(CASE._replace(plain=plain), store.shipped())
    assert (found.node, found.step, found.got - found.expected) == ("output", 50, -1)


def test_other_parameters_are_told_apart_from_other_bits():
    run = CASE.start()
    run.params = run.params._replace(bands=run.params.bands + 1)
    found = first_difference(CASE._replace(start=lambda: run), store.shipped())
    assert found == Difference("parameters", "", 0, None, None)


def test_between_tells_the_first_step_and_there_the_first_row():
    node = CASE.output
    wanted = np.zeros((2, 4), np.int16)
    got = wanted.copy()
    assert between(node, wanted, got) is None
    got[0, 3], got[1, 2] = 5, -5
    assert between(node, wanted, got) == Difference("output", "right", 2, 0, -5)
    assert "shape (2, 3), (2, 4) needed" in between(node, wanted, got[:, :3]).row


def test_check_sums_tell_rows_and_stretches_apart():
    values = np.zeros((2, 2 * STRETCH + 1), np.int32)
    sums = check_sums(values)
    assert sums.shape == (2, 3)
    values[1, 2 * STRETCH] = 1
    assert np.argwhere(check_sums(values) != sums).tolist() == [[1, 2]]


def measured(case):
    """Largest error of every node over the stimulus."""
    x_q15 = case.whole_blocks(stimuli.load(case))
    nodes, exact = case.trace(x_q15), case.reference(x_q15 / 32768)
    errors = (reference_bounds.error_of(node, nodes[node.name], exact[node.name]) for node in case.nodes)
    return {node.name: float(error.max()) for node, error in zip(case.nodes, errors, strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_reference_bounds_are_at_most_twice_what_is_measured(name):
    found = measured(CASES[name])
    assert found.keys() == reference_bounds.measured(CASES[name]).keys()
    for node, stated in reference_bounds.measured(CASES[name]).items():
        # Stated figures are rounded up in their third digit.
        assert 0.99 * stated <= found[node] <= stated, f"{node}: {found[node]:.3g} measured, {stated} stated"


def test_a_node_off_the_reference_is_found():
    x_q15 = stimuli.load(CASE)
    assert reference_bounds.beyond_bounds(CASE, x_q15)[0] is None

    def moved(x):
        nodes = CASE.reference(x)
        nodes["limited"] = nodes["limited"].copy()
        nodes["limited"][2, 40] += 1e-3
        nodes["bus"] = np.full_like(nodes["bus"], np.nan)
        return nodes

    found, largest = reference_bounds.beyond_bounds(CASE._replace(reference=moved), x_q15)
    node = next(node for node in CASE.nodes if node.name == "limited")
    assert (found.node, found.row, found.step) == ("limited", node.rows[2], 40)
    assert abs(found.expected - found.got - 1e-3 / node.fmt.lsb) < 10
    assert 0.5 <= largest < 0.51, f"measured {largest}"


def test_a_reference_that_is_no_number_is_beyond_any_bound():
    silent = CASE._replace(reference=lambda x: {n: np.nan * v for n, v in CASE.reference(x).items()})
    found, _ = reference_bounds.beyond_bounds(silent, stimuli.load(CASE))
    assert (found.node, found.step, found.expected) == ("band", 0, None)


def test_another_shape_is_said_without_a_step():
    found = between(CASE.output, np.zeros((2, 5), np.int16), np.zeros((2, 4), np.int16))
    assert found is not None
    assert check.in_words(found, CASE) == "output: shape (2, 4), (2, 5) needed"
