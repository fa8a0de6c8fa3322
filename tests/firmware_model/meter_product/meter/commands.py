"""A verb of its own."""

import typer

from firmware_model.cli.terminal import output

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Say what a peak is.")
def peak() -> None:
    """Say what a peak is."""
    output.emit("the largest magnitude since it fell")
