"""The page of a sweep: sections of text, tables and pictures, in one HTML file with nothing outside it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined


class Picture(NamedTuple):
    """name : of its file, without .png;  caption : one sentence;  command : what reproduces it, if any."""

    name: str
    png: bytes
    caption: str
    command: str = ""

    @property
    def data_uri(self) -> str:
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


class Table(NamedTuple):
    """left : how many of the first columns are text; the rest are numbers, aligned right."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1
    note: str = ""


@dataclass
class Section:
    """A heading and what stands below it, in this order."""

    title: str
    paragraphs: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    code: str = ""


def page(title: str, lead: Sequence[str], sections: Sequence[Section]) -> str:
    """HTML.

    Parameters
    ----------
    lead : the findings, a paragraph each
    """
    environment = Environment(
        loader=PackageLoader("firmware_model.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    return template.render(title=title, lead=lead, sections=sections)
