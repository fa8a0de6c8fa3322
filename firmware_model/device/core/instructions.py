"""What is done at each instruction on the emulated core: it is counted, the stack and alignment are checked.

Unicorn calls the function here before each instruction; compiled, it lets the core run at some 60 million a
second. (Its hooks on memory accesses find out where the program is each time, which took ten times as long.)
"""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from fixedpoint._jit import callback

# Words at the head of the array that it sees, an `arena.Arena`: scratch for a register, which core, counts,
# the least stack pointer, where the last IT block begins and ends, whether the DSP extension is there. Then,
# for each region: address, bytes, where in the array its memory begins (bytes) and its counts (words), one
# for each halfword.
SCRATCH, CORE, EXECUTED, LIMIT, LEAST_STACK, IT_BEGIN, IT_END, DSP, REGIONS = range(9)
WORDS, REGION_WORDS = 9, 4
TOO_LONG, UNALIGNED, OVERRUN, UNDEFINED = range(
    4
)  # what it reports, with the instruction's address and another value

Report = Callable[[int, int, int], None]
reporters: WeakValueDictionary[int, Any] = WeakValueDictionary()  # have `report`, by their word CORE


@ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
def _report(core: int, what: int, pc: int, value: int) -> None:
    reporters[core].report(what, pc, value)


@cache
def on_instruction() -> Any:
    """The compiled function. Fault first, then count: an instruction that faults is not executed.

    Notes
    -----
    Unicorn does not call it for instructions whose condition is not met. They take the core a cycle as well,
    and are counted: an IT instruction counts for its whole block, of up to four, those in the block not at
    all. It is 1011 1111 cccc mmmm; the lowest 1 of the mask m says how many there are.

    Loads and stores of several words (LDM, STM, LDRD, STRD, LDREX, STREX, VLDR, VSTR, VLDM, VSTM) fault on
    addresses that are not multiples of four (ARMv7-M Architecture Reference Manual, A3.2.1), which Unicorn
    does not check. Their offsets are such multiples, so that the base register tells; as a base the stack
    pointer and the PC are aligned always. By the first halfword: 1100 xxxx LDM, STM; 1110 100x the others;
    1110 110x those of the floating-point unit. Among these, 1110 1000 110x has the table branches, and
    1110 1100 010x moves between registers.

    Products of the DSP extension are undefined without it; Unicorn's M3 runs some (SMLAD, SMLALD, SMLAWB):
    1111 1011 0xxx but for 000 (MUL, MLA), 1111 1011 11x0 with a second halfword xxxx xxxx 0000 xxxx only for
    SMLAL and UMLAL, 1111 1011 1101 (A5.3.16, A5.3.17).
    """
    from unicorn.arm_const import UC_ARM_REG_R0, UC_ARM_REG_SP
    from unicorn.unicorn_py3.unicorn import uclib

    prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_int64))
    read_register: Any = prototype(ctypes.cast(uclib.uc_reg_read, ctypes.c_void_p).value or 0)
    r0, sp = UC_ARM_REG_R0, UC_ARM_REG_SP

    @callback("void(voidptr, uint64, uint32, CPointer(int64))")
    def count(engine: Any, at: Any, size: Any, arena: Any) -> None:
        pc = np.int64(at)
        read_register(engine, sp, arena)  # into SCRATCH, its 32 bits
        stack = arena[SCRATCH] & 0xFFFFFFFF
        if stack < arena[LEAST_STACK]:
            _report(arena[CORE], OVERRUN, pc, stack)
            return
        if arena[EXECUTED] >= arena[LIMIT]:
            _report(arena[CORE], TOO_LONG, pc, 0)
            return
        for region in range(arena[REGIONS]):
            entry = WORDS + REGION_WORDS * region
            offset = pc - arena[entry]
            if 0 <= offset < arena[entry + 1]:
                place = arena[entry + 2] + offset
                first = (arena[place >> 3] >> ((place & 6) << 3)) & 0xFFFF
                base = -1
                if first >> 12 == 0b1100:
                    base = (first >> 8) & 7
                elif (first >> 9 == 0b1110100 and first >> 5 != 0b11101000110) or (
                    first >> 9 == 0b1110110 and first >> 5 != 0b11101100010
                ):
                    base = first & 15
                if 0 <= base < 13:
                    read_register(engine, r0 + base, arena)
                    if arena[SCRATCH] & 3:
                        _report(arena[CORE], UNALIGNED, pc, arena[SCRATCH] & 0xFFFFFFFF)
                        return
                if first >> 8 == 0b11111011 and not arena[DSP]:
                    product = (first >> 4) & 15
                    place += 2
                    second = (arena[place >> 3] >> ((place & 6) << 3)) & 0xF0
                    place -= 2
                    if 1 <= product <= 7 or product == 13 or (product in (12, 14) and second):
                        _report(arena[CORE], UNDEFINED, pc, 0)
                        return
                n = 1
                if arena[IT_BEGIN] <= pc < arena[IT_END]:
                    n = 0
                elif first >> 8 == 0b10111111 and first & 15:
                    n = 5
                    while first & 1 == 0:
                        first >>= 1
                        n -= 1
                    arena[IT_BEGIN] = pc + 2
                    place += 2
                    for _ in range(n - 1):
                        halfword = (arena[place >> 3] >> ((place & 6) << 3)) & 0xFFFF
                        place += 4 if halfword >= 0b1110100000000000 else 2  # the latter of 16 bits
                    arena[IT_END] = arena[entry] + place - arena[entry + 2]
                arena[arena[entry + 3] + (offset >> 1)] += n
                arena[EXECUTED] += n
                break

    return count
