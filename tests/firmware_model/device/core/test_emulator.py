"""The emulated core: calls, counts, stack depth and every kind of fault, on programs written by hand."""

import gc
import weakref

import numpy as np
import pytest

from firmware_model.device.core.arena import Region
from firmware_model.device.core.emulator import Core, Fault
from fixedpoint.errors import BittrueError, ConfigError
from tests.firmware_model.device.core import programs
from tests.firmware_model.device.core.programs import (
    COMMON,
    EVERY,
    FLASH,
    ONLY_V7M,
    RAM,
    SIGNAL_PROCESSING,
    STACK,
    core,
)

CPUS = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33")
V7M = CPUS[1:]


@pytest.fixture(scope="module")
def firmware(tmp_path_factory):
    """For ARMv7-M with all extensions; every core loads it, and none is to execute what it does not have."""
    return programs.linked(tmp_path_factory.mktemp("v7m"), "cortex-m4", EVERY)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """For ARMv6-M, and so for all cores."""
    return programs.linked(tmp_path_factory.mktemp("v6m"), "cortex-m0plus", COMMON)


def fault_of(made, firmware, name, *arguments):
    """The fault of a call."""
    with pytest.raises(Fault) as caught:
        made.call(firmware.symbol(name).address, arguments, at_most=1_000_000)
    return caught.value


@pytest.mark.parametrize("cpu", CPUS)
def test_a_call_returns_r0_and_takes_arguments_beyond_four_from_the_stack(cpu, small):
    made = core(small, cpu)
    assert made.call(small.symbol("six").address, [1, 2, 3, 4, 5, 6]) == 654321
    assert made.call(small.symbol("loop").address | 1, [7]) == 21
    assert made.call(small.symbol("six").address, [-1, 0, 0, 0, 0, 0]) == 2**32 - 1


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("n", [1, 2, 1000])
def test_every_instruction_of_a_loop_is_counted(cpu, n, small):
    made = core(small, cpu)
    made.call(small.symbol("calls_loop").address, [n])
    assert made.instructions == 3 + 1 + 3 * n + 2
    assert made.by_function() == {"loop": 3 * n + 3, "calls_loop": 3}


@pytest.mark.parametrize("cpu", V7M)
@pytest.mark.parametrize("argument", [0, 1])
def test_instructions_of_an_it_block_count_whether_or_not_their_condition_is_met(cpu, argument, firmware):
    made = core(firmware, cpu)
    made.call(firmware.symbol("condition").address, [argument])
    assert made.instructions == 7


def test_counts_add_up_over_calls_and_are_the_same_on_every_core_object(small):
    counts = []
    for _ in range(2):
        made = core(small)
        for n in (5, 1, 9):
            made.call(small.symbol("loop").address, [n])
        counts.append((made.instructions, made.by_function(), made.stack_bytes()))
    assert counts[0] == counts[1]
    assert counts[0][0] == 3 * 3 + 3 * 15


@pytest.mark.parametrize("cpu", CPUS)
def test_the_stack_figure_is_the_deepest_frame_of_all_calls(cpu, small):
    made = core(small, cpu)
    assert made.stack_bytes() == 0
    made.call(small.symbol("six").address, [0] * 6)
    assert made.stack_bytes() == 2 * 4
    made.call(small.symbol("frame").address)
    assert made.stack_bytes() == 5 * 4 + 100
    made.call(small.symbol("loop").address, [1])
    assert made.stack_bytes() == 120


def test_a_stack_in_ram_gives_the_same_figure(small):
    made = core(small, stack=(RAM.address + RAM.size - 1024, 1024))
    made.call(small.symbol("frame").address)
    assert made.stack_bytes() == 120


def test_initialised_data_is_where_the_program_finds_it_and_the_rest_is_zero(small):
    made = core(small)
    assert made.call(small.symbol("of_data").address) == 42
    made = Core("cortex-m4", (FLASH, RAM), STACK)
    made.write(RAM.address, np.full(RAM.size, 255, np.uint8))
    made.load(small)
    assert made.call(small.symbol("of_zeros").address) == 0


def test_arrays_go_in_and_out_unchanged(small):
    made = core(small)
    x = np.arange(-12, 12, dtype=np.int64).reshape(4, 6)
    made.write(RAM.address + 4096, x)
    assert np.array_equal(made.read(RAM.address + 4096, np.int64, (4, 6)), x)
    made.write(RAM.address + 4096, x.T)  # not contiguous
    assert np.array_equal(made.read(RAM.address + 4096, np.int64, (6, 4)), x.T)
    with pytest.raises(
        ConfigError, match=r"write of 192 bytes at 0x20003ff0: must lie in one of flash 0x08000000-"
    ):
        made.write(RAM.address + RAM.size - 16, x)


# Faults: function, arguments, kind, address or None, offset of the instruction in the function

ANYWHERE = RAM.address + 4096
EVERYWHERE = {
    "unmapped read": ("load", 0x40000000, "unmapped read", 0x40000000, 2),
    "read at 0": ("load", 0, "unmapped read", 0, 2),
    "unmapped write": ("store", 0x10000000, "unmapped write", 0x10000000, 2),
    "write to flash": ("store", FLASH.address, "write to read-only memory", FLASH.address, 2),
    "LDM": ("load_two", ANYWHERE + 2, "unaligned access", ANYWHERE + 2, 2),
    "UDF": ("undefined", 0, "undefined instruction 0xde03", None, 2),
    "SVC": ("supervisor", 0, "supervisor call (SVC), which no handler takes", None, 2),
    "BKPT": ("breakpoint", 0, "breakpoint (BKPT)", None, 2),
    "WFI": ("waits", 0, "waits for an interrupt (WFI, WFE), which never comes", None, 2),
    "endless": ("endless", 0, "no return within 1000000 instructions", None, 2),
    "recursion": ("recursion", 0, "stack overrun, write below the stack", STACK[0] - 8, 0),
    "frame of 8 KiB": (
        "big_frame",
        0,
        "stack overrun, stack pointer below the stack",
        STACK[0] + STACK[1] - 8 - 8192,
        10,
    ),
    "write below": ("below_stack", 0, "stack overrun, write below the stack", STACK[0] - 4, 6),
}


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("what", EVERYWHERE)
def test_a_fault_has_kind_address_and_place(cpu, what, small):
    name, argument, kind, address, offset = EVERYWHERE[what]
    fault = fault_of(core(small, cpu), small, name, argument)
    found = small.symbol(name).address + offset
    at = "" if address is None else f" at {address:#010x}"
    assert isinstance(fault, BittrueError)
    assert (fault.kind, fault.address, fault.pc, fault.place) == (kind, address, found, f"{name}+{offset:#x}")
    assert str(fault) == f"{kind}{at}, PC {found:#010x} ({name}+{offset:#x})"


@pytest.mark.parametrize(
    ("name", "argument", "address"),
    [
        ("load", ANYWHERE + 2, ANYWHERE + 2),
        ("load_half", ANYWHERE + 1, ANYWHERE + 1),
        ("load_indexed", ANYWHERE, ANYWHERE + 3),
        ("load_offset", ANYWHERE + 1, ANYWHERE + 9),
    ],
)
def test_single_loads_must_be_aligned_on_the_m0plus_alone(name, argument, address, small):
    fault = fault_of(core(small, "cortex-m0plus"), small, name, argument)
    assert (fault.kind, fault.address) == ("unaligned access", address)
    for cpu in V7M:
        assert core(small, cpu).call(small.symbol(name).address, [argument]) == 0


@pytest.mark.parametrize("cpu", V7M)
@pytest.mark.parametrize(
    ("name", "argument", "address"),
    [
        ("load_double", ANYWHERE + 2, ANYWHERE + 10),
        ("store_double", ANYWHERE + 18, ANYWHERE + 10),
        ("load_several", ANYWHERE + 1, ANYWHERE + 1),
        ("store_several", ANYWHERE + 101, ANYWHERE + 101),
        ("exclusive", ANYWHERE + 1, ANYWHERE + 1),
    ],
)
def test_several_words_must_be_aligned_on_every_core(cpu, name, argument, address, firmware):
    fault = fault_of(core(firmware, cpu), firmware, name, argument)
    assert (fault.kind, fault.address, fault.place) == ("unaligned access", address, f"{name}+0x2")
    made = core(firmware, cpu)
    made.call(firmware.symbol(name).address, [argument & ~3])  # aligned: no fault


def test_floating_point_loads_must_be_aligned_and_other_encodings_are_not_mistaken_for_loads(firmware):
    assert fault_of(core(firmware), firmware, "float_load", ANYWHERE + 1).address == ANYWHERE + 9
    made = core(firmware)
    made.call(firmware.symbol("table_branch").address, [ANYWHERE + 1])  # 1110 1000 110x, any address
    made.call(firmware.symbol("float_move").address, [1])  # 1110 1100 010x, a value and no address
    assert made.instructions == 3 + 2


def test_each_core_has_its_own_instruction_set(firmware):
    """With Unicorn's UC_MODE_MCLASS, all of them would be a Cortex-M33."""
    for name in ONLY_V7M.keys() - {"condition", "table_branch", "load_several", "store_several"}:
        kind = fault_of(core(firmware, "cortex-m0plus"), firmware, name, ANYWHERE).kind
        assert kind.startswith("undefined instruction"), name
    for cpu in ("cortex-m0plus", "cortex-m3"):
        for name in SIGNAL_PROCESSING:
            first = int(core(firmware).read(firmware.symbol(name).address & ~1, np.uint16, 1)[0])
            assert (
                fault_of(core(firmware, cpu), firmware, name, 3).kind == f"undefined instruction {first:#06x}"
            )
    assert fault_of(core(firmware, "cortex-m3"), firmware, "float_load", ANYWHERE).kind.startswith(
        "floating-point"
    )
    core(firmware, "cortex-m3").call(firmware.symbol("long_products").address, [3])
    for cpu in ("cortex-m4", "cortex-m7", "cortex-m33"):
        for name in SIGNAL_PROCESSING:
            core(firmware, cpu).call(firmware.symbol(name).address, [3])
        core(firmware, cpu).call(firmware.symbol("float_load").address, [ANYWHERE])


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("target", [0x40000001, 0x40000000, 0x00000001, 0x10000001])
def test_a_jump_to_nowhere_names_who_jumped(cpu, target, small):
    fault = fault_of(core(small, cpu), small, "jump", target)
    back = small.symbol("jump").address + 4
    assert fault.kind == "fetch of an instruction from unmapped memory"
    assert fault.address == target & ~1
    assert str(fault).endswith(f"(no function); LR {back:#010x} (jump+0x4)")


@pytest.mark.parametrize("cpu", CPUS)
def test_a_jump_without_the_thumb_bit_is_named(cpu, small):
    target = small.symbol("loop").address
    fault = fault_of(core(small, cpu), small, "jump", target)
    assert (fault.kind, fault.address, fault.place) == ("jump without the Thumb bit", target, "loop+0x0")


def test_a_call_without_return_stops_at_its_bound_exactly(small):
    made = core(small)
    with pytest.raises(Fault, match="no return within 777 instructions"):
        made.call(small.symbol("endless").address, at_most=777)
    assert made.instructions == 777
    made = core(small)
    assert made.call(small.symbol("loop").address, [10], at_most=33) == 30
    with pytest.raises(Fault, match="no return within 32 instructions"):
        made.call(small.symbol("loop").address, [10], at_most=32)


def test_the_faulting_instruction_is_not_counted(small):
    made = core(small)
    fault_of(made, small, "load", 0)
    assert made.instructions in (1, 2)  # whether the core got to know of it before it began


def test_after_a_fault_the_core_is_of_no_use(small):
    made = core(small)
    first = fault_of(made, small, "undefined")
    assert fault_of(made, small, "loop", 1) is first


def test_a_write_below_a_stack_in_ram_is_found_after_the_call(small):
    bottom = RAM.address + 8192
    made = core(small, stack=(bottom, 4096), guard=64)
    made.call(small.symbol("frame").address)
    fault = fault_of(made, small, "below_stack", 7)
    assert str(fault).startswith("stack overrun, write below the stack during a call, PC 0x0800")
    assert fault.place == "below_stack+0x0"
    unguarded = core(small, stack=(bottom, 4096))
    unguarded.call(small.symbol("below_stack").address, [7])


def test_deep_recursion_in_ram_is_found_before_it_reaches_data(small):
    bottom = RAM.address + 8192
    made = core(small, stack=(bottom, 4096))
    fault = fault_of(made, small, "recursion")
    assert fault.kind == "stack overrun, stack pointer below the stack"
    assert bottom - 8 <= fault.address < bottom
    assert not made.read(bottom - 4096, np.uint8, 4096 - 8).any()


# Bad memory


@pytest.mark.parametrize(
    ("regions", "says"),
    [
        ([Region("flash", 0x08000000, 4096), Region("ram", 0x08000C00, 4096)], "overlap; memory must not"),
        ([Region("flash", 0x08000000, 1000)], "address and size must be multiples of 1024"),
        ([Region("flash", 0x08000001, 1024)], "address and size must be multiples of 1024"),
        ([Region("flash", 0x08000000, 0)], "multiples of 1024"),
        ([Region("ram", 0x20000000, 1 << 29)], "size at most 256 MiB"),
        ([Region("ram", 0xFFFFFC00, 2048)], "must lie below 0x100000000"),
        ([Region("ram", 0x2FFFF000, 0x1400)], "overlap; memory must not"),  # with the stack
    ],
)
def test_memory_that_cannot_be_is_refused(regions, says):
    with pytest.raises(ConfigError, match=says) as caught:
        Core("cortex-m4", regions, STACK)
    assert str(caught.value).count("\n") == 0


def test_a_core_that_is_not_known_is_refused_and_short_names_do():
    with pytest.raises(ConfigError, match=r"cpu=cortex-m5: must be one of cortex-m0plus, .*cortex-m"):
        Core("cortex-m5", [RAM], STACK)
    assert Core("m7", [RAM], STACK).cpu.name == "cortex-m7"


def test_a_segment_outside_of_memory_is_refused(small):
    made = Core("cortex-m4", [RAM], STACK)
    with pytest.raises(
        ConfigError, match=r"programs|segment of \d+ bytes at 0x08000000: must lie in one of ram"
    ):
        made.load(small)


def test_a_core_that_is_done_with_frees_its_memory(small):
    made = core(small)
    made.call(small.symbol("loop").address, [3])
    gone = weakref.ref(made)
    del made
    gc.collect()
    assert gone() is None
