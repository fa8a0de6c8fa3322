"""`bittrue device` on the exported products: exit status, words and JSON."""

import pytest

from firmware_model.cli.firmware import device_runs
from firmware_model.device.core import toolchain
from firmware_model.device.core.cpu import CPUS
from firmware_model.device.export import harness
from firmware_model.golden import stimuli
from firmware_model.golden.cases import case_of, find_case
from firmware_model.golden.causes import suspects
from tests.firmware_model.cli.cases import call
from tests.firmware_model.device.export import build_once
from tests.firmware_model.device.export.test_harness import MBDP, with_fault

SAMPLES = 1280


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Short stimuli, builds once; without the search for faults, which compiles and `test_suspects` holds."""
    build_once.use(monkeypatch)
    whole = stimuli.load
    monkeypatch.setattr(stimuli, "load", lambda name: whole(name)[:, :SAMPLES])
    monkeypatch.setattr(suspects, "search_faults", lambda *_: [])


@pytest.fixture
def product(monkeypatch):
    """Put statements at the end of the product's process function."""

    def change(statements):
        changed = with_fault(MBDP, statements)
        monkeypatch.setattr(harness, "product_of", lambda setup: changed)

    return change


def test_a_product_that_is_bit_exact_is_status_0_with_its_cost(capsys):
    done = call(capsys, "device", MBDP.name, "--cpu", "cortex-m4", "--profile-functions")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == f"{MBDP.name}: {MBDP.summary}"
    assert f"cortex-m4: bit-exact, output and final state, over {SAMPLES} samples" in lines
    assert any(line.startswith("instructions per sample ") for line in lines)
    assert any(line.startswith("MIPS at 16000 Hz ") for line in lines)
    assert any(line.startswith("flash ") and ": code " in line and ", tables " in line for line in lines)
    assert any(line.startswith("RAM ") and ": instance " in line and ", stack " in line for line in lines)
    assert any(line.startswith("clang -O3 -fomit-frame-pointer. Executed instructions, ") for line in lines)
    assert any(line.startswith("svf ") and line.endswith(" %") for line in lines)
    assert any(" with less than 0.5 %  " in line for line in lines)
    assert not any(line.startswith(("sat16 ", "rnd_shift ", "asr ")) for line in lines)
    assert any(line.startswith("Of this build, most kernels being inlined: ") for line in lines)


def test_its_json_holds_the_figures(capsys):
    done = call(capsys, "device", MBDP.name, "--json", "--opt", "2")
    facts = done.json
    assert (done.status, facts["case"], facts["cpu"], facts["optimise"]) == (0, MBDP.name, "cortex-m4", "2")
    assert (facts["bit_exact"], facts["first_output"], facts["state"], facts["fault"]) == (
        True,
        None,
        [],
        None,
    )
    assert facts["compare"] is None
    assert facts["by_kernel"] is None  # without --profile-functions
    assert facts["flags"] == "clang -O2 -fomit-frame-pointer"
    assert facts["mips"] == pytest.approx(facts["instructions_per_sample"] * 0.016)
    assert 0 < facts["mips"] <= facts["worst_mips"]
    assert facts["flash_bytes"] == facts["code_bytes"] + facts["table_bytes"]
    assert facts["ram_bytes"] == facts["instance_bytes"] + facts["static_bytes"] + facts["stack_bytes"]
    assert sum(facts["by_function"].values()) == pytest.approx(facts["instructions_per_sample"] * SAMPLES)
    again = call(capsys, "device", MBDP.name, "--json", "--opt", "2")
    assert again.out == done.out


def test_two_cores_give_one_table(capsys, monkeypatch):
    monkeypatch.setattr(device_runs, "CPUS", {name: CPUS[name] for name in ("cortex-m0plus", "cortex-m4")})
    done = call(capsys, "device", MBDP.name, "--cpu", "all")
    assert (done.status, done.err) == (0, "")
    rows = [line.split() for line in done.out.splitlines() if line.startswith("cortex-")]
    assert [row[:2] for row in rows] == [["cortex-m0plus", "exact"], ["cortex-m4", "exact"]]
    assert float(rows[0][2]) > 1.5 * float(rows[1][2])
    facts = call(capsys, "device", MBDP.name, "--cpu", "all", "--json").json
    assert facts["bit_exact"] is True
    assert [core["cpu"] for core in facts["cores"]] == ["cortex-m0plus", "cortex-m4"]
    assert [f"{core['mips']:.2f}" for core in facts["cores"]] == [row[3] for row in rows]


def test_a_difference_is_status_1_with_its_place_and_goes_to_the_comparison(capsys, product):
    product("for (int32_t i = 0; i < 2 * n; i++) { y[i] = (int16_t)-y[i]; }")
    done = call(capsys, "device", MBDP.name)
    assert done.status == 1
    assert "cortex-m4: not the model's bits" in done.out
    assert "cortex-m4, first output that differs: output, " in done.out
    assert "cortex-m4: output (int16 " in done.out
    assert "likely cause: polarity" in done.out
    assert "likely cause" not in call(capsys, "device", MBDP.name, "--no-cause").out
    facts = call(capsys, "device", MBDP.name, "--json").json
    assert facts["bit_exact"] is False
    assert facts["first_output"]["got"] == -facts["first_output"]["expected"]
    assert facts["compare"]["node"] == "output"
    assert facts["compare"]["sample"] == facts["first_output"]["sample"]
    assert facts["compare"]["likely_cause"].startswith("polarity")


def test_a_difference_of_the_state_alone_is_status_1(capsys, product):
    product("self->memory.state_bus_q27[3] ^= 4;")
    done = call(capsys, "device", MBDP.name)
    assert done.status == 1
    (line,) = [line for line in done.out.splitlines() if "final state:" in line]
    assert line.startswith("cortex-m4, final state: state.bus_q27: 1 value, the first at 3: expected ")
    assert "first output" not in done.out


def test_a_fault_is_status_1_in_one_line_and_the_other_cores_run(capsys, product, monkeypatch):
    monkeypatch.setattr(device_runs, "CPUS", {name: CPUS[name] for name in ("cortex-m0plus", "cortex-m4")})
    product(
        "y[0] = (int16_t)*(volatile int32_t *)((char *)self + 2);"
    )  # a single load: a fault on the M0+ alone
    done = call(capsys, "device", MBDP.name, "--cpu", "all", "--no-cause")
    assert done.status == 1
    assert done.err.startswith(f"{MBDP.name}, cortex-m0plus: unaligned access at 0x20000002, PC 0x0800")
    assert "(bittrue_mbdp_process+0x" in done.err
    assert done.err.count("\n") == 1
    rows = [line.split() for line in done.out.splitlines() if line.startswith("cortex-") and "none" in line]
    assert rows == [["cortex-m0plus", "fault", *["none"] * 6]]
    fault = call(capsys, "device", MBDP.name, "--cpu", "m0plus", "--json").json["fault"]
    assert (fault["kind"], fault["address"]) == ("unaligned access", 0x20000002)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nothing",), "case 'nothing': must be one of mbdp-smart-speaker, "),
        ((MBDP.name, "--cpu", "cortex-m55"), "--cpu cortex-m55: must be one of cortex-m0plus, "),
        ((MBDP.name, "--cpu", "cortex-m55"), "cortex-m33 or all; did you mean cortex-m"),
        ((MBDP.name, "--opt", "0"), "--opt 0: must be one of 3, 2, s"),
        ((), "Missing argument"),
    ],
)
def test_misuse_is_status_2_in_one_line(capsys, arguments, says):
    done = call(capsys, "device", *arguments)
    assert (done.status, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1


def test_without_the_toolchain_it_says_how_to_get_it(capsys, monkeypatch):
    find = toolchain.find_spec
    monkeypatch.setattr(toolchain, "find_spec", lambda name: None if name == "unicorn" else find(name))
    done = call(capsys, "device", MBDP.name)
    assert (done.status, done.out) == (2, "")
    assert done.err == "bittrue device: unicorn not installed; pip install 'bittrue[device]'\n"


def test_the_products_have_short_names():
    assert case_of("watermark") is find_case("watermark-detector")
    assert case_of("mbdp") is find_case("mbdp-smart-speaker")
    assert case_of("mbdp-headset") is MBDP


@pytest.mark.parametrize("command", ["device", "export", "sweep"])
def test_the_help_has_examples_on_lines_of_their_own(capsys, command):
    lines = [line.strip() for line in call(capsys, command, "--help").out.splitlines()]
    examples = [line for line in lines if line.startswith(f"bittrue {command} ")]
    assert examples
    assert all(len(line.split()) > 2 and len(line) < 80 for line in examples)


def test_commands_are_listed_by_what_they_are_about(capsys):
    listed = [line.split()[0] for line in call(capsys, "--help").out.splitlines() if line.startswith("  ")]
    order = ["simulate", "process", "sweep", "report", "check", "vectors", "compare", "export", "device"]
    assert [name for name in listed if name in order] == order
