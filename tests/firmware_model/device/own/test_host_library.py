"""A host build of a user's firmware on a golden case; whatever it does, the test's own process lives on."""

import numpy as np
import pytest

from firmware_model.device.own import foreign, host_library
from firmware_model.device.own.foreign import CrashError
from firmware_model.device.own.host_library import HostLibrary
from firmware_model.device.own.map_file import parse_map
from firmware_model.golden import stimuli
from fixedpoint.errors import ConfigError
from tests.firmware_model.device.own import own_firmware as own
from tests.firmware_model.device.own.own_firmware import CASE, MAP, SAMPLES


@pytest.fixture(scope="module")
def expected():
    return CASE.trace(stimuli.load(CASE))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The firmware without a fault."""
    return own.host_library(tmp_path_factory.mktemp("sound"), own.processor())


def nodes_of(library, text=MAP, symbol="my_process"):
    given = parse_map(text, CASE)
    with HostLibrary(library, symbol, given) as target:
        return foreign.run(CASE, given, target)


def test_sound_firmware_gives_the_nodes_bit_for_bit(sound, expected):
    found = nodes_of(sound)
    assert set(found) == {"output", "gain", "band_attenuation"}
    for name, values in found.items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)


def test_nodes_of_a_hop_lie_in_a_struct(tmp_path):
    case, given = own.DETECTOR_CASE, parse_map(own.DETECTOR_MAP, own.DETECTOR_CASE)
    library = own.host_library(tmp_path, own.detector())
    with HostLibrary(library, "detect", given) as target:
        found = foreign.run(case, given, target)
    expected = case.trace(stimuli.load(case))
    for name in ("integrated", "score"):
        assert np.ptp(expected[name]) > 0
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_a_last_call_that_is_not_full_gives_as_many_values_as_the_case_has(sound, expected):
    n = expected["output"].shape[1]
    assert n % SAMPLES != 0
    found = nodes_of(sound)
    assert {name: values.shape for name, values in found.items()} == {
        name: expected[name].shape for name in found
    }


def test_in_place_left_justified_and_the_address_of_a_symbol(sound, expected):
    text = own.left_justified(MAP)
    found = nodes_of(sound, text, "my_process_left_justified")
    np.testing.assert_array_equal(found["output"], expected["output"])


def test_one_lsb_is_where_it_was_planted(tmp_path, expected):
    found = nodes_of(own.host_library(tmp_path, own.processor(own.ONE_LSB, call=4)))
    row, at = np.nonzero(found["output"] != expected["output"])
    assert (row.tolist(), at.tolist()) == ([1], [3 * SAMPLES + 7])


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (own.NULL_WRITE, "call 2, samples 96 to 143: Segmentation fault (SIGSEGV)"),
        (own.OVERRUN, "call 2, samples 96 to 143: my_process wrote behind output, which has 192 bytes"),
        ("exit(5)", "call 2, samples 96 to 143: the library ended the process with status 5"),
        (own.ENDLESS, "call 2, samples 96 to 143: no return within 1 s"),
    ],
)
def test_a_crash_is_one_line_with_the_call(tmp_path, monkeypatch, fault, says):
    monkeypatch.setattr(host_library, "MOST_SECONDS", 1.0)
    library = own.host_library(tmp_path, own.processor(fault, call=3))
    with pytest.raises(CrashError) as caught:
        nodes_of(library)
    assert str(caught.value) == f"{library}: {says}"


def test_a_crash_before_the_first_call_is_that_of_init(sound):
    text = MAP.replace("my_init", "my_crash").replace("init_arguments = [0]", "")
    with pytest.raises(CrashError, match=r"my_crash, before the first call: (Illegal|Trace|Aborted|Seg)"):
        nodes_of(sound, text)


def test_what_a_library_prints_is_no_result(tmp_path, capfd):
    library = own.host_library(tmp_path, own.processor('puts("hello"); fflush(stdout)'))
    nodes_of(library)
    assert capfd.readouterr() == ("", "hello\n")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("my_init", "my_int", "my_int: no such symbol; did you mean my_init?"),
        ("in_buf", "in_bfu", "in_bfu: no such symbol; did you mean in_buf?"),
        ('"init", "input"', '"&my_stat", "input"', "my_stat: no such symbol; "),
        ('"in_buf"', '"in_buf", offset = 2', "in_buf: 192 bytes found; 194 needed for buffers.input"),
        (
            'symbol = "in_buf"',
            "address = 0x20000000",
            "buffers.input.address=0x20000000: a host library has no",
        ),
        (
            "[nodes.gain]",
            "[buffers.work]\nsize = '300M'\n[nodes.gain]",
            "buffers.work: 314572800 bytes; must be",
        ),
    ],
)
def test_a_map_that_does_not_fit_the_library_is_refused(sound, old, new, says):
    with pytest.raises(ConfigError) as caught:
        nodes_of(sound, MAP.replace(old, new))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_function_has_a_suggestion(sound):
    with pytest.raises(ConfigError, match=r"libown.so: my_proces: no such symbol; did you mean my_process\?"):
        nodes_of(sound, symbol="my_proces")


def test_data_is_not_called(sound):
    with pytest.raises(ConfigError, match=r"libown.so: in_buf: is data; the name of a function needed$"):
        nodes_of(sound, symbol="in_buf")


def test_symbols_are_checked_where_they_cannot_be_listed(sound, monkeypatch):
    monkeypatch.setattr(host_library, "_exported", lambda path: None)
    for text, symbol in ((MAP, "my_proces"), (MAP.replace("in_buf", "my_proces"), "my_process")):
        with pytest.raises(ConfigError, match=r"libown.so: my_proces: no such symbol$"):
            nodes_of(sound, text, symbol)


def test_what_is_no_library_of_this_host_is_refused(tmp_path):
    (tmp_path / "own.so").write_text("no library")
    with pytest.raises(ConfigError, match=r"own.so: cannot be loaded: "):
        nodes_of(str(tmp_path / "own.so"))
    with pytest.raises(ConfigError, match=r"none.so: no such file; a shared object of this host needed"):
        nodes_of(str(tmp_path / "none.so"))
