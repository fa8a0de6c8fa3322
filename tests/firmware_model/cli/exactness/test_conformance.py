"""The conformance page: what it holds, that it is whole, and its exit status."""

from html.parser import HTMLParser

import pytest
from typer import Exit

from firmware_model.cli.exactness import conformance_command, conformance_page
from firmware_model.golden.conformance import cmsis
from firmware_model.golden.conformance import report as conformance_report
from firmware_model.golden.conformance.operations import OPERATIONS
from firmware_model.golden.conformance.report import DIFFERS, Golden, collect

CASES = ("watermark-small",)
KERNELS = (
    "fixedpoint.arith.mul_q15_trn",
    "fixedpoint.filters.fir.fir_q31_trn_wrap",
    "firmware_model.dynamics.change.fade_bus",
)
VOID = ("meta",)


class Page(HTMLParser):
    """Tables of cells, and whether every element is closed by its own tag."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tables, self.links, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag in VOID or tag == "br":
            return
        self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data


@pytest.fixture(scope="module")
def report():
    return collect(None, CASES, KERNELS)


@pytest.fixture(scope="module")
def page(report):
    return Page(conformance_page.page(report))


def test_page_is_whole_and_self_contained(page):
    assert page.open == []
    assert page.links == []
    for rows in page.tables:
        assert len({len(row) for row in rows}) == 1, "as many cells in every row"
        assert len(rows) > 1


def test_page_shows_every_node_kernel_and_operation(page):
    nodes, operations, kernels = page.tables
    assert [row[1] for row in nodes[1:]] == ["band_level", "slot_level", "feature", "score", "integrated"]
    assert [row[0] for row in operations[1:]] == [op.function for op in OPERATIONS.values()]
    assert all(row[0].startswith(name) for row, name in zip(kernels[1:], KERNELS, strict=True))


def test_rows_of_goldens_and_figures(report, page):
    nodes, _, kernels = page.tables
    assert report.failures == []
    assert all(row[-1].endswith("equal") for row in nodes[1:])
    # 12 digits of the frozen hash
    assert nodes[1][-1].split()[0] == report.nodes[0].golden.sha256[:12]
    assert len(report.nodes[0].golden.sha256) == 64
    assert kernels[1][1] == "1", "TRN: an LSB"
    assert kernels[3][1:4] == ["–", "–", "not measured alone"]


@pytest.mark.skipif(not cmsis.installed(), reason="cmsisdsp 1.10.1 has no wheel for this Python")
def test_matches_with_cmsis(page):
    _, operations, kernels = page.tables
    verdicts = {row[0]: row[-1] for row in operations[1:] if row[1].startswith("filters.fir.fir_q31_trn")}
    assert verdicts == {"arm_fir_q31": "same bits"}
    assert kernels[1][-1] == "arm_mult_q15 same bitsarm_scale_q15 same bits"
    assert kernels[2][-1] == "arm_fir_q31 same bits"


def test_without_the_package_the_page_says_so(report, monkeypatch):
    monkeypatch.setattr(cmsis, "installed", lambda: "")
    bare = collect(None, CASES, KERNELS[:1])
    assert bare.failures == []
    assert bare.versions["cmsisdsp"] == "not installed"
    page = Page(conformance_page.page(bare))
    assert {row[-1] for row in page.tables[1][1:]} == {"cmsisdsp not installed"}
    assert "cmsisdsp is not installed: nothing is compared with it." in page.words


def test_without_patterns_the_page_says_where_they_should_be(page):
    text = "".join(page.words)
    assert "Not found: BITTRUE_DATA must name a folder with vectors/cmsis-dsp/Testing/Patterns/DSP." in text


def test_a_changed_kernel_is_a_failure(report):
    row = report.kernels[0]._replace(golden=Golden("0" * 64, DIFFERS))
    changed = report._replace(kernels=[row, *report.kernels[1:]])
    assert changed.failures == ["fixedpoint.arith.mul_q15_trn: golden differs"]
    page = Page(conformance_page.page(changed))
    assert "fixedpoint.arith.mul_q15_trn: golden differs" in page.words
    assert page.tables[2][1][-2] == "000000000000 differs"


@pytest.mark.skipif(not cmsis.installed(), reason="cmsisdsp 1.10.1 has no wheel for this Python")
def test_other_bits_than_cmsis_are_a_failure(report):
    match = report.matches["add_q15"]._replace(first=("x, y", 7, 3, 4), different=1, largest_lsb=1)
    changed = report._replace(matches={**report.matches, "add_q15": match})
    assert changed.failures == ["add_q15: x, y, value 7: 4 for 3 of CMSIS-DSP"]
    assert Page(conformance_page.page(changed)).tables[1][1][-1] == "differs"


@pytest.mark.parametrize(("failing", "status"), [(False, None), (True, 1)])
def test_command_writes_the_page_and_fails_with_it(report, tmp_path, monkeypatch, failing, status):
    row = report.kernels[0]._replace(golden=Golden("0" * 64, DIFFERS))
    found = report._replace(kernels=[row]) if failing else report
    monkeypatch.setattr(conformance_report, "collect", lambda *args, **options: found)
    out = tmp_path / "new" / "page.html"
    if failing:
        with pytest.raises(Exit) as exit_:
            conformance_command.conformance(out)
        assert exit_.value.exit_code == status
    else:
        conformance_command.conformance(out)
    assert Page(out.read_text("utf-8")).open == []
