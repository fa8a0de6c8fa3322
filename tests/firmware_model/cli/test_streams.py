"""Standard streams, signals and faults: the command line ends cleanly whatever is closed, full or gone."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from firmware_model.watermark.measures import metrics
from tests.firmware_model.cli.cases import KEY, ROOM, call

HEAVY = ("matplotlib", "numba", "numpy", "pyroomacoustics", "rich", "scipy", "soundfile")
COMMAND = [sys.executable, "-c", "from firmware_model.cli.main import main; main()"]


def run_command(*arguments, **options):
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, timeout=120, **options)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from firmware_model.cli import main; main.run([]);"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, text=True)
    assert done.stderr == "[]\n"


def test_audio_passes_through_standard_input_and_output(folder):
    """embed - - | room - - | detect -: the same detections as by files."""
    marked = run_command("embed", "-", "-", "--key", KEY, input=(folder / "in.wav").read_bytes())
    assert marked.returncode == 0
    assert marked.stderr.startswith(b"-: 2 marks of 2.048 s")
    heard = run_command("room", "-", "-", *ROOM, "--snr", "25", input=marked.stdout)
    found = run_command("detect", "-", "--key", KEY, "--json", input=heard.stdout)
    assert found.returncode == 0
    assert found.stderr == b""
    np.testing.assert_array_equal(
        *(soundfile.read(f)[0] for f in (io.BytesIO(heard.stdout), folder / "heard.wav"))
    )
    assert len(json.loads(found.stdout)["detections"]) == 2


@pytest.mark.parametrize("out", ["-", None])
def test_a_reader_that_has_gone_ends_quietly(folder, out):
    line = (
        ["embed", folder / "in.wav", out, "--key", KEY]
        if out
        else ["detect", folder / "in.wav", "--key", KEY]
    )
    process = subprocess.Popen([*COMMAND, *map(str, line)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 141
    process.stderr.close()


def test_an_interrupt_is_status_130_without_a_word(capsys, folder, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(metrics.BitExactBlocks, "finish", interrupt)
    outcome = call(capsys, "simulate", folder / "in.wav", "--key", KEY, *ROOM)
    assert outcome == (130, "", "")


def test_a_fault_of_the_program_is_not_passed_off_as_the_users(capsys, folder, monkeypatch):
    def fail(*arguments):
        raise ZeroDivisionError("by hand")

    monkeypatch.setattr(metrics.BitExactBlocks, "finish", fail)
    line = ["simulate", folder / "in.wav", "--key", KEY, *ROOM]
    outcome = call(capsys, *line)
    assert outcome.status == 70
    assert outcome.err == "ZeroDivisionError: by hand (a fault in bittrue; BITTRUE_DEBUG=1 shows where)\n"
    monkeypatch.setenv("BITTRUE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        call(capsys, *line)


def test_a_room_that_cannot_be_had_is_refused(capsys, folder):
    outcome = call(capsys, "simulate", folder / "in.wav", "--key", KEY, "--distance", "60", "--rt60", "0.05")
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a POSIX shell and /dev/full")
@pytest.mark.parametrize(
    ("arguments", "streams", "status", "says"),
    [
        ("detect {heard} --key {key}", ">&-", 2, "standard output: is closed"),
        ("embed {heard} {out} --key {key}", "2>&-", 0, ""),
        ("detect none.wav --key {key}", "2>&-", 2, ""),
        ("detect - --key {key}", "<&-", 2, "-: cannot be read: standard input is closed"),
        ("detect {heard} --key {key}", ">&- 2>&- <&-", 2, ""),
        ("detect {heard} --key {key}", ">/dev/full", 2, "standard output: cannot be written: No space left"),
        ("--help", ">/dev/full", 2, "standard output: cannot be written: No space left"),
    ],
)
def test_closed_and_full_streams_are_one_line_and_never_status_1(
    folder, tmp_path, arguments, streams, status, says
):
    line = arguments.format(heard=folder / "heard.wav", out=tmp_path / "out.wav", key=KEY)
    shell = ["sh", "-c", f'"$@" {streams}', "sh", *COMMAND, *line.split()]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert done.stderr.count("\n") == bool(says), done.stderr
