"""Long lines of C: where they are broken, and that the C stays the same."""

import re

from fixedpoint.c99.lines import WIDTH, within_width


def test_lines_that_fit_stay_as_they_are():
    text = "int x;\n\n" + "x" * WIDTH + "\n    /* said */\n"
    assert within_width(text) == text


def test_a_comment_beside_a_long_line_goes_above_it():
    line = "    const int64_t y_q30 = " + "x" * 70 + ";"
    assert within_width(f"{line}  /* Q2.30, in [1, 2) */") == f"    /* Q2.30, in [1, 2) */\n{line}"
    assert within_width(f"#define BELOW 28  /* {'word ' * 20}*/") == (
        f"/* {'word ' * 20}*/\n#define BELOW 28"
    )


def test_a_long_comment_goes_on_below():
    lines = within_width(f"    /* {'word ' * 40}*/").split("\n")
    assert [line[:7] for line in lines] == ["    /* ", "     * "]
    assert lines[1].endswith(" */")
    assert " ".join(lines).split() == ["/*", *["word"] * 20, "*", *["word"] * 20, "*/"]


def test_code_is_broken_within_the_fewest_brackets_and_rather_at_a_comma():
    args = [f"argument_{i}[(int32_t)row * columns + {i}]" for i in range(4)]
    first, second = within_width(f"    const int64_t y = called({', '.join(args)});").split("\n")
    assert first == f"    const int64_t y = called({args[0]}, {args[1]},"
    assert second == f"        {args[2]}, {args[3]});"
    long = "a" * 60
    assert within_width(f"    y = {long} + {long};") == f"    y = {long}\n        + {long};"
    assert (
        within_width(f"    if (({long}) && ({long})) {{") == f"    if (({long})\n            && ({long})) {{"
    )
    assert within_width(f"    {long} = {long};") == f"    {long} =\n        {long};"


def test_what_has_no_place_to_break_stays():
    line = "x" * 200
    assert within_width(line) == line
    assert within_width(f"#define LONG {'1 + ' * 60}1") == f"#define LONG {'1 + ' * 60}1"


def test_only_space_changes():
    pieces = ["f(a, b)", "->", " << 3", " * ", "(int32_t)x[i + 1]", " - 1", ", ", " >= 0", " && ", "; "]
    for start in range(len(pieces)):
        code = "".join(pieces[(start + 3 * i) % len(pieces)] for i in range(60))
        broken = within_width(f"        y = {code};")
        assert re.sub(r"\s", "", broken) == re.sub(r"\s", "", f"y = {code};")
        assert max(map(len, broken.split("\n"))) <= WIDTH
