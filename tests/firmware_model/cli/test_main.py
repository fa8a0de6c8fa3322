"""The command line's contract: JSON, exit statuses, streams, and files that are whole or not there."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from acoustic_sim.programmes.excitation import KINDS
from acoustic_sim.scene import AMBIENT_KINDS, NAMED_SCENES
from firmware_model.cli.sound import scene as scenes
from firmware_model.cli.terminal import output
from firmware_model.watermark.embedding.embedder import DEFAULT_STRENGTHS_DB
from firmware_model.watermark.measures import listener
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import BittrueError
from tests.firmware_model.cli.cases import FS_HZ, KEY, ROOM, call, programme, wav

HEAVY = ("matplotlib", "numba", "numpy", "pyroomacoustics", "rich", "scipy", "soundfile")
COMMAND = [sys.executable, "-c", "from firmware_model.cli.main import main; main()"]


def close(value, digits=6):
    return pytest.approx(value, abs=10**-digits)


# JSON and exit statuses


def test_embed_json_and_output(capsys, folder, tmp_path):
    out = tmp_path / "out.flac"
    outcome = call(capsys, "embed", folder / "in.wav", out, "--key", KEY, "--json")
    assert outcome.status == 0
    assert outcome.err == ""
    facts = outcome.json
    assert set(facts) == {"marks", "mark_seconds", "strengths_db", "wsr_db", "nmr_db"}
    assert (facts["marks"], facts["mark_seconds"]) == (2, 2.048)
    assert len(facts["strengths_db"]) == 2
    assert max(facts["strengths_db"]) <= DEFAULT_STRENGTHS_DB["informed"]
    info = soundfile.info(out)
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (FS_HZ, 1, "PCM_16", 72_000)
    x, y = soundfile.read(folder / "in.wav")[0], soundfile.read(out)[0]
    assert 10 * np.log10(np.sum((y - x) ** 2) / np.sum(x**2)) == pytest.approx(facts["wsr_db"], abs=0.05)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "FLOAT"])
def test_embed_keeps_rate_channels_and_sample_format(capsys, tmp_path, subtype):
    path, out = tmp_path / "in.wav", tmp_path / "out.wav"
    path.write_bytes(wav(np.stack([programme(fs_hz=22050)] * 2, axis=1), 22050, subtype))
    assert call(capsys, "embed", path, out, "--key", KEY).status == 0
    info = soundfile.info(out)
    assert (info.samplerate, info.channels, info.subtype) == (22050, 2, subtype)


def test_room_json_and_output(capsys, folder, tmp_path):
    out = tmp_path / "out.wav"
    outcome = call(capsys, "room", folder / "in.wav", out, *ROOM, "--snr", "20", "--json")
    facts = outcome.json
    assert set(facts) == {"distance_m", "rt60_s", "drr_db", "snr_db", "delay_s"}
    assert (outcome.status, facts["distance_m"], facts["snr_db"]) == (0, 1.0, 20.0)
    assert facts["rt60_s"] == pytest.approx(0.2, rel=0.05)
    assert facts["delay_s"] == pytest.approx(1 / 343, abs=1 / FS_HZ)
    info = soundfile.info(out)
    assert (info.samplerate, info.channels, info.subtype) == (FS_HZ, 1, "PCM_16")


def test_room_is_reproducible_and_the_seed_decides(capsys, folder, tmp_path):
    content = []
    for seed in ("1", "1", "2"):
        out = tmp_path / "out.wav"
        call(capsys, "room", folder / "in.wav", out, *ROOM, "--snr", "20", "--seed", seed)
        content.append(out.read_bytes())
    assert content[0] == content[1]
    assert content[0] != content[2]


def test_a_measured_response_stands_for_a_room(capsys, folder, tmp_path, rng):
    h = rng.standard_normal(4000) * 10 ** (-3 * np.arange(4000) / 3200)  # RT60 0.2 s
    h[0] = 8.0
    soundfile.write(tmp_path / "h.wav", h / 10, FS_HZ)
    line = ["room", folder / "in.wav", tmp_path / "out.wav", "--rir", tmp_path / "h.wav", "--json"]
    outcome = call(capsys, *line)
    assert (outcome.status, outcome.json["distance_m"]) == (0, None)
    assert outcome.json["rt60_s"] == pytest.approx(0.2, rel=0.05)
    assert call(capsys, *line, "--distance", "7").json["distance_m"] == 7.0


def test_detect_json_by_arithmetic(capsys, folder):
    q15, reference, both = (
        call(capsys, "detect", folder / "heard.wav", "--key", KEY, "--arith", arith, "--json")
        for arith in ("q15", "float", "both")
    )
    assert [outcome.status for outcome in (q15, reference, both)] == [0, 0, 0]
    assert set(q15.json) == set(reference.json) == {"detections", "threshold", "max_score"}
    assert set(both.json) == {*q15.json, "score_error_max", "differences"}
    assert both.json["detections"] == q15.json["detections"]
    assert both.json["differences"] == []
    found = q15.json["detections"]
    assert all(set(detection) == {"time_s", "score", "marks", "key"} for detection in found)
    assert [detection["time_s"] for detection in found] == [close(t, 1) for t in (0.0, 2.048)]
    assert q15.json["threshold"] == WatermarkConfig().threshold
    assert q15.json["max_score"] >= max(detection["score"] for detection in found)


def test_detect_says_which_key(capsys, folder):
    line = ["detect", folder / "heard.wav", "--key", "c0ffee", "--key", KEY, "--json"]
    assert {detection["key"] for detection in call(capsys, *line).json["detections"]} == {1}


def test_detect_of_nothing_is_status_1(capsys, folder):
    for line in (["in.wav", "--key", KEY], ["heard.wav", "--key", "c0ffee"]):
        outcome = call(capsys, "detect", folder / line[0], *line[1:], "--arith", "both", "--json")
        assert (outcome.status, outcome.json["detections"]) == (1, [])
    assert call(capsys, "detect", folder / "heard.wav", "--key", KEY, "--threshold", "60").status == 1


def test_detect_averages_stereo(capsys, folder, tmp_path):
    heard = soundfile.read(folder / "heard.wav")[0]
    soundfile.write(tmp_path / "two.wav", np.stack([2 * heard, 0 * heard], axis=1), FS_HZ)
    one = call(capsys, "detect", folder / "heard.wav", "--key", KEY, "--json")
    two = call(capsys, "detect", tmp_path / "two.wav", "--key", KEY, "--json")
    assert two.out == one.out


SIMULATE_KEYS = {
    *(
        "file",
        "fs_hz",
        "seconds",
        "marks",
        "strengths_db",
        "wsr_db",
        "nmr_db",
        "q15",
        "float",
        "miss",
        "agree",
    ),
    *("score_error_max", "decisions_differ", "hops", "bit_exact_blocks"),
}


def test_simulate_json(capsys, folder):
    files = [folder / "in.wav", folder / "marked.wav"]
    outcome = call(capsys, "simulate", *files, "--key", KEY, *ROOM, "--snr", "25", "--drift", "40", "--json")
    assert outcome.status == 0
    assert outcome.err == ""
    assert set(outcome.json) == {"files", "settings"}
    assert [row["file"] for row in outcome.json["files"]] == [str(path) for path in files]
    for row in outcome.json["files"]:
        assert set(row) == SIMULATE_KEYS
        assert set(row["q15"]) == set(row["float"]) == {"detections", "one_mark", "found", "strays"}
        assert (row["marks"], row["q15"]["found"], row["miss"], row["agree"]) == (2, 2, 0, True)
        assert row["bit_exact_blocks"]["equal"] == row["bit_exact_blocks"]["total"] > 0
    settings = outcome.json["settings"]
    assert (settings["distance_m"], settings["snr_db"], settings["drift_ppm"]) == (1.0, 25.0, 40.0)
    assert KEY not in outcome.out, "the key is a secret"


def test_simulate_is_embed_room_detect(capsys, folder):
    """As the three commands in turn; embed's file is rounded to 16 bits, so scores move a little."""
    line = ["simulate", folder / "in.wav", "--key", KEY, *ROOM, "--snr", "25", "--json"]
    row = call(capsys, *line).json["files"][0]
    found = call(capsys, "detect", folder / "heard.wav", "--key", KEY, "--json").json["detections"]
    assert [detection["time_s"] for detection in row["q15"]["detections"]] == [d["time_s"] for d in found]
    assert [detection["score"] for detection in row["q15"]["detections"]] == [
        pytest.approx(d["score"], abs=0.2) for d in found
    ]


def test_simulate_without_a_detection_is_status_1(capsys, folder):
    line = ["simulate", folder / "other.wav", "--key", KEY, *ROOM, "--snr", "-20"]
    outcome = call(capsys, *line, "--json")
    assert outcome.status == 1
    assert outcome.json["files"][0]["miss"] == 2
    assert call(capsys, *line).status == 1


def test_simulate_where_the_arithmetics_disagree_is_status_1(capsys, folder, monkeypatch):
    exact = listener.float_detector

    def deaf(keys, config):
        detector = exact(keys, config)
        for name in ("push", "finish"):
            setattr(detector, name, silenced(getattr(detector, name)))
        return detector

    def silenced(hears):
        def heard(*arguments):
            found = hears(*arguments)
            return found._replace(detections=[], integrated=np.zeros_like(found.integrated))

        return heard

    monkeypatch.setattr(listener, "float_detector", deaf)
    line = ["simulate", folder / "in.wav", "--key", KEY, *ROOM]
    outcome = call(capsys, *line, "--json")
    row = outcome.json["files"][0]
    assert (outcome.status, row["agree"], row["miss"], row["float"]["found"]) == (1, False, 0, 0)
    assert row["decisions_differ"] > 0
    assert row["score_error_max"] > WatermarkConfig().threshold
    assert "different detections in: in.wav" in call(capsys, *line).out


def test_simulate_gives_the_same_in_two_processes(capsys, folder):
    line = [
        "simulate",
        folder / "in.wav",
        folder / "marked.wav",
        "--key",
        KEY,
        *ROOM,
        "--snr",
        "20",
        "--json",
    ]
    assert call(capsys, *line, "--jobs", "2").out == call(capsys, *line).out


def test_a_named_scene_keeps_its_room_and_takes_noise_and_drift(capsys, folder, tmp_path):
    name = "living-room-6.5m"
    scene = scenes.from_options(None, None, 30.0, "fan", None, -10.0, name, 5)
    assert (scene.room, scene.distance_m) == (NAMED_SCENES[name].room, 6.5)
    assert (scene.ambient.kind, scene.ambient.snr_db, scene.microphone.drift_ppm) == ("fan", 30.0, -10.0)
    assert scene.seed == 5
    line = ["room", folder / "in.wav", tmp_path / "out.wav", "--scene", name, "--json"]
    assert call(capsys, *line).json["distance_m"] == 6.5


def test_synthesise(capsys, tmp_path):
    out = tmp_path / "x.flac"
    line = ["synthesise", "voice", out, "--seconds", "0.5", "--rate", "48000", "--seed", "4", "--json"]
    outcome = call(capsys, *line)
    assert (outcome.status, outcome.json) == (0, {"seconds": 0.5, "fs_hz": 48000})
    assert soundfile.info(out).frames == 24_000


def test_json_has_no_nan(capsys):
    output.emit_json({"a": np.float64("nan"), "b": [float("-inf"), np.int64(3)], "c": (np.bool_(True), None)})
    assert capsys.readouterr().out == '{"a": null, "b": [null, 3], "c": [true, null]}\n'


# Text for people


def test_tables_show_whole_names_and_the_numbers(capsys, folder, tmp_path):
    path = tmp_path / ("a" * 120 + "[bold].wav")
    path.write_bytes((folder / "in.wav").read_bytes())
    outcome = call(capsys, "simulate", path, "--key", KEY, *ROOM, "--snr", "25")
    assert path.name in outcome.out
    assert re.search(r"\b2 +2 / 2 +2 / 2 +0 +0 / 0\b", outcome.out), outcome.out
    assert "1 file, 2 marks: Q15 found 2 with one mark and 2 with up to 4 added" in outcome.out
    assert outcome.err == ""
    outcome = call(capsys, "detect", folder / "heard.wav", "--key", KEY, "--arith", "both")
    assert "2 detections, threshold" in outcome.out
    assert "the same detections" in outcome.out


def test_resampling_that_clips_is_said(capsys, tmp_path):
    (tmp_path / "in.wav").write_bytes(wav(programme("square", 44100), 44100))
    outcome = call(capsys, "detect", tmp_path / "in.wav", "--key", KEY, "--resample")
    assert outcome.status == 1
    assert re.fullmatch(r".*in.wav: resampling pushed \d+ samples past full scale; clipped\n", outcome.err)


def test_no_arguments_print_the_help(capsys):
    outcome = call(capsys)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == call(capsys, "--help").out
    for command in ("simulate", "embed", "room", "detect", "synthesise"):
        assert f"\n  {command} " in outcome.out
    assert re.fullmatch(r"bittrue \d+\.\d+\.\d+\n", call(capsys, "--version").out)


def test_help_tells_the_defaults_and_ranges_of_modules_it_does_not_import(capsys, folder, tmp_path):
    config = WatermarkConfig()
    text = {
        name: " ".join(call(capsys, name, "--help").out.split())
        for name in ("simulate", "embed", "detect", "synthesise")
    }
    assert f"[default: {config.threshold}]" in text["detect"]
    assert f"marks of {config.mark_seconds} s" in text["embed"]
    line = ["embed", folder / "in.wav", tmp_path / "x.wav", "--key", KEY, "--strength", "99"]
    low, high = re.search(r"from (-?\d+) to (\d+)", call(capsys, *line).err).groups()
    assert f"{low} to {high} dB" in text["embed"]
    shown = ", ".join(f"{strength:g} {mode}" for mode, strength in DEFAULT_STRENGTHS_DB.items())
    assert f"[default: {shown}]" in text["embed"]
    assert f"[default: {scenes.DEFAULT_RT60_S}]" in text["simulate"]
    assert f"[default: {scenes.DEFAULT_NOISE}]" in text["simulate"]
    assert f"{', '.join(AMBIENT_KINDS)}, or a sound file" in text["simulate"]
    assert f"{', '.join(NAMED_SCENES)}." in text["simulate"]
    assert all(kind in text["synthesise"] for kind in KINDS)


# Pictures


def test_plots_are_written_whole(capsys, folder, tmp_path):
    one, two = [folder / "in.wav"], [folder / "in.wav", folder / "marked.wav"]
    for files, suffix, begins in ((two, ".png", b"\x89PNG"), (one, ".pdf", b"%PDF"), (one, ".svg", b"<?xml")):
        plot = tmp_path / f"plot{suffix}"
        assert call(capsys, "simulate", *files, "--key", KEY, *ROOM, "--plot", plot).status == 0
        assert plot.read_bytes().startswith(begins)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plot.pdf", "plot.png", "plot.svg"]


def test_a_plot_of_many_files_says_what_it_leaves_out(capsys, folder, tmp_path):
    files = [tmp_path / f"{i}.wav" for i in range(5)]
    for path in files:
        path.write_bytes(wav(programme(seconds=2.2)))
    outcome = call(capsys, "simulate", *files, "--key", KEY, *ROOM, "--plot", tmp_path / "p.png", "--json")
    assert outcome.status == 0
    assert outcome.err.endswith("p.png: shows the first 4 of 5 files\n")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    path.write_bytes(b"before")
    output.replace_file(str(path), b"after")
    assert path.read_bytes() == b"after"

    def refuse(*names):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(BittrueError, match=r"x\.png: cannot be written: Permission denied"):
        output.replace_file(str(path), b"never")
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


# Real audio


@pytest.mark.real
def test_real_music_and_speech_across_real_rooms(capsys, real_data):
    music, speech = sorted(real_data.glob("music/*.flac"))[:2], sorted(real_data.glob("speech/*.flac"))[3:5]
    for files, room in (
        ([music[0], speech[0]], ("--distance", "8", "--rt60", "0.5")),
        ([music[1], speech[1]], ("--rir", real_data / "rir/openair_arthur_sykes.flac")),
    ):
        outcome = call(
            capsys, "simulate", *files, "--key", KEY, *room, "--snr", "15", "--drift", "50", "--json"
        )
        assert outcome.status in (0, 1), outcome.err
        for row in outcome.json["files"]:
            assert row["q15"]["found"] > 0, row
            assert row["bit_exact_blocks"]["equal"] == row["bit_exact_blocks"]["total"]
            assert row["decisions_differ"] <= 0.01 * row["hops"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_installed_and_completes_commands(tmp_path, shell):
    """What a shell asks once it is installed: the command line with _BITTRUE_COMPLETE set."""
    environ = os.environ | {
        "HOME": str(tmp_path),
        "SHELL": f"/bin/{shell}",
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    done = subprocess.run(
        [*COMMAND, "--install-completion", shell], env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert any(path.is_file() for path in tmp_path.rglob("*bittrue*")), list(tmp_path.rglob("*"))
    asked = {"bash": {"COMP_WORDS": "bittrue ch", "COMP_CWORD": "1"}}.get(
        shell, {"_TYPER_COMPLETE_ARGS": "bittrue ch"}
    )
    if shell == "fish":
        asked["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    told = subprocess.run(
        COMMAND,
        env=environ | asked | {"_BITTRUE_COMPLETE": f"complete_{shell}"},
        capture_output=True,
        text=True,
    )
    assert "check" in told.stdout, told.stderr
