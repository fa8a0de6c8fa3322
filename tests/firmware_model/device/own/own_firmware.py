"""Firmware as a user would bring it: the dynamics processor of a golden case behind names of its own."""

import subprocess
from functools import cache
from pathlib import Path

import pytest

from firmware_model.device.export.build import link
from firmware_model.device.export.product import product_of_case
from firmware_model.golden import stimuli
from firmware_model.golden.cases import find_case
from fixedpoint.c99.host import compiler

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

static __attribute__((noinline)) int32_t deep(int32_t n)
{
    volatile int32_t frame[16] = {n};
    return deep(n + 1) + frame[n & 15];
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
RECURSION = "y[0] = (int16_t)deep(calls)"

# The output is where bittrue places it.
MAP = """
[memory]
flash = {address = 0x08000000, size = "256K", writable = false}
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


def left_justified(text: str) -> str:
    """A map for `my_process_left_justified`: words of 32 bits, output in place."""
    text = text.replace('["init", "input", "output", "samples"]', '["&in_wide", "output"]')
    wide = 'type = "int32", fraction_bits = 31'
    text = text.replace('{symbol = "in_buf"}', f'{{{wide}, symbol = "in_wide"}}')
    return text.replace('{type = "int16", layout = "interleaved"}', f"{{{wide}, in_place = true}}")


_NAMES = (
    "my_process",
    "my_process_left_justified",
    "my_init",
    "my_crash",
    "in_buf",
    "in_wide",
    "detector_init",
    "detect(",
)

# The detector, which answers each hop in a struct.
DETECTOR = r"""
#include "bittrue_watermark.h"

struct { int32_t score[4], integrated[2]; } found;
static bittrue_watermark mine;

void detector_init(void)
{
    bittrue_watermark_init(&mine);
}

void detect(const int16_t *x)
{
    bittrue_watermark_process(&mine, x);
    for (int32_t i = 0; i < 4; i++) {
        found.score[i] = mine.memory.output_score_q9[i];
    }
    for (int32_t key = 0; key < 2; key++) {
        found.integrated[key] = mine.memory.output_integrated_q9[key];
    }
}
"""
DETECTOR_CASE = find_case("watermark-small")
DETECTOR_MAP = """
[memory]
flash = {address = 0x08000000, size = "256K", writable = false}
ram = {address = 0x20000000, size = "64K"}
[call]
samples = 128
arguments = ["input"]
init = "detector_init"
[buffers]
input = {}
output = {symbol = "found", offset = 16}
[nodes.score]
symbol = "found"
"""


def processor(fault: str = NOTHING, call: int = 3) -> dict[str, str]:
    """The firmware's C by file name, with a fault in a call."""
    return _product(CASE.name) | {"own.c": f"#define FAULT_AT {call}\n#define FAULT {fault}\n{SOURCE}"}


def detector() -> dict[str, str]:
    """The detector's C by file name."""
    return _product(DETECTOR_CASE.name) | {"detector.c": DETECTOR}


@cache
def _product(case: str) -> dict[str, str]:
    product = product_of_case(find_case(case))
    return {f"{product.prefix}.h": product.header, f"{product.prefix}.c": product.source}


def host_library(folder: Path, sources: dict[str, str]) -> str:
    """C for this host; the path of a shared object."""
    for name, text in sources.items():
        (folder / name).write_text(text)
    flags = ["-std=c99", "-DHOSTED", "-O1", "-fPIC", "-shared", "-Wl,-Bsymbolic"]
    units = [name for name in sources if name.endswith(".c")]
    subprocess.run([compiler(), *flags, "-o", "libown.so", *units], cwd=folder, check=True)
    return str(folder / "libown.so")


def firmware(folder: Path, sources: dict[str, str], cpu: str = "cortex-m4") -> str:
    """C for a core, with all the names that maps know; the path of an ELF."""
    found = [name.strip("(") for name in _NAMES if any(name in text for text in sources.values())]
    return str(link(sources, found, cpu, folder, ("-O2",)))


def first_samples(monkeypatch: pytest.MonkeyPatch, samples: int = 2420) -> None:
    """Make every stimulus a short one; the last call is not full then."""
    whole = stimuli.load
    monkeypatch.setattr(stimuli, "load", lambda name: whole(name)[:, :samples])
