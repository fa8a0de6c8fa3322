"""Golden cases on the emulated core: the model's bits, the costs, and what is said of one that differs."""

import re

import numpy as np
import pytest

from firmware_model.device.core.cpu import CPUS
from firmware_model.device.core.emulator import Fault
from firmware_model.device.export import harness
from firmware_model.device.export.harness import OutputDifference, StateDifference, run_case
from firmware_model.golden import stimuli
from firmware_model.golden.cases import CASES, find_case
from firmware_model.golden.store import golden
from tests.firmware_model.device.export import build_once
from tests.firmware_model.device.export.build_once import product_named

MBDP, WATERMARK = find_case("mbdp-headset"), find_case("watermark-small")
SAMPLES = 1920  # of each channel: 30 calls of the processor, 15 hops of the detector


@pytest.fixture(autouse=True)
def short(request, monkeypatch):
    """The first samples of every stimulus; each build once."""
    build_once.use(monkeypatch)
    if "slow" not in request.keywords:
        whole = stimuli.load
        monkeypatch.setattr(stimuli, "load", lambda name: whole(name)[:, :SAMPLES])


def with_fault(case, at_the_end):
    """The case's product, with statements at the end of its process function."""
    product = product_named(case.name)
    head, brace, body = product.source.rpartition(f"void {product.process}(")
    source = f"{head}{brace}{body.rstrip().removesuffix('}')}    {at_the_end}\n}}\n"
    return product._replace(source=source)


@pytest.mark.parametrize("cpu", ["cortex-m0plus", "cortex-m4"])
@pytest.mark.parametrize("case", [MBDP, WATERMARK], ids=lambda case: case.name)
def test_outputs_and_final_state_are_the_models(case, cpu):
    result = run_case(case, cpu)
    assert result.bit_exact
    assert (result.first_output, result.state) == (None, ())
    assert result.samples == SAMPLES
    frozen = golden(case)[:, : SAMPLES // case.output.step]
    assert np.array_equal(result.nodes[case.output.name], frozen)


def test_levels_of_optimisation_differ_in_cost_and_not_in_bits():
    results = {optimise: run_case(MBDP, "cortex-m4", optimise) for optimise in ("3", "2", "s")}
    assert all(result.bit_exact for result in results.values())
    assert min(results["3"].code_bytes, results["2"].code_bytes) > results["s"].code_bytes
    assert len({result.instructions for result in results.values()}) == 3


@pytest.mark.parametrize("optimise", ["3", "s"])
@pytest.mark.parametrize("case", [MBDP, WATERMARK], ids=lambda case: case.name)
def test_a_profile_by_kernel_is_of_the_same_machine_code(case, optimise):
    plain, profiled = (
        run_case(case, "cortex-m4", optimise),
        run_case(case, "cortex-m4", optimise, profile=True),
    )
    assert plain._replace(nodes={}) == profiled._replace(nodes={}, by_kernel={})
    counts = profiled.by_kernel
    assert sum(counts.values()) == profiled.instructions
    assert list(counts.values()) == sorted(counts.values(), reverse=True)
    assert len(counts) > len(plain.by_function)
    # every kernel's own, whatever it was inlined into; arithmetic and shifts are part of kernels
    assert ({"svf", "smooth", "scale_row"} if case is MBDP else {"stage_radix4", "weigh", "mean"}) <= set(
        counts
    )
    assert not {"asr", "asr32", "rnd_shift", "sat16", "clip"} & set(counts)


def test_two_runs_cost_the_same():
    costs = [run_case(MBDP)._replace(nodes={}) for _ in range(2)]
    assert costs[0] == costs[1]


def test_the_figures_hang_together():
    shares = []
    result = run_case(MBDP, "cortex-m4", tell=shares.append)
    calls = SAMPLES / result.frame_samples
    assert result.frame_samples == 64
    assert sum(result.by_function.values()) == result.instructions
    assert list(result.by_function.values()) == sorted(result.by_function.values(), reverse=True)
    assert result.by_function["bittrue_mbdp_process"] < 20 * calls  # it hands over, no more
    assert "bittrue_mbdp_init" not in result.by_function
    assert result.instructions / calls <= result.worst < result.instructions / calls * 1.5
    assert result.mips == pytest.approx(result.instructions / SAMPLES * 0.016)
    assert result.worst_mips == pytest.approx(result.worst / 64 * 0.016)
    assert result.flash_bytes == result.code_bytes + result.table_bytes
    assert result.ram_bytes == result.instance_bytes + result.stack_bytes
    assert result.static_bytes == 0
    assert 64 <= result.stack_bytes < 2048
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_core_without_64_bit_products_takes_more_instructions():
    costs = [run_case(MBDP, cpu).instructions for cpu in ("cortex-m0plus", "cortex-m4")]
    assert costs[0] > 1.5 * costs[1]


def test_one_wrong_sample_has_its_place_and_the_variable_is_counted():
    third = "static int32_t calls; if (++calls == 3) { y[n + 5] ^= 1; }"  # right channel
    result = run_case(MBDP, product=with_fault(MBDP, third))
    expected = int(golden(MBDP)[1, 2 * 64 + 5])
    sample = 2 * 64 + 5
    found = OutputDifference("output", "right", sample, sample / 16000, expected, expected ^ 1)
    assert result.first_output == found
    assert result.state == ()
    assert not result.bit_exact
    assert result.static_bytes in (4, 8)  # the instance's alignment may add 4
    differing = np.argwhere(result.nodes["output"] != golden(MBDP)[:, :SAMPLES])
    assert differing.tolist() == [[1, sample]]


def test_the_first_in_time_is_shown_whichever_channel():
    wrong = "static int32_t calls; if (++calls == 2) { y[60] ^= 1; y[n + 7] ^= 1; }"
    found = run_case(MBDP, product=with_fault(MBDP, wrong)).first_output
    assert (found.row, found.sample) == ("right", 64 + 7)


@pytest.mark.parametrize(
    ("field", "index", "row"),
    [
        ("score_q9", 2, "key 1 pattern 0"),
        ("integrated_q9", 1, "key 1"),
        ("report", 5, "value 5"),  # of (keys, 4): the second key's hop
    ],
)
def test_every_output_of_the_detector_is_compared(field, index, row):
    wrong = f"static int32_t calls; if (++calls == 4) {{ self->memory.output_{field}[{index}] += 2; }}"
    found = run_case(WATERMARK, product=with_fault(WATERMARK, wrong)).first_output
    assert (found.name, found.row, found.sample) == (field, row, 3 * WATERMARK.block)
    assert found.got == found.expected + 2


def test_a_difference_in_the_final_state_alone_is_found():
    wrong = "self->memory.state_bus_q27[3] ^= 4;"  # a work area: written before it is read
    result = run_case(MBDP, product=with_fault(MBDP, wrong))
    assert result.first_output is None
    assert not result.bit_exact
    (found,) = result.state
    assert found == StateDifference("state.bus_q27", 1, 3, found.expected, found.expected ^ 4)


def test_a_coefficient_one_lsb_off_is_found():
    product = product_named(MBDP.name)
    sections = r"(static const int32_t table_section\[\d+\] = \{\s+)(\d+)"
    source = re.sub(sections, lambda found: f"{found[1]}{int(found[2]) + 1}", product.source)
    assert source != product.source
    result = run_case(MBDP, product=product._replace(source=source))
    assert not result.bit_exact
    assert any(found.path == "state.bank.split_q54" for found in result.state)


def test_a_product_that_faults_is_a_fault_with_its_place():
    wrong = with_fault(MBDP, "*(volatile int32_t *)0x40000010 = n;")
    with pytest.raises(Fault) as caught:
        run_case(MBDP, product=wrong)
    assert (caught.value.kind, caught.value.address) == ("unmapped write", 0x40000010)
    assert caught.value.place.startswith("bittrue_mbdp_process+0x")


def test_a_stack_deeper_than_the_harness_gives_is_a_fault():
    deep = f"volatile char a[{harness.STACK_BYTES}]; a[0] = 1; a[n] = a[0];"
    with pytest.raises(Fault, match="stack overrun"):
        run_case(MBDP, product=with_fault(MBDP, deep))


@pytest.mark.slow
@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("name", CASES)
def test_every_case_is_bit_exact_on_every_core(name, cpu):
    result = run_case(find_case(name), cpu)
    assert result.bit_exact, (result.first_output, result.state)


@pytest.mark.slow
@pytest.mark.parametrize("optimise", ["2", "s"])
@pytest.mark.parametrize("name", CASES)
def test_every_case_is_bit_exact_at_every_level(name, optimise):
    result = run_case(find_case(name), "cortex-m4", optimise)
    assert result.bit_exact, (result.first_output, result.state)
