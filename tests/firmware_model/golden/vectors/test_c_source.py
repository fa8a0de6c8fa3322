"""C of constants: what the host's compiler reads from it is what was written."""

import shutil
import subprocess

import numpy as np
import pytest

from firmware_model.golden.cases import find_case
from firmware_model.golden.vectors import c_source
from firmware_model.golden.vectors.parameters import parameters

CC = shutil.which("cc")
needs_cc = pytest.mark.skipif(CC is None, reason="no C compiler named cc")
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")


def printed(tmp_path, header, arrays):
    """All values as a C program prints them: one line for each array, in C order."""
    loops = "\n".join(
        f"    for (unsigned long i = 0; i < {values.size}; i++)\n"
        f'        printf("%" PRId64 " ", (int64_t)((const {values.dtype.name}_t *)&{name})[i]);\n'
        '    printf("\\n");'
        for name, values in arrays.items()
    )
    source = f'#include <inttypes.h>\n#include <stdio.h>\n#include "h.h"\nint main(void)\n{{\n{loops}\n}}\n'
    (tmp_path / "h.h").write_text(header)
    (tmp_path / "main.c").write_text(source)
    command = [str(CC), *STRICT, str(tmp_path / "main.c"), "-o", str(tmp_path / "main")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    done = subprocess.run([str(tmp_path / "main")], check=True, capture_output=True, text=True, timeout=60)
    return [np.array(line.split(), np.int64) for line in done.stdout.splitlines()]


@needs_cc
def test_extremes_of_every_type_survive_the_compiler(tmp_path):
    arrays = {}
    for bits in (8, 16, 32, 64):
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        arrays[f"a{bits}"] = np.array([[low, low + 1, -1], [0, 1, high]], f"int{bits}")
        arrays[f"low{bits}"] = np.array(low, f"int{bits}")
    header = "#include <stdint.h>\n" + "\n".join(
        c_source.array(name, values) for name, values in arrays.items()
    )
    for line, values in zip(printed(tmp_path, header, arrays), arrays.values(), strict=True):
        np.testing.assert_array_equal(line, values.ravel())


@needs_cc
@pytest.mark.parametrize("name", ["mbdp-six-bands", "watermark-small"])
def test_parameters_survive_the_compiler(tmp_path, name):
    case = find_case(name)
    found = parameters(case)
    own, names = c_source.identifier(case), c_source.c_names(found)
    arrays = {
        f"{own}_{name}": each.values for name, each in zip(names, found, strict=True) if each.values.size
    }
    lines = printed(tmp_path, c_source.params_header(case, found), arrays)
    for line, values in zip(lines, arrays.values(), strict=True):
        np.testing.assert_array_equal(line, values.ravel())


def test_names_that_c_cannot_tell_apart_are_numbered():
    names = c_source.c_names(parameters(find_case("watermark-small")))
    assert names[0] == "fft_size"  # of the configuration; fft.size is another
    assert "fft_size_2" in names
    assert len(set(names)) == len(names)


def test_an_empty_array_is_a_remark():
    assert c_source.array("x", np.zeros((0, 3), np.int32)) == "/* x: empty */"


def test_long_comments_and_rows_are_broken():
    assert c_source.comment(["one", "", "two"]) == "/* one\n *\n * two */"
    text = c_source.array("x", np.arange(100, dtype=np.int16))
    assert max(len(line) for line in text.splitlines()) <= 100
    assert c_source.comment(["word " * 50]).count("\n") == 2
