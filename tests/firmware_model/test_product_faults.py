"""Faults of an installed product: one line with its package, status 2, and all others go on."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from firmware_model.cli.newcomer import package
from tests.firmware_model.warm import warm

A, K, KC, P, R = (f"gate/{name}.py" for name in ("cases", "kernels", "kernel_cases", "product", "reference"))
ONE_CASE = 'CASES = (\n    samples_case(\n        _PARTS, Config(), "gate"'


PAGE = (Path(__file__).parents[2] / "docs/own-product.md").read_text("utf-8")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What `bittrue new gate` writes, its kernels frozen."""
    folder = tmp_path_factory.mktemp("new") / "gate"
    package.create("gate", str(folder))
    return folder


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    """bittrue from the sources, its kernels interpreted."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "NUMBA_DISABLE_JIT": "1"}
    with warm(sys.executable, tmp_path_factory.mktemp("streams"), environment) as process:
        yield process


@pytest.fixture
def bittrue(written, serving, tmp_path):
    """A call of bittrue where the package is installed, with a text of one file replaced."""
    folder = tmp_path / "site"

    def call(file, old, new, *arguments):
        shutil.copytree(written, folder)
        info = folder / "gate-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gate\nVersion: 0.1.0\n")
        (info / "entry_points.txt").write_text("[bittrue.products]\ngate = gate.product:PRODUCT\n")
        path = folder / file
        text = path.read_text() if path.exists() else ""
        assert old in text
        path.write_text(text.replace(old, new) if old else new)
        return serving(folder, *arguments, path=(str(folder),))

    return call


CHECK = ("check", "--product", "gate")
# what is wrong: file, text, what stands in its place, the line that says so
WRONG = {
    "raises": (A, "CASES = (", "1 // 0\nCASES = (", "gate.cases: gate/cases.py:19: ZeroDivisionError: "),
    "no BOUNDS": (A, "BOUNDS =", "BOUNDZ =", "gate.cases: BOUNDS: missing; did you mean BOUNDZ?"),
    "no CASES": (A, "CASES = (", "CASEZ = (", "gate.cases: CASES: missing; did you mean CASEZ?"),
    "no tuple": (
        A,
        ONE_CASE,
        ONE_CASE.replace("(\n", "(\n    3,\n", 1),
        "gate.cases: CASES: a tuple of cases needed",
    ),
    "stimulus": (
        A,
        '{"levels":',
        '{"level":',
        "gate.cases: case 'gate': stimulus 'levels': STIMULI has level",
    ),
    "another's case": (A, '"gate", "as', '"mbdp-headset", "as', "gate.cases: case 'mbdp-headset': mbdp has"),
    "another's name": (A, '"gate", "as', '"mbdp", "as', "gate.cases: case 'mbdp': mbdp has this name"),
    "no word": (A, '"gate", "as', '"my/gate", "as', "gate.cases: case 'my/gate': a name of letters"),
    "no kernel": (
        K,
        "@kernel\ndef process_frame",
        "def process_frame",
        "gate.cases: gate: kernel gate.kernels:process_frame: is no kernel",
    ),
    "node": (A, 'Node("low"', 'Node("lov"', "gate.cases: gate: node lov: no probe; "),
    "package": (
        P,
        'package="gate"',
        'package="gait"',
        "product 'gate' cannot be used: package 'gait': no such",
    ),
    "kernel cases": (KC, "CASES =", "CASEZ =", "gate.kernel_cases: CASES: missing; did you mean CASEZ?"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_in_one_line_with_status_2(bittrue, what):
    file, old, new, says = WRONG[what]
    run = bittrue(file, old, new, *CHECK)
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(f"gate: {says}")
    assert run.err.count("\n") == 1


def test_goldens_that_are_damaged_are_said_and_the_others_are_checked(bittrue):
    run = bittrue("gate/goldens/manifest.json", '"entries"', '"entrees"', "check", "--filter", "sat16")
    assert run.status == 0
    assert run.err.startswith("gate: gate.goldens: manifest.json: is no manifest of goldens; restore it")
    assert run.err.count("\n") == 1


LOAD, LOOP, S, PARAMS = (
    "low = np.int64(state.low_q31[0])",
    "    for n in range(x.shape[1]):",
    "gate/state.py",
    "gate/params.py",
)
# what docs/own-product.md says is planted: file, text, what stands in its place
PLANTED = {
    "a float": (K, LOAD, "low = 0.5 * state.low_q31[0]"),
    "a missing widen": (K, LOAD, "low = state.low_q31[0] * params.coef_q31"),
    "a list": (K, LOOP, f"    taps = [1, 2]\n{LOOP}"),
    "a loop": (K, LOOP, f"    while x[0, 0] > 0:\n        y[0, 0] = 0\n{LOOP}"),
    "minus": (K, LOAD, "low = -state.low_q31[0]"),
    "a shift": (K, LOAD, "low = np.int64(state.low_q31[0]) >> params.gain_q28"),
    "a whole array": (K, LOOP, f"    z = x + x\n{LOOP}"),
    "unsigned": (K, "np.int64(x[0, n])", "np.uint32(x[0, n])"),
    "a division": (K, "rnd_shift(apart * np.int64(params.coef_q31), 31)", "apart // 4"),
    "a list as state": (S, "return State(np.zeros(1, np.int32))", "return [np.zeros(1, np.int32)]"),
    "an unsigned state": (S, "State(np.zeros(1, np.int32))", "State(np.zeros(1, np.uint32))"),
    "a float parameter": (PARAMS, "return Params(math.floor(coef * 2**31 + 0.5),", "return Params(coef,"),
    "no parameter": (PARAMS, "return Params(math.floor(coef * 2**31 + 0.5),", "return Params("),
    "probes": (S, "np.zeros((1, n), np.int32)", "np.zeros(n + 1, np.int32)"),
    **{f"broken {name}": WRONG[name][:3] for name in ("package", "raises", "no BOUNDS", "node", "stimulus")},
    "broken case": WRONG["another's case"][:3],
}


@pytest.mark.parametrize("what", PLANTED)
def test_the_page_of_own_products_shows_the_line_that_is_printed(bittrue, what):
    run = bittrue(*PLANTED[what], *CHECK)
    first = [line for line in run.out.splitlines() if line.startswith("FAILED")] or [run.err.rstrip("\n")]
    assert run.status == 1 if run.out else 2
    assert f"| `{first[0]}` |" in PAGE, first[0]


@pytest.mark.parametrize("what", ["raises", "no tuple", "package"])
def test_what_is_wrong_with_one_product_stops_no_other(bittrue, what):
    file, old, new, says = WRONG[what]
    run = bittrue(file, old, new, "check", "--filter", "kernel:fixedpoint.arith.sat16")
    assert run.status == 0
    assert "0 failed" in run.out
    assert run.err.startswith(f"gate: {says}")
    assert run.err.count("\n") == 1


def test_a_numberless_bound_is_named(bittrue):
    run = bittrue(A, "9.32e-10", "None", *CHECK)
    assert (run.status, run.err) == (2, "gate: BOUNDS has no number for low; one each needed\n")


def test_a_twin_that_raises_fails_its_item_with_file_and_line(bittrue):
    run = bittrue(R, "coef = 1", "coef = nix", *CHECK)
    assert run.status == 1
    assert (
        "FAILED reference:gate: gate: gate/reference.py:11: NameError: name 'nix' is not defined" in run.out
    )
    assert "5 passed, 1 failed" in run.out


def test_a_twin_that_raises_in_another_command_is_status_2_with_file_and_line(bittrue):
    run = bittrue(R, "coef = 1", "coef = nix", "ranges", "gate")
    assert run.status == 2
    assert run.err.startswith(
        "gate: gate/reference.py:11: NameError: name 'nix' is not defined (BITTRUE_DEBUG=1"
    )


def test_freezing_arguments_of_a_kernel_that_there_is_not_names_the_nearest(bittrue):
    run = bittrue(
        KC, '"gate.kernels.low_pass"', '"gate.kernels.lowpass"', "freeze", *CHECK[1:], "--reason", "x"
    )
    assert run.status == 2
    says = "kernel_cases.CASES: gate.kernels.lowpass: no such kernel; did you mean gate.kernels.low_pass?"
    assert run.err == f"{says}\n"


def test_a_kernel_that_leaves_the_subset_is_said_first(bittrue):
    run = bittrue(K, "low = np.int64(state.low_q31[0])", "low = state.low_q31[0]\n    low = -low", *CHECK)
    failed = [line for line in run.out.splitlines() if line.startswith("FAILED")]
    assert failed[0].startswith(
        "FAILED subset:gate.kernels.low_pass: gate/kernels.py:13: kernel low_pass: found minus"
    )
    assert "for the likely cause" not in run.out


FREEZE = ("freeze", "--product", "gate", "--remake-stimuli", "--reason", "x")
# what freezing refuses: file, text, what stands in its place, the line
UNFROZEN = {
    "pair": (
        A,
        'silence, 16 kHz", _levels)',
        'silence, 16 kHz",)',
        "stimulus 'levels': STIMULI needs (words, ",
    ),
    "rows": (
        A,
        ".astype(np.int16)",
        ".astype(np.int16).reshape(2, -1)",
        "stimulus 'levels': (2, 2400) found, (1, 1",
    ),
    "no list": (
        KC,
        "    return made",
        "    pass",
        "kernel_cases.CASES: gate.kernels.process_frame: a function that",
    ),
    "no call": (
        KC,
        '": _samples',
        '": 3',
        "kernel_cases.CASES: gate.kernels.low_pass: a function that gives",
    ),
    "no table": (KC, "CASES = {", "CASES = 3, {", "gate: gate.kernel_cases: CASES: a dictionary needed"),
    "product": (
        P,
        "PRODUCT =",
        "1 // 0\nPRODUCT =",
        "gate: product 'gate' cannot be used: gate/product.py:5: Zero",
    ),
}


@pytest.mark.parametrize("what", UNFROZEN)
def test_what_cannot_be_frozen_is_said_in_one_line(bittrue, what):
    file, old, new, says = UNFROZEN[what]
    run = bittrue(file, old, new, *FREEZE)
    assert (run.status, run.out, run.err.count("\n")) == (2, "", 1), run.err
    assert run.err.startswith(says)


@pytest.mark.parametrize(
    ("text", "says"), [("x = 3\n", "app: missing"), ("app = 3\n", "app: int found, a typer.")]
)
def test_verbs_that_are_none_leave_the_help(bittrue, text, says):
    run = bittrue("gate/commands.py", "", text, "--help")
    assert run.status == 0
    assert "check" in run.out
    assert run.err.startswith(f"gate: gate.commands: {says}")


def test_a_verb_that_raises_is_named_with_file_and_line(bittrue):
    text = "import typer\n\napp = typer.Typer()\n\n\n@app.command()\ndef listen():\n    1 // 0\n"
    run = bittrue("gate/commands.py", "", text, "listen")
    assert run.status == 2
    assert run.err.startswith("gate: gate/commands.py:8: ZeroDivisionError: ")
