"""Options of the watermark's own commands."""

from enum import StrEnum
from typing import Annotated

import typer

from fixedpoint.errors import ConfigError


class Mode(StrEnum):
    """How the embedder works."""

    informed = "informed"
    live = "live"


KEY_HELP = "Key, 4 to 128 hexadecimal digits, an even number."
OneKey = Annotated[list[str], typer.Option("--key", metavar="HEX", help=f"{KEY_HELP} Once.")]
ModeOption = Annotated[
    Mode, typer.Option("--mode", help="informed looks ahead in the file; live is causal and weaker.")
]
Strength = Annotated[
    float | None,
    typer.Option(
        "--strength",
        metavar="DB",
        help="Mark over masked threshold, -20 to 12 dB; the highest where informed: each mark is as soft "
        "as the detector allows.  [default: 7 informed, -2 live]",
    ),
]
ResampleUp = Annotated[bool, typer.Option("--resample", help="Convert input below 16000 Hz to 16000 Hz.")]


def only_one(keys: list[str]) -> str:
    """The key of an embedder, which takes one; a second is refused instead of put in the first's place.

    Raises
    ------
    ConfigError
    """
    if len(keys) != 1:
        raise ConfigError(f"--key: given {len(keys)} times; one key is accepted, only detect takes several")
    return keys[0]
