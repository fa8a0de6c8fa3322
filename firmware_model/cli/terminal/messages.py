"""The library's messages in the words of the command line: options instead of arguments."""

import re
from typing import Any

_OPTIONS = {
    "distance_m": "--distance",
    "rt60_s": "--rt60",
    "snr_db": "--snr",
    "drift_ppm": "--drift",
    "strength_db": "--strength",
    "gain_db": "--gain",
    "threshold": "--threshold",
    "seconds": "--seconds",
    "fs_hz": "--rate",
    "kind": "KIND",
    "ambient": "--noise",
    "rir": "--rir",
    "profile": "--profile",
    "dtype": "--dtype",
    "layout": "--layout",
    "fraction_bits": "--fraction-bits",
    "filter": "--filter",
    "cpu": "--cpu",
    "opt": "--opt",
}
_ARGUMENT = re.compile(rf"({'|'.join(_OPTIONS)})(?:=|(?=\[\d+\]=))")
_PHRASES = (
    (re.compile(r"^h is all zeros: "), "--rir: silent; "),
    (re.compile(r"^h of "), "--rir: response of "),
    (re.compile(r"^ambient file of "), "--noise: file of "),
    (re.compile(r"^noise is silent: .*"), "--noise: silent; noise with some power is needed"),
    (re.compile(r"^x is silent: .*"), "silent; --snr needs a sound to measure the noise against"),
)
_NEEDED = {
    "float_parsing": "must be a number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
}

MOST_CHARACTERS = 300
_LONG_WORD, _WORD_START, _WORD_END = 80, 40, 20
_LIST = re.compile(r"(?:[^,;:\n]+, ){2,}[^,;:\n]+")
_FEWEST_ITEMS = 2
_ALL = "--json says all"


def shortened(message: str) -> str:
    """A message of at most MOST_CHARACTERS: of a list that does not fit the rest is counted, "and 7 more".

    Words of great length, such as what a user typed, lose their middle, and at last a message its end.
    """
    if len(message) <= MOST_CHARACTERS:
        return message
    if "\n" in message:
        return _fewer_lines(message.split("\n"))
    while len(message) > MOST_CHARACTERS:
        lists = [found for found in _LIST.finditer(message) if found[0].count(", ") >= _FEWEST_ITEMS]
        if not lists:
            break
        found = max(lists, key=lambda each: len(each[0]))
        items = found[0].split(", ")
        room = MOST_CHARACTERS - (len(message) - len(found[0]))
        kept = _fitting(items, room)
        rest = f"{', '.join(items[:kept])} and {len(items) - kept} more ({_ALL})"
        message = message[: found.start()] + rest + message[found.end() :]
    if len(message) > MOST_CHARACTERS:
        message = re.sub(rf"\S{{{_LONG_WORD},}}", lambda w: _middle_out(w[0]), message)
    if len(message) > MOST_CHARACTERS:
        end = f" ... ({_ALL})"
        message = message[: MOST_CHARACTERS - len(end)] + end
    return message


def _fitting(items: list[str], room: int) -> int:
    """How many items leave room to count the rest; at least one."""
    room -= len(f" and {len(items)} more ({_ALL})")
    kept, used = 0, 0
    while kept < len(items) - 1 and used + len(items[kept]) + 2 <= room:
        used += len(items[kept]) + 2
        kept += 1
    return max(1, kept)


def _fewer_lines(lines: list[str]) -> str:
    kept, used = 0, 0
    while kept < len(lines) and used + len(lines[kept]) + 1 <= MOST_CHARACTERS - 40:
        used += len(lines[kept]) + 1
        kept += 1
    kept = max(1, kept)
    more = len(lines) - kept
    return "\n".join([shortened(lines[0]), *lines[1:kept], *([f"and {more} more ({_ALL})"] if more else [])])


def _middle_out(word: str) -> str:
    return f"{word[:_WORD_START]}...{word[-_WORD_END:]}"


def in_options(message: str) -> str:
    """The message with the argument it begins with, if it is one that an option sets, as that option.

    "distance_m=0.0: must be ..." becomes "--distance 0.0: must be ...".
    """
    for pattern, words in _PHRASES:
        message = pattern.sub(words, message)
    argument = _ARGUMENT.match(message)
    if argument is None:
        return message
    return f"{_OPTIONS[argument[1]]} {message[argument.end() :]}"


def blames_an_option(message: str) -> bool:
    """Whether the message, already in options, says itself what is at fault."""
    return message.startswith(tuple(_OPTIONS.values()))


def of_usage(error: Any) -> str:
    """A usage error of typer in one line: which option, what was found, what is accepted."""
    faults = error.__cause__.errors() if hasattr(error.__cause__, "errors") else []
    if not faults or getattr(error, "param", None) is None:
        says = error.format_message() if hasattr(error, "format_message") else str(error)
        return f"{says.rstrip('.')}; see bittrue --help"
    fault = faults[0]
    says = fault["msg"].removeprefix("Value error, ")
    needed = _NEEDED.get(fault["type"])
    if needed is None:
        choices = re.search(r"is not one of (.*)", says)
        bound = re.search(r"should be (.*)", says)
        needed = f"must be one of {choices[1]}" if choices else f"must be {bound[1]}" if bound else says
    needed = needed.rstrip(".").replace("'", "")
    name = max(error.param.opts, key=len)
    return f"{name} {fault['input']}: {needed}"
