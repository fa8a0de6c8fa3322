"""The command `bittrue new`. It imports what takes long when it runs."""

from typing import Annotated

import typer

from firmware_model.cli.terminal import output
from firmware_model.cli.terminal.options import Json

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="An installable package with one small product of your own in it.")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the product and its package.")],
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder to write to, new or empty.")],
    json: Json = False,
) -> None:
    """Write a package with one small product, which passes at once.

    It has a kernel in the subset that becomes C, parameters and state, a float64 twin, a case with its
    goldens, a test, and a README of one page. Once installed it gets check, freeze, compare, ranges, vectors,
    export, device and stream.

    \b
    bittrue new gate mygate && pip install ./mygate
    bittrue check --product gate && bittrue device gate --cpu cortex-m4
    """
    from firmware_model.cli.newcomer import package

    files = package.create(name, folder)
    if json:
        output.emit_json({"files": files})
    else:
        output.emit(package.in_words(name, folder, files))
