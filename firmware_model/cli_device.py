"""The command `device`: a golden case's product on emulated cores, in words and as JSON."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from firmware_model import cli_compare
from firmware_model import cli_output as output
from firmware_model.cli_status import DETECTED, NOT_DETECTED
from firmware_model.device import build
from firmware_model.device.cpu import CPUS, find_cpu
from firmware_model.device.faults import Fault
from firmware_model.device.harness import DeviceResult, OutputDifference, StateDifference, run_case
from firmware_model.golden.case import Case
from firmware_model.golden.cases import find_case
from firmware_model.golden.dump import AS_THE_NODE
from fixedpoint.errors import ConfigError

ALL = "all"
ALIASES = {"watermark": "watermark-detector", "mbdp": "mbdp-smart-speaker"}  # the products as shipped
_PARTS = 20  # of a core's run, in the progress bar
_MOST_FIELDS = 8  # of the state, shown in words


class Options(NamedTuple):
    """What the options say.

    cpus : names of cores;  optimise : "3", "2" or "s";  profile : instructions by function, in words
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
    report: cli_compare.Report | None = None

    @property
    def bit_exact(self) -> bool:
        """Whether it ran, and gave the model's bits."""
        return self.result is not None and self.result.bit_exact


def case_of(name: str) -> Case:
    """A golden case, by its name or the product's.

    Raises
    ------
    ConfigError
    """
    return find_case(ALIASES.get(name, name))


def from_options(cpu: str, optimise: str, profile: bool, look_for_causes: bool) -> Options:
    """Checked.

    Raises
    ------
    ConfigError
        A core or a level that is not known.
    """
    if optimise not in build.OPTIMISE:
        raise ConfigError(f"--opt {optimise}: must be one of {', '.join(build.OPTIMISE)}")
    return Options(_cpus(cpu), optimise, profile, look_for_causes)


def _cpus(name: str) -> tuple[str, ...]:
    if name == ALL:
        return tuple(CPUS)
    try:
        return (find_cpu(name).name,)
    except ConfigError as error:
        raise ConfigError(f"--cpu {name}: must be one of {', '.join(CPUS)} or {ALL}") from error


def run(case: Case, options: Options, json: bool) -> int:
    """What the command does; returns the exit status: 0 bit-exact, 1 different, or a fault of the product.

    Raises
    ------
    ConfigError
        No toolchain.
    """
    build.toolchain()
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
    told = 0

    def tell(share: float) -> None:
        nonlocal told
        while told < int(share * _PARTS):
            told += 1
            step(f"{cpu}, {share:.0%}")

    step(f"{cpu}, build")
    try:
        result = run_case(case, cpu, options.optimise, tell=tell)
    except Fault as fault:
        return Outcome(cpu, None, fault)
    return Outcome(cpu, result, None, _compare(result, options.look_for_causes, step))


def _compare(result: DeviceResult, look_for_causes: bool, step: output.Step) -> cli_compare.Report | None:
    """What `bittrue compare` says of the device's output; None where it is the model's."""
    if result.first_output is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        for name, values in result.nodes.items():
            np.save(Path(folder) / f"{name}.npy", values)
        report = cli_compare.compare_dump(result.case.name, folder, None, AS_THE_NODE, look_for_causes, step)
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
        "compare": cli_compare.facts(outcome.report) if outcome.report else None,
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
            f"Executed instructions, which are fewer than cycles, at -O{options.optimise}. RAM holds the "
            "instance and the stack,\nnot the caller's frames of input and output."
        )
    if options.profile:
        parts += [_profile(result) for result in results]
    for outcome in outcomes:
        if outcome.result and not outcome.bit_exact:
            parts.append(_differences(outcome.result))
        if outcome.report:
            parts.append(cli_compare.in_words(outcome.report))
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
    """Instructions by function."""
    rows = [
        [name, f"{n / result.samples:.1f}", f"{100 * n / result.instructions:.1f} %"]
        for name, n in result.by_function.items()
    ]
    drawn = output.table([f"{result.cpu},\nfunction", "instructions\nper sample", "\nshare"], rows)
    return f"{drawn}\n\nWhat the compiler inlined counts for the function that it is now part of."


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
