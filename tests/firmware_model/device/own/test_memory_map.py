"""The map of a user's firmware: what it says, and what is refused in one line."""

import re
from textwrap import dedent

import numpy as np
import pytest

from firmware_model.case import Node
from firmware_model.device.own import map_file
from firmware_model.device.own.map_file import load_map, parse_map
from firmware_model.device.own.memory_map import Place, Region
from firmware_model.device.own.signals import Signal
from firmware_model.golden.cases import find_case
from fixedpoint.errors import AudioError, ConfigError
from fixedpoint.qformat import Q15, QFormat
from tests.firmware_model.device.own.own_firmware import CASE, MAP

STEREO = Node("output", Q15, ("left", "right"), 1)


def changed(*changes: tuple[str, str]) -> str:
    """MAP with some text in place of other."""
    text = MAP
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_map_says_where_all_is():
    found = parse_map(changed(('symbol = "in_buf"', 'symbol = "in_buf", offset = 4')), CASE)
    assert found.regions == (
        Region("flash", 0x08000000, 256 << 10, writable=False),
        Region("ram", 0x20000000, 64 << 10),
    )
    assert found.call.arguments == ("init", "input", "output", 48)
    assert (found.call.init, found.call.init_arguments) == ("my_init", (0,))
    assert (found.call.stack_region, found.call.stack_size) == ("ram", 8192)
    assert found.buffers["input"].place == Place("in_buf", 4)
    assert found.buffers["output"].place == Place()
    assert {name: signal.size for name, signal in found.read.items()} == {
        "output": 48 * 2 * 2,  # samples, channels, bytes
        "gain": 12 * 3 * 4,  # blocks of 4 samples, bands, bytes
        "band_attenuation": 12 * 3 * 4,
    }


def test_the_map_in_the_documentation_is_one():
    assert map_file.__doc__ is not None
    lines = [line for line in map_file.__doc__.splitlines() if line.startswith("    ")]
    found = parse_map(dedent("\n".join(lines)), find_case("mbdp-smart-speaker"))
    assert list(found.buffers) == ["input", "output", "work", "band"]


def test_what_is_left_out_is_as_the_node_has_it():
    text = '[call]\nsamples = 128\n[buffers]\ninput = {}\noutput = {in_place = true}\nwork = {size = "2K"}'
    case = find_case("watermark-small")  # the output is the node "integrated", two int32 for each hop
    found = parse_map(text, case)
    assert found.buffers["output"].signal == Signal(case.output, np.dtype("<i4"), False, 9, 1)
    assert found.buffers["output"].place.buffer == "input"
    assert found.room("input") == 128 * 2
    assert found.buffers["work"].size == 2048
    assert found.buffers["work"].signal is None
    assert found.call.arguments == ()


@pytest.mark.parametrize(("layout", "order"), [("interleaved", (1, 3, 2, 4)), ("planar", (1, 2, 3, 4))])
def test_integers_lie_in_the_layout_given(layout, order):
    signal = Signal(STEREO, np.dtype(">i2"), layout == "planar", 15, 2)
    left, right = (1, 2), (3, 4)
    content = signal.pack(np.array([left, right], np.int16))
    assert content == b"".join(value.to_bytes(2, "big") for value in order)
    assert signal.unpack(content, 0).tolist() == [[1, 2], [3, 4]]


def test_fraction_bits_shift_exactly_or_not_at_all():
    signal = Signal(STEREO, np.dtype("<i4"), True, 31, 1)
    content = signal.pack(np.array([[-32768], [5]], np.int16))
    assert np.frombuffer(content, "<i4").tolist() == [-(2**31), 5 << 16]
    assert signal.unpack(content, 0).tolist() == [[-32768], [5]]
    fewer = Signal(Node("gain", QFormat(5, 27), ("band",), 4), np.dtype("<i2"), False, 12, 1)
    assert fewer.unpack((-3).to_bytes(2, "little", signed=True), 0).tolist() == [[-3 << 15]]
    spoilt = np.array([0, (5 << 16) + 1], "<i4").tobytes()
    with pytest.raises(
        AudioError, match=re.escape("output: 327681 found at right, step 9; with fraction_bits=31")
    ):
        signal.unpack(spoilt, 9)


INPUT_LINE, OUTPUT_LINE = 'input = {symbol = "in_buf"}', 'output = {type = "int16", layout = "interleaved"}'
RAM_LINE = 'ram = {address = 0x20000000, size = "64K"}'
ARGUMENTS = 'arguments = ["init", "input", "output", "samples"]'
SAMPLES_LINE = "samples = 48"
BAD = [
    (("[call]", "[cal]"), "cal: unknown key; did you mean call?"),
    ((SAMPLES_LINE, "samples = 50"), "call.samples=50: must be a multiple of 4, the block of mbdp-headset"),
    ((SAMPLES_LINE, "samples = 0"), "call.samples=0: must be in [1, 1048576]"),
    ((SAMPLES_LINE, "samples = true"), "call.samples=True: must be an integer"),
    ((SAMPLES_LINE, "sample = 48"), "call.sample: unknown key; did you mean samples?"),
    ((SAMPLES_LINE, ""), "call.samples: missing; integer needed"),
    (('size = "256K"', 'size = "256G"'), "memory.flash.size='256G': must be bytes, such as 1024 or"),
    (('size = "256K"', "size = true"), "memory.flash.size=True: must be bytes"),
    (('size = "256K"', 'size = "300M"'), "memory: 314638336 bytes in all; must be at most 268435456"),
    ((', size = "64K"}', "}"), "memory.ram.size: missing; bytes needed"),
    (("address = 0x20000000, ", ""), "memory.ram.address: missing; integer needed"),
    (('"64K"', "1000"), "memory.ram.size=0x3e8: must be a multiple of 0x400"),
    (("0x20000000", "0x20000200"), "memory.ram.address=0x20000200: must be a multiple of 0x400"),
    (("false", "0"), "memory.flash.writable=0: must be true or false"),
    ((RAM_LINE, "ram = 3"), "memory.ram=3: must be a table"),
    (("0x20000000", "-1"), "memory.ram.address=-0x1: must be in [0x0, 0xffffffff]"),
    (("0x20000000", "0xfffffc00"), "memory.ram: ends at 0x10000fc00; must end at or below 0x100000000"),
    (
        ("0x20000000", "0x0803f000"),
        "memory.flash at 0x08000000-0x0803ffff and memory.ram at 0x0803f000-0x0804efff: overlap; must be",
    ),
    ((ARGUMENTS, 'arguments = ["inptu"]'), "call.arguments[0]='inptu': no such buffer; did you mean input?"),
    (
        (ARGUMENTS, "arguments = [1.5]"),
        "call.arguments[0]=1.5: must be a buffer's name, &symbol or an integer",
    ),
    ((ARGUMENTS, "arguments = [4294967296]"), "call.arguments[0]=4294967296: must be an integer of 32 bits"),
    ((ARGUMENTS, "arguments = 3"), "call.arguments=3: must be a list"),
    (('init = "my_init"', ""), "call.init_arguments: init missing"),
    (("init_arguments = [0]", 'init_arguments = ["init"]'), "call.init_arguments[0]='init': no such buffer"),
    ((INPUT_LINE, ""), "buffers.input: missing; table needed"),
    (
        (INPUT_LINE, 'input = {type = "int8"}'),
        "buffers.input.type='int8': must hold the 16 bits of the input",
    ),
    ((INPUT_LINE, 'input = {type = "float"}'), "buffers.input.type='float': must be one of int8, int16, "),
    (
        (INPUT_LINE, 'input = {type = "int32", fraction_bits = 14}'),
        "buffers.input.fraction_bits=14: must be in [15, 31] for int32",
    ),
    ((INPUT_LINE, "input = {offset = 4}"), "buffers.input.offset: symbol missing"),
    (
        (INPUT_LINE, 'input = {symbol = "a", address = 3}'),
        "buffers.input: symbol and address found; one of them accepted",
    ),
    ((INPUT_LINE, "input = {in_place = true}"), "buffers.input.in_place: unknown key"),
    (('layout = "interleaved"', 'layout = "planr"'), "layout='planr': must be one of interleaved, planar"),
    ((OUTPUT_LINE, "output = {}\nsamples = {size = 4}"), "buffers.samples: the word stands for another"),
    ((OUTPUT_LINE, "output = {}\nwork = {}"), "buffers.work.size: missing"),
    (("[nodes.gain]", "[nodes.gian]"), "nodes.gian: unknown key; did you mean gain?"),
    (("[nodes.gain]", "[nodes.output]"), "nodes.output: is among the buffers already"),
    (
        ('type = "int32"\nfraction_bits = 31', 'type = "int16"'),
        "nodes.band_attenuation.fraction_bits=31 (of Q1.31, the node's format): must be in [0, 15] for int16",
    ),
    (("[call]", "[call"), "not TOML: "),
]


@pytest.mark.parametrize(("change", "says"), BAD)
def test_what_is_wrong_is_named_in_one_line(tmp_path, change, says):
    path = tmp_path / "own.toml"
    path.write_text(changed(change))
    with pytest.raises(ConfigError) as caught:
        load_map(str(path), CASE)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert says in line
    assert "\n" not in line


def test_nothing_to_compare_is_refused():
    with pytest.raises(
        ConfigError, match=r"^buffers.output: missing, and no nodes either; one of them needed$"
    ):
        parse_map("[call]\nsamples = 4\n[buffers]\ninput = {}", CASE)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none.toml: cannot be read: No such file"):
        load_map(str(tmp_path / "none.toml"), CASE)
    (tmp_path / "latin.toml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match=r"latin.toml: not UTF-8 text"):
        load_map(str(tmp_path / "latin.toml"), CASE)
