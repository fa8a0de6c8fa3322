#!/bin/sh
# Unicorn's Cortex-M cores load pairs and lists of words from unaligned addresses.
#
# Package
#   unicorn 2.1.4
# Behaviour
#   On ARMv7-M and ARMv8-M, LDRD and LDM take a usage fault at an address that is no multiple of 4,
#   whatever CCR says. Emulated M3, M4, M7 and M33 load the words, and no exception is raised. The
#   check exists where one would try it first: LDR (which may be unaligned on these cores) and LDM
#   fault on the M0, and LDREX on all.
# Output
#   at an address 2 past a word   LDR       LDM       LDRD      LDREX
#   Cortex-M0                     fault     fault     refused   refused
#   Cortex-M3                     loads     loads     loads     fault
#   Cortex-M4                     loads     loads     loads     fault
#   Cortex-M7                     loads     loads     loads     fault
#   Cortex-M33                    loads     loads     loads     fault
# Why it matters here
#   Compilers join two 32-bit loads into one LDRD when a pointer's type promises alignment. A frame
#   of 16-bit samples that is cast to words works on the emulator and faults on the board, so the
#   alignment is checked here by a hook of our own on every instruction.
# Date
#   2026-12-01
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    unicorn==2.1.4
cd "$folder"
venv/bin/python - <<'END'
import struct

import unicorn
from unicorn import arm_const

CODE, RAM = 0x1000, 0x20000000
UNALIGNED = 4  # QEMU's number of a data abort, which is how it reports one
PROGRAMS = {  # from [r1], into r0 and r2
    "LDR": (0x6808, 0xBF00),
    "LDM": (0xC905, 0xBF00),
    "LDRD": (0xE9D1, 0x0200),
    "LDREX": (0xE851, 0x0F00),
}


def run(core, words):
    uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
    uc.ctl_set_cpu_model(getattr(arm_const, f"UC_CPU_ARM_CORTEX_{core}"))
    uc.mem_map(CODE, 0x1000)
    uc.mem_map(RAM, 0x1000)
    uc.mem_write(CODE, struct.pack("<HH", *words))
    uc.mem_write(RAM, bytes(range(16)))
    uc.reg_write(arm_const.UC_ARM_REG_R1, RAM + 2)
    raised = []
    uc.hook_add(unicorn.UC_HOOK_INTR, lambda engine, number, data: (raised.append(number), engine.emu_stop()))
    try:
        uc.emu_start(CODE | 1, CODE + 4)
    except unicorn.UcError as error:
        assert error.errno == unicorn.UC_ERR_INSN_INVALID, error
        return "refused"
    if raised:
        assert raised == [UNALIGNED], raised
        return "fault"
    assert uc.reg_read(arm_const.UC_ARM_REG_R0) == 0x05040302
    return "loads"


seen = {core: [run(core, words) for words in PROGRAMS.values()] for core in ("M0", "M3", "M4", "M7", "M33")}
print((f"{'at an address 2 past a word':30}" + "".join(f"{name:10}" for name in PROGRAMS)).rstrip())
for core, found in seen.items():
    print((f"{'Cortex-' + core:30}" + "".join(f"{each:10}" for each in found)).rstrip())
assert seen.pop("M0") == ["fault", "fault", "refused", "refused"], "changed"
assert all(found == ["loads", "loads", "loads", "fault"] for found in seen.values()), "changed"
END
