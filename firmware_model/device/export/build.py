"""Firmware for a Cortex-M, built with the C compiler that comes as a Python package (ziglang: clang and lld).

The compiler's run-time library supplies what the core has no instruction for: 64-bit products and shifts on
ARMv6-M, memcpy, memset. zig takes seconds to build it, once for each core: it is linked where it is needed.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import platformdirs

from firmware_model.device.core.cpu import find_cpu
from firmware_model.device.core.toolchain import toolchain
from firmware_model.device.export.product import CProduct
from fixedpoint.errors import ConfigError

# zig compiles C at -O2 for -O3 as well, unless clang itself is told; and for -Os it leaves out the symbols
# unless there is to be debugging information, which is not loaded.
_LEVELS = {
    "3": ("-O3", "-Xclang", "-O3"),
    "2": ("-O2", "-Xclang", "-O2"),
    "s": ("-Os", "-Xclang", "-Os", "-g"),
}
OPTIMISE = tuple(_LEVELS)
_MACHINE_CODE = ("-fomit-frame-pointer",)  # a register more: 1 to 4 % fewer instructions at -O3 and -O2
_DEBUG = ("-g", "-gdwarf-4")
_UNDEFINED = "undefined symbol"  # the linker's words for what a library may have
HARNESS = ".harness"  # section of what is not the product's: no flash of it is counted
INSTANCE, MEMORY = "device_instance", "device_memory"  # names that `device_source` gives
FLASH_ADDRESS, FLASH_BYTES = 0x08000000, 2 << 20
RAM_ADDRESS, RAM_BYTES = 0x20000000, 4 << 20
_FLAGS = (
    "-std=c99",
    "-g0",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-fno-sanitize=undefined",  # zig's default without optimisation
    "-Wl,--gc-sections",
)
_SCRIPT = f"""MEMORY {{
    FLASH (rx) : ORIGIN = {FLASH_ADDRESS:#x}, LENGTH = {FLASH_BYTES}
    RAM (rw) : ORIGIN = {RAM_ADDRESS:#x}, LENGTH = {RAM_BYTES}
}}
SECTIONS {{
    {HARNESS} : {{ *(.text.device_*) }} > FLASH
    .text : {{ *(.text*) }} > FLASH
    .rodata : {{ *(.rodata*) }} > FLASH
    .data : {{ *(.data*) }} > RAM
    .bss : {{ *(.bss*) *(COMMON) }} > RAM
    /DISCARD/ : {{ *(.ARM.exidx*) *(.ARM.extab*) }}
}}
"""


def device_source(product: CProduct) -> str:
    """C that holds an instance of a product, and says where its arrays begin."""
    return (
        f'#include "{product.prefix}.h"\n'
        f"{product.instance_type} {INSTANCE};\n"
        f"{product.prefix}_memory *{MEMORY}(void);\n"
        f"{product.prefix}_memory *{MEMORY}(void) {{ return &{INSTANCE}.memory; }}\n"
    )


def flags(optimise: str) -> str:
    """Compiler and flags that decide a product's machine code, in words."""
    return " ".join(("clang", f"-O{optimise}", *_MACHINE_CODE))


def compile_firmware(
    product: CProduct, cpu: str, optimise: str, folder: Path, *, debug: bool = False
) -> Path:
    """Build a product with one instance of it.

    Parameters
    ----------
    cpu : name of a core, see `cpu`;  optimise : one of `OPTIMISE`
    folder : gets sources, linker script and the ELF file
    debug : with debugging information, see `inlined`; the machine code is the same

    Returns
    -------
    Path of the ELF file

    Raises
    ------
    ConfigError
    """
    if optimise not in OPTIMISE:
        raise ConfigError(f"opt={optimise}: must be one of {', '.join(OPTIMISE)}")
    sources = {
        f"{product.prefix}.h": product.header,
        f"{product.prefix}.c": product.source,
        "device.c": device_source(product),
    }
    wanted = _LEVELS[optimise] + _MACHINE_CODE + (_DEBUG if debug else ())
    return link(sources, (product.init, product.process, MEMORY), cpu, folder, wanted)


def link(
    sources: Mapping[str, str],
    keep: Sequence[str],
    cpu: str,
    folder: Path,
    flags: Sequence[str] = ("-O2", *_MACHINE_CODE),
) -> Path:
    """Compile and link C or assembler files.

    Parameters
    ----------
    sources : text by file name;  keep : functions that the ELF file keeps, with what they need
    cpu : name of a core;  folder : of the files
    flags : of the compiler

    Returns
    -------
    Path of the ELF file

    Raises
    ------
    ConfigError
        No toolchain; code that it does not take.
    """
    toolchain()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in sources.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "memory.ld").write_text(_SCRIPT, "utf-8")
    units = [name for name in sources if Path(name).suffix.lower() in (".c", ".s")]
    core = ("-target", "thumb-freestanding-eabi", f"-mcpu={find_cpu(cpu).compiler}")
    wanted = [f"-Wl,-e,{keep[0]}", *(f"-Wl,-u,{name}" for name in keep)]
    command = [sys.executable, "-m", "ziglang", "cc", *core, *_FLAGS, *flags, *wanted]
    command += ["-T", "memory.ld", "-o", "firmware.elf", *units]
    for library in (["-nostdlib"], []):
        done = subprocess.run(
            [*command, *library],
            cwd=folder,
            env=_environment(folder),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if _UNDEFINED not in done.stderr:
            break
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"]
        raise ConfigError(f"ziglang: {next((line for line in lines if 'error' in line), lines[0])}")
    return folder / "firmware.elf"


def _environment(folder: Path) -> dict[str, str]:
    """For zig: the run-time library, built once for a core, is kept; objects of the program are not."""
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(_cache()), "ZIG_LOCAL_CACHE_DIR": str(folder / "zig")}
    return {**os.environ, **caches}


@cache
def _cache() -> Path:
    """Where zig keeps what it built: below the user's cache, or, where that cannot be written, temporary."""
    folder = Path(platformdirs.user_cache_dir("bittrue", appauthor=False)) / "zig"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        return folder
    except OSError:
        temporary = tempfile.mkdtemp(prefix="bittrue-zig-")
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        return Path(temporary)
