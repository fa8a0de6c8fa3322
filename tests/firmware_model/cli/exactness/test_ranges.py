"""`ranges`: its JSON, its tables, its page, and what it refuses."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from firmware_model.golden import stimuli
from firmware_model.golden.cases import CASES, find_case
from firmware_model.pcm_writer import write_audio
from tests.firmware_model.cli.cases import UNREADABLE, call, programme, wav

CASE = "mbdp-headset"
NODES = [node.name for node in find_case(CASE).nodes]
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Tags in balance, and what they hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.sources: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.sources += [value for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def audio(tmp_path_factory):
    """The frozen stimulus of CASE as a file, and another one: stereo at the case's rate."""
    folder = tmp_path_factory.mktemp("ranges")
    write_audio(folder / "frozen.wav", stimuli.load(find_case(CASE)).T, 16000)
    (folder / "a&b<i>.wav").write_bytes(wav(programme(seconds=1.0)))
    return folder


def test_json_has_every_node_in_signal_flow_order(capsys):
    outcome = call(capsys, "ranges", CASE, "--json")
    assert (outcome.status, outcome.err) == (0, "")
    (case,) = outcome.json["cases"]
    assert [node["node"] for node in case["nodes"]] == NODES
    assert case["inputs"] == [{"name": "silence-16k-stereo", "seconds": 1.0}]
    for node in case["nodes"]:
        bits = int(node["format"][1:].split(".")[0]) + int(node["format"].split(".")[1])
        assert sum(node["histogram"]) == node["values"] * len(node["rows"])
        assert node["headroom_bits"] == bits - node["bits_used"]
        assert node["at_rails"] == sum(row["at_rails"] for row in node["rows"])
    band, output = case["nodes"][0], case["nodes"][-1]
    assert band["derived_max"] == pytest.approx(2.0877, abs=1e-4)
    assert band["proposal"]["range"] == "derived"
    assert output["derived_max"] is None
    assert output["proposal"]["reached"] is False  # its quiet channel has 54 dB
    silent = next(node for node in case["nodes"] if node["node"] == "attenuation")
    assert (silent["headroom_db"], silent["sqnr_db"], silent["proposal"]) == (None, None, None)


def test_the_stimulus_as_a_file_gives_what_the_stimulus_gives(capsys, audio):
    frozen = call(capsys, "ranges", CASE, "--json").json["cases"][0]
    heard = call(capsys, "ranges", CASE, "--json", "--audio", audio / "frozen.wav").json["cases"][0]
    assert heard["nodes"] == frozen["nodes"]


def test_several_files_and_cases(capsys, audio):
    files = [audio / "frozen.wav", audio / "a&b<i>.wav"]
    arguments = ("--audio", *files, "--seconds", "0.5", "--json")
    cases = call(capsys, "ranges", CASE, "watermark-small", *arguments).json["cases"]
    assert [case["case"] for case in cases] == [CASE, "watermark-small"]
    for case in cases:
        assert [each["name"] for each in case["inputs"]] == [str(path) for path in files]
        # two excerpts of 0.5 s, less the part of a block at the end
        assert 0.98 < case["sqnr_seconds"] <= 1.0
    assert cases[0]["nodes"][0]["values"] == 32000


def test_tables_name_the_worst_rows_and_the_proposal(capsys):
    outcome = call(capsys, "ranges", CASE, "--sqnr", "60", "--margin", "2")
    assert outcome.status == 0
    assert f"{CASE}: silence-16k-stereo, 1.00 s at 16000 Hz; SQNR over all of it" in outcome.out
    lines = [re.split(r"  +", line) for line in outcome.out.splitlines() if line.startswith("output")]
    ranges, noise = lines
    assert ranges[1:6] == ["Q1.15", "-0.5184", "0.6371", "left", "16 of 16"]
    assert noise == ["output", "54.1", "right", "keep", "16 bits", "54.1 < 60*"]
    assert "its range: the derived worst case, or what was seen and 2 bits more" in outcome.out
    assert "*: 60 dB is not reached, since the node in its present format has less" in outcome.out


@pytest.mark.parametrize("margin", ["0", "1", "16"])
def test_no_proposal_is_larger_than_the_present_format(capsys, margin):
    cases = call(capsys, "ranges", *CASES, "--margin", margin, "--json").json["cases"]
    kept = 0
    for node in (node for case in cases for node in case["nodes"] if node["proposal"]):
        present, proposed = (
            [int(bits) for bits in fmt[1:].split(".")] for fmt in (node["format"], node["proposal"]["format"])
        )
        assert proposed[0] <= present[0]
        assert proposed[1] <= present[1]
        assert node["proposal"]["keep"] == (proposed == present)
        kept += node["proposal"]["keep"]
    assert kept >= 1  # the outputs at the least


def test_page_is_whole_and_needs_nothing_else(capsys, audio, tmp_path):
    page = tmp_path / "page.html"
    outcome = call(capsys, "ranges", CASE, "watermark-small", "--audio", audio / "a&b<i>.wav", "--html", page)
    assert (outcome.status, outcome.err) == (0, "")
    text = page.read_text("utf-8")
    parsed = Page(text)
    assert parsed.open == []
    assert parsed.sources == []
    assert "http" not in text
    assert parsed.counts["figure"] == parsed.counts["svg"] == len(NODES) + 5
    assert parsed.counts["table"] == 4
    assert "a&amp;b&lt;i&gt;.wav" in text
    for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(svg)


def test_the_bars_of_a_histogram_are_its_counts(capsys, tmp_path):
    page = tmp_path / "page.html"
    call(capsys, "ranges", CASE, "--html", page)
    nodes = call(capsys, "ranges", CASE, "--json").json["cases"][0]["nodes"]
    pictures = re.findall(r"<svg.*?</svg>", page.read_text("utf-8"), re.DOTALL)
    for node, svg in zip(nodes, pictures, strict=True):
        counts = [int(count) for count in re.findall(r": (\d+) values?, ", svg)]
        assert counts == [count for count in node["histogram"] if count]
        heights = [float(h) for h in re.findall(r'height="([\d.]+)"><title>', svg)]
        # the logarithm of the share over six decades of 120 pixels, one pixel at least
        share = np.array(counts) / sum(counts)
        np.testing.assert_allclose(heights, np.maximum(1, 120 * (1 + np.log10(share) / 6)), atol=0.051)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-case"], "case 'no-such-case': must be one of mbdp-smart-speaker, "),
        (["mbdp-headst"], "; did you mean mbdp-headset?"),
        ([CASE, "--sqnr", "-1"], "--sqnr -1"),
        ([CASE, "--margin", "x"], "--margin x: must be a whole number"),
        ([CASE, "--html", "page.txt"], "page.txt: suffix '.txt' found; .html or .htm needed"),
        ([CASE, "--html", "no/page.html"], "no/page.html: no such folder: no"),
        ([CASE, "--audio", "no.wav"], "no.wav: cannot be read: No such file or directory"),
        (["a.wav", "--audio", "b.wav"], "CASE: none found beside the audio; at least one is needed"),
        (
            ["mbdp-conventional", "--audio", "{}/frozen.wav"],
            "16000 Hz found, 44100 Hz needed; add --resample",
        ),
    ],
)
def test_misuse_is_one_line_and_status_2(capsys, audio, arguments, says):
    outcome = call(capsys, "ranges", *(argument.format(audio) for argument in arguments))
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert says in outcome.err


def test_bad_audio_leaves_the_page_as_it_was(capsys, tmp_path):
    page, bad = tmp_path / "page.html", tmp_path / "nan.wav"
    page.write_text("as it was")
    bad.write_bytes(UNREADABLE["nan.wav"][0])
    outcome = call(capsys, "ranges", CASE, "--audio", bad, "--html", page)
    assert outcome.status == 2
    assert "nan found at sample" in outcome.err
    assert page.read_text() == "as it was"
