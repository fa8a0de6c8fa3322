"""Where buffers and the stack come to lie, by hand; what overlaps is refused by name and address."""

import pytest

from firmware_model.device.own.map_file import parse_map
from firmware_model.device.own.placement import GUARD, Span, place
from fixedpoint.errors import ConfigError
from tests.firmware_model.device.own.own_firmware import CASE, MAP

CODE = Span("segment 0", 0x08000000, 0x1000, fixed=True)
DATA = Span("segment 1", 0x20000000, 0x400)
SYMBOLS = {
    "in_buf": (0x20000000, 192),
    "gain_work": (0x20000100, 144),
    "attenuation_work": (0x20000200, 144),
    "odd": (0x20000402, 0),
    "end_of_ram": (0x2000FFF0, 0),
}
STACK = Span("call.stack", 0x2000E000, 0x2000)


def placed(text=MAP, segments=(CODE, DATA)):
    return place(parse_map(text, CASE), list(segments), SYMBOLS.__getitem__)


def test_symbols_keep_their_place_and_the_rest_is_behind_the_firmwares_data():
    found = placed()
    assert found.stack == STACK
    assert found.placed == ("output",)
    assert found.buffers == {
        "input": 0x20000000,
        "output": 0x20000400 + GUARD,  # 64 is a multiple of the alignment
        "gain": 0x20000100,
        "band_attenuation": 0x20000200,
    }


def test_a_gap_that_is_large_enough_is_taken():
    size, gap = 192, 0x20000400
    other = [Span("segment 2", gap + size + 2 * GUARD, 16)]
    assert placed(segments=[CODE, DATA, *other]).buffers["output"] == gap + GUARD
    other = [Span("segment 2", gap + size + 2 * GUARD - 1, 17)]
    behind = gap + size + 2 * GUARD + 16
    assert placed(segments=[CODE, DATA, *other]).buffers["output"] == behind + GUARD


def test_an_output_in_place_is_where_the_input_is():
    found = placed(MAP.replace('{type = "int16", layout = "interleaved"}', "{in_place = true}"))
    assert found.buffers["output"] == found.buffers["input"]
    assert found.placed == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'symbol = "in_buf"',
            "address = 0x20000100",
            "buffers.input at 0x20000100-0x200001bf and nodes.gain at 0x20000100-0x2000018f: overlap",
        ),
        (
            'symbol = "in_buf"',
            "address = 0x08000ff0",
            "segment 0 at 0x08000000-0x08000fff and buffers.input at 0x08000ff0-0x080010af: overlap",
        ),
        (
            'symbol = "in_buf"',
            "address = 0x2000df80",
            "buffers.input at 0x2000df80-0x2000e03f and call.stack at 0x2000e000-0x2000ffff: overlap",
        ),
        (
            'symbol = "in_buf"',
            "address = 0x2000fff0",
            "buffers.input at 0x2000fff0-0x200100af: not within a region of the map; "
            "flash at 0x08000000-0x0803ffff, ram at 0x20000000-0x2000ffff accepted",
        ),
        ('"in_buf"', '"in_buf", offset = 1', "in_buf: 192 bytes found; 193 needed for buffers.input"),
        (
            'symbol = "in_buf"',
            "address = 0x20000001",
            "buffers.input.address=0x20000001: must be a multiple of 2",
        ),
        (
            '"gain_work"',
            '"odd"',
            "nodes.gain.symbol='odd' and offset=0: at 0x20000402: must be a multiple of 4",
        ),
        (
            '"in_buf"',
            '"odd", offset = 15',
            "buffers.input.symbol='odd' and offset=15: at 0x20000411: must be",
        ),
        ('"in_buf"', '"end_of_ram"', "buffers.input at 0x2000fff0-0x200100af: not within a region"),
        (
            'layout = "interleaved"',
            'region = "rma"',
            "buffers.output.region='rma': no such region; did you mean ram?",
        ),
        ("[call]", "[call]\nstack = {region = 'sram'}", "call.stack.region='sram': no such region; "),
        ("[call]", "[call]\nstack = {size = '65K'}", "call.stack.size=66560: must be at most 65536"),
        (
            "[call]",
            "[call]\nstack = {size = '63.5K'}",
            "call.stack.size='63.5K': must be bytes",
        ),
        (
            "[call]",
            "[call]\nstack = {size = '64K'}",
            "segment 1 at 0x20000000-0x200003ff and call.stack at 0x20000000-0x2000ffff: overlap",
        ),
        (
            "[call]",
            "[call]\nstack = {size = 64256}",  # from 0x20000500
            "buffers.output: 192 bytes needed; not free in one piece in ram",
        ),
        (
            'size = "256K"',
            'size = "2K"',
            "segment 0 at 0x08000000-0x08000fff: not within a region of the map",
        ),
    ],
)
def test_what_does_not_fit_is_refused(old, new, says):
    with pytest.raises(ConfigError) as caught:
        placed(MAP.replace(old, new))
    assert says in str(caught.value)


def test_plain_memory_and_bytes_lie_anywhere_and_an_output_in_place_as_its_own_type_asks():
    text = MAP.replace("[buffers]", "[buffers]\nwork = {size = 3, address = 0x20000701}")
    assert placed(text).buffers["work"] == 0x20000701
    text = MAP.replace('"in_buf"', '"odd"').replace(
        '{type = "int16", layout = "interleaved"}', "{in_place = true}"
    )
    assert placed(text).buffers["output"] == 0x20000402
    text = text.replace("{in_place = true}", '{in_place = true, type = "int32"}')
    with pytest.raises(
        ConfigError, match=r"^buffers.output.in_place: input is at 0x20000402: must be a mult"
    ):
        placed(text)


def test_a_map_for_an_elf_needs_memory():
    text = MAP[: MAP.index("[memory]")] + MAP[MAP.index("[call]") :]
    with pytest.raises(ConfigError, match=r"^memory: missing; the regions of the target needed"):
        placed(text)
