"""The exported C built and run: the model's bits with every compiler, and a fault that is found and named."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from firmware_model.device.export import configured, vectors
from firmware_model.golden.cases import CASES, find_case
from firmware_model.watermark.detector import detect
from firmware_model.watermark.key import Key
from tests.firmware_model.device.export.exported import (
    KEYS,
    SETUPS,
    SMALL,
    WARNINGS,
    exported,
    make,
    needs_cc,
    replaced,
    written,
)

QUICKLY = f"CFLAGS={WARNINGS} -O0"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Both products, small and quick to compile, in one folder."""
    return exported(tmp_path_factory.mktemp("export") / "both", "headset", "two keys")


@pytest.fixture
def copy(both, tmp_path):
    """The same in a folder of its own, to spoil."""
    shutil.copytree(both, tmp_path / "copy", ignore=shutil.ignore_patterns("build"))
    return tmp_path / "copy"


@needs_cc
def test_both_products_have_the_models_bits(both):
    done = make(both, "test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^mbdp: equal: 11520 values of output, \d+ of memory$", done.stdout, re.M)
    assert re.search(r"^watermark: equal: \d+ values of output, \d+ of memory$", done.stdout, re.M)


@needs_cc
@pytest.mark.parametrize("flags", ["-O0", "-O1 -fsanitize=undefined,address -fno-sanitize-recover=all"])
@pytest.mark.parametrize("name", SETUPS)
def test_no_undefined_behaviour_and_the_same_bits_unoptimised(tmp_path, name, flags):
    folder = exported(tmp_path / "out", name)
    done = make(folder, "test", f"CFLAGS={WARNINGS} {flags}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_clang_has_nothing_to_warn_of(copy):
    pytest.importorskip("ziglang", reason="clang comes with bittrue[device]")
    objects = ("build/bittrue_mbdp.o", "build/bittrue_watermark.o")
    done = make(copy, *objects, f"CC={sys.executable} -m ziglang cc", f"CFLAGS={WARNINGS} -O1")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow  # clang's run-time library, which it builds once, takes half a minute
@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_clang_and_its_sanitizer_find_nothing(copy):
    pytest.importorskip("ziglang", reason="clang comes with bittrue[device]")
    flags = f"{WARNINGS} -O1 -fsanitize=undefined -fno-sanitize-recover=undefined"
    done = make(copy, "test", f"CC={sys.executable} -m ziglang cc", f"CFLAGS={flags}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": equal: ") == 2


@needs_cc
def test_no_python_is_needed(copy, tmp_path):
    tools = ("cc", "as", "ld", "make", "cmp", "mkdir")
    (tmp_path / "bin").mkdir()
    for tool in tools:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    path = str(tmp_path / "bin")
    assert shutil.which("python3", path=path) is None
    assert shutil.which("python", path=path) is None
    done = make(copy, "all", "test", QUICKLY, PATH=path)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_cc
@pytest.mark.parametrize("name", ["bittrue_mbdp.h", "bittrue_watermark.h"])
def test_cpp_takes_the_headers_as_c(both, tmp_path, name):
    pytest.importorskip("ziglang", reason="clang comes with bittrue[device]")
    own = name.removesuffix(".h")
    (tmp_path / "user.cpp").write_text(
        f'#include "{name}"\nstatic {own} self;\nextern "C" void start() {{ {own}_init(&self); }}\n'
    )
    clang = [sys.executable, "-m", "ziglang", "c++", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    subprocess.run([*clang, "-c", tmp_path / "user.cpp", "-I", both, "-o", tmp_path / "user.o"], check=True)
    symbols = (tmp_path / "user.o").read_bytes()
    assert f"\0{own}_init\0".encode() in symbols


@needs_cc
def test_the_sources_keep_nothing_between_instances_and_need_nothing(both):
    for own in ("bittrue_mbdp", "bittrue_watermark"):
        assert make(both, f"build/{own}.o", f"CFLAGS={WARNINGS} -O2 -fno-pie").returncode == 0
        listed = subprocess.run(
            ["nm", both / "build" / f"{own}.o"], capture_output=True, text=True, check=True
        )
        symbols = [line.split()[-2:] for line in listed.stdout.splitlines()]
        assert [name for kind, name in symbols if kind in "bBdDcC"] == []  # memory that is not an instance's
        assert {name for kind, name in symbols if kind == "U"} <= {"memset", "memcpy", "memmove"}
        public = {name for kind, name in symbols if kind == "T"}
        assert public == {f"{own}_init", f"{own}_process", f"{own}_process_frame"}
        text = (both / f"{own}.c").read_text() + (both / f"{own}.h").read_text()
        assert set(re.findall(r"#include (\S+)", text)) == {f'"{own}.h"', "<stdint.h>"}
        assert (
            re.findall(r"\b(?:float|double|malloc|goto)\b", re.sub(r"/\*.*?\*/", "", text, flags=re.S)) == []
        )


# A fault is found, and named

FAULTS = {
    "coefficient": (
        "bittrue_mbdp.c",
        r"(table_section\[\d+\] = \{\s+)(-?\d+)",
        "first difference: ",  # where, and how many, changes with the kernels
        "mbdp: ",
    ),
    "limiter's threshold": (
        "bittrue_mbdp.c",
        r"(table_limiter_threshold_q27\[1\] = \{ )(-?\d+)",
        "first difference: state.limiter.released_q62[0], 0.360000 s into the input: expected ",
        "mbdp: 7 of ",
    ),
    "sign": (
        "bittrue_watermark.c",
        r"(table_signs\[\d+\] = \{\s+)(-?\d+)",
        "first difference: output.",
        "watermark: ",
    ),
    "initial state": (
        "bittrue_watermark.c",
        r"(initial_state_peak\[10\] = \{ (?:-?\d+, ){9})(-?\d+)",
        "first difference: state.peak[9], ",
        "watermark: 1 of ",
    ),
    "a final value": (
        "bittrue_mbdp_vectors.h",
        r"(final_state_limiter_clock\[2\] = \{ \d+, )(\d+)",
        "first difference: state.limiter.clock[1], 0.360000 s into the input: expected ",
        "mbdp: 1 of ",
    ),
    "an output": (
        "bittrue_mbdp_vectors.h",
        r"(expected_y\[11520\] = \{\n *(?:-?\d+,\s+){40})(-?\d+)",
        "first difference: y[0][40], 0.002500 s into the input: expected ",
        "mbdp: 1 of ",
    ),
}


@needs_cc
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_one_lsb_fails_the_test(copy, name):
    file, pattern, first, counted = FAULTS[name]
    text = (copy / file).read_text()
    spoilt, places = re.subn(pattern, lambda found: f"{found[1]}{int(found[2]) + 1}", text)
    assert places == 1
    (copy / file).write_text(spoilt)
    done = make(copy, "test", QUICKLY)
    assert done.returncode == 2, done.stdout
    assert first in done.stdout
    assert f"\n{counted}" in done.stdout
    assert " values differ" in done.stdout
    assert done.stdout.count(": equal: ") == 1  # the other product's


@needs_cc
def test_memory_that_init_leaves_as_it_was_fails_the_test(copy):
    replaced(copy / "bittrue_watermark.c", "    fill_32(memory->state_activity_q19, 65, 0);\n", "")
    assert make(copy, "test", QUICKLY).returncode == 2


# The example


@needs_cc
def test_the_example_gives_the_models_samples_and_marks(both):
    assert make(both, "all").returncode == 0
    stereo, marked = (vectors.compute(SETUPS[name]()) for name in ("headset", "two keys"))
    run = [both / "build" / "main"]
    given = stereo.x_q15.T.tobytes() + b"\1\0\2\0"  # a sample more than whole blocks
    done = subprocess.run([*run, "mbdp"], input=given, capture_output=True, check=True)
    assert len(done.stdout) == len(given)
    y_q15 = np.frombuffer(done.stdout, np.int16).reshape(-1, 2).T
    np.testing.assert_array_equal(y_q15[:, :-1], stereo.outputs["y"])

    done = subprocess.run([*run, "watermark"], input=marked.x_q15.tobytes(), capture_output=True, check=True)
    found = detect(marked.x_q15[0], [Key.from_hex(key) for key in KEYS], SMALL).detections
    assert len(found) == 1
    report = marked.outputs["report"].reshape(-1, len(KEYS), 4)
    hop = report[report[:, 0, 0] == 1, 0, 1].item()
    end_s, score = (hop + 1) * SMALL.hop / SMALL.fs_hz, found[0].score
    says = f"key 0: mark ends {end_s:.3f} s into the input, score {score:.2f}\n"
    assert done.stdout.decode() == says


@needs_cc
@pytest.mark.parametrize("arguments", [[], ["mp3"], ["mbdp", "mbdp"]])
def test_the_example_says_what_it_needs(both, arguments):
    assert make(both, "all").returncode == 0
    done = subprocess.run([both / "build" / "main", *arguments], input=b"", capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"main: mbdp or watermark needed\n")


@needs_cc
def test_the_example_of_one_product_needs_no_word(tmp_path):
    folder = exported(tmp_path / "out", "one band")
    assert make(folder, "all").returncode == 0
    done = subprocess.run([folder / "build" / "main"], input=b"\0" * 2000, capture_output=True, check=True)
    assert done.stdout == b"\0" * 2000


# Every golden case


@needs_cc
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_case_has_the_models_output_and_state_at_every_level(tmp_path, name):
    folder = written(tmp_path / "out", configured.of_case(find_case(name)))
    for level in ("-O0", "-O2", "-O3", "-O3 -fsanitize=undefined -fno-sanitize-recover=all"):
        done = make(folder, "test", f"CFLAGS={WARNINGS} {level}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count(": equal: ") == 1
