"""A Cortex-M core that runs firmware: memory, calls, instructions executed, stack depth, faults.

Unicorn (QEMU's translation) executes the target's machine code. Two of its ways matter here. With
UC_MODE_MCLASS it runs a Cortex-M33 whatever model is asked for; without it the model counts: a Cortex-M0
refuses ARMv7-M instructions and unaligned accesses, an M3 much of the DSP extension. SMLAD and its like run
there, and no model checks the alignment of LDRD, LDM and their like, on which every core faults:
`instructions` does both.
"""

import ctypes
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from firmware_model.device.core import faults
from firmware_model.device.core import instructions as cells
from firmware_model.device.core.arena import PAGE, Arena, Region
from firmware_model.device.core.cpu import find_cpu
from firmware_model.device.core.elf import Firmware
from firmware_model.device.core.faults import Fault
from fixedpoint.errors import ConfigError

__all__ = ["Core", "Fault", "Region"]

MOST_INSTRUCTIONS = 200_000_000  # of a call; more is taken for a loop without end
_PAINT = 0xA5
_BELOW_STACK = 1 << 16  # a fault this close below the stack is one of the stack
_MOST_BYTES = 1 << 28  # of a region
_UNKNOWN = "no function"


class Core:
    """A core with its memory.

    Parameters
    ----------
    cpu : name of a core, see `cpu`
    regions : `Region`s, memory of the target; what is not in one faults
    stack : (address, size), bytes; in a region, or apart from all and then memory of its own
    guard : bytes below the stack that no call may change; 0: none are looked at

    Raises
    ------
    ConfigError
        A core that is not known; regions that overlap or are not whole pages; a stack partly in a region.
    """

    def __init__(
        self, cpu: str, regions: Sequence[tuple[str, int, int, bool]], stack: tuple[int, int], guard: int = 0
    ) -> None:
        self.cpu = find_cpu(cpu)
        self._stack = stack
        memory = [Region(*region) for region in regions]
        memory += _own_region(stack, memory)
        _require_separate(memory)
        self._firmware: list[Firmware] = []
        self._fault: Fault | None = None
        self._at_most, self._top = 0, sum(self._stack) & ~7
        self._arena = Arena(memory, self._on_report)
        self._return = _free_page(memory)
        self._arena.words[cells.LEAST_STACK] = stack[0]
        self._arena.words[cells.DSP] = self.cpu.dsp
        self._open()
        self._paint = self._view(*self._stack, "stack")
        self._paint[:] = _PAINT
        self._guard = self._view(stack[0] - guard, guard, "guard")

    def _open(self) -> None:
        """An engine over the arena's memory, with its hooks."""
        import unicorn
        from unicorn import arm_const

        self._uc: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        self._uc.ctl_set_cpu_model(getattr(arm_const, self.cpu.model))
        self._registers = [getattr(arm_const, f"UC_ARM_REG_R{n}") for n in range(16)]
        self._status = arm_const.UC_ARM_REG_CPSR
        for region, memory in zip(self._arena.regions, self._arena.memory, strict=True):
            access = unicorn.UC_PROT_ALL if region.writable else unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
            self._uc.mem_map_ptr(region.address, region.size, access, memory.ctypes.data)
        self._count = cells.on_instruction()
        self._hook(unicorn.UC_HOOK_CODE, self._count)
        invalid = unicorn.UC_HOOK_MEM_UNMAPPED | unicorn.UC_HOOK_MEM_PROT
        self._kinds = {
            unicorn.UC_MEM_READ_UNMAPPED: "unmapped read",
            unicorn.UC_MEM_WRITE_UNMAPPED: "unmapped write",
            unicorn.UC_MEM_FETCH_UNMAPPED: faults.EXCEPTIONS[faults.FETCH_ABORT],
            unicorn.UC_MEM_WRITE_PROT: "write to read-only memory",
        }
        self._uc.hook_add(invalid, self._on_memory)
        self._uc.hook_add(unicorn.UC_HOOK_INSN_INVALID, self._on_invalid)
        self._uc.hook_add(unicorn.UC_HOOK_INTR, self._on_exception)

    def _hook(self, kinds: int, function: Any) -> None:
        """A compiled callback, which the Python binding has no way to hand over, for all addresses."""
        from unicorn import UC_ERR_OK, UcError
        from unicorn.unicorn_py3.unicorn import uclib

        handle, data = ctypes.c_size_t(), ctypes.c_void_p(self._arena.words.ctypes.data)
        address = ctypes.c_void_p(function.address)
        status = uclib.uc_hook_add(
            self._uc._uch, ctypes.byref(handle), kinds, address, data, ctypes.c_uint64(1), ctypes.c_uint64(0)
        )
        if status != UC_ERR_OK:
            raise UcError(status)

    # --- memory ------------------------------------------------------------------------------

    def load(self, firmware: Firmware) -> None:
        """Place a program: its segments where it finds them and, for its start-up code, where flash has them.

        Raises
        ------
        ConfigError
            A segment outside of all regions.
        """
        for segment in firmware.segments:
            data = np.frombuffer(segment.content, np.uint8)
            memory = self._view(segment.address, segment.size, f"{firmware.path}: segment")
            memory[: len(data)] = data
            memory[len(data) :] = 0
            flash = self._arena.view(segment.load_address, len(data))
            if segment.load_address != segment.address and flash is not None:
                flash[:] = data
        self._uc.ctl_flush_tb()
        self._firmware.append(firmware)

    def read(self, address: int, dtype: Any, shape: int | tuple[int, ...]) -> np.ndarray:
        """A copy of an array.

        Raises
        ------
        ConfigError
            Not in one region.
        """
        dtype = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        return self._view(address, size, "read").copy().view(dtype).reshape(shape)

    def write(self, address: int, array: np.ndarray) -> None:
        """Store an array, in flash as well.

        Raises
        ------
        ConfigError
            Not in one region.
        """
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        self._view(address, data.size, "write")[:] = data

    def _view(self, address: int, size: int, what: str) -> np.ndarray:
        memory = self._arena.view(address, size)
        if memory is None:
            known = ", ".join(
                f"{r.name} {r.address:#010x}-{r.address + r.size - 1:#010x}" for r in self._arena.regions
            )
            raise ConfigError(f"{what} of {size} bytes at {address:#010x}: must lie in one of {known}")
        return memory

    # --- running -----------------------------------------------------------------------------

    def call(self, address: int, arguments: Sequence[int] = (), at_most: int = MOST_INSTRUCTIONS) -> int:
        """Call a function as the ARM procedure call standard has it, and return r0, unsigned.

        Parameters
        ----------
        address : of the function, with or without the Thumb bit
        arguments : 32 bits each; an int64_t is two of them, low half first, from an even one on
        at_most : instructions after which it is taken not to return

        Raises
        ------
        Fault
            Also in every later call: what the memory holds is of no use then.
        """
        import unicorn

        if self._fault is not None:
            raise self._fault
        words = np.array([int(a) & 0xFFFFFFFF for a in arguments], np.uint32)
        top = sum(self._stack) & ~7
        on_stack = words[4:]
        entry = (top - 4 * len(on_stack)) & ~7
        self._top = entry
        if len(on_stack):
            self.write(entry, on_stack)
        for register, word in zip(self._registers, words[:4], strict=False):
            self._uc.reg_write(register, int(word))
        self._uc.reg_write(self._registers[13], entry)
        self._uc.reg_write(self._registers[14], self._return | 1)
        self._at_most, guarded = at_most, self._guard.copy()
        self._arena.words[cells.LIMIT] = self.instructions + at_most
        try:
            self._uc.emu_start(address | 1, self._return)
        except unicorn.UcError as error:
            if self._fault is None:
                self._stop(f"emulator: {error}", None, self._register(15))
        if self._fault is None and not np.array_equal(self._guard, guarded):
            self._stop("stack overrun, write below the stack during a call", None, address & ~1)
        if self._fault is None and self._register(15) != self._return:
            self._stop("waits for an interrupt (WFI, WFE), which never comes", None, self._register(15) - 2)
        if self._fault is not None:
            raise self._fault
        return self._register(0)

    @property
    def instructions(self) -> int:
        """Executed so far; one whose condition is not met counts, it takes a cycle as well."""
        return int(self._arena.words[cells.EXECUTED])

    def executed(self) -> Counter[int]:
        """Instructions executed so far, by address."""
        return Counter(dict(self._arena.executed()))

    def by_function(
        self, before: Counter[int] | None = None, known: Mapping[int, str] | None = None
    ) -> dict[str, int]:
        """Instructions executed by function, most first; those of inlined ones are their caller's.

        Parameters
        ----------
        before : those executed until then do not count
        known : functions by address, instead of those of the symbol table
        """
        found: Counter[str] = Counter()
        for address, n in (self.executed() - (before or Counter())).items():
            found[(known or {}).get(address) or self._place(address).partition("+")[0]] += n
        return dict(found.most_common())

    def stack_bytes(self) -> int:
        """From the stack pointer at a call down to the lowest byte written by any call so far."""
        written = np.flatnonzero(self._paint != _PAINT)
        lowest = self._stack[0] + int(written[0]) if len(written) else self._top
        return max(0, self._top - lowest)

    # --- faults ------------------------------------------------------------------------------

    def _place(self, address: int) -> str:
        for firmware in self._firmware:
            if firmware.function_at(address):
                return firmware.place(address)
        return _UNKNOWN

    def _register(self, n: int) -> int:
        return int(self._uc.reg_read(self._registers[n]))

    def _stop(self, kind: str, address: int | None, pc: int, note: str = "") -> None:
        """Keep the first fault, and leave the core as soon as it can be left."""
        if self._fault is None:
            self._fault = Fault(kind, address, pc, self._place(pc), note)
        self._uc.emu_stop()

    def _caller(self) -> str:
        back = (self._register(14) & ~1) & 0xFFFFFFFF
        return f"LR {back:#010x} ({self._place(back)})"

    def _halfword(self, address: int) -> int:
        memory = self._arena.view(address, 2)
        return 0 if memory is None else int(memory[0]) | int(memory[1]) << 8

    def _below_stack(self, address: int) -> bool:
        return self._stack[0] - _BELOW_STACK <= address < self._stack[0]

    def _on_report(self, what: int, pc: int, value: int) -> None:
        if what == cells.TOO_LONG:
            self._stop(f"no return within {self._at_most} instructions", None, pc)
        elif what == cells.UNDEFINED:
            self._stop(f"undefined instruction {self._halfword(pc):#06x}", None, pc)
        elif what == cells.OVERRUN:
            self._stop("stack overrun, stack pointer below the stack", value, pc)
        else:
            address = faults.several_words_address(self._halfword(pc), self._halfword(pc + 2), value)
            self._stop(faults.EXCEPTIONS[faults.UNALIGNED], address, pc)

    def _on_memory(self, uc: Any, kind: int, address: int, size: int, value: int, data: Any) -> bool:
        says = self._kinds.get(kind, "access that the memory does not permit")
        fetch = kind not in self._kinds or says == faults.EXCEPTIONS[faults.FETCH_ABORT]
        if not fetch and self._below_stack(address):
            says = f"stack overrun, {says.removeprefix('unmapped ')} below the stack"
        self._stop(says, address, self._register(15), self._caller() if fetch else "")
        return False

    def _on_invalid(self, uc: Any, data: Any) -> bool:
        pc = self._register(15)
        if not self._uc.reg_read(self._status) & 1 << 5:
            self._stop("jump without the Thumb bit", pc, pc, self._caller())
        else:
            self._stop(f"undefined instruction {self._halfword(pc):#06x}", None, pc)
        return False

    def _on_exception(self, uc: Any, number: int, data: Any) -> None:
        pc, address, note = self._register(15), None, ""
        if number == faults.UNALIGNED:
            address = faults.unaligned_address(self._halfword(pc), [self._register(n) for n in range(8)])
        elif number in (faults.FETCH_ABORT, faults.EXCEPTION_RETURN):
            address, note = pc, self._caller()
        elif number == faults.SUPERVISOR_CALL:
            pc -= 2  # it points behind the instruction
        self._stop(faults.EXCEPTIONS.get(number, f"exception {number}"), address, pc, note)


def _own_region(stack: tuple[int, int], regions: list[Region]) -> list[Region]:
    """The stack as a region where it lies in none."""
    address, size = stack
    inside = any(r.address <= address and address + size <= r.address + r.size for r in regions)
    return [] if inside else [Region("stack", address, size)]


def _require_separate(regions: list[Region]) -> None:
    for region in regions:
        if region.address % PAGE or region.size % PAGE or not 0 < region.size <= _MOST_BYTES:
            raise ConfigError(
                f"{region.name} of {region.size} bytes at {region.address:#010x}: address and size must be "
                f"multiples of {PAGE}, size at most {_MOST_BYTES >> 20} MiB"
            )
        if not 0 <= region.address <= (1 << 32) - region.size:
            raise ConfigError(f"{region.name} at {region.address:#x}: must lie below {1 << 32:#x}")
    ordered = sorted(regions, key=lambda region: region.address)
    for low, high in pairwise(ordered):
        if low.address + low.size > high.address:
            raise ConfigError(
                f"{low.name} at {low.address:#010x}-{low.address + low.size - 1:#010x} and {high.name} at "
                f"{high.address:#010x}: overlap; memory must not"
            )


def _free_page(regions: list[Region]) -> int:
    """An address in no region: where a call returns to, and the core is stopped before it fetches there.

    In the part of the map that ARMv7-M has for external RAM: from other parts the core would not fetch.
    """
    pages = range(0x9FFF0000, 0x60000000, -0x10000)
    return next(p for p in pages if all(not r.address - PAGE <= p < r.address + r.size for r in regions))
