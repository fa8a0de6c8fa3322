"""What debuggers print is read as it is meant; lines that are lost by their addresses are said."""

import numpy as np
import pytest

from firmware_model.golden.cases import find_case
from firmware_model.golden.dumps.dump import AS_THE_NODE, Form, read_dump
from fixedpoint.errors import BittrueError

MONO, STEREO = find_case("mbdp-smart-speaker"), find_case("mbdp-headset")
Y = np.array([[1, -2, 0, 0, 0, 0, 300, -32768], [6, 7, -8, 32767, -10, 7, 7, 7]], np.int16)
FLAT = "{1, -2, 0 <repeats 4 times>, 300, -32768}"
ROWS = f"{{{FLAT}, {{6, 7, -8, 32767, -10, 7, 7, 7}}}}"
STEPS = "{" + ", ".join(f"{{{x}, {y}}}" for x, y in Y.T.tolist()) + "}"


def memory(values, template, per_line=4, address=0x20000000, form="{}", mark="\t"):
    """Lines of memory of 16-bit words."""
    out = []
    for k in range(0, len(values), per_line):
        cells = mark.join(form.format(v) for v in values[k : k + per_line])
        out.append(template.format(address=address + 2 * k, offset=2 * k, cells=cells))
    return "\n".join(out) + "\n"


X = Y[0].tolist()
U = [v & 0xFFFF for v in X]
BYTES = [byte for v in U for byte in (v & 0xFF, v >> 8)]


def read(tmp_path, text, case, form=AS_THE_NODE):
    (tmp_path / "board.txt").write_text(text, "utf-8")
    with read_dump(str(tmp_path / "board.txt"), case, form) as dump:
        return dump.nodes["output"].read(0, 99), dump.nodes["output"].guess


@pytest.mark.parametrize(
    "text",
    [
        f"$1 = {FLAT}\n",
        f"(gdb) p buffer\n$1 = {FLAT}\n(gdb) \n",
        f"$1 = {{{FLAT}}}\n",
        "$1 = {{1, -2, 0, 0},\n  {0 <repeats 2 times>, 300, -32768}}\n",
        "$1 = {{{1, -2}, {0, 0} <repeats 2 times>, {300, -32768}}}\n",
        "$1 = {1, -2, 0, 0}\n$2 = {0, 0, 300, -32768}\n",
        "buffer = {[0] = 1, [1] = -2, 0x0, 0x0, 0, 0, 0x12c, -32768}\n",
        "$1 = {" + ", ".join(f"0x{v:x}" for v in U) + "}\n",
        memory(X, "{address:#x}:\t{cells}"),
        memory(X, "{address:#x} <buf+{offset}>:\t{cells}"),
        memory(U, "{address:#x} <buf+{offset}>:\t{cells}", form="0x{:04x}"),
        memory(U, "{address:#x}: {cells} ", form="{:04x}", mark=" "),
        memory(U, "{address:08X} = {cells} ", form="{:04X}", mark=" "),
        memory(X[:4], "{address:#x} <ping+{offset}>:\t{cells}", per_line=2)
        + memory(X[4:], "{address:#x} <pong+{offset}>:\t{cells}", per_line=2, address=0x20001000),
        memory(X[:4], "{address:#x}:\t{cells}", per_line=2)
        + memory(X[4:], "{address:#x}:\t{cells}", per_line=2),
    ],
)
def test_one_row(tmp_path, text):
    values, guess = read(tmp_path, text, MONO)
    np.testing.assert_array_equal(values, Y[:1])
    assert guess.startswith(("gdb's print of", "a debugger's memory"))


@pytest.mark.parametrize(
    "text", [f"$1 = {ROWS}\n", f"$1 = {STEPS}\n", f"$1 = {{left = {FLAT}, right = {ROWS[43:]}\n"]
)
def test_two_rows_by_the_shape_of_the_array(tmp_path, text):
    if "left" in text:
        text = "$1 = {left = " + FLAT + ", right = {6, 7, -8, 32767, -10, 7, 7, 7}}\n"
    np.testing.assert_array_equal(read(tmp_path, text, STEREO)[0], Y)


def test_bytes_are_words_of_the_type_that_is_named(tmp_path):
    text = "".join(
        f"{0x20000000 + k:#x}:\t" + "\t".join(f"0x{b:02x}" for b in BYTES[k : k + 8]) + "\n" for k in (0, 8)
    )
    np.testing.assert_array_equal(read(tmp_path, text, MONO, Form(dtype="int16"))[0], Y[:1])
    with pytest.raises(BittrueError, match="words of 1 bytes found, 2 needed for output; --dtype"):
        read(tmp_path, text, MONO)


@pytest.mark.parametrize(
    ("text", "case", "says"),
    [
        ("$1 = {1, 2, 3...}\n", MONO, "cut off with ... found; set print elements 0"),
        ("$1 = {1, 2, 3\n", MONO, "the file's end found in an array"),
        ("$1 = {1, 2.5}\n", MONO, "found in an array; integers and braces needed"),
        ("$1 = {{1, 2}, {3}}\n", MONO, "not rectangular"),
        ("$1 = {<repeats 5 times>}\n", MONO, "a value before it"),
        ("$1 = {1 <repeats 999999999 times>}\n", MONO, "and fewer needed"),
        ("$1 = " + "{" * 20, MONO, "deep found"),
        ("$1 = {}\n", MONO, "empty or not rectangular"),
        ("$1 = {{1, 2}, {3, 4}}\n", STEREO, "--layout planar or interleaved accepted"),
        ("$1 = {1, 2, 3}\n$2 = {4, 5, 6}\n", STEREO, "2 arrays found, for 2 rows of output; --layout planar"),
        ("$1 = {1, 2, 3}\n", STEREO, "3 values found; a multiple of 2 needed"),
        (memory(X, "{address:#x}:\t{cells}", 2).replace("0x20000004", "0x2000000c"), MONO, "lines are lost"),
        (
            "0x20000000:\tCannot access memory at address 0x20000000\n",
            MONO,
            "integers needed behind the address",
        ),
        ("0x20000000:\n0x20000000:\t1\n", MONO, "no values found behind the address"),
    ],
)
def test_what_is_not_whole_is_refused_in_one_line(tmp_path, text, case, says):
    with pytest.raises(BittrueError) as error:
        read(tmp_path, text, case)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_rows_may_lie_in_either_way_where_the_user_says_which(tmp_path):
    text = "$1 = {{1, 2}, {3, 4}}\n"
    for layout, rows in (("planar", [[1, 2], [3, 4]]), ("interleaved", [[1, 3], [2, 4]])):
        assert read(tmp_path, text, STEREO, Form(layout=layout))[0].tolist() == rows
    text = "$1 = {1, 2}\n$2 = {3, 4}\n"
    assert read(tmp_path, text, STEREO, Form(layout="planar"))[0].tolist() == [[1, 2], [3, 4]]
    assert read(tmp_path, text, STEREO, Form(layout="interleaved"))[0].tolist() == [[1, 3], [2, 4]]
