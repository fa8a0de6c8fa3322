"""Exit statuses: those that the pages and the help name are those that there are."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from firmware_model.cli.terminal import output, status
from tests.firmware_model.cli.cases import call

ROOT = Path(__file__).parents[3]
ALL = {
    *(status.DETECTED, status.NOT_DETECTED, status.MISUSE, status.INTERNAL_ERROR, status.INTERRUPTED),
    output.BROKEN_PIPE_STATUS,
    128 + signal.SIGTERM,
}


@pytest.mark.parametrize("page", ["README.md", "docs/files.md"])
def test_pages_name_every_status(page):
    text = (ROOT / page).read_text("utf-8")
    rows = re.search(r"^\| (?:exit )?status \| says \|\n\|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    named = {int(n) for row in rows[1].splitlines() for n in re.findall(r"\d+", row.split("|")[1])}
    assert named == ALL
    assert "BITTRUE_DEBUG=1" in text


def test_the_help_names_every_status(capsys):
    text = " ".join(call(capsys, "--help").out.split())
    end = text[text.index("Exit status:") :]
    assert {int(n) for n in re.findall(r"\b\d+\b(?! shows)", end.replace("BITTRUE_DEBUG=1", ""))} == ALL
    assert "BITTRUE_DEBUG=1" in end


def test_sigterm_is_status_143_for_a_shell(tmp_path):
    """A command that waits for its input is ended, without a word and without a file."""
    line = [sys.executable, "-m", "firmware_model.cli.main", "process", "-", str(tmp_path / "out.wav")]
    line[1:3] = ["-c", "from firmware_model.cli.main import main; main()"]
    shell = 'exec 3<&0; "$@" <&3 & child=$!; echo $child; wait $child; echo $?'
    process = subprocess.Popen(
        ["sh", "-c", shell, "sh", *line],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    child = int(process.stdout.readline())
    time.sleep(1.0)
    subprocess.run(["kill", "-TERM", str(child)], check=True)
    assert process.stdout.readline() == b"143\n"
    process.stdin.close()
    assert (process.wait(timeout=30), process.stderr.read().strip().replace(b"Terminated", b"")) == (0, b"")
    assert list(tmp_path.iterdir()) == []
    process.stdout.close()
    process.stderr.close()
