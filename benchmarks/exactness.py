"""What bit-exactness costs to hold: `check`, `compare` on ten minutes of a device's dump, and the probes."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from acoustic_sim.programmes.excitation import synthesise
from benchmarks import probes
from benchmarks.harness.report import Table, arguments, publish, run, verdict
from firmware_model.golden.cases import find_case
from firmware_model.pcm import to_q15
from firmware_model.pcm_writer import write_audio
from fixedpoint.errors import ConfigError

CASE = "mbdp-smart-speaker"
CHECK_SECONDS, COMPARE_SECONDS, COMPARE_MB = 60.0, 10.0, 500.0
DUMP_MINUTES = 10
# Runs the command line and then says its own peak memory in KiB: what the parent counts (ru_maxrss) includes
# the parent's own pages from before the exec.
PROCESS = """
import re, sys
from pathlib import Path
from firmware_model.cli.main import run
status = run(sys.argv[2:])
Path(sys.argv[1]).write_text(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
sys.exit(status)
"""


class Ran(NamedTuple):
    """A command that ended: its status, output, seconds by the wall clock, and peak memory in MB."""

    status: int
    output: str
    seconds: float
    peak_mb: float


def time_command(words: list[str], environment: dict[str, str] | None = None) -> Ran:
    """Run `bittrue WORDS` in a process of its own; on Linux."""
    begun = time.perf_counter()
    with tempfile.NamedTemporaryFile("r") as peak:
        command = [sys.executable, "-c", PROCESS, peak.name, *words]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=False, env={**os.environ, **(environment or {})}
        )
        seconds = time.perf_counter() - begun
        return Ran(done.returncode, done.stdout, seconds, int(peak.read()) * 1024 / 1e6)


def measure_check() -> tuple[Table, list[dict[str, Any]]]:
    """`check` with kernels to compile, and with kernels in the cache."""
    table = Table(
        "bittrue check", ["kernels", "seconds", "target", "items", "failed"], "All goldens and references."
    )
    data = []
    with tempfile.TemporaryDirectory() as cache:
        for name in ("to be compiled", "in the cache"):
            ran = time_command(["check", "--json"], {"XDG_CACHE_HOME": cache})
            facts = json.loads(ran.output)
            failed = sum(item["status"] == "failed" for item in facts["cases"])
            within = verdict(ran.seconds, CHECK_SECONDS, at_least=False)
            table.add(name, f"{ran.seconds:.0f}", within, len(facts["cases"]), failed)
            data.append({"kernels": name, "seconds": round(ran.seconds, 1), "failed": failed})
    return table, data


def measure_compare(minutes: int) -> tuple[Table, list[dict[str, Any]]]:
    """`compare` on a long dump that is equal, and on one with a wrong bit near its end."""
    case = find_case(CASE)
    x_q15 = np.resize(to_q15(synthesise("music", 30.0, case.fs_hz, 1)), (1, minutes * 60 * case.fs_hz))
    x_q15 = case.whole_blocks(x_q15)
    columns = ["dump", "minutes", "status", "seconds", "target", "peak MB", "target"]
    table, data = (
        Table("bittrue compare", columns, f"{CASE}, 16-bit output, the likely cause not sought."),
        [],
    )
    with tempfile.TemporaryDirectory() as folder:
        given, dump = Path(folder, "in.wav"), Path(folder, "dump.bin")
        write_audio(given, x_q15[0], case.fs_hz)
        y = case.plain(x_q15)
        for name, wrong, status in (("equal", 0, 0), ("one LSB wrong, 10 samples from the end", 1, 1)):
            y[0, -10] += wrong
            dump.write_bytes(y.T.astype("<i2").tobytes())
            ran = time_command(["compare", CASE, str(dump), "--input", str(given), "--no-cause"])
            if ran.status != status:
                raise ConfigError(f"compare: status {ran.status} found, {status} expected: {ran.output}")
            table.add(
                name,
                minutes,
                ran.status,
                f"{ran.seconds:.1f}",
                verdict(ran.seconds, COMPARE_SECONDS, at_least=False),
                f"{ran.peak_mb:.0f}",
                verdict(ran.peak_mb, COMPARE_MB, at_least=False),
            )
            data.append({"dump": name, "seconds": round(ran.seconds, 2), "peak_mb": round(ran.peak_mb)})
    return table, data


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__)
    checked, check_data = measure_check()
    compared, compare_data = measure_compare(1 if options.quick else DUMP_MINUTES)
    probed, probe_data = probes.measure(8 if options.quick else 40)
    data = {"check": check_data, "compare": compare_data, "probes": probe_data}
    publish("exactness", options.folder, [checked, compared, probed], data)


if __name__ == "__main__":
    run(main)
