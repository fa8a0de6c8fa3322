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


def several_words_address(first: int, second: int, base: int) -> int:
    """Address that a load or store of several words is about to access.

    Parameters
    ----------
    first, second : halfwords of the instruction;  base : value of its base register

    Notes
    -----
    1110 1x0P U1xx nnnn, xxxx xxxx iiii iiii: LDRD, STRD, or of the floating-point unit, with P an offset of
    4 i is added (U) or subtracted; the others begin at the base, or are taken to.
    """
    doubleword = first >> 9 == 0b1110100 and first >> 6 & 1
    if (doubleword or first >> 9 == 0b1110110) and first >> 8 & 1:
        offset = 4 * (second & 0xFF)
        return (base + offset if first >> 7 & 1 else base - offset) & 0xFFFFFFFF
    return base


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
