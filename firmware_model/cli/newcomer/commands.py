"""The commands `bittrue new` and `bittrue examples`. They import what takes long when they run."""

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


@app.command(short_help="The example plans, limits and maps, to begin with.")
def examples(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder to write to; made if there is none.")],
    json: Json = False,
) -> None:
    """Write the example plans of sweeps, limits for a report, and maps for firmware of your own.

    Nothing is overwritten: where one of the files is there already, none is written.

    \b
    bittrue examples examples
    bittrue sweep examples/smoke.toml --out smoke --jobs 4
    """
    from firmware_model.cli.newcomer import examples as plans

    files = plans.write(folder)
    if json:
        output.emit_json({"files": files})
    else:
        output.emit(plans.in_words(folder, files))
