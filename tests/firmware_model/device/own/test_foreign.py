"""A user's firmware for a Cortex-M, on the emulated core and a golden case."""

from pathlib import Path

import numpy as np
import pytest

from firmware_model.device.core.elf import Section, load_elf
from firmware_model.device.own import foreign, foreign_elf
from firmware_model.device.own.foreign import CrashError
from firmware_model.device.own.foreign_elf import ElfTarget
from firmware_model.device.own.map_file import parse_map
from firmware_model.device.own.placement import Span
from firmware_model.golden import stimuli
from fixedpoint.errors import ConfigError
from tests.firmware_model.device.own import own_firmware as own
from tests.firmware_model.device.own.own_firmware import CASE, MAP, SAMPLES


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """The core runs some ten million instructions in a second: an eighth of the stimulus."""
    own.first_samples(monkeypatch)


@pytest.fixture
def expected():
    return CASE.trace(stimuli.load(CASE))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The firmware without a fault, for a Cortex-M4."""
    return own.firmware(tmp_path_factory.mktemp("sound"), own.processor())


def target_of(elf, text=MAP, symbol="my_process", cpu="cortex-m4", case=CASE):
    return ElfTarget(elf, symbol, parse_map(text, case), cpu)


def nodes_of(elf, text=MAP, symbol="my_process", cpu="cortex-m4", case=CASE):
    given = parse_map(text, case)
    return foreign.run(case, given, ElfTarget(elf, symbol, given, cpu))


@pytest.mark.parametrize("cpu", ["cortex-m3", "cortex-m4", "cortex-m33"])
def test_sound_firmware_gives_the_nodes_bit_for_bit(tmp_path, expected, cpu):
    found = nodes_of(own.firmware(tmp_path, own.processor(), cpu), cpu=cpu)
    assert set(found) == {"output", "gain", "band_attenuation"}
    for name, values in found.items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)


def test_nodes_of_a_hop_lie_in_a_struct(tmp_path):
    case = own.DETECTOR_CASE
    elf = own.firmware(tmp_path, own.detector())
    found = nodes_of(elf, own.DETECTOR_MAP, "detect", case=case)
    expected = case.trace(stimuli.load(case))
    for name in ("integrated", "score"):
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_left_justified_in_place_at_the_address_of_a_symbol(sound, expected):
    text = own.left_justified(MAP)
    found = nodes_of(sound, text, "my_process_left_justified")
    np.testing.assert_array_equal(found["output"], expected["output"])


def test_one_lsb_is_where_it_was_planted(tmp_path, expected):
    found = nodes_of(own.firmware(tmp_path, own.processor(own.ONE_LSB, call=4)))
    row, at = np.nonzero(found["output"] != expected["output"])
    assert (row.tolist(), at.tolist()) == ([1], [3 * SAMPLES + 7])


def test_the_cost_is_of_the_calls_alone(sound):
    target = target_of(sound)
    assert target.cost()[:4] == ("cortex-m4", 0, 0, 0)
    silence = bytes(SAMPLES * 2 * 2)
    target.call(silence)
    first = target.cost()
    target.call(silence)
    both = target.cost()
    assert both.calls == 2
    assert both.instructions > first.instructions == first.worst > 0
    assert both.worst == max(first.instructions, both.instructions - first.instructions)
    assert "my_init" not in both.by_function
    assert sum(both.by_function.values()) == both.instructions
    assert 0 < both.stack_bytes < 8192


def test_memory_is_what_the_linker_placed(sound):
    held = target_of(sound).cost()
    firmware = load_elf(sound)
    assert held.flash_bytes >= firmware.segments[0].size > 4096
    assert held.static_bytes == sum(s.size for s in firmware.segments if s.writable)
    assert held.ram_bytes == held.static_bytes + held.stack_bytes


def test_what_the_linker_sets_aside_for_the_stack_is_counted_as_far_as_it_is_used():
    sections = [Section(".bss", 0x20000000, 96, True, False, False)]
    stack = Span("call.stack", 0x20000100, 0x100)
    for address, size, apart in ((0x20000100, 0x100, 0), (0x200000F0, 0x20, 0x10), (0x20000200, 8, 8)):
        reserved = Section(".stack", address, size, True, False, False)
        assert foreign_elf._bytes_apart((*sections, reserved), stack) == 96 + apart
    assert foreign_elf._bytes_apart((Section(".text", 0, 512, False, True, True),), stack) == 0


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (own.NULL_WRITE, "unmapped write at 0xfffffff0, PC 0x0800"),
        (own.OVERRUN, "my_process wrote behind output, which has 192 bytes"),
        (own.ENDLESS, "no return within 1000000 instructions"),
        ("__builtin_trap()", "undefined instruction"),
        ("((void (*)(void))0x30000001)()", "fetch of an instruction from unmapped memory at 0x30000000"),
        ("*(volatile int32_t *)(uintptr_t)0x08000000 = 1", "write to read-only memory at 0x08000000"),
        (own.RECURSION, "stack overrun"),
    ],
)
def test_a_crash_is_one_line_with_the_call(tmp_path, monkeypatch, fault, says):
    monkeypatch.setattr(foreign_elf, "MOST_INSTRUCTIONS", 1_000_000)
    elf = own.firmware(tmp_path, own.processor(fault, call=3))
    with pytest.raises(CrashError) as caught:
        nodes_of(elf)
    line = str(caught.value)
    assert line.startswith(f"{elf}: call 2, samples 96 to 143: {says}")
    assert "\n" not in line
    if "wrote" not in says and "fetch" not in says:
        assert "(deep+0x" in line if "overrun" in says else "(my_process+0x" in line


def test_a_crash_before_the_first_call_is_that_of_init(sound):
    text = MAP.replace("my_init", "my_crash").replace("init_arguments = [0]", "")
    with pytest.raises(
        CrashError, match=r"firmware.elf: my_crash, before the first call: undefined instruction"
    ):
        nodes_of(sound, text)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("my_init", "my_int", "symbol 'my_int' not found; there is my_init"),
        ("my_init", "in_buf", "in_buf: is data; the name of a function needed"),
        ("in_buf", "in_bfu", "symbol 'in_bfu' not found; there is in_buf"),
        ('"init", "input"', '"&my_cals", "input"', "symbol 'my_cals' not found; there is my_crash, calls"),
        ('"in_buf"', '"in_buf", offset = 2', "in_buf: 192 bytes found; 194 needed for buffers.input"),
        ('symbol = "in_buf"', "address = 0x08000010", "segment of the ELF at 0x08000000-0x0800"),
        ("0x20000000", "0x20001000", "segment of the ELF at 0x20000000-0x20000"),
    ],
)
def test_a_map_that_does_not_fit_the_firmware_is_refused(sound, old, new, says):
    with pytest.raises(ConfigError) as caught:
        target_of(sound, MAP.replace(old, new))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_function_has_a_suggestion(sound):
    with pytest.raises(ConfigError, match=r"firmware.elf: symbol 'my_proces' not found; there is my_process"):
        target_of(sound, symbol="my_proces")


def test_what_is_not_linked_or_for_another_machine_is_refused(tmp_path, sound):
    content = bytearray(Path(sound).read_bytes())
    content[16] = 1  # e_type: ET_REL
    (tmp_path / "own.o").write_bytes(content)
    with pytest.raises(ConfigError, match=r"own.o: an object file, not linked; link it to addresses first"):
        target_of(str(tmp_path / "own.o"))
    with pytest.raises(ConfigError, match=r"libown.so: built for x64 \(64 bit\); 32-bit ARM needed"):
        target_of(own.host_library(tmp_path, own.processor()))
    (tmp_path / "own.elf").write_text("no firmware")
    with pytest.raises(ConfigError, match=r"own.elf: not an ELF file"):
        target_of(str(tmp_path / "own.elf"))
    with pytest.raises(ConfigError, match=r"cpu=cortex-m5: must be one of cortex-m0plus, cortex-m3"):
        target_of(sound, cpu="cortex-m5")
