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
