"""Small programs for the emulated core, hand-written, so that what they do and cost is known."""

from pathlib import Path

from firmware_model.device.core.arena import Region
from firmware_model.device.core.elf import Firmware, load_elf
from firmware_model.device.core.emulator import Core
from firmware_model.device.export import build

STACK = (0x30000000, 4096)
FLASH = Region("flash", build.FLASH_ADDRESS, 64 << 10, writable=False)
RAM = Region("ram", build.RAM_ADDRESS, 16 << 10)

# Name and Thumb instructions; those of 32 bits that the M0+ does not have stand in ONLY_V7M.
COMMON = {
    # 1 + 3 n + 2 instructions, returns 3 n
    "loop": "movs r1, #0 \n 1: adds r1, #3 \n subs r0, #1 \n bne 1b \n mov r0, r1 \n bx lr",
    # r0 + 10 r1 + 100 r2 + 1000 r3 + 10000 of the first and 100000 of the second on the stack
    "six": "push {r4, r5} \n movs r4, #10 \n muls r1, r4 \n adds r0, r0, r1 \n movs r1, #100 \n"
    "muls r2, r1 \n adds r0, r0, r2 \n muls r1, r4 \n muls r3, r1 \n adds r0, r0, r3 \n muls r1, r4 \n"
    "ldr r2, [sp, #8] \n muls r2, r1 \n adds r0, r0, r2 \n muls r1, r4 \n ldr r2, [sp, #12] \n"
    "muls r2, r1 \n adds r0, r0, r2 \n pop {r4, r5} \n bx lr",
    "frame": "push {r4, r5, r6, r7, lr} \n sub sp, #100 \n str r0, [sp] \n add sp, #100 \n"
    "pop {r4, r5, r6, r7, pc}",
    "calls_loop": "push {r4, lr} \n bl loop \n pop {r4, pc}",
    "load": "nop \n ldr r0, [r0] \n bx lr",
    "load_half": "nop \n ldrh r0, [r0] \n bx lr",
    "load_indexed": "movs r1, #3 \n ldr r0, [r0, r1] \n bx lr",
    "load_offset": "nop \n ldr r0, [r0, #8] \n bx lr",
    "store": "nop \n str r0, [r0] \n bx lr",
    "load_two": "nop \n ldm r0!, {r1, r2} \n bx lr",
    "jump": "push {r4, lr} \n blx r0 \n pop {r4, pc}",
    "undefined": "nop \n udf #3 \n bx lr",
    "supervisor": "nop \n svc #1 \n bx lr",
    "breakpoint": "nop \n bkpt #1 \n bx lr",
    "waits": "nop \n wfi \n bx lr",
    "endless": "nop \n 1: b 1b",
    "recursion": "push {r4, lr} \n bl recursion \n pop {r4, pc}",
    "big_frame": "push {r4, lr} \n ldr r4, =8192 \n mov r1, sp \n subs r1, r1, r4 \n mov sp, r1 \n"
    "nop \n bx lr",
    "below_stack": "mov r1, sp \n ldr r2, =4100 \n subs r1, r1, r2 \n str r0, [r1] \n bx lr",
    "of_data": "ldr r0, =word \n ldr r0, [r0] \n bx lr",
    "of_zeros": "ldr r0, =zeros \n ldr r0, [r0, #60] \n bx lr",
}
ONLY_V7M = {
    # 7 instructions whichever way the condition goes: two, IT and its three, the return
    "condition": "movs r1, #5 \n cmp r0, #1 \n itte eq \n moveq r1, #6 \n addeq.w r1, r1, #1 \n"
    "movne r1, #9 \n bx lr",
    "load_double": "nop \n ldrd r1, r2, [r0, #8] \n bx lr",
    "store_double": "nop \n strd r1, r2, [r0, #-8] \n bx lr",
    "load_several": "nop \n ldm.w r0!, {r1, r2, r3, r8} \n bx lr",
    "store_several": "nop \n stmdb r0!, {r1, r2, r3, r8} \n bx lr",
    "exclusive": "nop \n ldrex r1, [r0] \n bx lr",
    "table_branch": "movs r1, #0 \n .inst.w 0xe8d0f001 \n bx lr",  # tbb [r0, r1], and 0 there
    "divide": "movs r1, #7 \n sdiv r0, r0, r1 \n bx lr",
}
SIGNAL_PROCESSING = {  # of the cores with the DSP extension, M4, M7 and M33
    "smulbb": ".inst.w 0xfb10f001 \n bx lr",
    "smlad": ".inst.w 0xfb213002 \n bx lr",
    "smlawb": ".inst.w 0xfb302001 \n bx lr",
    "smusd": ".inst.w 0xfb41f002 \n bx lr",
    "usad8": ".inst.w 0xfb70f001 \n bx lr",
    "smlald": ".inst.w 0xfbc201c3 \n bx lr",
}
LONG_PRODUCTS = "smull r0, r1, r2, r3 \n smlal r0, r1, r2, r3 \n umlal r0, r1, r2, r3 \n bx lr"
EVERY = {
    **COMMON,
    **ONLY_V7M,
    **SIGNAL_PROCESSING,
    "long_products": LONG_PRODUCTS,
    "float_move": ".inst.w 0xec510b10 \n bx lr",  # vmov r0, r1, d0
    "float_load": "nop \n .inst.w 0xed900a02 \n bx lr",  # vldr s0, [r0, #8]
}
DATA = """
.data
.align 2
.global word
.type word, %object
.size word, 4
word: .word 42
.bss
.align 2
.global zeros
.type zeros, %object
.size zeros, 64
zeros: .space 64
"""


def assembler(functions: dict[str, str]) -> str:
    """Text of an assembler file."""
    parts = [".syntax unified", ".thumb"]
    for name, body in functions.items():
        parts += [f'.section .text.{name}, "ax"', ".align 2", f".global {name}", f".type {name}, %function"]
        parts += [".thumb_func", f"{name}:", *body.split("\n"), ".pool", f".size {name}, . - {name}"]
    return "\n".join(parts) + DATA


def linked(folder: Path, cpu: str = "cortex-m4", functions: dict[str, str] = COMMON) -> Firmware:
    """The functions as firmware."""
    return load_elf(build.link({"programs.s": assembler(functions)}, list(functions), cpu, folder))


def core(firmware: Firmware, cpu: str = "cortex-m4", stack: tuple[int, int] = STACK, guard: int = 0) -> Core:
    """A fresh core with the firmware."""
    made = Core(cpu, (FLASH, RAM), stack, guard)
    made.load(firmware)
    return made
