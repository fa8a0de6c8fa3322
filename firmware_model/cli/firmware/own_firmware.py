"""The command `device` with the user's own firmware: its nodes on a golden case go to `compare`."""

import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case
from firmware_model.cli.exactness import comparison, vector_files
from firmware_model.cli.firmware.device_runs import ALL, CORE, in_steps, profile_table
from firmware_model.cli.terminal import output
from firmware_model.cli.terminal.messages import shortened
from firmware_model.cli.terminal.options import refuse
from firmware_model.cli.terminal.status import DETECTED, NOT_DETECTED
from firmware_model.device.own import foreign
from firmware_model.device.own.map_file import load_map
from firmware_model.device.own.memory_map import MemoryMap
from firmware_model.golden.dumps.dump import AS_THE_NODE
from fixedpoint.errors import BittrueError, ConfigError

_PARTS = 20  # of the run, in the progress bar
STEPS = _PARTS + 2  # and those of the comparison


class Firmware(NamedTuple):
    """What the options say.

    elf, library : paths, one of them;  symbol : the function;  map : path;  cpu : core for an ELF
    keep : folder for the nodes as a dump, None for none;  profile : instructions by function, in words
    """

    elf: str | None
    library: str | None
    symbol: str
    map: str
    cpu: str
    keep: str | None
    profile: bool

    @property
    def path(self) -> str:
        """Of the firmware."""
        return self.elf or self.library or ""


class Result(NamedTuple):
    """The comparison, and what the run cost, in words and as facts; empty for a host library."""

    report: comparison.Report
    cost: str
    facts: dict[str, Any]


def from_options(
    elf: str | None,
    library: str | None,
    symbol: str | None,
    given: str | None,
    keep: str | None,
    cpu: str | None,
    opt: str | None = None,
    profile: bool = False,
) -> Firmware | None:
    """The firmware that options name; None where they name none.

    Raises
    ------
    ConfigError
        Both an ELF and a library, options that go with neither or the other, or not all that are needed.
    """
    if elf and library:
        raise ConfigError("--elf and --host-lib: both given; one of them accepted")
    if not elf and not library:
        for name, value in (("--symbol", symbol), ("--map", given), ("--keep", keep)):
            if value is not None:
                raise ConfigError(f"{name} {value}: --elf or --host-lib missing; one of them needed with it")
        return None
    for name, value in (("--symbol", symbol), ("--map", given)):
        if not value:
            raise ConfigError(f"{name}: missing; needed with {'--elf' if elf else '--host-lib'}")
    if elf:
        refuse({"--opt": opt}, "--elf, which is built")
    else:
        of_a_core = {"--cpu": cpu, "--opt": opt, "--profile-functions": profile}
        refuse(of_a_core, "--host-lib, which runs on this host")
    if cpu == ALL:
        raise ConfigError("--cpu all: one core needed with --elf, the one that it was built for")
    if keep is not None:
        vector_files.check_folder(keep)
        if Path(keep).is_dir() and any(Path(keep).iterdir()):
            raise ConfigError(f"--keep {keep}: holds files; an empty or a new folder needed")
    return Firmware(elf, library, symbol or "", given or "", cpu or CORE, keep, profile)


def compare(case: Case, firmware: Firmware, look_for_causes: bool, step: output.Step) -> Result:
    """Run the firmware on a case and compare its nodes with the model's.

    Parameters
    ----------
    step : called as each of STEPS begins

    Raises
    ------
    ConfigError, AudioError
    CrashError
        The firmware does not return.
    """
    given = load_map(firmware.map, case)
    with _target(firmware, given) as target:
        nodes = foreign.run(case, given, target, in_steps(step, _PARTS, firmware.symbol))
        cost = _cost(target.cost(), firmware, given.call.samples, case.fs_hz)
    with tempfile.TemporaryDirectory() as folder:
        _write(firmware.keep or folder, case, nodes)
        report = comparison.compare_dump(
            case.name, firmware.keep or folder, None, AS_THE_NODE, look_for_causes, step
        )
    return Result(report._replace(path=firmware.path), *cost)


def _target(firmware: Firmware, given: MemoryMap) -> AbstractContextManager[foreign.Target]:
    if firmware.library:
        from firmware_model.device.own.host_library import HostLibrary

        return HostLibrary(firmware.library, firmware.symbol, given)
    from firmware_model.device.own.foreign_elf import ElfTarget

    assert firmware.elf is not None
    return nullcontext(ElfTarget(firmware.elf, firmware.symbol, given, firmware.cpu))


def _cost(
    cost: foreign.Cost | None, firmware: Firmware, samples: int, fs_hz: int
) -> tuple[str, dict[str, Any]]:
    """What the calls took on the core, in words and as facts; samples : of each channel in a call."""
    if cost is None:
        return "", {}
    mean, worst = cost.instructions / (cost.calls * samples), cost.worst / samples
    found = {
        "cpu": cost.cpu,
        "instructions_per_sample": mean,
        "worst_instructions_per_sample": worst,
        "mips": mean * fs_hz / 1e6,
        "worst_mips": worst * fs_hz / 1e6,
        "flash_bytes": cost.flash_bytes,
        "ram_bytes": cost.ram_bytes,
        "static_bytes": cost.static_bytes,
        "stack_bytes": cost.stack_bytes,
        "by_function": cost.by_function,
    }
    words = (
        f"{found['cpu']}: {mean:.1f} instructions per sample, {found['mips']:.2f} MIPS at {fs_hz} Hz, "
        f"{found['worst_mips']:.2f} in the worst call\n"
        f"flash {cost.flash_bytes} bytes, RAM {cost.ram_bytes} bytes: variables {cost.static_bytes}, "
        f"stack {cost.stack_bytes}"
    )
    if firmware.profile:
        words += "\n\n" + profile_table("function", cost.by_function, cost.calls * samples)
    return words, found


def _write(folder: str, case: Case, nodes: dict[str, np.ndarray]) -> None:
    """A dump: a file for each node, its integers in the node's type where they fit."""
    try:
        Path(folder).mkdir(exist_ok=True)
        for node in case.nodes:
            if node.name in nodes:
                values = nodes[node.name]
                fit = values.min() >= node.fmt.min_int and values.max() <= node.fmt.max_int
                np.save(Path(folder) / f"{node.name}.npy", values.astype(node.fmt.dtype) if fit else values)
    except OSError as error:
        raise BittrueError(f"{folder}: cannot be written: {error.strerror or error}") from error


def run(case: Case, firmware: Firmware, look_for_causes: bool, json: bool) -> int:
    """What the command does; returns the exit status.

    That of `compare`, and 1 where the firmware under test does not return from a call.

    Raises
    ------
    ConfigError, AudioError
    """
    try:
        with output.progress("device", STEPS) as step:
            result = compare(case, firmware, look_for_causes, step)
    except foreign.CrashError as error:
        output.note(str(error) if json else shortened(str(error)))
        if json:
            output.emit_json({"case": case.name, "bit_exact": False, "fault": _fault(error)})
        return NOT_DETECTED
    if json:
        exact = result.report.status == DETECTED
        output.emit_json({"bit_exact": exact, "fault": None} | comparison.facts(result.report) | result.facts)
    else:
        output.emit("\n\n".join(filter(None, (comparison.in_words(result.report), result.cost))))
    return result.report.status


def _fault(error: foreign.CrashError) -> dict[str, Any]:
    """A crash as facts; what only the core knows is None of a host library."""
    names = ("kind", "address", "pc", "place")
    return {name: getattr(error.__cause__, name, None) for name in names} | {"text": str(error)}
