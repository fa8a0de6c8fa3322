"""Tables of a map file, entry by entry: unknown keys, missing ones and wrong types in one line."""

import re
from typing import Any

from fixedpoint.errors import ConfigError, meant_or_accepted

MOST_ADDRESS = 1 << 32
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}
_NAMES = {dict: "table", list: "list", str: "string", int: "integer", bool: "true or false"}


class Table:
    """A table of a TOML file.

    where : its own key, "" of the file itself;  entries : as tomllib gives them
    known : keys that are accepted, None where any is

    Raises
    ------
    ConfigError
        No table, or a key that is not known.
    """

    def __init__(self, where: str, entries: Any, known: tuple[str, ...] | None) -> None:
        if not isinstance(entries, dict):
            raise ConfigError(f"{where}={entries!r}: must be a table")
        self.where, self.entries = where, entries
        for key in entries if known is not None else ():
            if key not in (known or ()):
                shown = key if key.isprintable() else repr(key)
                raise ConfigError(f"{self.path(shown)}: unknown key; {meant_or_accepted(key, known or ())}")

    def path(self, key: str) -> str:
        """Key with the table's own in front."""
        return f"{self.where}.{key}" if self.where else key

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def get(self, key: str, kind: type, default: Any = None) -> Any:
        """Entry of a kind, or the default.

        Raises
        ------
        ConfigError
        """
        if key not in self.entries:
            return default
        value = self.entries[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            article = "" if kind is bool else "an " if kind is int else "a "
            raise ConfigError(f"{self.path(key)}={value!r}: must be {article}{_NAMES[kind]}")
        return value

    def need(self, key: str, kind: type) -> Any:
        """Entry of a kind.

        Raises
        ------
        ConfigError
        """
        if key not in self.entries:
            raise ConfigError(f"{self.path(key)}: missing; {_NAMES[kind]} needed")
        return self.get(key, kind)

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Integer in [low, high]; without a default it is needed.

        Raises
        ------
        ConfigError
        """
        value = self.need(key, int) if default is None else self.get(key, int, default)
        if not low <= value <= high:
            raise ConfigError(f"{self.path(key)}={value}: must be in [{low}, {high}]")
        return value

    def choice(self, key: str, accepted: tuple[str, ...], default: str) -> str:
        """One of the strings accepted.

        Raises
        ------
        ConfigError
        """
        value = self.get(key, str, default)
        if value not in accepted:
            raise ConfigError(f"{self.path(key)}={value!r}: must be one of {', '.join(accepted)}")
        return value

    def address(self, key: str) -> int | None:
        """Address of 32 bits, None where there is none.

        Raises
        ------
        ConfigError
        """
        value = self.get(key, int)
        if value is not None and not 0 <= value < MOST_ADDRESS:
            raise ConfigError(f"{self.path(key)}={value:#x}: must be in [0x0, 0xffffffff]")
        return value

    def size(self, key: str, default: str | None = None) -> int:
        """Bytes: an integer, or one in a string with K or M, 1024 and 1048576, behind it.

        Raises
        ------
        ConfigError
        """
        if key not in self.entries and default is None:
            raise ConfigError(f'{self.path(key)}: missing; bytes needed, such as 1024 or "128K"')
        value = self.entries.get(key, default)
        text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
        found = re.fullmatch(r"(0x[0-9a-fA-F]{1,8}|[0-9]{1,10}) ?([KM]?)", text)
        size = int(found[1], 0 if "x" in text else 10) * _UNITS[found[2]] if found else 0
        if not 1 <= size <= MOST_ADDRESS:
            raise ConfigError(
                f'{self.path(key)}={value!r}: must be bytes, such as 1024 or "128K", up to 4 GiB'
            )
        return size
