"""The page of a sweep: sections of text, tables and pictures, in one HTML file with nothing outside it."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined


class Picture(NamedTuple):
    """A picture and its texts.

    name : of its file, without .png
    alt : what is to be seen, for those who do not see it: kind, axes, curves, and the finding
    caption : what is to be known about it;  command : what reproduces it, if any
    """

    name: str
    png: bytes
    alt: str
    caption: str
    command: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, from the file's first chunk."""
        width, height = struct.unpack(">II", self.png[16:24].ljust(8, b"\0"))
        return width, height

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


def chart(what: str, along: str, names: Sequence[str], finding: str = "") -> str:
    """The text for a picture of curves: "Chart of marks missed by distance, curves for 0 dB, 10 dB. ..."."""
    named = [name for name in names if name]
    curves = f", {'curves for' if len(named) > 1 else 'of'} {', '.join(named)}" if named else ""
    return (
        f"Chart of {what}{f' by {along}' if along else ''}{curves}. {finding.replace(chr(10), ' ')}".strip()
    )


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
