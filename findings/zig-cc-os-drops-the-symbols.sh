#!/bin/sh
# zig cc links an ELF without any symbols when asked for small code.
#
# Package
#   ziglang 0.17.1, for a Cortex-M4; read with pyelftools 0.33
# Behaviour
#   -Os and -Oz are taken for zig's mode ReleaseSmall, in which its linker strips the file: there is
#   no .symtab. The same sources at -O2 keep theirs. -g, which is thought to add line tables only,
#   brings the symbols back and leaves the code as it is.
# Output
#   -O2     symbols: gain main_loop    code: 66 bytes
#   -Os     no symbol table            code: 28 bytes
#   -Oz     no symbol table            code: 28 bytes
#   -Os -g  symbols: gain main_loop    code: 28 bytes
# Why it matters here
#   Whoever looks functions up by name in the ELF (to call them in an emulator, or to say what flash
#   each takes) finds nothing in the build that is most like the shipped one. Here -Os goes with -g.
# Date
#   2026-12-01
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    ziglang==0.17.1 pyelftools==0.33
cd "$folder"
ZIG_GLOBAL_CACHE_DIR="$folder/cache" ZIG_LOCAL_CACHE_DIR="$folder/cache" venv/bin/python - <<'END'
import pathlib
import subprocess
import sys

from elftools.elf.elffile import ELFFile

pathlib.Path("firmware.c").write_text("""
#include <stdint.h>
int32_t gain(int32_t x) { return x * 3 + 1; }
void main_loop(void) { volatile int32_t r = gain(5); for (;;) r = gain(r); }
""")


def build(*flags):
    """(names of functions or None, machine code)."""
    zig = (sys.executable, "-m", "ziglang", "cc", "--target=thumb-freestanding-eabi", "-mcpu=cortex_m4")
    subprocess.run([*zig, "-nostdlib", "-Wl,-e,main_loop", *flags, "firmware.c", "-o", "f.elf"], check=True)
    with open("f.elf", "rb") as file:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".symtab")
        functions = {"gain", "main_loop"}
        names = None if table is None else sorted(functions & {each.name for each in table.iter_symbols()})
        return names, elf.get_section_by_name(".text").data()


seen = {flags: build(*flags.split()) for flags in ("-O2", "-Os", "-Oz", "-Os -g")}
for flags, (names, code) in seen.items():
    says = "no symbol table" if names is None else "symbols: " + " ".join(names)
    print(f"{flags:8}{says:27}code: {len(code)} bytes")
assert seen["-O2"][0] == seen["-Os -g"][0] == ["gain", "main_loop"], "changed"
assert seen["-Os"][0] is None and seen["-Oz"][0] is None, "changed"
assert seen["-Os"][1] == seen["-Os -g"][1], "changed: -g is not free of code"
END
