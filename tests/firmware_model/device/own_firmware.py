"""Firmware as a user would bring it: the dynamics processor of a golden case behind names of its own."""

import subprocess
from pathlib import Path

from firmware_model.device.export import product_of_case
from firmware_model.golden.cases import find_case
from fixedpoint.cgen_host import compiler

CASE = find_case("mbdp-headset")  # stereo, 16 kHz, blocks of 4
SAMPLES = 48  # of a call

# Interleaved samples at the border, as a codec's DMA gives them; planar within.
SOURCE = r"""
#include "bittrue_mbdp.h"
#ifdef HOSTED
#include <stdio.h>
#include <stdlib.h>
#endif

enum { SAMPLES = 48, BLOCK = BITTRUE_MBDP_BLOCK };

int16_t in_buf[2 * SAMPLES];
int32_t attenuation_work[SAMPLES / BLOCK][3];   /* the node band_attenuation, interleaved */
int32_t gain_work[3][SAMPLES / BLOCK];          /* the node gain, planar */
int32_t in_wide[2 * SAMPLES];
static bittrue_mbdp mine;
static int32_t calls;

bittrue_mbdp *my_init(int32_t begin)
{
    bittrue_mbdp_init(&mine);
    calls = begin;
    return &mine;
}

int32_t my_process(bittrue_mbdp *self, const int16_t *x, int16_t *y, int32_t n)
{
    for (int32_t first = 0; first < n; first += BLOCK) {
        int16_t block[2 * BLOCK];
        for (int32_t i = 0; i < BLOCK; i++) {
            block[i] = x[2 * (first + i)];
            block[BLOCK + i] = x[2 * (first + i) + 1];
        }
        bittrue_mbdp_process(self, block, BLOCK, block);
        for (int32_t i = 0; i < BLOCK; i++) {
            y[2 * (first + i)] = block[i];
            y[2 * (first + i) + 1] = block[BLOCK + i];
        }
        for (int32_t band = 0; band < 3; band++) {
            gain_work[band][first / BLOCK] = self->memory.state_bank_gain_q27[band];
            attenuation_work[first / BLOCK][band] = self->memory.state_bank_limiter_attenuation_q31[band];
        }
    }
    calls++;
    if (calls == FAULT_AT) {
        FAULT;
    }
    return 0;
}

void my_crash(void)
{
    __builtin_trap();
}

int32_t my_process_left_justified(const int32_t *x, int32_t *y)   /* 16 bits in the upper half of 32 */
{
    int16_t narrow[2 * SAMPLES];
    for (int32_t i = 0; i < 2 * SAMPLES; i++) {
        narrow[i] = (int16_t)(x[i] / 65536);
    }
    my_process(&mine, narrow, narrow, SAMPLES);
    for (int32_t i = 0; i < 2 * SAMPLES; i++) {
        y[i] = narrow[i] * 65536;
    }
    return 0;
}
"""

# What may go wrong in call FAULT_AT, counted from 1.
NOTHING = ""
ONE_LSB = "y[2 * 7 + 1] ^= 1"  # sample 7 of the call, right
NULL_WRITE = "*(volatile int32_t *)(uintptr_t)0xfffffff0u = 1"
ENDLESS = "for (volatile int32_t i = 0;; i = 0) {}"
OVERRUN = "y[2 * SAMPLES] = 1"

# The output is where bittrue places it.
MAP = """
[memory]
flash = {address = 0x08000000, size = "256K"}
ram = {address = 0x20000000, size = "64K"}
[call]
samples = 48
arguments = ["init", "input", "output", "samples"]
init = "my_init"
init_arguments = [0]
[buffers]
input = {symbol = "in_buf"}
output = {type = "int16", layout = "interleaved"}
[nodes.gain]
symbol = "gain_work"
layout = "planar"
[nodes.band_attenuation]
symbol = "attenuation_work"
type = "int32"
fraction_bits = 31
"""


def write_source(folder: Path, fault: str = NOTHING, call: int = 3) -> Path:
    """The firmware's C in a folder, with a fault in a call; returns its path."""
    product = product_of_case(CASE)
    (folder / f"{product.prefix}.h").write_text(product.header)
    (folder / f"{product.prefix}.c").write_text(product.source)
    text = f"#define FAULT_AT {call}\n#define FAULT {fault}\n{SOURCE}"
    (folder / "own.c").write_text(text)
    return folder / "own.c"


def host_library(folder: Path, fault: str = NOTHING, call: int = 3) -> str:
    """The firmware for this host; the path of a shared object."""
    source, library = write_source(folder, fault, call), folder / "libown.so"
    flags = ["-std=c99", "-DHOSTED", "-O1", "-fPIC", "-shared", "-Wl,-Bsymbolic"]
    sources = [str(source), str(folder / "bittrue_mbdp.c")]
    subprocess.run([compiler(), *flags, "-o", str(library), *sources], check=True)
    return str(library)
