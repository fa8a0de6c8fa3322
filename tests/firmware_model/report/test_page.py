"""The page on a phone, in the dark, and for those who do not see its pictures."""

import re
from html.parser import HTMLParser

import pytest

from firmware_model.report import sweep_report
from firmware_model.report.page import chart
from tests.firmware_model.cli import sweep_cases as cases

SWEEPS = {
    "detector": (cases.DISTANCE, cases.watermark_outcome),
    "processor": (cases.VOLUME, cases.dynamics_outcome),
}


class Images(HTMLParser):
    """Attributes of each picture and class of what each picture and table stands in."""

    def __init__(self, text):
        super().__init__()
        self.images, self.inside, self.stack = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag in ("img", "table"):
            self.inside.append(self.stack[-1][1])
        if tag == "img":
            self.images.append(dict(attrs))
        elif tag != "meta":
            self.stack.append((tag, dict(attrs).get("class")))

    def handle_endtag(self, tag):
        self.stack.pop()


@pytest.fixture(scope="module", params=SWEEPS)
def page(request, tmp_path_factory):
    folder = cases.written(tmp_path_factory.mktemp(request.param), *SWEEPS[request.param])
    sweep_report.report(str(folder), None, None, None, False, lambda text: None)
    return (folder / "report/report.html").read_text("utf-8")


def test_every_picture_says_what_it_shows(page):
    """Kind, axes and curves; the caption beside it says something else."""
    alts = [image["alt"] for image in Images(page).images]
    assert len(alts) >= 3
    assert len(set(alts)) == len(alts)
    for alt in alts:
        assert re.match(r"(Chart|Heat maps?|Spectrogram) of ", alt), alt
        assert f"<figcaption>{alt}" not in page
        assert "\n" not in alt


def test_alt_texts_name_axis_curves_and_finding(page):
    alts = " | ".join(image["alt"] for image in Images(page).images)
    if "Marks missed" in page:
        assert "Chart of the share of marks missed by distance, curves for 0.4 s, 0.9 s." in alts
        assert re.search(r"Distance with at most 5 % missed|SNR 20 dB misses|By SNR: ", alts)
    else:
        assert re.search(
            r"Chart of loudness \(LUFS\), .* by volume, curves for smart-speaker, headset\. Loudness at", alts
        )


def test_pictures_and_tables_scroll_by_themselves_on_a_narrow_screen(page):
    found = Images(page)
    assert set(found.inside) == {"wide"}
    for image in found.images:
        assert image["style"] == f"--w: {image['width']}px"
        assert int(image["width"]) > 300
    assert ".wide { overflow-x: auto; }" in page
    assert 'content="width=device-width, initial-scale=1"' in page
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"(?<!max-)(?<!-)width: *\d", style), "nothing has a width of its own"


def test_all_colours_are_variables_that_the_dark_sets_as_well(page):
    style = page.partition("<style>")[2].partition("</style>")[0]
    light, dark = (
        set(re.findall(r"(--[a-z]+): #", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    )
    assert light == dark
    assert "@media (prefers-color-scheme: dark)" in style
    rules = re.sub(r":root \{.*?\}", "", style, flags=re.DOTALL)
    assert set(re.findall(r"var\((--[a-z]+)\)", rules)) - {"--w"} == light
    assert re.findall(r"#[0-9a-f]{3,6}\b", rules) == ["#fff"], "the pictures' own ground"


def test_a_chart_in_words():
    assert chart("bass", "volume", ["a", "b"], "Less\nis more.") == (
        "Chart of bass by volume, curves for a, b. Less is more."
    )
    assert chart("bass", "", [""]) == "Chart of bass."
    assert chart("bass", "volume", ["one"]) == "Chart of bass by volume, of one."
