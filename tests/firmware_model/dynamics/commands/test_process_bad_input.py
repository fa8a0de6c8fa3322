"""Bad input to `process`: status 2 and one line that says what; neither audio nor picture is written."""

import os

import numpy as np
import pytest

from firmware_model.dynamics.commands import processing, processing_plot
from firmware_model.dynamics.settings import profiles
from fixedpoint.filters.biquad import MAX_RATIO
from tests.firmware_model.cli.cases import UNREADABLE, call, programme, wav

FS_HZ = 16000
BEFORE = b"what stood here before"
TWO_BANDS = "edges_hz = [500.0]\n[[bands]]\n{}\n[[bands]]\n"


@pytest.fixture
def folder(tmp_path):
    """in.wav, good.toml, and outputs that exist already."""
    (tmp_path / "in.wav").write_bytes(wav(programme("music", FS_HZ, 0.2), FS_HZ))
    (tmp_path / "good.toml").write_text("edges_hz = [500.0]\nbands = [{}, {}]\n")
    for name in ("out.wav", "plot.png"):
        (tmp_path / name).write_bytes(BEFORE)
    return tmp_path


def refused(
    capsys, folder, *says, path="in.wav", out="out.wav", profile="good.toml", plot="plot.png", more=()
):
    """Call with everything right but what the test gives; nothing is written, and the line says `says`."""
    before = {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}
    where = [item if item == "-" else folder / item for item in (path, out)]
    toml = folder / profile if profile.endswith(".toml") else profile
    outcome = call(capsys, "process", *where, "--profile", toml, "--plot", folder / plot, *more)
    assert outcome.status == 2, outcome
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.endswith("\n")
    assert "fault in bittrue" not in outcome.err
    for text in says:
        assert text in outcome.err
    assert {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()} == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("edges_hz = [500.0, 200.0]\nbands = [{}, {}, {}]", "edges_hz: 200.0 after 500.0 found; must rise"),
        ("edges_hz = [500.0, 500.0]\nbands = [{}, {}, {}]", "edges_hz: 500.0 after 500.0 found; must rise"),
        ("edges_hz = [500.0]\nbands = [{}]", "bands: 1 found; 2 needed"),
        (
            "edges_hz = [10.0]\nbands = [{}, {}]",
            "edges_hz: 10.0 found; at 16000 Hz must be from 20 to",
        ),
        ("edges_hz = [nan]\nbands = [{}, {}]", "edges_hz: nan found"),
        ("edges_hz = [inf]\nbands = [{}, {}]", "edges_hz: inf found"),
        ("edges_hz = ['low']\nbands = [{}, {}]", "edges_hz: 'low' found"),
        ("edges_hz = 500.0\nbands = [{}, {}]", "edges_hz=500.0: must be a list"),
        (
            f"edges_hz = [100, 200, 400, 800, 1600, 3200]\nbands = [{'{},' * 7}]",
            "6 found; at most 5 accepted",
        ),
        ("bands = []", "bands: 0 found; 1 needed"),
        ("edges_hz = [500.0]\nactive = [1]\nbands = [{}, {}]", "active=[1]: must be true or false"),
        ("all_pass = 1", "all_pass=1: must be one of True, False"),
        ("fs_hz = 48000", "fs_hz: unknown key"),
        ("edge_hz = [500.0]", "edge_hz: unknown key; did you mean edges_hz?"),
        ("[limiter]\nthreshold_dbfs = 1", "limiter.threshold_dbfs=1: must be from -60 to 0"),
        ("[limiter]\nthreshold_dbfs = nan", "limiter.threshold_dbfs=nan: must be"),
        ("[limiter]\nrelease = 5", "limiter.release: unknown key; did you mean release_ms?"),
        ("limiter = 4", "limiter=4: must be a table"),
        (TWO_BANDS.format("ratio = 0.5"), "bands[0].ratio=0.5: must be 1 or more"),
        (TWO_BANDS.format("ratio = nan"), "bands[0].ratio=nan: must be 1 or more"),
        (TWO_BANDS.format("ratio = true"), "bands[0].ratio=True: must be a number, 1 or more"),
        (TWO_BANDS.format("ratio = '4:1'"), "bands[0].ratio='4:1': must be a number, 1 or more"),
        (TWO_BANDS.format("attack_ms = 0"), "bands[0].attack_ms=0: must be from 0.05 to 5000"),
        (TWO_BANDS.format("release_ms = -1"), "bands[0].release_ms=-1: must be from 0.05 to 5000"),
        (TWO_BANDS.format("threshold_dbfs = nan"), "bands[0].threshold_dbfs=nan: must be from -80 to 0"),
        (TWO_BANDS.format("detector = 'vu'"), "bands[0].detector='vu': must be one of peak, rms"),
        (
            TWO_BANDS.format("treshold_dbfs = -9"),
            "bands[0].treshold_dbfs: unknown key; did you mean threshold",
        ),
        (
            TWO_BANDS.format("ratio = 0\nattack_ms = 0"),
            "ratio=0: must be 1 or more; bands[0].attack_ms=0: must",
        ),
        ("ratio = ", "not TOML: Invalid value"),
        ("a = 1\na = 2", "not TOML: Cannot overwrite a value"),
        ("no toml at all", "not TOML: "),
    ],
)
def test_a_bad_profile_is_named_value_by_value(capsys, folder, text, says):
    (folder / "bad.toml").write_text(text)
    refused(capsys, folder, "bad.toml: ", says, profile="bad.toml")


@pytest.mark.parametrize("fs_hz", [16000, 44100, 48000, 96000])
def test_an_edge_above_what_the_rate_can_have(capsys, folder, fs_hz):
    """The highest that the rate allows is accepted, a hertz more is not, nor is half the rate."""
    (folder / "in.wav").write_bytes(wav(programme("music", fs_hz, 0.2), fs_hz))
    highest = MAX_RATIO * fs_hz
    for edge in (highest + 1, fs_hz / 2):
        (folder / "edge.toml").write_text(f"edges_hz = [{edge}]\nbands = [{{}}, {{}}]")
        says = f"edge.toml: edges_hz: {edge} found; at {fs_hz} Hz must be from 20 to {highest:g} Hz"
        refused(capsys, folder, says, profile="edge.toml")
    (folder / "edge.toml").write_text(f"edges_hz = [{highest}]\nbands = [{{}}, {{}}]")
    line = ["process", folder / "in.wav", folder / "out.wav", "--profile", folder / "edge.toml"]
    assert call(capsys, *line).status == 0


def test_profiles_that_are_no_files_of_text(capsys, folder):
    refused(capsys, folder, "none.toml: cannot be read: No such file", profile="none.toml")
    (folder / "folder.toml").mkdir()
    refused(capsys, folder, "folder.toml: cannot be read: Is a directory", profile="folder.toml")
    (folder / "audio.toml").write_bytes((folder / "in.wav").read_bytes())
    refused(capsys, folder, "audio.toml: not UTF-8 text", profile="audio.toml")
    names = ", ".join(profiles.NAMES)
    for name in ("loud", "", "Transparent", "transparent.txt", str(folder)):
        says = f"--profile {name!r}: must be {names}, or a file that ends in .toml"
        refused(capsys, folder, says, profile=name)


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_audio(capsys, folder, name):
    content, says = UNREADABLE[name]
    (folder / name).write_bytes(content)
    refused(capsys, folder, f"{folder / name}: ", says, path=name)


def test_a_missing_file_and_a_folder(capsys, folder):
    refused(capsys, folder, "none.wav: cannot be read: No such file", path="none.wav")
    refused(capsys, folder, str(folder), "Is a directory", path=".")


@pytest.mark.parametrize("fs_hz", [8000, 22050, 32000, 192000])
def test_rates_that_the_processor_does_not_have(capsys, folder, fs_hz):
    (folder / "in.wav").write_bytes(wav(programme("music", 48000, 0.2), fs_hz))
    accepted = "16000, 44100, 48000 or 96000 Hz needed; add --resample"
    refused(capsys, folder, f"in.wav: {fs_hz} Hz found, {accepted}")


def test_outputs_that_cannot_be_written_are_refused_before_any_work(capsys, folder, monkeypatch):
    monkeypatch.setattr(processing, "process_file", None)  # is not reached
    refused(capsys, folder, "out.mp3: suffix '.mp3' found; .wav or .flac needed", out="out.mp3")
    refused(capsys, folder, "none/out.wav: no such folder", out="none/out.wav")
    refused(capsys, folder, "suffix '' found", out=".")
    refused(capsys, folder, "in.wav: is an input as well", out="in.wav")
    refused(capsys, folder, "plot.jpg: suffix '.jpg' found; .png, .pdf or .svg needed", plot="plot.jpg")
    refused(capsys, folder, "none/plot.png: no such folder", plot="none/plot.png")
    refused(capsys, folder, "--json needs it too", out="-", more=["--json"])
    (folder / "link.wav").symlink_to(folder / "in.wav")
    refused(capsys, folder, "link.wav: is an input as well", out="link.wav")
    (folder / "profile.wav").symlink_to(folder / "good.toml")
    refused(capsys, folder, "profile.wav: is an input as well", out="profile.wav")
    (folder / "circle.wav").symlink_to(folder / "circle.wav")
    refused(capsys, folder, "circle.wav: cannot be written: ", out="circle.wav")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder in which no one can make a file")
def test_folders_in_which_no_file_can_be_made(capsys, folder, monkeypatch):
    """Root may write to any folder but those of the kernel: what a test by permissions would not see."""
    monkeypatch.setattr(processing, "process_file", None)  # is not reached
    refused(capsys, folder, "/proc/out.wav: cannot be written: ", out="/proc/out.wav")
    refused(capsys, folder, "/proc/plot.png: cannot be written: ", plot="/proc/plot.png")


def test_a_fault_while_drawing_leaves_the_audio_as_it_was(capsys, folder, monkeypatch):

    def fail(*arguments):
        raise MemoryError

    monkeypatch.setattr(processing_plot, "draw", fail)
    refused(capsys, folder, "too long for this machine's memory")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--arith", "q31"], "--arith q31: must be one of q15, float, both"),
        (["--nonsense"], "--nonsense"),
        (["third.wav"], "third.wav"),
        (["--profile"], "--profile"),
        (["--plot"], "--plot"),
        (["--seed", "1"], "--seed"),
    ],
)
def test_misuse_is_one_line(capsys, folder, more, says):
    refused(capsys, folder, says, more=more)


def test_both_names_are_needed(capsys, folder):
    for line, missing in ((["process"], "IN"), (["process", folder / "in.wav"], "OUT")):
        outcome = call(capsys, *line)
        assert (outcome.status, outcome.out) == (2, "")
        assert outcome.err == f"Missing argument '{missing}'; see bittrue --help\n"


@pytest.mark.parametrize("case", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "dc", "square"])
def test_odd_but_sound_files_give_a_result(capsys, folder, case):
    kind = case if case.islower() else "music"
    subtype = "PCM_16" if case.islower() else case
    (folder / "odd.wav").write_bytes(wav(np.stack([programme(kind, FS_HZ, 0.5)] * 2, axis=1), FS_HZ, subtype))
    line = ["process", folder / "odd.wav", folder / "out.wav", "--profile", folder / "good.toml"]
    outcome = call(capsys, *line, "--arith", "both", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.json["peak_out_dbfs"] <= 0
