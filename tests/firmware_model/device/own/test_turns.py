"""Places that take turns, call by call: the device's ping-pong buffers."""

import numpy as np
import pytest

from firmware_model.device.own import foreign
from firmware_model.device.own.foreign_elf import ElfTarget
from firmware_model.device.own.host_library import HostLibrary
from firmware_model.device.own.map_file import parse_map
from firmware_model.device.own.placement import Span, place
from firmware_model.golden import stimuli
from fixedpoint.errors import ConfigError
from tests.firmware_model.device.own import own_firmware as own
from tests.firmware_model.device.own.own_firmware import CASE, SAMPLES

# Tells in its output where its input was, and which turn it was told.
SOURCE = """
#include <stdint.h>
int16_t ping[96], pong[96], out_a[96], out_b[96];
void telling(const int16_t *x, int16_t *y, int32_t turn)
{
    for (int32_t i = 0; i < 96; i++) {
        y[i] = x[i];
    }
    y[0] = (x == ping) ? 1 : (x == pong) ? 2 : 3;
    y[1] = (int16_t)turn;
    y[2] = (y == out_a) ? 1 : (y == out_b) ? 2 : 3;
}
"""
TURNS = """
[memory]
flash = {address = 0x08000000, size = "64K", writable = false}
ram = {address = 0x20000000, size = "64K"}
[call]
samples = 48
arguments = ["input", "output", "turn"]
[buffers]
input = {symbol = ["ping", "pong"]}
output = {type = "int16", symbol = ["out_a", "out_b"]}
"""


@pytest.fixture(autouse=True)
def short(monkeypatch):
    own.first_samples(monkeypatch, 480)


def require_turns(nodes, output_turns=2):
    calls = nodes["output"].T.reshape(-1, SAMPLES, 2)
    turn = np.arange(len(calls)) % 2
    np.testing.assert_array_equal(calls[:, 0, 0], 1 + turn)
    np.testing.assert_array_equal(calls[:, 0, 1], turn)
    np.testing.assert_array_equal(calls[:, 1, 0], 1 + turn if output_turns == 2 else 1 + 0 * turn)
    x = CASE.whole_blocks(stimuli.load(CASE)).T.reshape(-1, SAMPLES, 2)
    np.testing.assert_array_equal(calls[:, 2:], x[:, 2:])


def test_a_host_library_gets_its_places_in_turn(tmp_path):
    library = own.host_library(tmp_path, {"own.c": SOURCE})
    for text, count in ((TURNS, 2), (TURNS.replace('["out_a", "out_b"]', '"out_a"'), 1)):
        given = parse_map(text, CASE)
        with HostLibrary(library, "telling", given) as target:
            require_turns(foreign.run(CASE, given, target), count)


def test_an_elf_gets_its_places_in_turn(tmp_path, monkeypatch):
    monkeypatch.setattr(own, "_NAMES", ("telling", "ping", "pong", "out_a", "out_b"))
    elf = own.firmware(tmp_path, {"own.c": SOURCE})
    given = parse_map(TURNS, CASE)
    target = ElfTarget(elf, "telling", given, "cortex-m4")
    require_turns(foreign.run(CASE, given, target))


SYMBOLS = {"ping": (0x20000000, 192), "pong": (0x200000C0, 192), "out_a": (0x20000200, 0)}


def placed(text):
    return place(parse_map(text, CASE), [Span("code", 0x08000000, 64, fixed=True)], SYMBOLS.__getitem__)


def test_halves_of_one_symbol_and_addresses_take_turns():
    text = TURNS.replace('symbol = ["ping", "pong"]', 'symbol = "out_a", offset = [0, 192]').replace(
        'symbol = ["out_a", "out_b"]', "address = [0x20001000, 0x20002000]"
    )
    found = placed(text).buffers
    assert (found["input"], found["input#2"]) == (0x20000200, 0x200002C0)
    assert (found["output"], found["output#2"]) == (0x20001000, 0x20002000)
    given = parse_map(text.replace("address = [0x20001000, 0x20002000]", "in_place = true"), CASE)
    assert [given.at_call("output", call) for call in range(3)] == ["input", "input#2", "input"]
    assert list(given.read) == ["output"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            '["ping", "pong"]',
            '["ping"]',
            "buffers.input: symbol with 1 found; lists of one length from 2 to 8",
        ),
        ('["ping", "pong"]', '["ping", "pong"], offset = [0, 1, 2]', "symbol with 2 and offset with 3 found"),
        ('["ping", "pong"]', '["ping", "ping"]', "overlap; must be apart"),
        ('["ping", "pong"]', '["ping", 3]', "buffers.input.symbol=3: must be a string"),
        (
            'symbol = ["ping", "pong"]',
            "address = 0x08001000",
            "in flash, which is not writable; a place in RAM",
        ),
        ("[buffers]", '[buffers]\n"a#2" = {size = 4}', "the word stands for another argument"),
    ],
)
def test_what_cannot_take_turns_is_refused(old, new, says):
    with pytest.raises(ConfigError) as error:
        placed(TURNS.replace('["out_a", "out_b"]', '"out_a"').replace(old, new))
    assert says in str(error.value)
