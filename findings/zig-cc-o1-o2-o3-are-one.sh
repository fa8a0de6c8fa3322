#!/bin/sh
# zig cc compiles the same machine code for -O1, -O2, -O3 and -Ofast.
#
# Package
#   ziglang 0.17.1, for a Cortex-M4
# Behaviour
#   zig turns each of these levels into its own mode ReleaseFast, which asks clang for -O2; nothing
#   is printed. -O3 of clang's own, given behind zig's back as -Xclang -O3, gives other code for the
#   loop below. -Os and -Oz are one as well.
# Output
#   -O1 is -O2 is -O3 is -Ofast: True
#   -Os is -Oz: True
#   -O3 -Xclang -O3 is -O3: False
#   -O2 -Xclang -O2 is -O2: True
# Why it matters here
#   Figures of instructions and flash "at -O3" would be those of -O2, and a comparison of the two
#   levels finds no difference because there is none. Here both flags are always given.
# Date
#   2026-12-01
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    ziglang==0.17.1
cd "$folder"
ZIG_GLOBAL_CACHE_DIR="$folder/cache" ZIG_LOCAL_CACHE_DIR="$folder/cache" venv/bin/python - <<'END'
import hashlib
import pathlib
import subprocess
import sys

pathlib.Path("filter.c").write_text("""
#include <stdint.h>
static int32_t mix(int32_t a, int32_t b) {
    int32_t r = 0;
    for (int i = 0; i < 8; i++) { r += a * b >> i; r ^= b; r = r * 31 + a; }
    return r;
}
int32_t filter(const int32_t *x) {
    int32_t s = 0;
    for (int i = 0; i < 12; i++) s += mix(x[i], x[i + 1]);
    return s;
}
""")


def code(*flags):
    zig = (sys.executable, "-m", "ziglang", "cc", "--target=thumb-freestanding-eabi", "-mcpu=cortex_m4")
    subprocess.run([*zig, "-g0", *flags, "-c", "filter.c", "-o", "f.o"], check=True)
    return hashlib.sha256(pathlib.Path("f.o").read_bytes()).hexdigest()


fast = {code(level) for level in ("-O1", "-O2", "-O3", "-Ofast")}
small = {code(level) for level in ("-Os", "-Oz")}
clang_3, clang_2 = code("-O3", "-Xclang", "-O3"), code("-O2", "-Xclang", "-O2")
print("-O1 is -O2 is -O3 is -Ofast:", len(fast) == 1)
print("-Os is -Oz:", len(small) == 1)
print("-O3 -Xclang -O3 is -O3:", clang_3 in fast)
print("-O2 -Xclang -O2 is -O2:", clang_2 in fast)
assert len(fast) == 1 and len(small) == 1 and fast != small, "changed"
assert clang_3 not in fast and clang_2 in fast, "changed"
END
