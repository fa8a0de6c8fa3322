"""`bittrue device` with the user's own firmware: exit status, words and JSON."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from firmware_model.cli import main
from firmware_model.device.own import host_library
from firmware_model.golden import stimuli
from firmware_model.golden.causes import suspects
from tests.firmware_model.device.own import own_firmware as own
from tests.firmware_model.device.own.own_firmware import CASE, MAP, SAMPLES

EXAMPLE = Path(__file__).parents[4] / "examples/firmware_map.toml"


@pytest.fixture(autouse=True)
def no_search(monkeypatch):
    """Without the search for faults, which compiles; `test_suspects` holds it."""
    monkeypatch.setattr(suspects, "search_faults", lambda *_: [])


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return own.host_library(tmp_path_factory.mktemp("sound"), own.processor())


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    return own.firmware(tmp_path_factory.mktemp("sound"), own.processor())


@pytest.fixture
def device(capsys):
    """Run the command; (status, stdout, stderr)."""

    def run(*arguments):
        status = main.run(["device", CASE.name, "--symbol", "my_process", *map(str, arguments)])
        return status, *capsys.readouterr()

    return run


def test_a_host_library_that_is_equal_is_status_0(device, library):
    status, out, err = device("--host-lib", library, "--map", EXAMPLE)
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == f"{CASE.name}: {CASE.summary}"
    assert f"{library}: gain (int32 little-endian planar, 4000 steps), band_attenuation " in out
    assert "equal, bit for bit" in out.splitlines()


def test_an_elf_that_is_equal_is_status_0_with_its_cost(device, elf, monkeypatch):
    own.first_samples(monkeypatch)
    status, out, err = device("--elf", elf, "--map", EXAMPLE, "--cpu", "m33")
    assert (status, err) == (0, "")
    assert f"{elf}: gain (int32 little-endian planar, 605 steps), band_attenuation " in out
    assert "equal, bit for bit\n" in out
    assert "\n\ncortex-m33: " in out
    assert re.search(
        r"\d+\.\d instructions per sample, \d+\.\d\d MIPS at 16000 Hz, \d+\.\d\d in the worst", out
    )
    assert re.search(r"\nflash \d+ bytes, RAM \d+ bytes: variables \d+, stack \d+\n", out)
    _, out, _ = device("--elf", elf, "--map", EXAMPLE, "--profile-functions")
    assert re.search(r"\nbittrue_mbdp_process_frame +\d+\.\d +\d\d\.\d %\n", out)
    facts = json.loads(device("--elf", elf, "--map", EXAMPLE, "--json")[1])
    assert (facts["bit_exact"], facts["fault"]) == (True, None)
    assert facts["cpu"] == "cortex-m4"
    assert facts["mips"] == pytest.approx(facts["instructions_per_sample"] * 0.016)
    assert 0 < facts["instructions_per_sample"] * 0.016 <= facts["worst_mips"]
    samples = -(-2420 // SAMPLES) * SAMPLES  # whole calls
    assert sum(facts["by_function"].values()) == pytest.approx(facts["instructions_per_sample"] * samples)
    assert 0 < facts["stack_bytes"] < facts["ram_bytes"] < facts["flash_bytes"] < 65536
    assert facts["ram_bytes"] == facts["static_bytes"] + facts["stack_bytes"]
    assert facts["worst_mips"] == pytest.approx(facts["worst_instructions_per_sample"] * 0.016)


def test_a_difference_of_an_elf_has_its_place_and_a_crash_its_line(device, tmp_path, monkeypatch):
    own.first_samples(monkeypatch)
    elf = own.firmware(tmp_path, own.processor(own.ONE_LSB, call=4))
    status, out, _ = device("--elf", elf, "--map", EXAMPLE)
    assert status == 1
    assert f"first wrong node of the dump: output, right, sample {3 * SAMPLES + 7} " in out
    elf = own.firmware(tmp_path, own.processor(own.NULL_WRITE))
    status, out, err = device("--elf", elf, "--map", EXAMPLE)
    assert (status, out) == (1, "")
    assert err.startswith(f"{elf}: call 2, samples 96 to 143: unmapped write at 0xfffffff0, PC 0x0800")
    assert err.count("\n") == 1
    fault = json.loads(device("--elf", elf, "--map", EXAMPLE, "--json")[1])["fault"]
    assert (fault["kind"], fault["address"]) == ("unmapped write", 0xFFFFFFF0)
    assert fault["place"].startswith("my_process+0x")


def test_a_difference_is_status_1_with_its_place(device, tmp_path):
    library = own.host_library(tmp_path, own.processor(own.ONE_LSB, call=4))
    status, out, _ = device("--host-lib", library, "--map", EXAMPLE, "--json")
    facts = json.loads(out)
    expected = int(CASE.trace(stimuli.load(CASE))["output"][1, 3 * SAMPLES + 7])
    assert status == 1
    assert {name: facts[name] for name in ("equal", "node", "row", "sample", "frame", "expected", "got")} == {
        "equal": False,
        "node": "output",
        "row": "right",
        "sample": 3 * SAMPLES + 7,
        "frame": (3 * SAMPLES + 7) // CASE.block,
        "expected": expected,
        "got": expected ^ 1,
    }
    assert [node["differing"] for node in facts["nodes"]] == [0, 0, 1]  # gain, band_attenuation, output


def test_a_cause_is_named_unless_not_wanted(device, tmp_path):
    every_call = "*in_buf ^= 0; } { for (int32_t i = 0; i < 2 * n; i++) { y[i] = (int16_t)-y[i]; }"
    library = own.host_library(tmp_path, own.processor(every_call, call=1))
    _, out, _ = device("--host-lib", library, "--map", EXAMPLE)
    assert "likely cause: polarity" in out
    assert "likely cause" not in device("--host-lib", library, "--map", EXAMPLE, "--no-cause")[1]


def test_nodes_are_kept_as_a_dump_that_compare_reads(device, library, tmp_path, capsys):
    folder = tmp_path / "dump"
    assert device("--host-lib", library, "--map", EXAMPLE, "--keep", folder)[0] == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "band_attenuation.npy",
        "gain.npy",
        "output.npy",
    ]
    assert np.load(folder / "output.npy").dtype == np.int16
    assert main.run(["compare", CASE.name, str(folder)]) == 0
    assert "equal, bit for bit" in capsys.readouterr().out
    status, _, err = device("--host-lib", library, "--map", EXAMPLE, "--keep", folder)
    assert (status, err) == (2, f"--keep {folder}: holds files; an empty or a new folder needed\n")


def test_a_crash_is_status_1_and_one_line(device, tmp_path):
    library = own.host_library(tmp_path, own.processor(own.NULL_WRITE))
    line = f"{library}: call 2, samples 96 to 143: Segmentation fault (SIGSEGV)"
    assert device("--host-lib", library, "--map", EXAMPLE) == (1, "", line + "\n")
    status, out, _ = device("--host-lib", library, "--map", EXAMPLE, "--json")
    assert status == 1
    fault = {"kind": None, "address": None, "pc": None, "place": None, "text": line}
    assert json.loads(out) == {"case": CASE.name, "bit_exact": False, "fault": fault}


def test_values_between_the_lsb_of_the_case_are_status_2(device, library, tmp_path):
    own_map = tmp_path / "own.toml"
    own_map.write_text(MAP.replace('layout = "planar"', 'layout = "planar"\nfraction_bits = 28'))
    status, out, err = device("--host-lib", library, "--map", own_map)
    assert (status, out) == (2, "")
    assert err.startswith("gain: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host-lib", "LIBRARY"], "--map: missing; needed with --host-lib"),
        (
            ["--host-lib", "LIBRARY", "--map", "none.toml"],
            "none.toml: cannot be read: No such file or directory",
        ),
        (
            ["--host-lib", "none.so", "--map", EXAMPLE],
            "none.so: no such file; a shared object of this host needed",
        ),
        (
            ["--host-lib", "a", "--elf", "b", "--map", EXAMPLE],
            "--elf and --host-lib: both given; one of them acc",
        ),
        (["--elf", "none.elf", "--map", EXAMPLE], "none.elf: no such file; an ELF file needed"),
        (["--elf", "LIBRARY", "--map", EXAMPLE], "libown.so: built for x64 (64 bit); 32-bit ARM needed"),
        (["--elf", "ELF", "--map", EXAMPLE, "--cpu", "m5"], "--cpu m5: must be one of cortex-m0plus, "),
        (
            ["--elf", "ELF", "--map", EXAMPLE, "--opt", "3"],
            "--opt: has no meaning with --elf, which is built; drop it",
        ),
        (
            ["--host-lib", "LIBRARY", "--map", EXAMPLE, "--opt", "2"],
            "--opt: has no meaning with --host-lib, which runs on this host; drop it",
        ),
        (
            ["--host-lib", "LIBRARY", "--map", EXAMPLE, "--cpu", "cortex-m4"],
            "--cpu: has no meaning with --host-lib, ",
        ),
        (
            ["--host-lib", "LIBRARY", "--map", EXAMPLE, "--profile-functions"],
            "--profile-functions: has no meaning with --host-lib, ",
        ),
        (["--elf", "ELF", "--map", EXAMPLE, "--cpu", "all"], "--cpu all: one core needed with --elf"),
        (["--elf", "ELF", "--map", EXAMPLE, "--symbol", "my_procss"], "not found; there is my_process"),
        (["--host-lib", ""], "--symbol my_process: --elf or --host-lib missing; one of them needed with it"),
    ],
)
def test_misuse_is_status_2_and_one_line(device, library, elf, arguments, says):
    known = {"LIBRARY": library, "ELF": elf}
    status, out, err = device(*(known.get(str(word), word) for word in arguments))
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert says in err


def test_a_map_that_does_not_fit_is_named(device, elf, tmp_path):
    own_map = tmp_path / "own.toml"
    own_map.write_text(MAP.replace("0x20000000", "0x30000000"))
    status, out, err = device("--elf", elf, "--map", own_map)
    assert (status, out) == (2, "")
    assert err.startswith(f"{own_map}: segment of the ELF at 0x20000000-0x2000")
    own_map.write_text(MAP.replace("call]", "call]\nstack = {region = 'rom'}"))
    assert device("--elf", elf, "--map", own_map)[2].startswith(
        f"{own_map}: call.stack.region='rom': no such"
    )


def test_a_symbol_is_needed(capsys, library):
    assert main.run(["device", CASE.name, "--host-lib", library, "--map", str(EXAMPLE)]) == 2
    assert capsys.readouterr().err == "--symbol: missing; needed with --host-lib\n"


def test_the_time_of_a_call_is_bounded(device, tmp_path, monkeypatch):
    monkeypatch.setattr(host_library, "MOST_SECONDS", 1.0)
    library = own.host_library(tmp_path, own.processor(own.ENDLESS))
    assert "no return within 1 s" in device("--host-lib", library, "--map", EXAMPLE)[2]
