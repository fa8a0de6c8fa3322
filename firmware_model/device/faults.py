"""Faults of a program on the emulated core, each in one line: what, which address, where in the program."""

from fixedpoint.errors import BittrueError


class Fault(BittrueError):
    """The program under test did what the core does not take, or did not return.

    Attributes
    ----------
    kind : "unmapped read", "stack overrun", ...
    address : that it concerns, or None
    pc : of the instruction
    place : the function it lies in and the offset, "limit_block+0x12"
    """

    def __init__(self, kind: str, address: int | None, pc: int, place: str, note: str = "") -> None:
        self.kind, self.address, self.pc, self.place = kind, address, pc, place
        at = "" if address is None else f" at {address:#010x}"
        super().__init__(f"{kind}{at}, PC {pc:#010x} ({place}){note and f'; {note}'}")


# Numbers of QEMU's exceptions, as Unicorn hands them to an interrupt hook.
SUPERVISOR_CALL, FETCH_ABORT, UNALIGNED, BREAKPOINT, EXCEPTION_RETURN, NO_COPROCESSOR = 2, 3, 4, 7, 8, 17
EXCEPTIONS = {
    SUPERVISOR_CALL: "supervisor call (SVC), which no handler takes",
    FETCH_ABORT: "fetch of an instruction from unmapped memory",
    UNALIGNED: "unaligned access",
    BREAKPOINT: "breakpoint (BKPT)",
    EXCEPTION_RETURN: "return from an exception that did not happen",
    NO_COPROCESSOR: "floating-point or coprocessor instruction, which this core does not have",
}


def needs_alignment(first: int) -> bool:
    """Whether an ARMv7-M instruction faults on an unaligned address: loads and stores of several words,
    LDRD, STRD, the exclusive ones, and those of the floating-point unit.

    Parameters
    ----------
    first : its first halfword

    Notes
    -----
    LDM, STM 1100 xxxx xxxx xxxx; PUSH 1011 010x, POP 1011 110x; 32-bit 1110 100x (LDM, STM, LDRD, STRD,
    LDREX, STREX) and 1110 110x (VLDR, VSTR, VLDM, VSTM): ARMv7-M Architecture Reference Manual, A3.2.1.
    """
    return (
        first >> 12 == 0b1100 or first >> 9 in (0b1011010, 0b1011110) or first >> 9 in (0b1110100, 0b1110110)
    )


def unaligned_address(first: int, registers: list[int]) -> int | None:
    """Address that an ARMv6-M load or store, which the core refused, was about to access.

    Parameters
    ----------
    first : the instruction, 16 bits
    registers : R0 to R7
    """
    base = registers[(first >> 3) & 7]
    offset = (first >> 6) & 31
    if first >> 12 == 0b0101:  # register offset
        return (base + registers[(first >> 6) & 7]) & 0xFFFFFFFF
    if first >> 12 == 0b0110:  # words
        return (base + 4 * offset) & 0xFFFFFFFF
    if first >> 12 == 0b1000:  # halfwords
        return (base + 2 * offset) & 0xFFFFFFFF
    if first >> 12 == 0b1100:  # LDM, STM
        return registers[(first >> 8) & 7]
    return None
