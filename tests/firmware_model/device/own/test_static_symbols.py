"""Static variables of one name in two files: the map says which, or is refused with their addresses."""

import numpy as np
import pytest

from firmware_model.device.core.elf import load_elf
from firmware_model.device.own import foreign
from firmware_model.device.own.foreign_elf import ElfTarget
from firmware_model.device.own.map_file import parse_map
from firmware_model.golden import stimuli
from fixedpoint.errors import ConfigError
from tests.firmware_model.device.own import own_firmware as own
from tests.firmware_model.device.own.own_firmware import CASE

UNIT = """
#include <stdint.h>
static volatile int16_t work[96];
static volatile int16_t small[8];
void NAME(int16_t *y)
{
    for (int32_t i = 0; i < 96; i++) {
        y[i] = (int16_t)(work[i] + ADDED);
    }
    small[0]++;
}
"""
SOURCES = {
    "a.c": UNIT.replace("NAME", "run_a").replace("ADDED", "1"),
    "b.c": UNIT.replace("NAME", "run_b").replace("ADDED", "2"),
}
MAP = """
[memory]
flash = {address = 0x08000000, size = "64K", writable = false}
ram = {address = 0x20000000, size = "64K"}
[call]
samples = 48
arguments = ["output"]
[buffers]
input = {symbol = "work"}
output = {type = "int16"}
"""


@pytest.fixture
def elf(tmp_path, monkeypatch):
    own.first_samples(monkeypatch, 480)
    monkeypatch.setattr(own, "_NAMES", ("run_a", "run_b"))
    return own.firmware(tmp_path, SOURCES)


def test_the_file_or_the_address_says_which(elf):
    x = CASE.whole_blocks(stimuli.load(CASE)).astype(np.int64)
    firmware = load_elf(elf)
    for name, symbol, added in (
        ("run_a", "a.c:work", 1),
        ("run_b", "b.c:work", 2),
        ("run_b", f"{firmware.symbol('b.c:work').address:#x}", 2),
        (f"{firmware.symbol('run_b').address | 1:#x}", "b.c:work", 2),
    ):
        given = parse_map(MAP.replace('"work"', f'"{symbol}"'), CASE)
        nodes = foreign.run(CASE, given, ElfTarget(elf, name, given, "cortex-m4"))
        np.testing.assert_array_equal(nodes["output"], (x + added).astype(np.int16))


@pytest.mark.parametrize(
    ("symbol", "says"),
    [
        (
            "work",
            r"symbol 'work': 2 found, at 0x2000\w+ \(a.c\) and 0x2000\w+ \(b.c\); one of them needed",
        ),
        ("a.c:small", r"a.c:small: 16 bytes found; 192 needed for buffers.input"),
        ("run_a", r"run_a: is code; the name of a variable in RAM needed"),
        ("c.c:work", r"symbol 'c.c:work' not found; there is a.c:work, b.c:work"),
    ],
)
def test_what_is_not_one_variable_of_room_enough_is_refused(elf, symbol, says):
    given = parse_map(MAP.replace('"work"', f'"{symbol}"'), CASE)
    with pytest.raises(ConfigError, match=says):
        ElfTarget(elf, "run_a", given, "cortex-m4")
