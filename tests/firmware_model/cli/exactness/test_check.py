"""`bittrue check` and the writing of goldens, through the command line."""

import shutil
import sys
from xml.etree import ElementTree

import pytest

from firmware_model.cli.exactness import checking
from firmware_model.golden import freeze, store
from firmware_model.golden.cases import CASES
from firmware_model.golden.conformance import check, cmsis
from firmware_model.golden.conformance.operations import OPERATIONS
from firmware_model.golden.kernel_goldens import Difference
from firmware_model.product import LIBRARY, find_product
from fixedpoint._jit import registered_kernels
from tests.firmware_model.cli.cases import call

KERNEL = "fixedpoint.arith.sat16"


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A sound store that froze another bit: what a fault in sat16 looks like from the store's side."""
    folder = shutil.copytree(store.goldens_folder(LIBRARY), tmp_path_factory.mktemp("wrong") / "goldens")
    goldens = list(freeze.goldens(LIBRARY))
    for i, golden in enumerate(goldens):
        if golden.name == f"kernel:{KERNEL}":
            (values,) = golden.arrays.values()
            values = values.copy()
            values[0] += 1
            goldens[i] = golden._replace(
                arrays={golden.name: values}, facts=golden.facts | {"sha256": "0" * 64}
            )
    store.write(goldens, "a planted fault", folder)
    return store.Store(folder)


@pytest.fixture
def wrong_golden(monkeypatch, planted):
    """That store in place of the one that is shipped."""
    monkeypatch.setattr(check, "shipped", lambda: planted)
    return planted


def test_everything_passes_and_is_counted(capsys, tmp_path):
    run = call(capsys, "check", "--junit", tmp_path / "out.xml", "--json")
    assert run.status == 0, run.out
    assert run.json["failed"] == 0
    kinds = [row["item"].partition(":")[0] for row in run.json["cases"]]
    assert kinds.count("kernel") == kinds.count("subset") == len(registered_kernels())
    assert kinds.count("case") == kinds.count("reference") == len(CASES)
    assert kinds.count("conformance") == len(OPERATIONS)
    done = "passed" if cmsis.installed() else "skipped"
    assert {row["status"] for row in run.json["cases"] if row["item"].startswith("conformance:")} == {done}
    suites = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert sum(int(suite.get("tests")) for suite in suites) == len(run.json["cases"])
    assert len(suites.findall("./testsuite/testcase")) == len(run.json["cases"])


def test_a_filter_chooses_and_the_table_counts(capsys):
    run = call(capsys, "check", "--filter", "mbdp-conventional")
    assert run.status == 0
    lines = run.out.splitlines()
    assert lines[2].split() == ["case", "1/1", "1", "0", "0"]
    assert lines[3].split() == ["reference", "1/1", "1", "0", "0"]
    assert "reference:mbdp-conventional: output within 0.50 LSB of 1.01 allowed" in lines
    assert lines[-1].startswith("2 passed, 0 failed, 0 skipped in ")
    assert run.err == ""


def test_a_difference_is_status_1_named_in_every_report(capsys, tmp_path, wrong_golden):
    xml = tmp_path / "out.xml"
    run = call(capsys, "check", "--filter", "kernel:fixedpoint.arith.sat", "--junit", xml, "--github")
    assert run.status == 1
    says = "returned, 0, step 0: expected -32767 (0xffff8001), got -32768 (0xffff8000), -1 LSB"
    assert f"FAILED kernel:{KERNEL}: {says}" in run.out
    assert "1 passed, 1 failed, 0 skipped" in run.out
    line = registered_kernels()[KERNEL].py_func.__code__.co_firstlineno
    title = f"title=kernel%3A{KERNEL}"
    assert run.err == f"::error file=fixedpoint/arith.py,line={line},{title}::{says}\n"
    suite = ElementTree.parse(xml).getroot().find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert suite.find("./testcase/failure").get("message") == says
    assert suite.find("./testcase[failure]").get("name") == KERNEL


def test_no_two_blank_lines_follow_each_other(capsys):
    run = call(capsys, "check", "--filter", "case:mbdp-headset")
    assert run.status == 0
    assert "\n\n\n" not in run.out


def test_a_difference_in_a_node_is_placed_in_samples_and_seconds_with_the_next_step(capsys, monkeypatch):
    found = [Difference("level", "120-2000 Hz", 1792, None, None), Difference("output", "mono", 24, 7, 8)]
    monkeypatch.setattr(check.case_goldens, "first_difference", lambda *_: found[0])
    name = "mbdp-smart-speaker"
    run = call(capsys, "check", "--filter", f"case:{name}")
    assert run.status == 1
    place = "step 1792 (sample 14336, 0.298667 s) or within the next 64 steps: other bits"
    assert f"FAILED case:{name}: level, 120-2000 Hz, {place}\n" in run.out
    assert f"bittrue vectors DIR {name} && bittrue compare {name} DIR/{name}/output.bin\n" in run.out
    del found[0]
    run = call(capsys, "check", "--filter", f"case:{name}")
    assert "output, mono, step 24 (sample 24, 0.000500 s): expected 7 (0x7), got 8 (0x8), +1 LSB" in run.out


def test_a_difference_in_json(capsys, wrong_golden):
    run = call(capsys, "check", "--filter", f"kernel:{KERNEL}", "--json")
    assert run.status == 1
    (row,) = run.json["cases"]
    assert row["status"] == "failed"
    assert row["first_difference"] == {
        "node": "returned",
        "row": "0",
        "step": 0,
        "expected": -32767,
        "got": -32768,
    }


def test_without_cmsisdsp_its_items_are_skipped_and_said_so(capsys, monkeypatch):
    monkeypatch.setattr(cmsis, "installed", lambda: "")
    run = call(capsys, "check", "--filter", "conformance:a")
    assert run.status == 0
    assert "skipped 4 items: cmsisdsp is not installed" in run.out


def test_a_kernel_without_golden_or_arguments_fails(monkeypatch):
    monkeypatch.setitem(store.shipped().entries, "kernel:fixedpoint.gone", {})
    assert check.run("kernel:fixedpoint.gone").status == check.FAILED
    monkeypatch.delitem(store.shipped().entries, f"kernel:{KERNEL}")
    result = check.run(f"kernel:{KERNEL}")
    assert (result.status, result.says[:14]) == (check.FAILED, "has no golden;")
    monkeypatch.delitem(store.shipped().entries, "output:mbdp-headset")
    assert check.run("case:mbdp-headset").status == check.FAILED


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: (f / "mbdp-headset.npz").write_bytes(b"x"), "mbdp-headset.npz: corrupted"),
        (lambda f: (f / "mbdp-headset.npz").unlink(), "mbdp-headset.npz: No such file"),
    ],
)
def test_a_spoilt_store_is_status_2(capsys, monkeypatch, tmp_path, spoil, says):
    folder = shutil.copytree(store.goldens_folder(find_product("mbdp")), tmp_path / "goldens")
    spoil(folder)
    monkeypatch.setattr(check, "shipped", lambda: store.Store(folder, "mbdp"))
    run = call(capsys, "check")
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(says)
    assert run.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--filter", "no such"], "--filter no such: no item holds it"),
        (["--junit", "out.json"], "suffix '.json' found; .xml needed"),
        (["--junit", "nowhere/out.xml"], "no such folder"),
    ],
)
def test_misuse_is_status_2(capsys, arguments, says):
    run = call(capsys, "check", *arguments)
    assert (run.status, run.out) == (2, "")
    assert says in run.err


def test_annotations_escape_what_github_would_read():
    tally = checking.Tally(["case:a,b"])
    tally.add(check.Result("case:a,b", check.FAILED, 0.0, "50%\nof it: x, y"))
    assert checking.annotations(tally) == ["::error title=case%3Aa%2Cb::50%25%0Aof it: x, y"]


def test_the_live_table_follows_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: True, raising=False)
    tally = checking.Tally([f"kernel:{KERNEL}"])
    with checking.live_table(tally) as add:
        add(check.run(f"kernel:{KERNEL}"))
    assert tally.rows() == [["kernel", "1/1", "1", "0", "0"]]
    assert KERNEL in capsys.readouterr().err


def write_goldens(monkeypatch, capsys, folder, *arguments):
    """`make golden-write` of the shared kernels, on a copy of their store."""
    monkeypatch.setattr(store, "goldens_folder", lambda product: folder)
    return call(capsys, "freeze", "--product", "fixedpoint", *arguments)


@pytest.mark.parametrize("reason", [[], ["--reason", " "]])
def test_writing_without_a_reason_is_status_2_and_writes_nothing(monkeypatch, capsys, tmp_path, reason):
    folder = tmp_path / "goldens"
    run = write_goldens(monkeypatch, capsys, folder, *reason)
    assert run.status == 2
    assert "a line is needed that says why the goldens change" in run.err
    assert not folder.exists()


def test_writing_what_has_not_changed_changes_nothing(monkeypatch, capsys, tmp_path):
    shipped = store.goldens_folder(LIBRARY)
    folder = shutil.copytree(shipped, tmp_path / "goldens")
    run = write_goldens(monkeypatch, capsys, folder, "--reason", "nothing has changed")
    assert run.status == 0, run.err
    assert run.out.startswith("fixedpoint: 0 new, 0 changed, 0 removed; ")
    for path in shipped.iterdir():
        assert (folder / path.name).read_bytes() == path.read_bytes()


def test_without_a_product_of_an_installed_package_nothing_is_frozen(capsys):
    run = call(capsys, "freeze", "--reason", "to see")
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith("no product of an installed package found; --product NAME")
