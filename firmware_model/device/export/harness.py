"""A golden case on the emulated core: the exported product beside the model, frame by frame, and its cost.

What is counted: the product's function that takes a frame, not its init. Instructions are not cycles: a
Cortex-M3 or M4 takes one to three for a load, one to five for a 64-bit product, and flash adds wait states.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from firmware_model.case import Case, Form
from firmware_model.device.core.arena import Region
from firmware_model.device.core.elf import Firmware, load_elf
from firmware_model.device.core.emulator import Core
from firmware_model.device.core.inlined import functions_by_address
from firmware_model.device.export import build, configured
from firmware_model.device.export.configured import Configured
from firmware_model.device.export.product import CProduct, product_of
from firmware_model.golden import stimuli
from fixedpoint._jit import registered_kernels

Tell = Callable[[float], None]  # share of the run that is done, 0 to 1

FRAME_SAMPLES = 64  # of a call where any number of blocks is taken, rounded up to whole ones
STACK_BYTES = 16384
SAMPLES = "y"  # the output of a product that gives samples
_SHIFTS = ("asr", "asr32")  # of the exported C, besides the kernels
_STACK_ADDRESS, _FRAME_ADDRESS = 0x30000000, 0x38000000


class OutputDifference(NamedTuple):
    """The first output value, in time, that differs.

    name : of the output node, or a field of the output;  row : channel, key, pattern or flat index
    sample : of the input: its own, or the first of its hop;  expected, got : integers
    """

    name: str
    row: str
    sample: int
    time_s: float
    expected: int
    got: int


class StateDifference(NamedTuple):
    """An array of the final state that differs. differing : values;  first : flat index of the first"""

    path: str
    differing: int
    first: int
    expected: int
    got: int


class DeviceResult(NamedTuple):
    """What ran, whether it is the model's bits, and what it took.

    samples : per channel;  frame_samples : of a call
    instructions : of all calls;  worst : of the call with the most
    code_bytes, table_bytes : flash;  instance_bytes : the product's struct
    static_bytes : other variables that a function keeps, 0 for a product without global state
    stack_bytes : deepest
    by_function : instructions, most first; those of inlined functions are their callers'
    nodes : the case's nodes that the device gives, (rows, steps) integers
    by_kernel : if asked for, instructions by kernel wherever it was inlined, most first; those of
        `fixedpoint.arith` in the kernels that call it; else empty
    """

    case: Case
    cpu: str
    optimise: str
    first_output: OutputDifference | None
    state: tuple[StateDifference, ...]
    samples: int
    frame_samples: int
    instructions: int
    worst: int
    code_bytes: int
    table_bytes: int
    instance_bytes: int
    static_bytes: int
    stack_bytes: int
    by_function: dict[str, int]
    nodes: dict[str, np.ndarray]
    by_kernel: dict[str, int]

    @property
    def flags(self) -> str:
        """Compiler and flags."""
        return build.flags(self.optimise)

    @property
    def bit_exact(self) -> bool:
        """Whether all outputs and the final state are the model's."""
        return self.first_output is None and not self.state

    @property
    def instructions_per_sample(self) -> float:
        """Mean, for a sample of each channel."""
        return self.instructions / self.samples

    @property
    def worst_per_sample(self) -> float:
        """In the call with the most."""
        return self.worst / self.frame_samples

    @property
    def mips(self) -> float:
        """Million instructions per second at the case's rate, mean."""
        return self.instructions_per_sample * self.case.fs_hz / 1e6

    @property
    def worst_mips(self) -> float:
        """The same, if every call were as the one with the most."""
        return self.worst_per_sample * self.case.fs_hz / 1e6

    @property
    def flash_bytes(self) -> int:
        """Code and tables."""
        return self.code_bytes + self.table_bytes

    @property
    def ram_bytes(self) -> int:
        """The instance, other variables and the stack; not the caller's frames of input and output."""
        return self.instance_bytes + self.static_bytes + self.stack_bytes


def run_case(
    case: Case,
    cpu: str = "cortex-m4",
    optimise: str = "3",
    *,
    product: CProduct | None = None,
    profile: bool = False,
    tell: Tell = lambda share: None,
) -> DeviceResult:
    """Build a case's product for a core and run it on the case's stimulus, beside the model.

    Parameters
    ----------
    cpu : name of a core, see `cpu`
    optimise : "3", "2" or "s", as the compiler takes it
    product : to build instead of the case's own, with the same memory
    profile : count by kernel as well
    tell : is told how far the run is

    Raises
    ------
    ConfigError
        No toolchain, core or level of optimisation of this name.
    Fault
        The product faults on the core.
    """
    setup = configured.of_case(case)
    product = product or product_of(setup)
    with tempfile.TemporaryDirectory() as folder:
        path = build.compile_firmware(product, cpu, optimise, Path(folder), debug=profile)
        firmware = load_elf(path)
        kernels = functions_by_address(str(path), _arithmetic()) if profile else {}
    device = _Device(product, firmware, cpu, setup)
    seen = _Comparison(case, setup)
    x_q15 = case.whole_blocks(stimuli.load(case))
    n = x_q15.shape[1]
    for start in range(0, n, device.frame_samples):
        frame = np.ascontiguousarray(x_q15[:, start : start + device.frame_samples])
        seen.add(start, _model(setup, frame), device.process(frame))
        tell(min(1.0, (start + frame.shape[1]) / n))
    return DeviceResult(
        case,
        device.core.cpu.name,
        optimise,
        seen.first,
        _state_differences(setup, device.memory()),
        n,
        device.frame_samples,
        device.instructions,
        device.worst,
        *_bytes(firmware, product),
        device.core.stack_bytes(),
        device.by_function(),
        seen.nodes(),
        device.by_function(kernels) if profile else {},
    )


class _Device:
    """The product on the core, initialised."""

    def __init__(self, product: CProduct, firmware: Firmware, cpu: str, setup: Configured) -> None:
        blocks = 1 if setup.form == Form.FIELDS else -(-FRAME_SAMPLES // setup.block)
        self.frame_samples = blocks * setup.block
        self._product, self._setup = product, setup
        size = 2 * setup.channels * self.frame_samples
        self._y_address = _FRAME_ADDRESS + -(-size // 1024) * 1024
        regions = (
            Region("flash", build.FLASH_ADDRESS, build.FLASH_BYTES, writable=False),
            Region("ram", build.RAM_ADDRESS, build.RAM_BYTES),
            Region("frames", _FRAME_ADDRESS, 2 * (self._y_address - _FRAME_ADDRESS)),
        )
        self.core = Core(cpu, regions, (_STACK_ADDRESS, STACK_BYTES))
        self.core.load(firmware)
        self._instance = firmware.symbol(build.INSTANCE).address
        self._process = firmware.symbol(product.process).address
        self.core.call(firmware.symbol(product.init).address, [self._instance])
        self._memory = self.core.call(firmware.symbol(build.MEMORY).address)
        self._begun, self._before = self.core.instructions, self.core.executed()
        self.worst = 0

    def process(self, x_q15: np.ndarray) -> dict[str, np.ndarray]:
        """One call: (channels, n) int16 in, outputs by name."""
        begun = self.core.instructions
        self.core.write(_FRAME_ADDRESS, x_q15)
        if self._setup.form == Form.FIELDS:
            self.core.call(self._process, [self._instance, _FRAME_ADDRESS])
            outputs = {
                path.removeprefix("output."): values
                for path, values in self.memory().items()
                if path.startswith("output.")
            }
        else:
            arguments = [self._instance, _FRAME_ADDRESS, x_q15.shape[1], self._y_address]
            self.core.call(self._process, arguments)
            outputs = {SAMPLES: self.core.read(self._y_address, np.int16, x_q15.shape)}
        self.worst = max(self.worst, self.core.instructions - begun)
        return outputs

    def memory(self) -> dict[str, np.ndarray]:
        """Arrays of the instance by their names in the model."""
        held = self.core.read(self._memory, self._product.memory_dtype, 1)[0]
        return {field.path: held[field.member] for field in self._product.memory}

    @property
    def instructions(self) -> int:
        """Of all calls of `process`."""
        return self.core.instructions - self._begun

    def by_function(self, known: dict[int, str] | None = None) -> dict[str, int]:
        """Those by function; known : functions by address, else those of the symbol table."""
        return self.core.by_function(self._before, known)


class _Comparison:
    """Outputs of the device beside the model's."""

    def __init__(self, case: Case, setup: Configured) -> None:
        self._case, self._setup = case, setup
        self.first: OutputDifference | None = None
        self._parts: dict[str, list[np.ndarray]] = {}

    def add(self, start: int, expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> None:
        """Take the outputs of a frame that begins at this sample."""
        for name, values in got.items():
            self._parts.setdefault(name, []).append(values if name == SAMPLES else values.reshape(-1, 1))
        differing = [name for name in expected if not np.array_equal(expected[name], got[name])]
        if self.first is None and differing:
            found = [self._difference(start, name, expected[name], got[name]) for name in differing]
            self.first = min(found, key=lambda difference: difference.sample)

    def _difference(self, start: int, name: str, expected: np.ndarray, got: np.ndarray) -> OutputDifference:
        if name == SAMPLES:
            step, row = (int(v) for v in np.argwhere((expected != got).T)[0])
            sample, label = start + step, self._case.output.rows[row]
            values = expected[row, step], got[row, step]
        else:
            flat = int(np.flatnonzero(expected.ravel() != got.ravel())[0])
            sample, label = start, self._label(name, flat)
            values = expected.flat[flat], got.flat[flat]
        shown = self._case.output.name if name == SAMPLES else name
        return OutputDifference(
            shown, label, sample, sample / self._case.fs_hz, int(values[0]), int(values[1])
        )

    def _label(self, name: str, flat: int) -> str:
        node = self._case.nodes_of.get(name)
        rows = next((each.rows for each in self._case.nodes if each.name == node), ())
        return rows[flat] if rows else f"value {flat}"

    def nodes(self) -> dict[str, np.ndarray]:
        """The case's nodes, of all frames."""
        names = {SAMPLES: self._case.output.name, **self._case.nodes_of}
        return {
            names[name]: np.concatenate(parts, axis=1) for name, parts in self._parts.items() if name in names
        }


def _model(setup: Configured, x_q15: np.ndarray) -> dict[str, np.ndarray]:
    """Outputs of the model by name; its state goes on."""
    if setup.form == Form.FIELDS:
        setup.kernel(setup.params, setup.state, setup.one_block(x_q15), setup.output, None)
        return setup.output._asdict()
    y_q15 = np.empty_like(x_q15)
    setup.kernel(setup.params, setup.state, x_q15, y_q15, None)
    return {SAMPLES: y_q15}


def _state_differences(setup: Configured, memory: dict[str, np.ndarray]) -> tuple[StateDifference, ...]:
    found = []
    for each in setup.memory:
        if each.values.size and each.path.startswith("state."):
            expected, got = each.values.ravel(), memory[each.path].ravel()
            wrong = np.flatnonzero(expected != got)
            if len(wrong):
                at = int(wrong[0])
                found.append(StateDifference(each.path, len(wrong), at, int(expected[at]), int(got[at])))
    return tuple(found)


def _arithmetic() -> frozenset[str]:
    """Names of the primitives, which a profile counts in the kernels that they are part of."""
    kernels = (getattr(kernel, "py_func", kernel) for kernel in registered_kernels().values())
    return frozenset(k.__name__ for k in kernels if k.__module__ == "fixedpoint.arith").union(_SHIFTS)


def _bytes(firmware: Firmware, product: CProduct) -> tuple[int, int, int, int]:
    """Bytes of code, tables, the instance and other variables; the harness's own are left out."""
    sections = [section for section in firmware.sections if section.name != build.HARNESS]
    code = sum(s.size for s in sections if s.executable)
    tables = sum(s.size for s in sections if s.stored and not s.executable)
    instance = firmware.symbol(build.INSTANCE).size
    return code, tables, instance, sum(s.size for s in sections if s.writable) - instance
