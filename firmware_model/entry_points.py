"""Entry points of installed packages, read without `importlib.metadata`: its import alone takes longer than
all else that `bittrue --help` does.

What is read is the packaging standard's: `entry_points.txt` in a `*.dist-info` or `*.egg-info` folder on
`sys.path`, the first distribution of a name being the one that counts.
"""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

_FOLDERS = (".dist-info", ".egg-info")


class EntryPoint(NamedTuple):
    """name, value : "NAME = module:attribute";  distribution : the package that has it"""

    name: str
    value: str
    distribution: str

    def load(self) -> Any:
        """The object that it names.

        Raises
        ------
        ValueError
            Its value is no module and attribute.
        """
        module, _, attributes = (part.strip() for part in self.value.partition("[")[0].partition(":"))
        names = [*module.split("."), *attributes.split(".")]
        if not all(name.isidentifier() for name in names):
            raise ValueError(f"entry point {self.value!r}: must be module:attribute")
        found: Any = import_module(module)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
        return found


def entry_points(group: str) -> list[EntryPoint]:
    """All of a group, by name and value."""
    found: list[EntryPoint] = []
    seen: set[str] = set()
    for folder in _distributions():
        stem = os.path.basename(folder).rpartition(".")[0]
        key = stem.split("-")[0].replace(".", "_").lower()
        if key in seen:
            continue
        seen.add(key)
        text = _read(os.path.join(folder, "entry_points.txt"))
        if group in text:
            name = _name(folder) or stem.split("-")[0]
            found += [EntryPoint(*point, name) for point in _of_group(text, group)]
    return sorted(found)


def _distributions() -> Iterator[str]:
    for place in dict.fromkeys(sys.path):
        try:
            names = sorted(os.listdir(place or "."))
        except OSError:  # a zip file, or a folder that is not there
            continue
        yield from (os.path.join(place, name) for name in names if name.endswith(_FOLDERS))


def _of_group(text: str, group: str) -> Iterator[tuple[str, str]]:
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line[1:].partition("]")[0].strip()
        elif section == group and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def _name(folder: str) -> str:
    """As the distribution spells it."""
    for file in ("METADATA", "PKG-INFO"):
        for line in _read(os.path.join(folder, file)).splitlines():
            if not line:
                break
            if line.startswith("Name:"):
                return line.removeprefix("Name:").strip()
    return ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""
