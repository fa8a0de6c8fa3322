"""Symbols of an ELF: static ones of one name, by file or address; sizes that are not known."""

import pytest

from firmware_model.device.core.elf import Firmware, Section, Segment, Symbol
from fixedpoint.errors import ConfigError

RAM, FLASH = 0x20000000, 0x08000000
SEGMENTS = (Segment(FLASH, FLASH, b"", 0x100, False, True), Segment(RAM, RAM, b"", 0x400, True, False))
SECTIONS = (
    Section(".text", FLASH, 0x100, False, True, True),
    Section(".bss", RAM, 0x400, True, False, False),
)
FIRMWARE = Firmware(
    "fw.elf",
    SEGMENTS,
    SECTIONS,
    (
        Symbol("run", FLASH, 16),
        Symbol("step", FLASH + 16, 8, "src/a.c"),
        Symbol("step", FLASH + 32, 8, "b.c"),
    ),
    (
        Symbol("in_buf", RAM, 192),
        Symbol("work", RAM + 0x100, 64, "src/a.c"),
        Symbol("work", RAM + 0x140, 64, "b.c"),
        Symbol("alias", RAM, 192),
    ),
    (Symbol("bare", RAM + 0xC0, 0), Symbol("tail", RAM + 0x180, 0), Symbol("entry", FLASH + 64, 0)),
)


@pytest.mark.parametrize(
    ("name", "address", "size"),
    [
        ("in_buf", RAM, 192),
        ("alias", RAM, 192),
        ("a.c:work", RAM + 0x100, 64),
        ("src/a.c:work", RAM + 0x100, 64),
        ("b.c:work", RAM + 0x140, 64),
        ("b.c:step", FLASH + 32, 8),
        ("0x20000000", RAM, 192),
        ("0x20000010", RAM + 16, 176),
        ("0x08000001", FLASH, 16),
        ("0x20000300", RAM + 0x300, 0),
    ],
)
def test_a_symbol_is_found_by_name_file_or_address(name, address, size):
    found = FIRMWARE.symbol(name)
    assert (found.address, found.size) == (address, size)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "work",
            "symbol 'work': 2 found, at 0x20000100 (src/a.c) and 0x20000140 (b.c); "
            "one of them needed, such as a.c:work or its address",
        ),
        ("step", "2 found, at 0x08000010 (src/a.c) and 0x08000020 (b.c)"),
        ("c.c:work", "symbol 'c.c:work' not found; there is b.c:work, src/a.c:work"),
        ("wrok", "symbol 'wrok' not found; there is work"),
    ],
)
def test_what_is_not_one_symbol_is_refused_with_addresses_and_files(name, says):
    with pytest.raises(ConfigError) as error:
        FIRMWARE.symbol(name)
    assert says in str(error.value)


def test_a_symbol_without_a_size_reaches_to_the_next_object():
    assert FIRMWARE.extent(FIRMWARE.symbol("bare")) == 0x40
    assert FIRMWARE.extent(FIRMWARE.symbol("tail")) == 0
    assert FIRMWARE.extent(FIRMWARE.symbol("in_buf")) == 192


def test_addresses_are_code_where_the_section_is():
    assert FIRMWARE.is_code(FIRMWARE.symbol("0x08000041"))
    assert FIRMWARE.is_code(FIRMWARE.symbol("entry"))
    assert not FIRMWARE.is_code(FIRMWARE.symbol("0x20000300"))
    assert not FIRMWARE.is_code(FIRMWARE.symbol("in_buf"))
