"""What CI reads: JUnit XML, and annotations as GitHub takes them from a log."""

from collections.abc import Iterable
from typing import NamedTuple
from xml.etree import ElementTree


class Case(NamedTuple):
    """One line of a JUnit report.

    group : the class that it is shown under
    failure, skipped : why, or None
    """

    group: str
    name: str
    seconds: float
    failure: str | None = None
    skipped: str | None = None


class Suite(NamedTuple):
    """tests : how many there are to be, of which `cases` are done."""

    name: str
    tests: int
    cases: list[Case]


def junit(name: str, suites: Iterable[Suite]) -> bytes:
    """JUnit XML."""
    root = ElementTree.Element("testsuites", name=name)
    for suite in suites:
        element = ElementTree.SubElement(
            root,
            "testsuite",
            name=suite.name,
            tests=str(suite.tests),
            failures=str(sum(case.failure is not None for case in suite.cases)),
            skipped=str(sum(case.skipped is not None for case in suite.cases)),
            errors="0",
            time=f"{sum(case.seconds for case in suite.cases):.3f}",
        )
        for case in suite.cases:
            attributes = {"classname": case.group, "name": case.name, "time": f"{case.seconds:.3f}"}
            one = ElementTree.SubElement(element, "testcase", attributes)
            if case.failure is not None:
                ElementTree.SubElement(one, "failure", message=case.failure).text = case.failure
            elif case.skipped is not None:
                ElementTree.SubElement(one, "skipped", message=case.skipped)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def annotation(title: str, says: str, file: str | None = None, line: int = 1) -> str:
    """A workflow command of GitHub for one error, at a line of a file where it has one."""
    place = f"file={_property(file)},line={line}," if file else ""
    return f"::error {place}title={_property(title)}::{_data(says)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
