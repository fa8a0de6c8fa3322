"""The command `device`: a golden case's product on emulated cores, in words and as JSON."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case
from firmware_model.cli.exactness import comparison
from firmware_model.cli.terminal import output
from firmware_model.cli.terminal.status import DETECTED, NOT_DETECTED
from firmware_model.device.core.cpu import CPUS, find_cpu
from firmware_model.device.core.faults import Fault
from firmware_model.device.core.toolchain import toolchain
from firmware_model.device.export import build
from firmware_model.device.export.harness import DeviceResult, OutputDifference, StateDifference, run_case
from firmware_model.golden.dumps.dump import AS_THE_NODE
from fixedpoint.errors import ConfigError, did_you_mean

ALL, CORE = "all", "cortex-m4"  # every core; the one without --cpu
_PARTS = 20  # of a core's run, in the progress bar
_MOST_FIELDS = 8  # of the state, shown in words
_LEAST_SHARE = 0.005  # of the instructions, shown in words


class Options(NamedTuple):
    """What the options say.

    cpus : names of cores;  optimise : "3", "2" or "s";  profile : instructions by kernel
    look_for_causes : of a difference
    """

    cpus: tuple[str, ...]
    optimise: str
    profile: bool
    look_for_causes: bool


class Outcome(NamedTuple):
    """Of one core: what ran, or its fault; the comparison of an output that differs."""

    cpu: str
    result: DeviceResult | None
    fault: Fault | None = None
    report: comparison.Report | None = None

    @property
    def bit_exact(self) -> bool:
        """Whether it ran, and gave the model's bits."""
        return self.result is not None and self.result.bit_exact


def from_options(cpu: str | None, optimise: str | None, profile: bool, look_for_causes: bool) -> Options:
    """Checked; None where an option was left out.

    Raises
    ------
    ConfigError
        A core or a level that is not known.
    """
    optimise = build.OPTIMISE[0] if optimise is None else optimise
    if optimise not in build.OPTIMISE:
        raise ConfigError(f"--opt {optimise}: must be one of {', '.join(build.OPTIMISE)}")
    return Options(_cpus(CORE if cpu is None else cpu), optimise, profile, look_for_causes)


def _cpus(name: str) -> tuple[str, ...]:
    if name == ALL:
        return tuple(CPUS)
    try:
        return (find_cpu(name).name,)
    except ConfigError as error:
        meant = did_you_mean(name, [*CPUS, ALL], "; ")
        raise ConfigError(f"--cpu {name}: must be one of {', '.join(CPUS)} or {ALL}{meant}") from error


def run(case: Case, options: Options, json: bool) -> int:
    """What the command does; returns the exit status: 0 bit-exact, 1 different, or a fault of the product.

    Raises
    ------
    ConfigError
        No toolchain.
    """
    toolchain()
    with output.progress("device", (_PARTS + 3) * len(options.cpus)) as step:
        outcomes = [_run(case, cpu, options, step) for cpu in options.cpus]
    if json:
        output.emit_json(facts(case, outcomes))
    else:
        output.emit(in_words(case, outcomes, options))
    for outcome in outcomes:
        if outcome.fault is not None:
            output.note(f"{case.name}, {outcome.cpu}: {outcome.fault}")
    return DETECTED if all(outcome.bit_exact for outcome in outcomes) else NOT_DETECTED


def _run(case: Case, cpu: str, options: Options, step: output.Step) -> Outcome:
    step(f"{cpu}, build")
    tell = in_steps(step, _PARTS, cpu)
    try:
        result = run_case(case, cpu, options.optimise, profile=options.profile, tell=tell)
    except Fault as fault:
        return Outcome(cpu, None, fault)
    return Outcome(cpu, result, None, _compare(result, options.look_for_causes, step))


def in_steps(step: output.Step, parts: int, name: str) -> Callable[[float], None]:
    """What takes the share of a run that is done, 0 to 1, and calls `step` once for each of its parts."""
    told = 0

    def tell(share: float) -> None:
        nonlocal told
        while told < min(parts, int(share * parts)):
            told += 1
            step(f"{name}, {share:.0%}")

    return tell


def _compare(result: DeviceResult, look_for_causes: bool, step: output.Step) -> comparison.Report | None:
    """What `bittrue compare` says of the device's output; None where it is the model's."""
    if result.first_output is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        for name, values in result.nodes.items():
            np.save(Path(folder) / f"{name}.npy", values)
        report = comparison.compare_dump(result.case.name, folder, None, AS_THE_NODE, look_for_causes, step)
    return report._replace(path=result.cpu)


# --- as JSON -----------------------------------------------------------------------------------


def facts(case: Case, outcomes: list[Outcome]) -> dict[str, Any]:
    """What --json prints: of one core its facts; of several a list of them under `cores`."""
    if len(outcomes) == 1:
        return {"case": case.name, **_core_facts(outcomes[0])}
    exact = all(outcome.bit_exact for outcome in outcomes)
    return {"case": case.name, "bit_exact": exact, "cores": [_core_facts(outcome) for outcome in outcomes]}


def _core_facts(outcome: Outcome) -> dict[str, Any]:
    result, fault = outcome.result, outcome.fault
    if result is None:
        told = fault and {"kind": fault.kind, "address": fault.address, "pc": fault.pc, "place": fault.place}
        return {"cpu": outcome.cpu, "bit_exact": False, "fault": told}
    return {
        "cpu": result.cpu,
        "optimise": result.optimise,
        "flags": result.flags,
        "bit_exact": result.bit_exact,
        "fault": None,
        "first_output": result.first_output and result.first_output._asdict(),
        "state": [field._asdict() for field in result.state],
        "samples": result.samples,
        "frame_samples": result.frame_samples,
        "instructions_per_sample": result.instructions_per_sample,
        "worst_instructions_per_sample": result.worst_per_sample,
        "mips": result.mips,
        "worst_mips": result.worst_mips,
        "flash_bytes": result.flash_bytes,
        "code_bytes": result.code_bytes,
        "table_bytes": result.table_bytes,
        "ram_bytes": result.ram_bytes,
        "instance_bytes": result.instance_bytes,
        "static_bytes": result.static_bytes,
        "stack_bytes": result.stack_bytes,
        "by_function": result.by_function,
        "by_kernel": result.by_kernel or None,
        "compare": comparison.facts(outcome.report) if outcome.report else None,
    }


# --- in words ----------------------------------------------------------------------------------


def in_words(case: Case, outcomes: list[Outcome], options: Options) -> str:
    """What the command prints."""
    parts = [f"{case.name}: {case.summary}"]
    results = [outcome.result for outcome in outcomes if outcome.result]
    if len(outcomes) > 1:
        parts.append(_table(case, outcomes, options))
    else:
        parts += [f"{_verdict(result)}\n\n{_cost(result)}" for result in results]
    if results:
        parts.append(
            f"{results[0].flags}. Executed instructions, which are fewer than cycles.\n"
            "RAM holds the instance and the stack, not the caller's frames of input and output."
        )
    if options.profile:
        parts += [_profile(result) for result in results]
    for outcome in outcomes:
        if outcome.result and not outcome.bit_exact:
            parts.append(_differences(outcome.result))
        if outcome.report:
            parts.append(comparison.in_words(outcome.report))
    return "\n\n".join(parts)


def _verdict(result: DeviceResult) -> str:
    if not result.bit_exact:
        return f"{result.cpu}: not the model's bits"
    return f"{result.cpu}: bit-exact, output and final state, over {result.samples} samples"


def _cost(result: DeviceResult) -> str:
    rows = [
        [
            "instructions per sample",
            f"{result.instructions_per_sample:.1f}",
            f"{result.worst_per_sample:.1f}",
        ],
        [f"MIPS at {result.case.fs_hz} Hz", f"{result.mips:.2f}", f"{result.worst_mips:.2f}"],
    ]
    calls = output.table(["", "mean", f"worst call,\n{result.frame_samples} samples"], rows)
    other = f", {result.static_bytes} other variables" if result.static_bytes else ""
    return (
        f"{calls}\n\n"
        f"flash {result.flash_bytes} bytes: code {result.code_bytes}, tables {result.table_bytes}\n"
        f"RAM   {result.ram_bytes} bytes: instance {result.instance_bytes}{other}, stack {result.stack_bytes}"
    )


def _table(case: Case, outcomes: list[Outcome], options: Options) -> str:
    headings = ["core", "bits", "instructions\nper sample", f"MIPS at\n{case.fs_hz} Hz", "worst\ncall"]
    headings += ["flash\nbytes", "RAM\nbytes", "of it\nstack"]
    rows = []
    for outcome in outcomes:
        result = outcome.result
        if result is None:
            rows.append([outcome.cpu, "fault", *["none"] * 6])
            continue
        cost = [result.flash_bytes, result.ram_bytes, result.stack_bytes]
        rows.append(
            [
                outcome.cpu,
                "exact" if result.bit_exact else "different",
                f"{result.instructions_per_sample:.1f}",
                f"{result.mips:.2f}",
                f"{result.worst_mips:.2f}",
                *map(str, cost),
            ]
        )
    return output.table(headings, rows, left=2)


def _profile(result: DeviceResult) -> str:
    drawn = profile_table(f"{result.cpu},\nkernel", result.by_kernel, result.samples)
    return (
        f"{drawn}\n\nOf this build, most kernels being inlined: an instruction counts for the kernel that "
        "it comes from,\nthose of rounding, saturation and shifts for the kernel that they are in."
    )


def profile_table(heading: str, instructions: Mapping[str, int], samples: int) -> str:
    """Instructions by function, most first; those with less than half a per cent in one line."""
    total = max(1, sum(instructions.values()))
    shown = {name: n for name, n in instructions.items() if n >= _LEAST_SHARE * total}
    if rest := len(instructions) - len(shown):
        shown[f"{rest} with less than {100 * _LEAST_SHARE:.1f} %"] = total - sum(shown.values())
    rows = [[name, f"{n / samples:.1f}", f"{100 * n / total:.1f} %"] for name, n in shown.items()]
    return output.table([heading, "instructions\nper sample", "share"], rows)


def _differences(result: DeviceResult) -> str:
    """What is not the model's."""
    lines = []
    if result.first_output is not None:
        lines.append(f"{result.cpu}, first output that differs: {_output(result.first_output)}")
    for field in result.state[:_MOST_FIELDS]:
        lines.append(f"{result.cpu}, final state: {_state(field)}")
    if len(result.state) > _MOST_FIELDS:
        lines.append(f"{result.cpu}, final state: {len(result.state) - _MOST_FIELDS} more arrays differ")
    return "\n".join(lines)


def _output(found: OutputDifference) -> str:
    where = f"{found.name}, {found.row}, sample {found.sample} ({found.time_s:.6f} s)"
    return f"{where}: expected {found.expected}, got {found.got}, {found.got - found.expected:+d} LSB"


def _state(found: StateDifference) -> str:
    values = output.counted(found.differing, "value")
    return f"{found.path}: {values}, the first at {found.first}: expected {found.expected}, got {found.got}"
