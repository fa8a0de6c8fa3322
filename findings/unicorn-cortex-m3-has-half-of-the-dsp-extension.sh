#!/bin/sh
# Unicorn's Cortex-M3 refuses some instructions of the DSP extension and runs others.
#
# Package
#   unicorn 2.1.4
# Behaviour
#   A Cortex-M3 has no DSP extension: each of these instructions is undefined there. The emulated M3
#   refuses QADD, SADD16, SMULBB, SMMUL, UMAAL, PKHBT and SEL, so a trial with one of them says that
#   the core is modelled; but it executes the dual multiplications SMUAD, SMUSD, SMLAD and SMLALD,
#   the 32 by 16 SMLAWB and USAD8, with an M4's results.
# Output
#   refused by the M3, executed by the M4: PKHBT QADD SADD16 SEL SMMUL SMULBB UMAAL
#   executed by the M3 with the M4's result: SMLAD SMLALD SMLAWB SMUAD SMUSD USAD8
# Why it matters here
#   SMLAD is what a 16-bit dot product or FIR is made of. Firmware compiled for an M4 by mistake can
#   pass on an emulated M3 and take a usage fault on a real one: that the emulator did not complain
#   is no proof for an M3.
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

CODE = 0x1000
# Of r1, r2, r3 (and r0, where both halves of a product are accumulated), into r0.
DSP = {
    "QADD": (0xFA82, 0xF081),
    "SADD16": (0xFA91, 0xF002),
    "SMULBB": (0xFB11, 0xF002),
    "SMMUL": (0xFB51, 0xF002),
    "UMAAL": (0xFBE1, 0x0362),
    "PKHBT": (0xEAC1, 0x0002),
    "SEL": (0xFAA1, 0xF082),
    "SMUAD": (0xFB21, 0xF002),
    "SMUSD": (0xFB41, 0xF002),
    "SMLAD": (0xFB21, 0x3002),
    "SMLALD": (0xFBC1, 0x03C2),
    "SMLAWB": (0xFB31, 0x3002),
    "USAD8": (0xFB71, 0xF002),
}


def run(core, words):
    """r0, or None where the instruction is refused."""
    uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
    uc.ctl_set_cpu_model(core)
    uc.mem_map(CODE, 0x1000)
    uc.mem_write(CODE, struct.pack("<HH", *words))
    for register, value in (("R1", 0x12345678), ("R2", 0x00030004), ("R3", 7)):
        uc.reg_write(getattr(arm_const, f"UC_ARM_REG_{register}"), value)
    try:
        uc.emu_start(CODE | 1, CODE + 4)
    except unicorn.UcError as error:
        assert error.errno == unicorn.UC_ERR_INSN_INVALID, error
        return None
    return uc.reg_read(arm_const.UC_ARM_REG_R0)


m3 = {name: run(arm_const.UC_CPU_ARM_CORTEX_M3, words) for name, words in DSP.items()}
m4 = {name: run(arm_const.UC_CPU_ARM_CORTEX_M4, words) for name, words in DSP.items()}
assert None not in m4.values(), "changed: the M4 refuses one"
refused = sorted(name for name in DSP if m3[name] is None)
executed = sorted(name for name in DSP if m3[name] is not None and m3[name] == m4[name])
print("refused by the M3, executed by the M4:", *refused)
print("executed by the M3 with the M4's result:", *executed)
assert refused == ["PKHBT", "QADD", "SADD16", "SEL", "SMMUL", "SMULBB", "UMAAL"], "changed"
assert executed == ["SMLAD", "SMLALD", "SMLAWB", "SMUAD", "SMUSD", "USAD8"], "changed"
END
