"""Writes the goldens: `make golden-write REASON="..."`. A tool of the project's own, not of its users."""

import sys
from typing import Annotated

import typer

from firmware_model import cli_output as output
from firmware_model import cli_status as status

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def freeze(
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why the goldens change; kept with those that do.")
    ] = "",
    remake_stimuli: Annotated[
        bool, typer.Option("--remake-stimuli", help="Make the stimuli by their formulas as well.")
    ] = False,
) -> None:
    """Compute every golden afresh and write those that changed."""
    from firmware_model.golden import freeze, store

    store.check_reason(reason)
    changes = store.write(freeze.goldens(remake_stimuli), reason)
    for what, names in changes._asdict().items():
        for name in names:
            output.emit(f"{what}: {name}")
    counts = ", ".join(f"{len(names)} {what}" for what, names in changes._asdict().items())
    output.emit(f"{counts}; {store.size_bytes()} bytes in all")


if __name__ == "__main__":
    sys.exit(status.run(app, sys.argv[1:]))
