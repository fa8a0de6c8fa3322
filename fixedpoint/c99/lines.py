"""Lines of C that are too long, broken where a reader would break them."""

import re
from textwrap import wrap

WIDTH = 110
_BESIDE = re.compile(r"^(\s*)(\S.*?)\s*(/\*.*\*/)$")
_BREAKS = re.compile(r"(?<=[,;]) | (?=(?:[-+*|&^<>]|<<|>>|&&|\|\||[<>=!]=|\?|:) )|(?<= =) ")
_LEAST = 30  # columns before a break
_STEP = "    "


def within_width(text: str) -> str:
    """Text of a C file without string literals, its long lines broken; comments beside them go above them."""
    return "\n".join(part for line in text.split("\n") for part in _broken(line))


def _broken(line: str) -> list[str]:
    if len(line) <= WIDTH:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    if line.lstrip().startswith("/*"):
        return _comment(line.strip(), indent)
    beside = _BESIDE.match(line)
    if beside:
        return [*_comment(beside[3], indent), *_broken(indent + beside[2])]
    return (
        [line] if line.startswith("#") else _code(line, indent + (_STEP * 2 if line.endswith("{") else _STEP))
    )


def _comment(text: str, indent: str) -> list[str]:
    rows = wrap(text, WIDTH - len(indent) - len(" * "), break_long_words=False, break_on_hyphens=False)
    return [indent + rows[0], *(f"{indent} * {row}" for row in rows[1:])]


def _code(line: str, indent: str) -> list[str]:
    """Broken at the last of those places that are within the fewest brackets, rather at a comma."""
    places = []
    for found in _BREAKS.finditer(line, _LEAST, WIDTH + 1):
        before = line[: found.start()]
        depth = sum(map(before.count, "([{")) - sum(map(before.count, ")]}"))
        assigns = before.endswith(" =")  # rather within a call than behind it
        places.append((depth + assigns, not before.endswith((",", ";")), -found.start()))
    if len(line) <= WIDTH or not places:
        return [line]
    at = -min(places)[-1]
    return [line[:at], *_code(indent + line[at + 1 :], indent)]
