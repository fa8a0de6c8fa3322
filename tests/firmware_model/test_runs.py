"""Cases of the usual parts: what does not fit together is refused when they are made, or run."""

from typing import NamedTuple

import numpy as np
import pytest

from firmware_model.case import Node
from firmware_model.runs import Parts, fields_case, samples_case
from fixedpoint.arith import sat16
from fixedpoint.errors import ConfigError
from fixedpoint.qformat import Q15, Q31


class Params(NamedTuple):
    gain_q31: object


class State(NamedTuple):
    low_q31: np.ndarray


class Probes(NamedTuple):
    low_q31: np.ndarray


def quantise(config):
    return Params(config)


def init_state(params):
    return State(np.zeros(1, np.int32))


def init_probes(params, n):
    return Probes(np.zeros((1, n), np.int32))


def reference(config, x):
    return {"low": x, "output": x}


PARTS = Parts(sat16, quantise, init_state, reference, init_probes)
NODES = (Node("low", Q31, ("mono",), 1), Node("output", Q15, ("mono",), 1))


def case(parts=PARTS, nodes=NODES, config=1):
    return samples_case(parts, config, "toy", "a toy", "none", nodes, fs_hz=100, block=4)


def test_parts_that_fit_make_a_case_whose_twin_gives_every_node():
    x = np.zeros((1, 8))
    assert set(case().reference(x)) == {"low", "output"}


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"kernel": init_state}, f"toy: kernel {__name__}:init_state: is no kernel; @kernel needed"),
        ({"quantise": lambda c: Params(0.5)}, "toy: quantise: gain_q31 is float; an integer or an array"),
        ({"quantise": lambda c: Params(True)}, "toy: quantise: gain_q31 is bool; "),
        ({"quantise": lambda c: Params([1])}, "toy: quantise: gain_q31 is list; "),
        (
            {"quantise": lambda c: Params(Params(np.zeros(2)))},
            "toy: quantise: gain_q31.gain_q31 is float64; ",
        ),
        (
            {"quantise": lambda c: {"gain": 1}},
            "toy: quantise gives a dict; a NamedTuple of integers and arrays",
        ),
        ({"init_state": lambda p: State(np.zeros(1, np.uint32))}, "toy: init_state: low_q31 is uint32; "),
        ({"init_state": lambda p: [0]}, "toy: init_state gives a list; "),
        (
            {"init_probes": lambda p, n: Probes(np.zeros((2, n), np.int32))},
            "toy: node low: probe low_q31 of shape",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused_when_the_case_is_made(parts, says):
    with pytest.raises(ConfigError) as found:
        case(PARTS._replace(**parts))
    assert str(found.value).startswith(says)


def test_a_node_without_a_probe_or_without_a_format_is_refused_when_the_case_is_made():
    with pytest.raises(ConfigError, match="toy: node lov: no probe; a field lov or lov_q"):
        case(nodes=(NODES[0]._replace(name="lov"), NODES[1]))
    with pytest.raises(ConfigError, match="toy: node low: a Node needed, its fmt a QFormat"):
        case(nodes=(NODES[0]._replace(fmt="Q31"), NODES[1]))


def test_a_twin_without_a_node_or_of_another_shape_is_refused_when_it_runs():
    x = np.zeros((1, 8))
    with pytest.raises(ConfigError, match="toy: node low: the reference gives output; all nodes needed"):
        case(PARTS._replace(reference=lambda c, x: {"output": x})).reference(x)
    with pytest.raises(ConfigError, match=r"toy: node low: \(8,\) of the reference found, \(1, 8\) needed"):
        case(PARTS._replace(reference=lambda c, x: {"low": x[0], "output": x})).reference(x)


def test_of_a_product_that_gives_fields_the_last_node_must_be_one():
    parts = PARTS._replace(init_output=lambda p: State(np.zeros(1, np.int32)))
    with pytest.raises(ConfigError, match="toy: node output: no field of the output"):
        fields_case(parts, 1, "toy", "a toy", "none", NODES, fs_hz=100, block=4)


@pytest.mark.parametrize("name", ["fs_hz", "channels", "block"])
def test_sizes_below_1_are_refused(name):
    with pytest.raises(ConfigError, match=f"toy: {name}=0: must be an integer of 1 or more"):
        samples_case(PARTS, 1, "toy", "a toy", "none", NODES, **{"fs_hz": 100, name: 0})


def test_no_nodes_steps_of_0_and_integers_beyond_64_bits_are_refused():
    with pytest.raises(ConfigError, match="toy: no nodes found"):
        case(nodes=())
    with pytest.raises(ConfigError, match="toy: node low: a step of 1 or more"):
        case(nodes=(NODES[0]._replace(step=0), NODES[1]))
    with pytest.raises(ConfigError, match=f"toy: quantise: gain_q31 = {1 << 63}: must be within 64 bits"):
        case(config=1 << 63)


def test_a_twin_that_gives_nothing_is_refused():
    with pytest.raises(ConfigError, match="toy: the reference gives NoneType; nodes by name needed"):
        case(PARTS._replace(reference=lambda c, x: None)).reference(np.zeros((1, 8)))
