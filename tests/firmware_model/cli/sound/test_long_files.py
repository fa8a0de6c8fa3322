"""Commands in blocks: the same results at any size of block, from pipes, and clean ends half-way."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from acoustic_sim.blocks.spool import Spool
from firmware_model import pcm_stream
from firmware_model.cli.terminal import output
from firmware_model.dynamics.measures import runs
from firmware_model.watermark import headroom
from firmware_model.watermark.embedding import embedder
from tests.firmware_model.cli.cases import KEY, ROOM, call, programme, wav

COMMAND = [sys.executable, "-c", "from firmware_model.cli.main import main; main()"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """stereo.wav, 48 kHz, 4.5 s; low.wav, 8 kHz; long.wav, three minutes of it."""
    folder = tmp_path_factory.mktemp("long")
    x = programme("music", 48000)
    stereo = np.stack([x, 0.5 * x[::-1]], axis=1)
    (folder / "stereo.wav").write_bytes(wav(stereo, 48000))
    (folder / "low.wav").write_bytes(wav(programme("music", 8000), 8000))
    (folder / "long.wav").write_bytes(wav(np.tile(stereo, (40, 1)), 48000))
    return folder


def small_blocks(monkeypatch, size):
    monkeypatch.setattr(pcm_stream, "_READ", size)
    monkeypatch.setattr(runs, "_SEGMENT", 64 * (size // 64 + 1))
    monkeypatch.setattr(embedder, "BLOCK_SAMPLES", 16 * size)
    monkeypatch.setattr(headroom, "BLOCK_SAMPLES", size)
    monkeypatch.setattr(Spool.blocks, "__defaults__", (size,))


LINES = {
    "process": ["process", "stereo.wav", "OUT", "--profile", "smart-speaker", "--arith", "both"],
    "process converted": ["process", "low.wav", "OUT", "--resample"],
    "detect": ["detect", "stereo.wav", "--resample", "--arith", "both", "--key", KEY],
    "embed": ["embed", "stereo.wav", "OUT", "--mode", "live", "--key", KEY],
    "embed informed": ["embed", "low.wav", "OUT", "--resample", "--key", KEY],
    "room": ["room", "stereo.wav", "OUT", *ROOM, "--snr", "20", "--drift", "40"],
}


def results(capsys, folder, name, out):
    line = [str(folder / word) if word.endswith(".wav") else word for word in LINES[name]]
    found = call(capsys, *[str(out) if word == "OUT" else word for word in line], "--json")
    assert found.status in (0, 1), found.err
    samples = soundfile.read(out, dtype="int16")[0].astype(int) if out.exists() else np.zeros(1, int)
    return found.json, samples


@pytest.mark.parametrize("name", LINES)
def test_the_size_of_blocks_does_not_show(capsys, folder, tmp_path, monkeypatch, name):
    """Integers: the same bits; where floats are convolved, samples within 1 LSB, hardly any apart."""
    facts, samples = results(capsys, folder, name, tmp_path / "whole.wav")
    for size in (3_001, 20_000):
        small_blocks(monkeypatch, size)
        parts, got = results(capsys, folder, name, tmp_path / f"{size}.wav")
        apart = np.abs(got - samples)
        assert apart.max() <= (1 if name.startswith(("room", "embed")) else 0)
        assert np.mean(apart > 0) < 1e-3, np.mean(apart > 0)
        assert parts.keys() == facts.keys()
        for key, value in facts.items():
            assert parts[key] == pytest.approx(value, rel=1e-6) if isinstance(value, float) else True
        for key in ("detections", "bands", "strengths_db", "marks", "differences"):
            assert parts.get(key) == facts.get(key)


@pytest.mark.parametrize("name", ["process converted", "embed informed", "room"])
def test_a_pipe_is_gone_through_twice(capsys, folder, tmp_path, name):
    results(capsys, folder, name, tmp_path / "file.wav")
    line = ["-" if word.endswith(".wav") or word == "OUT" else word for word in LINES[name]]
    source = next(word for word in LINES[name] if word.endswith(".wav"))
    with open(folder / source, "rb") as file:
        done = subprocess.run([*COMMAND, *line], stdin=file, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (tmp_path / "piped.wav").write_bytes(done.stdout)
    assert done.stdout == (tmp_path / "file.wav").read_bytes()


def test_a_reader_that_takes_ten_bytes_and_goes_is_status_141(folder):
    shell = ["bash", "-c", '"$@" | head -c 10 | wc -c; echo ${PIPESTATUS[0]}', "bash", *COMMAND]
    for line in (["process", folder / "stereo.wav", "-"], ["room", folder / "stereo.wav", "-", *ROOM]):
        done = subprocess.run([*shell, *map(str, line)], capture_output=True, text=True, timeout=120)
        assert done.stdout.split() == ["10", "141"], done.stderr
        assert done.stderr == ""


MARKING = ["embed", "--key", KEY]


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (signal.SIGINT, 130, ["process"]),
        (signal.SIGTERM, 143, MARKING),
        pytest.param(signal.SIGTERM, 143, ["process"], marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, 130, MARKING, marks=pytest.mark.slow),
    ],
)
def test_an_end_half_way_leaves_nothing(folder, tmp_path, number, status, words):
    line = [words[0], folder / "long.wav", tmp_path / "out.wav", *words[1:]]
    process = subprocess.Popen([*COMMAND, *map(str, line)], stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while words == ["process"] and not os.listdir(tmp_path) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.5 if words == ["process"] else 3)
    process.send_signal(number)
    _, says = process.communicate(timeout=60)
    assert (process.returncode, says) == (status, b"")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["process", "embed", "room"])
def test_a_full_disk_leaves_the_old_file(capsys, folder, tmp_path, name):
    resource = pytest.importorskip("resource")  # POSIX: a limit on file size stands for a full disk
    (tmp_path / "out.wav").write_bytes(b"old")
    line = [str(folder / word) if word.endswith(".wav") else word for word in LINES[name]]
    line = [str(tmp_path / "out.wav") if word == "OUT" else word for word in line]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        found = call(capsys, *line)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert found.status == 2
    assert "cannot be written: File too large" in found.err
    assert found.err.count("\n") == 1
    assert (tmp_path / "out.wav").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.wav"]


def test_off_a_terminal_a_line_now_and_then_says_how_far_it_has_come(capsys, folder, tmp_path, monkeypatch):
    quiet = call(capsys, "process", folder / "stereo.wav", tmp_path / "out.wav")
    assert quiet.err == ""
    monkeypatch.setattr(output, "LINE_EVERY_S", 0.0)
    told = call(capsys, "process", folder / "stereo.wav", tmp_path / "out.wav")
    assert told.out == quiet.out
    lines = told.err.splitlines()
    assert lines[0] == "process: Q15, 0 % after 0:00"
    assert lines[-1].startswith("process: Q15, 100 % after 0:")
