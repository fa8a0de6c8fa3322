"""The exported C on five emulated Cortex-M cores and on this host: bits, instructions, flash, RAM.

Every golden case is built for every core (clang, -O3) and run whole in the emulator; outputs and final state
are held against the model. On the host the vectors' program, which compares both bit for bit, is compiled at
three levels. Last, the Numba kernels beside the exported C, pair by pair (see `host_twin`).
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import host_twin
from benchmarks.harness.report import Table, arguments, progress_console, publish, run, verdict
from firmware_model.device.core.cpu import CPUS
from firmware_model.device.export import build, files
from firmware_model.device.export.configured import of_case
from firmware_model.device.export.harness import DeviceResult, run_case
from firmware_model.golden.cases import CASES

CORE = "cortex-m4"  # the one that the targets are for
OPTIMISE = "3"
HOST_LEVELS = ("-O0", "-O2", "-O3")
WATERMARK, DYNAMICS = "watermark-detector", "mbdp-smart-speaker"
KIB = 1024
# case: (MIPS, RAM bytes, flash bytes, bytes of state)
TARGETS: dict[str, tuple[float, int | None, int | None, int | None]] = {
    WATERMARK: (12.0, 64 * KIB, 32 * KIB, None),
    DYNAMICS: (45.0, None, None, 8 * KIB),
}
TWIN_RATIO = 1.1
FUNCTIONS = 8


def measure_cores(cores: tuple[str, ...]) -> dict[str, dict[str, DeviceResult]]:
    """Every case on every core, by case and core."""
    results: dict[str, dict[str, DeviceResult]] = {}
    for name, case in CASES.items():
        for cpu in cores:
            progress_console.print(f"{name} on {cpu}", highlight=False)
            results.setdefault(name, {})[cpu] = run_case(case, cpu, OPTIMISE, profile=cpu == CORE)
    return results


def targets_table(results: dict[str, dict[str, DeviceResult]]) -> Table:
    """What was asked for, on the core that it was asked for."""
    columns = ["on Cortex-M4", "MIPS", "target", "worst frame", "RAM", "target", "flash", "target"]
    table = Table(
        "Cost on the device",
        [*columns, "state", "target"],
        f"{build.flags(OPTIMISE)}; MIPS: executed instructions at the product's rate, mean and in the call "
        "with the most; bytes: RAM with the stack, flash with tables and coefficients.",
    )
    for name, (mips, ram, flash, state) in TARGETS.items():
        found = results[name][CORE]
        table.add(
            name,
            f"{found.mips:.1f}",
            verdict(found.mips, mips, at_least=False),
            f"{found.worst_mips:.1f}",
            found.ram_bytes,
            verdict(found.ram_bytes, ram, at_least=False),
            found.flash_bytes,
            verdict(found.flash_bytes, flash, at_least=False),
            of_case(CASES[name]).state_bytes,
            verdict(of_case(CASES[name]).state_bytes, state, at_least=False),
        )
    return table


def cores_table(results: dict[str, dict[str, DeviceResult]]) -> Table:
    """Executed instructions a sample, by core; what differs from the model is said."""
    cores = tuple(next(iter(results.values())))
    table = Table(
        "The same bits on every core",
        ["case", "samples", *cores, "stack"],
        "Executed instructions for a sample of every channel, outputs and final state being the model's; "
        "stack in bytes, the deepest of all cores.",
    )
    for name, by_core in results.items():
        cells = [
            f"{each.instructions_per_sample:.0f}" if each.bit_exact else "**NO**" for each in by_core.values()
        ]
        samples = next(iter(by_core.values())).samples
        table.add(name, samples, *cells, max(each.stack_bytes for each in by_core.values()))
    return table


def functions_table(results: dict[str, dict[str, DeviceResult]]) -> Table:
    """Where the instructions go."""
    table = Table(
        "Instructions by kernel",
        ["kernel", "case", "a sample", "share"],
        f"On {CORE}, inlined kernels apart; primitives of `fixedpoint.arith` at their callers.",
    )
    for name in TARGETS:
        found = results[name][CORE]
        for function, count in list(found.by_kernel.items())[:FUNCTIONS]:
            share = count / found.instructions
            table.add(function, name, f"{count / found.samples:.1f}", f"{100 * share:.0f} %")
    return table


def measure_host() -> tuple[Table, list[dict[str, Any]]]:
    """The vectors' program of every case, compiled on this host at each level."""
    compiler = os.environ.get("CC", "cc")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    table = Table(
        "The same bits on this host",
        ["case", *HOST_LEVELS],
        f"Output and final state; {version.splitlines()[0]}.",
    )
    data = []
    for name, case in CASES.items():
        outcomes = []
        with tempfile.TemporaryDirectory() as folder:
            for path, content in files.contents([of_case(case)], lambda step: None).items():
                Path(folder, path).write_bytes(content)
            for level in HOST_LEVELS:
                progress_console.print(f"{name} at {level}", highlight=False)
                command = ["make", "-C", folder, "-B", "test", f"CFLAGS=-std=c99 {level}"]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                outcomes.append(done.returncode == 0)
        table.add(name, *("equal" if equal else "**NO**" for equal in outcomes))
        data.append({"case": name, **dict(zip(HOST_LEVELS, outcomes, strict=True))})
    return table, data


def measure_twin(pairs: int) -> tuple[Table, list[dict[str, Any]]]:
    """Numba against the exported C."""
    flags = ("-O3", "-march=native")
    table = Table(
        "Numba beside the exported C",
        ["case", "Numba ms", "C ms", "Numba / C", "quartiles", "target"],
        f"This host, {' '.join(flags)}, whole stimulus, probes off; median over {pairs} pairs in turn.",
    )
    data = []
    with tempfile.TemporaryDirectory() as folder:
        for name in CASES:
            twin = host_twin.compare(name, Path(folder), flags, pairs)
            within = verdict(twin.ratio, TWIN_RATIO, at_least=False)
            quartiles = f"{twin.low:.2f} to {twin.high:.2f}"
            table.add(
                name, f"{twin.numba_ms:.2f}", f"{twin.c_ms:.2f}", f"{twin.ratio:.2f}", quartiles, within
            )
            data.append({"case": name, **twin._asdict()})
    return table, data


def facts(result: DeviceResult) -> dict[str, Any]:
    """For the JSON."""
    return {
        "case": result.case.name,
        "cpu": result.cpu,
        "bit_exact": result.bit_exact,
        "instructions_per_sample": round(result.instructions_per_sample, 2),
        "mips": round(result.mips, 3),
        "worst_mips": round(result.worst_mips, 3),
        "code_bytes": result.code_bytes,
        "table_bytes": result.table_bytes,
        "instance_bytes": result.instance_bytes,
        "stack_bytes": result.stack_bytes,
        "by_function": result.by_function,
        "by_kernel": result.by_kernel,
    }


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__)
    twin, twin_data = measure_twin(6 if options.quick else host_twin.PAIRS)
    results = measure_cores((CORE,) if options.quick else tuple(CPUS))
    host, host_data = measure_host()
    tables = [targets_table(results), cores_table(results), host, twin, functions_table(results)]
    device = [facts(each) for by_core in results.values() for each in by_core.values()]
    data = {"device": device, "host": host_data, "twin": twin_data}
    publish("device", options.folder, tables, data, in_readme=4)


if __name__ == "__main__":
    run(main)
