"""Causes in words: what explains all is stated, what explains most is said, and long lists are counted."""

from firmware_model.cli.exactness import causes as shown
from firmware_model.golden.causes.ranking import Cause

WINDOW = (0, 47999)
WHOLE = Cause("delay", "480 samples late", ("output",), True, None, True, 48000, 48000, 0, WINDOW)
GAP = "samples 0 to 479 of the dump, which hold 1234 throughout, were not compared"
GARBAGE = WHOLE._replace(complete=False, explained=47520, stretch=(480, 47999), gap=GAP)
NEARLY = WHOLE._replace(
    complete=False, stated=False, explained=48912, of=48960, spoiled=3, stretch=(7, 40000)
)


def words(*causes):
    return shown.in_words(causes, WINDOW, str)


def test_what_explains_all_is_stated():
    assert words(WHOLE) == (
        "likely cause: delay: 480 samples late\n"
        "  gives the dump bit for bit, input samples 0 to 47999: all 48,000 differing values"
    )
    assert shown.likely([WHOLE]) == "delay: 480 samples late"


def test_a_gap_that_was_not_compared_is_said_with_the_cause():
    assert words(GARBAGE) == (
        "likely cause: delay: 480 samples late\n"
        "  explains 47,520 of 48,000 differing values, all of samples 480 to 47999\n"
        f"  {GAP}"
    )
    assert shown.likely([GARBAGE]) == f"delay: 480 samples late ({GAP})"


def test_what_explains_nearly_all_is_said_and_is_no_likely_cause():
    text = words(NEARLY)
    assert text.startswith("likely cause: none of the usual suspects gives these bits")
    assert "48,912 of 48,960 differing values and changes 3 that agree, all of samples 7 to 40000" in text
    assert shown.likely([NEARLY]) is None
    assert "and 1 more that explain less" in words(*[NEARLY] * 4)


def test_suspects_that_fit_as_well_are_named_with_what_tells_them_apart():
    several = WHOLE._replace(alternatives=("delay: 640 samples late",), told_apart_by="node level")
    assert words(several).endswith("  fits as well: delay: 640 samples late\n  told apart by: node level")
    assert shown.likely([several]) == (
        "delay: 480 samples late (1 more suspect gives the same, told apart by node level)"
    )
    assert "nothing that was tried" in words(several._replace(told_apart_by=""))


def test_long_lists_are_counted_and_whole_in_json():
    many = tuple(f"delay: {n} samples late" for n in range(100, 200))
    several = WHOLE._replace(alternatives=many)
    (line,) = (line for line in words(several).splitlines() if "fits as well" in line)
    assert len(line) <= 300 + len("  fits as well: ; and 99 more")
    shown_ones = line.count("samples late")
    assert line.endswith(f"; and {100 - shown_ones} more")
    assert shown.facts_of(several)["alternatives"] == list(many)
    assert len(max(words(WHOLE._replace(text="x" * 999)).splitlines(), key=len)) <= 300 + len(
        "likely cause: "
    )


def test_json_has_the_figures():
    facts = shown.facts_of(NEARLY)
    assert (facts["explained"], facts["of"], facts["spoiled"], facts["stretch"]) == (
        48912,
        48960,
        3,
        [7, 40000],
    )
    assert (facts["complete"], facts["gap"], facts["told_apart_by"]) == (False, "", "")
