"""Cortex-M cores: their names here, for the compiler and for the emulator."""

from typing import NamedTuple

from fixedpoint.errors import ConfigError, did_you_mean


class Cpu(NamedTuple):
    """A core.

    name : "cortex-m4"
    compiler : what zig calls it
    model : name of Unicorn's constant
    runs_on : the core that is emulated; the M0+ has the instruction set of the M0, ARMv6-M
    aligned : whether every access must be aligned; the others fault on LDRD, LDM and their like alone
    dsp : whether it has the DSP extension
    """

    name: str
    compiler: str
    model: str
    runs_on: str
    aligned: bool = False
    dsp: bool = False


CPUS = {
    cpu.name: cpu
    for cpu in (
        Cpu("cortex-m0plus", "cortex_m0plus", "UC_CPU_ARM_CORTEX_M0", "cortex-m0", aligned=True),
        Cpu("cortex-m3", "cortex_m3", "UC_CPU_ARM_CORTEX_M3", "cortex-m3"),
        Cpu("cortex-m4", "cortex_m4", "UC_CPU_ARM_CORTEX_M4", "cortex-m4", dsp=True),
        Cpu("cortex-m7", "cortex_m7", "UC_CPU_ARM_CORTEX_M7", "cortex-m7", dsp=True),
        Cpu("cortex-m33", "cortex_m33", "UC_CPU_ARM_CORTEX_M33", "cortex-m33", dsp=True),
    )
}


def find_cpu(name: str) -> Cpu:
    """The core of a name; "m4" will do.

    Raises
    ------
    ConfigError
    """
    found = CPUS.get(name) or CPUS.get(f"cortex-{name}")
    if found is None:
        meant = did_you_mean(name, CPUS, "; ")
        raise ConfigError(f"cpu={name}: must be one of {', '.join(CPUS)}{meant}")
    return found
