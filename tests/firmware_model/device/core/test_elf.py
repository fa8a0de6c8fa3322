"""ELF files: what is loaded, names of functions and data; files that are no firmware for a Cortex-M."""

import random
import subprocess
import sys

import pytest

from firmware_model.device.core.elf import Symbol, load_elf
from firmware_model.device.export import build
from fixedpoint.errors import ConfigError
from tests.firmware_model.device.core import programs

E_TYPE, E_MACHINE = 16, 18  # offsets in the header


@pytest.fixture(scope="module")
def firmware(tmp_path_factory):
    return programs.linked(tmp_path_factory.mktemp("elf"), "cortex-m0plus")


@pytest.fixture(scope="module")
def content(firmware):
    with open(firmware.path, "rb") as file:
        return file.read()


def refused(path, content):
    """What is said of a file with this content."""
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_elf(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


def test_functions_have_their_address_and_size(firmware):
    names = [function.name for function in firmware.functions]
    assert set(names) == set(programs.COMMON)
    assert firmware.symbol("loop").size == 6 * 2  # six instructions of 16 bits
    assert all(function.address % 2 == 0 for function in firmware.functions)
    addresses = [function.address for function in firmware.functions]
    assert addresses == sorted(addresses)


def test_data_has_its_address_and_size(firmware):
    word = programs.RAM.address
    assert firmware.objects == (Symbol("word", word, 4), Symbol("zeros", word + 4, 64))
    ram = next(segment for segment in firmware.segments if segment.writable)
    assert (ram.address, ram.content[:4], ram.size) == (word, (42).to_bytes(4, "little"), 68)


def test_sections_say_what_occupies_flash_and_ram(firmware):
    sections = {section.name: section for section in firmware.sections}
    assert sections[".text"].executable
    assert not sections[".text"].writable
    assert (sections[".data"].writable, sections[".data"].stored, sections[".data"].size) == (True, True, 4)
    assert (sections[".bss"].stored, sections[".bss"].size) == (False, 64)


def test_an_address_is_placed_in_its_function(firmware):
    loop = firmware.symbol("loop")
    assert firmware.place(loop.address) == "loop+0x0"
    assert firmware.place(loop.address + 11) == "loop+0xb"
    assert firmware.function_at(firmware.functions[0].address - 1) is None
    last = firmware.functions[-1]
    assert firmware.place(last.address + last.size) == "no function"


def test_labels_of_assembler_and_linker_script_are_found(tmp_path):
    """Without .type: a label of code, two of data, an absolute one as a linker script defines."""
    source = """
.syntax unified
.thumb
.section .text.plain, "ax"
.global plain
.thumb_func
typed: bx lr
plain: movs r0, #3
bx lr
.data
.global numbers
numbers: .word 1, 2
.bss
.global area
area: .space 8
.global stack_top
.set stack_top, 0x20001000
"""
    keep = ["plain", "numbers", "area"]
    firmware = load_elf(build.link({"own.s": source}, keep, "cortex-m0plus", tmp_path))
    ram = programs.RAM.address
    for name, address in (("numbers", ram), ("area", ram + 8), ("stack_top", 0x20001000)):
        assert firmware.symbol(name) == Symbol(name, address, 0)
        assert not firmware.is_code(firmware.symbol(name))
    plain = firmware.symbol("plain")
    assert plain in firmware.labels
    assert firmware.is_code(plain)
    assert plain.address == firmware.symbol("typed").address + 2
    assert programs.core(firmware, "cortex-m0plus").call(plain.address) == 3
    assert not any(label.name.startswith("$") for label in firmware.labels)
    with pytest.raises(ConfigError, match=r"symbol 'stack_tp' not found; there is stack_top"):
        firmware.symbol("stack_tp")


def test_a_symbol_that_is_not_there_brings_names_like_it(firmware):
    with pytest.raises(ConfigError, match=r"symbol 'lop' not found; there is loop"):
        firmware.symbol("lop")
    with pytest.raises(ConfigError, match=r"symbol 'zzzzzz' not found$"):
        firmware.symbol("zzzzzz")
    with pytest.raises(ConfigError, match="its symbol table is empty"):
        firmware._replace(functions=(), objects=()).symbol("loop")


def test_what_is_no_file_is_refused_with_what_is_needed(tmp_path):
    for path, found in ((tmp_path, "a folder"), (tmp_path / "fw.elf", "no such file")):
        with pytest.raises(ConfigError) as caught:
            load_elf(path)
        assert str(caught.value) == f"{path}: {found}; an ELF file needed, firmware linked for a Cortex-M"


def test_what_is_no_elf_is_refused(tmp_path):
    for content in (b"", b"\x7f", b"MZ\x90", b"hello\n"):
        assert refused(tmp_path / "fw.elf", content).startswith("not an ELF file")


@pytest.mark.parametrize(
    ("offset", "value", "says"),
    [
        (E_MACHINE, 62, "built for x64 (32 bit); 32-bit ARM needed, for a Cortex-M"),
        (E_MACHINE, 243, "built for RISC-V (32 bit); 32-bit ARM needed, for a Cortex-M"),
        (E_TYPE, 1, "an object file, not linked; link it to addresses first, such as arm-none-eabi-gcc"),
        (E_TYPE, 3, "ET_DYN found; a program linked to fixed addresses (ET_EXEC) needed"),
        (E_TYPE, 0x7F, "e_type 127 found; a program linked to fixed addresses (ET_EXEC) needed"),
        (E_TYPE, 4, "ET_CORE found; a program linked to fixed addresses (ET_EXEC) needed"),
    ],
)
def test_another_machine_or_kind_of_file_is_refused(offset, value, says, content, tmp_path):
    changed = content[:offset] + value.to_bytes(2, "little") + content[offset + 2 :]
    assert refused(tmp_path / "fw.elf", changed).startswith(says)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("x86_64-linux-musl", "built for x64 (64 bit); 32-bit ARM needed"),
        ("armeb-freestanding-eabi", "big-endian; little-endian needed"),
        ("arm-freestanding-eabi", "built for the A profile of ARM; the M profile needed, a Cortex-M"),
    ],
)
def test_programs_for_other_targets_are_refused(target, says, tmp_path):
    (tmp_path / "own.c").write_text("int begin(void); int begin(void) { return 3; }")
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-nostdlib", "-Wl,-e,begin"]
    if target.startswith("arm"):
        command += ["-mcpu=cortex_a8"]
    subprocess.run([*command, "-o", "own.elf", "own.c"], cwd=tmp_path, check=True)
    assert refused(tmp_path / "copy.elf", (tmp_path / "own.elf").read_bytes()).startswith(says)


def test_a_damaged_file_is_refused_in_one_line_whatever_is_damaged(content, tmp_path):
    rng = random.Random(5)
    path = tmp_path / "fw.elf"
    says = [_of_damage(path, content, rng, cut=trial % 2 == 1) for trial in range(400)]
    assert not any("\n" in line for line in says)
    assert sum(line != "" for line in says) > 200  # the rest changed what nothing contradicts


def _of_damage(path, content, rng, cut):
    """What is said of the content after some bytes of it changed, or its end is missing; "" for nothing."""
    changed = bytearray(content)
    if cut:
        del changed[rng.randrange(4, len(changed)) :]
    tables = (range(4, 52), range(52, 52 + 5 * 32), range(len(content) - 600, len(content)))
    for _ in range(0 if cut else rng.randint(1, 4)):
        changed[rng.choice(tables[rng.randrange(3)])] = rng.randrange(256)
    path.write_bytes(changed)
    try:
        load_elf(path)
    except ConfigError as error:
        return str(error)
    return ""
