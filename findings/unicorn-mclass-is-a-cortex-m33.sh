#!/bin/sh
# With UC_MODE_MCLASS, Unicorn runs a Cortex-M33 whatever core is asked for.
#
# Package
#   unicorn 2.1.4
# Behaviour
#   The flag reads as if Cortex-M firmware needed it. With it, ctl_set_cpu_model() returns without
#   an error and changes nothing: a Cortex-M0 and an M4 execute LDA, which came with ARMv8-M, and
#   the M0 divides. Without the flag the model asked for counts, and both refuse.
#   ctl_get_cpu_model() tells, if one thinks of asking.
# Output
#                    Thumb mode alone        Thumb and MCLASS
#   Cortex-M0   SDIV refused   LDA refused   SDIV runs   LDA runs
#   Cortex-M4   SDIV runs      LDA refused   SDIV runs   LDA runs
#   Cortex-M33  SDIV runs      LDA runs      SDIV runs   LDA runs
# Why it matters here
#   Firmware that was built for the wrong core would pass on the emulated one and fault on the
#   board. Here the engine is opened in Thumb mode alone.
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
PROGRAMS = {"SDIV": (0xFB91, 0xF0F2), "LDA": (0xE8D3, 0x0FAF)}  # sdiv r0, r1, r2; lda r0, [r3]
CORES = {"Cortex-M0": "M0", "Cortex-M4": "M4", "Cortex-M33": "M33"}


def run(core, mode, words):
    uc = unicorn.Uc(unicorn.UC_ARCH_ARM, mode)
    uc.ctl_set_cpu_model(getattr(arm_const, f"UC_CPU_ARM_CORTEX_{core}"))
    uc.mem_map(CODE, 0x1000)
    uc.mem_map(RAM, 0x1000)
    uc.mem_write(CODE, struct.pack("<HH", *words))
    for register, value in (("R1", 100), ("R2", 7), ("R3", RAM)):
        uc.reg_write(getattr(arm_const, f"UC_ARM_REG_{register}"), value)
    try:
        uc.emu_start(CODE | 1, CODE + 4)
    except unicorn.UcError as error:
        assert error.errno == unicorn.UC_ERR_INSN_INVALID, error
        return "refused"
    return "runs"


THUMB = unicorn.UC_MODE_THUMB
MODES = (THUMB, THUMB | unicorn.UC_MODE_MCLASS)
seen = {
    name: [run(core, mode, words) for mode in MODES for words in PROGRAMS.values()]
    for name, core in CORES.items()
}
uc = unicorn.Uc(unicorn.UC_ARCH_ARM, MODES[1])
uc.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M0)
assert uc.ctl_get_cpu_model() == arm_const.UC_CPU_ARM_CORTEX_M33, "changed"
print(f"{'':17}{'Thumb mode alone':24}Thumb and MCLASS")
for name, (a, b, c, d) in seen.items():
    print(f"{name:12}SDIV {a:10}LDA {b:10}SDIV {c:7}LDA {d}")
assert seen["Cortex-M0"] == ["refused", "refused", "runs", "runs"], "changed"
assert seen["Cortex-M4"] == ["runs", "refused", "runs", "runs"], "changed"
assert seen["Cortex-M33"] == ["runs"] * 4, "changed"
END
