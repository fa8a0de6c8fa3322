"""What a message says of a name that is not accepted."""

import pytest

from fixedpoint.errors import did_you_mean, meant_or_accepted, names_like

KINDS = ("white", "pink", "cafe", "fan")


@pytest.mark.parametrize(
    ("found", "meant"),
    [("caffe", "did you mean cafe?"), ("pnik", "did you mean pink?"), ("xyz", ""), ("", ""), (3, "")],
)
def test_a_name_like_an_accepted_one_is_suggested(found, meant):
    assert did_you_mean(found, KINDS) == meant
    assert did_you_mean(found, KINDS, "; ") == (f"; {meant}" if meant else "")


def test_where_none_is_like_it_all_are_listed():
    assert meant_or_accepted("fann", KINDS) == "did you mean fan?"
    assert meant_or_accepted("xyz", KINDS) == "accepted: white, pink, cafe, fan"
    assert meant_or_accepted("xyz", {}) == "accepted: none"


def test_several_come_the_likest_first():
    symbols = {"my_process": 1, "my_reset": 2, "main": 3}
    assert names_like("my_proces", symbols, 3)[0] == "my_process"
    assert names_like("zzz", symbols, 3) == []
