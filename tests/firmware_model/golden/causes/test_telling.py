"""What tells suspects apart: a node that the dump lacks, or another case."""

from types import SimpleNamespace

from firmware_model.golden.cases import find_case
from firmware_model.golden.causes.telling import told_apart

CASE = find_case("mbdp-headset")
OUTPUT_ALONE = SimpleNamespace(got={"output": None})


def apart(*marks):
    return told_apart(OUTPUT_ALONE, CASE, marks)


def test_the_first_node_in_signal_flow_order_in_which_most_differ():
    assert apart({"level": "a", "gain": "a"}, {"level": "b", "gain": "b"}) == "node level"
    three = [{"level": level, "gain": gain} for level, gain in (("a", "a"), ("a", "b"), ("b", "c"))]
    assert apart(*three) == "node gain"
    assert apart(*three, three[0]) == "node gain (3 different results of 4)"


def test_another_case_where_no_node_does():
    assert apart({"gain": "a", "case x": "a"}, {"gain": "a", "case x": "b"}) == "case x"


def test_nothing_where_all_is_alike_or_the_dump_has_it_already():
    assert apart({"gain": "a"}, {"gain": "a"}) == ""
    assert apart({"output": "a"}, {"output": "b"}) == ""
    assert apart({"gain": "a"}, {}) == ""
