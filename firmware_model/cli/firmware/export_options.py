"""`export`, whose options are those of all products: its signature is made when it is called."""

import inspect
from enum import StrEnum
from typing import Annotated, Any

import typer

from firmware_model.cli.exactness import vector_files
from firmware_model.cli.firmware import exporting
from firmware_model.cli.firmware.commands import EXPORT
from firmware_model.cli.terminal import output
from firmware_model.cli.terminal.options import Json
from firmware_model.device.export.facts import Option
from firmware_model.product import Product, products

_HELP = """Write firmware in C99: bittrue_NAME.h and .c of each product, and what proves them.

The C is that of the model's kernels, with the coefficients of this configuration, without malloc, float
or global state. DIR also gets vectors computed by the model for this configuration (input, output, final
state), a test that compares bit for bit (make test), an example, a Makefile, a README.md and a manifest
with the SHA-256 of every file. Without --product it is both products that come with bittrue.

\b
bittrue export out && make -C out test
bittrue export out --product NAME
"""


def export_command() -> Any:
    """The command, with an option for each that a product has."""
    own = exporting.own_options()
    names = [*(product.name for product in products()), exporting.BOTH]
    kinds = StrEnum("ProductName", {name: name for name in names})  # type: ignore[misc]

    def export(**given: Any) -> None:
        _export(given, own)

    parameters = _parameters(own, kinds)
    export.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    export.__annotations__ = {each.name: each.annotation for each in parameters}
    export.__doc__ = _HELP
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(EXPORT)(export)
    return typer.main.get_command(app)


def _parameters(own: dict[Product, tuple[Option, ...]], kinds: Any) -> list[inspect.Parameter]:
    folder = typer.Argument(metavar="DIR", help="Folder to write to; made if there is none.")
    product = typer.Option("--product", help="Name of a product, or both that come with bittrue.")
    force = typer.Option("--force", help="Replace files that are there.")
    listed: list[tuple[str, Any, Any]] = [
        ("folder", Annotated[str, folder], inspect.Parameter.empty),
        ("product", Annotated[kinds, product], kinds[exporting.BOTH]),
    ]
    for options in own.values():
        for option in options:
            shown = typer.Option(option.name, metavar=option.metavar, help=option.help)
            listed.append((option.key, Annotated[option.kind | None, shown], None))
    listed += [("force", Annotated[bool, force], False), ("json", Json, False)]
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, kind, default in listed
    ]


def _export(given: dict[str, Any], own: dict[Product, tuple[Option, ...]]) -> None:
    folder, json = given["folder"], given["json"]
    vector_files.check_folder(folder)
    values = {
        product: {option.key: given[option.key] for option in options} for product, options in own.items()
    }
    chosen = exporting.Options(given["product"].value, values)
    setups = exporting.configure(chosen)
    with output.progress(EXPORT, len(setups) + 1) as step:
        files = exporting.write(folder, setups, given["force"], step)
    if json:
        output.emit_json(exporting.facts(setups, files))
    else:
        output.emit(exporting.report(folder, chosen, setups, files))
