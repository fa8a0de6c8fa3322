"""Options of the dynamics processor's own command."""

from typing import Annotated

import typer

ResampleToAccepted = Annotated[
    bool,
    typer.Option(
        "--resample",
        help="Convert input of another rate to the next of these, or to the highest; to 44100 Hz only "
        "what divides it.",
    ),
]
ProfileName = Annotated[
    str,
    typer.Option(
        "--profile",
        metavar="NAME|FILE",
        help="conventional, smart-speaker, headset, transparent, or a file that ends in .toml.",
    ),
]
