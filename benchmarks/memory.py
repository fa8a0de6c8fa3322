"""What long files cost: peak memory and speed of the commands that read sound, from a minute to ten hours.

Memory is the peak of resident pages. Speed is of processor time, user and system, so that other work on the
machine counts little; `--base` names a checkout of another commit, with its .venv, to be compared with.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from acoustic_sim.programmes.excitation import synthesise
from benchmarks.harness.report import ROOT, Table, arguments, progress_console, publish, run, verdict

LIMIT_MB = 400.0
MINUTES = (1, 10, 60)
LONG_MINUTES = 600
COMPARED_MINUTES = 10
FS_HZ = 48000
KEY = ("--key", "5eed5eed5eed5eed")
ROOM = ("--distance", "7", "--rt60", "0.5", "--snr", "15", "--drift", "20")
PLOT = ("--plot", "{plot}")

Found = dict[str, dict[str, Any]]  # command -> peak_mb and processor_s by minutes, relative_seconds


class Command(NamedTuple):
    """words : with {in}, {out} and {plot};  long : whether ten hours are run."""

    name: str
    words: tuple[str, ...]
    long: bool = False


COMMANDS = (
    Command("process", ("process", "{in}", "{out}"), long=True),
    Command("process --arith both --plot", ("process", "{in}", "{out}", "--arith", "both", *PLOT)),
    Command("detect --resample", ("detect", "{in}", *KEY, "--resample"), long=True),
    Command("detect --resample --arith both", ("detect", "{in}", *KEY, "--resample", "--arith", "both")),
    Command("embed --mode live", ("embed", "{in}", "{out}", *KEY, "--mode", "live"), long=True),
    Command("embed --mode informed", ("embed", "{in}", "{out}", *KEY)),
    Command("room", ("room", "{in}", "{out}", *ROOM)),
    Command("simulate --plot", ("simulate", "{in}", *KEY, *ROOM, *PLOT)),
)


class Cost(NamedTuple):
    """peak_mb : resident;  seconds : of processor time."""

    peak_mb: float
    seconds: float


def make_recording(path: Path, minutes: int) -> None:
    """Stereo, 16 bit: half a minute of music and voice, over and over; RF64 beyond 4 GiB."""
    music, voice = synthesise("music", 30.0, FS_HZ, 1), synthesise("voice", 30.0, FS_HZ, 2)
    x = np.stack([music, 0.6 * music + 0.4 * voice], axis=1)
    pcm = np.floor(np.clip(x, -1, 1 - 2**-15) * 32768).astype(np.int16)
    kind = "RF64" if minutes * 60 * FS_HZ * 4 >= 1 << 32 else "WAV"
    with soundfile.SoundFile(path, "w", FS_HZ, 2, "PCM_16", format=kind) as file:
        for _ in range(2 * minutes):
            file.write(pcm)


def cost_of(tree: Path, command: Command, source: Path, folder: Path) -> Cost:
    """Run a command of a checkout in a process of its own."""
    places = {"in": str(source), "out": str(folder / "out.wav"), "plot": str(folder / "plot.png")}
    words = [tree / ".venv" / "bin" / "bittrue", *(word.format(**places) for word in command.words), "--json"]
    with open(folder / "stderr", "wb") as errors:
        environment = os.environ | {"PYTHONPATH": str(tree)}
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=errors, env=environment)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: no mark was found
        sys.exit(f"{command.name}: status {process.returncode}: {(folder / 'stderr').read_text()}")
    for name in ("out.wav", "plot.png"):
        (folder / name).unlink(missing_ok=True)
    return Cost(used.ru_maxrss / 1024, used.ru_utime + used.ru_stime)


def measure(minutes: int, base: Path | None, folder: Path, found: Found) -> None:
    """Every command at one length; against the base at ten minutes."""
    source = folder / "in.wav"
    make_recording(source, minutes)
    for command in COMMANDS:
        if minutes > MINUTES[-1] and not command.long:
            continue
        if minutes == MINUTES[0]:
            cost_of(ROOT, command, source, folder)  # compiles the kernels
        cost = cost_of(ROOT, command, source, folder)
        row = found.setdefault(command.name, {"peak_mb": {}, "processor_s": {}, "relative_seconds": None})
        row["peak_mb"][str(minutes)] = round(cost.peak_mb, 1)
        row["processor_s"][str(minutes)] = round(cost.seconds, 1)
        if base is not None and minutes == COMPARED_MINUTES:
            row["relative_seconds"] = round(cost.seconds / cost_of(base, command, source, folder).seconds, 3)
        progress_console.print(f"{command.name}, {minutes} min: {cost.peak_mb:.0f} MB, {cost.seconds:.0f} s")


def table_of(found: Found) -> Table:
    """A row for each command."""
    lengths = [str(minutes) for minutes in (*MINUTES, LONG_MINUTES)]
    columns = ["command", *(f"{minutes} min, MB" for minutes in MINUTES), "10 h, MB", "target MB"]
    columns += ["times real time", "seconds against 109a70e"]
    note = (
        "48 kHz stereo, 16 bit. Peak of resident memory; times real time, of processor time, at the longest; "
        f"processor seconds at {COMPARED_MINUTES} minutes relative to those when files were read whole."
    )
    table = Table("Long files: memory and speed", columns, note)
    for name, row in found.items():
        peaks, seconds, ratio = row["peak_mb"], row["processor_s"], row["relative_seconds"]
        longest = max(seconds, key=int)
        table.add(
            f"`{name}`",
            *(f"{peaks[minutes]:.0f}" if minutes in peaks else "-" for minutes in lengths),
            verdict(max(peaks.values()), LIMIT_MB, at_least=False),
            f"{60 * int(longest) / seconds[longest]:.0f}",
            f"{ratio:.2f}" if ratio else "-",
        )
    return table


def _options(parser: argparse.ArgumentParser) -> None:
    lengths = (*MINUTES, LONG_MINUTES)
    parser.add_argument("--base", type=Path, help="a checkout of 109a70e with its .venv, to compare with")
    parser.add_argument(
        "--minutes",
        type=int,
        nargs="+",
        choices=lengths,
        default=MINUTES,
        help="lengths that are run; what is known of the others stays. 600 needs 15 GB of disk",
    )


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__, _options)
    known = options.folder / "memory.json"
    found: Found = json.loads(known.read_text("utf-8"))["commands"] if known.exists() else {}
    with tempfile.TemporaryDirectory(prefix="bench-memory-", dir=ROOT / "build") as folder:
        for minutes in MINUTES[:1] if options.quick else options.minutes:
            measure(minutes, options.base, Path(folder), found)
            publish("memory", options.folder, [table_of(found)], {"commands": found})


if __name__ == "__main__":
    (ROOT / "build").mkdir(exist_ok=True)
    run(main)
