"""Arguments and options that the commands share: names, units, ranges and defaults, as the help shows them.

Defaults that are shown as text stand in modules that take long to import; a test compares them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from fixedpoint.errors import ConfigError


class Arithmetic(StrEnum):
    """Which arithmetic runs."""

    q15 = "q15"
    float = "float"
    both = "both"


def _input_gain(context: typer.Context, gain_db: float) -> float:
    """Until the command ends, its inputs are read with this gain."""
    if gain_db:
        from firmware_model.pcm_file import input_gain

        context.with_resource(input_gain(gain_db))
    return gain_db


AUDIO_SUFFIXES = (".wav", ".flac")
PLOT_SUFFIXES = (".png", ".pdf", ".svg")
In = Annotated[str, typer.Argument(metavar="IN", help="WAV or FLAC, mono or stereo; - is standard input.")]
Gain = Annotated[
    float,
    typer.Option(
        "--gain",
        metavar="DB",
        callback=_input_gain,
        help="Of the input, before anything else: float files may lie beyond full scale, which is refused.",
    ),
]
Out = Annotated[str, typer.Argument(metavar="OUT", help=".wav or .flac; - is standard output, as WAV.")]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON instead of text.")]
Seed = Annotated[
    int,
    typer.Option("--seed", metavar="N", min=0, max=2**31 - 1, help="Of all that is random but the room."),
]
Distance = Annotated[
    float | None,
    typer.Option(
        "--distance",
        metavar="M",
        help="Loudspeaker to microphone, 0.3 to 30 m; the room is sized to fit. With --rir up to 100 m.",
    ),
]
Rt60 = Annotated[
    float | None,
    typer.Option("--rt60", metavar="S", help="Reverberation time, 0.05 to 10 s.  [default: 0.5]"),
]
Snr = Annotated[
    float | None,
    typer.Option(
        "--snr",
        metavar="DB",
        help="Of signal over ambient noise at the microphone, -40 to 120 dB; "
        "without it there is no ambient noise.",
    ),
]
Noise = Annotated[
    str | None,
    typer.Option(
        "--noise", metavar="KIND|FILE", help="white, pink, cafe, fan, or a sound file.  [default: cafe]"
    ),
]
Rir = Annotated[
    str | None,
    typer.Option(
        "--rir", metavar="FILE", help="Measured room response, mono WAV or FLAC, instead of --rt60."
    ),
]
Drift = Annotated[
    float | None,
    typer.Option("--drift", metavar="PPM", help="Microphone clock error, -1000 to 1000 ppm.  [default: 0]"),
]
SceneName = Annotated[
    str | None,
    typer.Option(
        "--scene",
        metavar="NAME",
        help="A ready-made room, distance, noise and drift: living-room-6.5m, "
        "open-plan-8m, long-room-10m, reverberant-8m.",
    ),
]


def refuse(options: Mapping[str, Any], beside: str) -> None:
    """Raise ConfigError where one of the options is given."""
    for name, value in options.items():
        if value:
            raise ConfigError(f"{name}: has no meaning with {beside}; drop it")
