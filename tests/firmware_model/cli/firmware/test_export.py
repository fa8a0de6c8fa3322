"""`export`: firmware that tests itself, what --json says of it, and options that cannot be."""

import contextlib
import hashlib
import io
import json
import re
import shutil
from pathlib import Path

import pytest

from firmware_model.watermark.cases.stimuli import MARKED_KEY
from tests.firmware_model.cli.cases import call
from tests.firmware_model.device.export.exported import make, needs_cc

FILES = {
    "mbdp": {"bittrue_mbdp.h", "bittrue_mbdp.c", "bittrue_mbdp_vectors.h"},
    "watermark": {"bittrue_watermark.h", "bittrue_watermark.c", "bittrue_watermark_vectors.h"},
}
COMMON = {"main.c", "test_vectors.c", "Makefile", "README.md", "manifest.json"}
OWN_KEY = "00112233445566778899"


@pytest.fixture(scope="module")
def as_they_come(tmp_path_factory):
    """Both products without an option: (folder, what is said)."""
    from firmware_model.cli import main

    folder, said = tmp_path_factory.mktemp("export") / "out", io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main.run(["export", str(folder)]) == 0
    return folder, said.getvalue()


@pytest.fixture(scope="module")
def folder(as_they_come):
    return as_they_come[0]


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def assert_refused(outcome, *says):
    assert outcome.status == 2, outcome
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1, outcome.err
    for text in says:
        assert text in outcome.err


@needs_cc
def test_an_export_passes_its_own_test(folder):
    done = make(folder, "all", "test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": equal: ") == 2
    assert set(contents(folder)) == FILES["mbdp"] | FILES["watermark"] | COMMON


def test_the_manifest_has_every_file_and_the_vectors(folder):
    manifest, found = json.loads((folder / "manifest.json").read_text()), contents(folder)
    del found["manifest.json"]
    assert {each["path"]: (each["bytes"], each["sha256"]) for each in manifest["files"]} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in found.items()
    }
    mbdp, watermark = manifest["products"]
    assert (mbdp["fs_hz"], mbdp["channels"], mbdp["block"]) == (48000, 1, 8)
    assert (watermark["fs_hz"], watermark["channels"], watermark["block"]) == (16000, 1, 512)
    assert mbdp["vectors"]["input"]["shape"] == mbdp["vectors"]["y"]["shape"] == [1, 17280]
    assert set(watermark["vectors"]) == {"input", "score_q9", "integrated_q9", "report", "memory"}


def test_text_and_json_say_what_was_written(capsys, tmp_path):
    outcome = call(capsys, "export", tmp_path / "a", "--product", "mbdp", "--profile", "headset")
    assert outcome.status == 0
    assert f"test it: make -C {tmp_path}/a test\n" in outcome.out
    assert "headset profile, 48000 Hz mono" in outcome.out
    assert "key:" not in outcome.out
    said = call(capsys, "export", tmp_path / "b", "--product", "mbdp", "--profile", "headset", "--json").json
    found = contents(tmp_path / "b")
    assert {each["path"]: each["bytes"] for each in said["files"]} == {n: len(c) for n, c in found.items()}
    assert found == contents(tmp_path / "a")
    (product,) = said["products"]
    header = (tmp_path / "b/bittrue_mbdp.h").read_text()
    assert re.search(rf"_STATE_BYTES +{product['state_bytes']} ", header)
    assert re.search(rf"_LATENCY +{product['latency_samples']} ", header)


@needs_cc
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--product", "mbdp", "--profile", "conventional", "--rate", "96000", "--channels", "2"], "96000"),
        (["--product", "mbdp", "--profile", "transparent", "--rate", "16000"], "16000"),
        (["--product", "watermark", "--key", OWN_KEY, "--key", "5eed"], "_KEYS            2"),
    ],
)
def test_one_product_as_it_is_wanted(capsys, tmp_path, options, expected):
    assert call(capsys, "export", tmp_path / "out", *options).status == 0
    assert set(contents(tmp_path / "out")) == FILES[options[1]] | COMMON
    assert expected in (tmp_path / f"out/bittrue_{options[1]}.h").read_text()
    done = make(tmp_path / "out", "test")
    assert done.returncode == 0, done.stdout + done.stderr


@needs_cc
def test_a_profile_of_ones_own(capsys, tmp_path):
    profile = tmp_path / "my *profile\n\udcff.toml"
    bands = "[[bands]]\nmakeup_db = 3\n[[bands]]\nratio = 2.0\nthreshold_dbfs = -20\n"
    try:
        profile.write_text(f"edges_hz = [300.0]\n{bands}")
    except OSError:
        pytest.skip("no such names on this file system")
    options = ["--product", "mbdp", "--profile", profile]
    assert call(capsys, "export", tmp_path / "out", *options).status == 0
    assert "_BANDS          2 " in (tmp_path / "out/bittrue_mbdp.h").read_text()
    readme = (tmp_path / "out/README.md").read_text()
    assert "my *profile__.toml profile" in readme
    assert "x and y hold n samples, Q1.15" in readme, "mono has no second channel"
    assert make(tmp_path / "out", "test").returncode == 0


def test_the_key_itself_is_in_no_file(capsys, tmp_path):
    outcome = call(capsys, "export", tmp_path / "out", "--product", "watermark", "--key", OWN_KEY)
    assert outcome.status == 0
    everything = b"".join(contents(tmp_path / "out").values()) + outcome.out.encode()
    assert OWN_KEY.encode() not in everything
    assert MARKED_KEY not in outcome.out


def test_without_a_key_it_says_which(as_they_come):
    assert f"key: {MARKED_KEY}, which everybody knows; --key HEX takes yours\n" in as_they_come[1]


# What cannot be


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ["--profile", "loud"],
            "--profile 'loud': must be conventional, smart-speaker, headset",
        ),
        (["--profile", "none.toml"], "none.toml: cannot be read: No such file"),
        (["--profile", "bad.toml"], "bad.toml: not TOML: "),
        (["--profile", "keys.toml"], "keys.toml: edge_hz: unknown key; did you mean edges_hz?"),
        (["--rate", "22050"], "--rate 22050: must be one of 16000, 44100, 48000, 96000"),
        (["--rate", "0"], "--rate 0: must be one of"),
        (["--rate", "fast"], "--rate fast: must be a whole number"),
        (["--channels", "3"], "--channels 3: must be one of 1, 2"),
        (["--key", "5eed", "--key", "xyz"], "key 'xyz': 'x' is not a hexadecimal digit; needed are 4 to 128"),
        (["--key", "5ee"], "key '5ee': 3 digits found"),
        (["--key", ""], "key '': 0 digits found"),
        (["--product", "limiter"], "--product limiter: must be one of watermark, mbdp, both"),
        (
            ["--product", "mbdp", "--key", "5eed"],
            "--key: is of the watermark detector; --product watermark",
        ),
        (
            ["--product", "watermark", "--rate", "16000"],
            "--rate 16000: is of the dynamics processor; ",
        ),
        (
            ["--product", "watermark", "--profile", "headset"],
            "--profile headset: is of the dynamics ",
        ),
        (["--product", "watermark", "--channels", "1"], "--channels 1: is of the dynamics processor"),
    ],
)
def test_options_that_cannot_be_are_one_line_and_nothing_is_written(
    capsys, tmp_path, monkeypatch, options, says
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text("edges_hz = [")
    (tmp_path / "keys.toml").write_text("edge_hz = [300.0]")
    assert_refused(call(capsys, "export", "out", *options), says)
    assert not (tmp_path / "out").exists()


def test_too_many_keys_are_refused(capsys, tmp_path):
    keys = [option for _ in range(1025) for option in ("--key", "5eed")]
    assert_refused(
        call(capsys, "export", tmp_path / "out", *keys), "keys: 1025 found, 1 to 1024 are accepted"
    )


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("", "DIR '': a folder's name is needed"),
        ("file", "file: is a file; a folder's name is needed"),
        ("file/out", "no such folder: file"),
        ("none/out", "none/out: no such folder: none"),
    ],
)
def test_folders_that_cannot_be_are_one_line(capsys, tmp_path, monkeypatch, target, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    assert_refused(call(capsys, "export", target), says)
    assert (tmp_path / "file").read_text() == "mine"


def test_files_that_are_there_stay_unless_forced(capsys, tmp_path):
    here, small = tmp_path / "out", ["--product", "mbdp", "--profile", "transparent", "--rate", "16000"]
    assert call(capsys, "export", here, *small).status == 0
    written = contents(here)
    (here / "main.c").write_text("mine")
    (here / "notes.txt").write_text("mine")
    before = contents(here)
    assert_refused(call(capsys, "export", here, *small), ": exists and 7 others; add --force to replace")
    assert contents(here) == before
    assert call(capsys, "export", here, *small, "--force").status == 0
    assert contents(here) == written | {"notes.txt": b"mine"}


def test_a_folder_that_holds_the_other_product_is_refused(capsys, folder, tmp_path):
    here = tmp_path / "out"
    shutil.copytree(folder, here, ignore=shutil.ignore_patterns("build"))
    outcome = call(capsys, "export", here, "--product", "mbdp", "--force")
    assert_refused(outcome, f"{here}: holds watermark too; export both, or write to another folder")
    assert contents(here) == contents(folder)
    for each in FILES["watermark"]:
        (here / each).unlink()
    assert call(capsys, "export", here, "--product", "mbdp", "--force").status == 0


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no folder in which nobody may write")
def test_a_folder_that_cannot_be_made_is_one_line(capsys):
    assert_refused(
        call(capsys, "export", "/proc/bittrue", "--product", "mbdp"), "/proc/bittrue: cannot be written: "
    )


def test_a_missing_folder_name_is_one_line(capsys):
    assert_refused(call(capsys, "export"), "DIR")
