"""`vectors`: files that hold the goldens, a C test that tells right from wrong, nothing overwritten."""

import hashlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from firmware_model.golden import stimuli, store
from firmware_model.golden.cases import CASES, find_case
from firmware_model.golden.store import GoldenError
from tests.firmware_model.cli.cases import call

needs_cc = pytest.mark.skipif(
    shutil.which("cc") is None or shutil.which("make") is None, reason="no make, or no C compiler named cc"
)
STRICT = "CFLAGS=-std=c99 -O1 -Wall -Wextra -Werror -pedantic"
REPLAY_WITH = """\
#include "case.h"
static long next_value;
void device_reset(void) {{ next_value = 0; }}
void device_process(const int16_t *x, OF(output_t) *y)
{{
    (void)x;
    for (int i = 0; i < OF(rows) * OF(steps); i++, next_value++)
        y[i] = (OF(output_t))(OF(output)[next_value] {fault});
}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Vectors of all cases."""
    from firmware_model.cli import main

    folder = tmp_path_factory.mktemp("vectors") / "out"
    assert main.run(["vectors", str(folder)]) == 0
    return folder


def make(folder, *arguments):
    command = ["make", "-C", str(folder), STRICT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("name", list(CASES))
def test_every_form_holds_the_golden(folder, name):
    case, here = find_case(name), folder / name
    x_q15, golden = case.whole_blocks(stimuli.load(case)), store.golden(find_case(name))
    raw_in = np.fromfile(here / "input.bin", "<i2").reshape(-1, case.channels).T
    raw_out = np.fromfile(here / "output.bin", golden.dtype.newbyteorder("<")).reshape(-1, len(golden)).T
    np.testing.assert_array_equal(raw_in, x_q15)
    np.testing.assert_array_equal(raw_out, golden)
    wavs = {"input.wav": x_q15} | ({"output.wav": golden} if name.startswith("mbdp") else {})
    for file, expected in wavs.items():
        y, fs_hz = soundfile.read(here / file, dtype="int16", always_2d=True)
        assert fs_hz == case.fs_hz
        np.testing.assert_array_equal(y.T, expected)
    with np.load(here / "vectors.npz") as arrays:
        assert set(arrays) == {"input", case.output.name}
        np.testing.assert_array_equal(arrays["input"], x_q15)
        np.testing.assert_array_equal(arrays[case.output.name], golden)


def test_the_manifest_has_every_file_and_array(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    found = {path: content for path, content in contents(folder).items() if not path.startswith("build/")}
    del found["manifest.json"]
    assert [each["path"] for each in manifest["files"]] == sorted(found)
    for each in manifest["files"]:
        assert each["sha256"] == hashlib.sha256(found[each["path"]]).hexdigest()
        assert each["bytes"] == len(found[each["path"]])
    for each in manifest["cases"]:
        golden = store.golden(find_case(each["name"]))
        assert each["output"]["sha256"] == store.digest(golden)
        assert each["output"]["shape"] == list(golden.shape)
        assert each["output"]["format"] == str(find_case(each["name"]).output.fmt)
        params = np.load(folder / each["name"] / "params.npz")
        assert set(params) == set(each["parameters"])
        for name, facts in each["parameters"].items():
            assert store.digest(params[name]) == facts["sha256"]


@needs_cc
def test_right_firmware_passes_in_every_case(folder):
    done = make(folder, "DEVICE=replay.c")
    assert (done.returncode, done.stderr) == (0, "")
    for name in CASES:
        assert f"{name}:\nequal: all {store.golden(find_case(name)).size} values\n" in done.stdout


@needs_cc
def test_wrong_firmware_fails_and_the_first_difference_is_named(folder):
    golden = store.golden(find_case("mbdp-headset"))
    # step 700 of the right channel, and every value from step 9000 on
    (folder / "wrong.c").write_text(REPLAY_WITH.format(fault="- (next_value == 1401 || next_value >= 18000)"))
    done = make(folder, "check-mbdp-headset", "DEVICE=wrong.c")
    expected = int(golden[1, 700])
    assert done.returncode == 2  # make's own; the program's is 1
    assert (
        # 700 / 16 kHz
        "first difference: call 175, step 700 (0.043750 s), row 1 (right): "
        f"expected {expected}, got {expected - 1}\n" in done.stdout
    )
    assert f"{golden.size - 18000 + 1} of {golden.size} values differ" in done.stdout
    (folder / "wrong.c").unlink()
    again = subprocess.run([str(folder / "build/mbdp-headset")], capture_output=True, timeout=60)
    assert again.returncode == 1


@needs_cc
def test_firmware_that_writes_nothing_fails(folder):
    source = REPLAY_WITH.format(fault="").replace("y[i] =", "(void)y, (void)")
    (folder / "idle.c").write_text(source)
    done = make(folder, "check-watermark-small", "DEVICE=idle.c")
    (folder / "idle.c").unlink()
    assert done.returncode == 2
    rows, golden = find_case("watermark-small").output, store.golden(find_case("watermark-small"))
    step, row = divmod(int(np.flatnonzero(golden.T.ravel())[0]), len(golden))
    seconds = step * rows.step / find_case("watermark-small").fs_hz
    assert f", step {step} ({seconds:.6f} s), row {row} ({rows.rows[row]}): " in done.stdout
    assert ", got 0\n" in done.stdout


@needs_cc
def test_make_without_firmware_says_what_it_needs(folder):
    done = make(folder, "check-mbdp-headset")
    assert done.returncode == 2
    assert "DEVICE=your.c needed" in done.stderr


@needs_cc
@pytest.mark.parametrize("name", ["out", "-", "two words"])
def test_the_printed_hints_work_where_the_users_code_lies(capsys, monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "your.c").write_text(REPLAY_WITH.format(fault=""))
    outcome = call(capsys, "vectors", "--", name, "mbdp-headset")
    assert outcome.status == 0
    hints = [line.split(":", 1)[1] for line in outcome.out.splitlines() if "make -C" in line]
    assert len(hints) == 2
    header = (tmp_path / name / "Makefile").read_text().splitlines()[0]
    hints.append(header.split(":")[0].replace("# make", f"make -C './{name}'"))
    for hint in hints:
        done = subprocess.run(hint, shell=True, capture_output=True, text=True, timeout=60)
        assert (done.returncode, "equal: all" in done.stdout) == (0, True), done.stderr


def test_json_lists_the_files_and_a_second_run_gives_the_same_bytes(capsys, folder, tmp_path):
    outcome = call(capsys, "vectors", tmp_path / "new", "mbdp-headset", "mbdp-headset", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    written = contents(tmp_path / "new")
    assert {each["path"]: each["sha256"] for each in outcome.json["files"]} == {
        path: hashlib.sha256(content).hexdigest() for path, content in written.items()
    }
    before = contents(folder)
    for path, content in written.items():
        if path.startswith("mbdp-headset/"):
            assert content == before[path]


def test_nothing_is_overwritten_unless_forced(capsys, tmp_path):
    out = tmp_path / "out"
    (out / "mbdp-headset").mkdir(parents=True)
    (out / "mbdp-headset" / "params.h").write_text("mine")
    outcome = call(capsys, "vectors", out, "mbdp-headset")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == f"{out}/mbdp-headset/params.h: exists; add --force to replace\n"
    assert contents(out) == {"mbdp-headset/params.h": b"mine"}
    outcome = call(capsys, "vectors", out, "mbdp-headset", "--force")
    assert outcome.status == 0
    assert f"{out}: 14 files, " in outcome.out
    assert b"MBDP_HEADSET" in (out / "mbdp-headset" / "params.h").read_bytes()
    outcome = call(capsys, "vectors", out, "mbdp-headset")
    assert f"{out}/Makefile: exists and 13 others; add --force" in outcome.err


def test_a_folder_with_other_cases_is_refused_and_left_as_it_was(capsys, tmp_path):
    out = tmp_path / "out"
    assert call(capsys, "vectors", out, "mbdp-headset", "watermark-small").status == 0
    before = contents(out)
    outcome = call(capsys, "vectors", out, "mbdp-headset", "--force")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == (
        f"{out}: holds watermark-small; name all of its cases too, or write to another folder\n"
    )
    outcome = call(capsys, "vectors", out, "mbdp-six-bands", "--force")
    assert f"{out}: holds mbdp-headset and 1 other case; name" in outcome.err
    assert contents(out) == before
    three = ["mbdp-headset", "watermark-small", "mbdp-six-bands"]
    assert call(capsys, "vectors", out, *three, "--force").status == 0
    names = [case["name"] for case in json.loads((out / "manifest.json").read_text())["cases"]]
    assert names == three
    shutil.rmtree(out / "mbdp-headset")
    shutil.rmtree(out / "mbdp-six-bands")
    assert call(capsys, "vectors", out, "watermark-small", "--force").status == 0


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    new, there = tmp_path / "new", tmp_path / "there"
    (there / "mbdp-headset").mkdir(parents=True)
    (there / "mbdp-headset" / "mine.txt").write_text("mine")
    # ulimit -f counts blocks of 512 or 1024 bytes: 8 to 16 kB are enough for the sources, not for the vectors
    program = (
        "import sys; from firmware_model.cli import main; "
        "print([main.run(['vectors', out, 'mbdp-headset']) for out in sys.argv[1:]])"
    )
    command = ["sh", "-c", 'ulimit -f 16; exec "$@"', "sh", sys.executable, "-c", program]
    done = subprocess.run([*command, new, there], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[2, 2]\n"
    assert done.stderr.splitlines() == [f"{out}: cannot be written: File too large" for out in (new, there)]
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert found == ["there", "there/mbdp-headset", "there/mbdp-headset/mine.txt"]


def test_what_cannot_be_replaced_leaves_nothing_behind(capsys, tmp_path):
    out = tmp_path / "out"
    (out / "mbdp-headset" / "vectors.h").mkdir(parents=True)  # a folder of that name
    outcome = call(capsys, "vectors", out, "mbdp-headset", "--force")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert sorted(path.name for path in out.rglob("*")) == ["mbdp-headset", "vectors.h"]


def test_misuse_is_one_line_and_status_2(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    for arguments, says in (
        ((tmp_path / "out", "nope"), "case 'nope': must be one of mbdp-smart-speaker, "),
        (("",), "DIR '': a folder's name is needed"),
        ((tmp_path / "file",), "file: is a file; a folder's name is needed"),
        ((tmp_path / "no" / "out",), "no/out: no such folder: "),
    ):
        outcome = call(capsys, "vectors", *arguments)
        assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert says in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_corrupted_golden_is_named_and_nothing_written(capsys, monkeypatch, tmp_path):
    def corrupted(case):
        raise GoldenError("outputs.npz: corrupted, its sha256 is 0123...")

    monkeypatch.setattr(store, "golden", corrupted)
    outcome = call(capsys, "vectors", tmp_path / "out")
    assert (outcome.status, outcome.err) == (2, "outputs.npz: corrupted, its sha256 is 0123...\n")
    assert not (tmp_path / "out").exists()
