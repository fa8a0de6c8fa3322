"""What `export` does: from options to configurations, and what it says of the files."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from firmware_model.cli.exactness import vector_files
from firmware_model.cli.terminal.output import Step, counted, note_compilation
from firmware_model.device.export import configured
from firmware_model.device.export import files as product_files
from firmware_model.device.export.configured import Configured
from firmware_model.device.export.facts import Option, prefix
from firmware_model.golden.vectors.export import MANIFEST
from firmware_model.product import BUILT_IN, Product, find_product, working_plugins
from fixedpoint.errors import ConfigError

BOTH = "both"  # the built-in products


class Options(NamedTuple):
    """What was asked for.

    product : name of a product, or BOTH
    own : product -> its own options by key, None where left out
    """

    product: str
    own: Mapping[Product, Mapping[str, Any]]

    def is_for(self, product: Product) -> bool:
        """Whether this product is exported."""
        return product in BUILT_IN if self.product == BOTH else product.name == self.product


def own_options() -> dict[Product, tuple[Option, ...]]:
    """The options of each product, the built-in ones first."""
    found: dict[Product, tuple[Option, ...]] = {}
    for product in sorted(BUILT_IN, key=lambda each: each.name):
        if product.has("firmware"):
            found[product] = product.part("firmware").OPTIONS
    for product, options in working_plugins("firmware", lambda _, module: tuple(module.OPTIONS)):
        found[product] = options
    return found


def configure(options: Options) -> list[Configured]:
    """The products in their configurations.

    Raises
    ------
    ConfigError
        An option of a product that is not exported; a bad value of one.
    """
    known = own_options()
    for product, own in known.items():
        if not options.is_for(product):
            _refuse(product, own, options.own.get(product, {}))
    if options.product == BOTH:
        return [
            product.part("firmware").configure(options.own[product])
            for product in known
            if product in BUILT_IN
        ]
    product = find_product(options.product)
    if product in known:
        return [product.part("firmware").configure(options.own[product])]
    return [configured.of_case(product.cases[0])]


def _refuse(product: Product, own: tuple[Option, ...], values: Mapping[str, Any]) -> None:
    """An option of another product than is exported means a mistake."""
    also = f" or {BOTH}" if product in BUILT_IN else ""
    for option in own:
        value = values.get(option.key)
        if value is not None and value != []:
            shown = option.name if option.secret else f"{option.name} {value}"
            raise ConfigError(f"{shown}: is of the {product.title}; --product {product.name}{also} needed")


def write(folder: str, setups: list[Configured], force: bool, step: Step) -> list[dict[str, Any]]:
    """Write all files, or none; facts of each.

    Raises
    ------
    ConfigError
        The other product is there, which the new Makefile and manifest would not know; see also
        `vectors.write`.
    BittrueError
        The disk or the folder refuses.
    """
    others = _products_in(Path(folder)) - {setup.name for setup in setups}
    if others:
        raise ConfigError(f"{folder}: holds {min(others)} too; export both, or write to another folder")
    note_compilation(*(setup.product.package for setup in setups))
    contents = product_files.contents(setups, step)
    step("write")
    return vector_files.write(folder, contents, force)


def _products_in(root: Path) -> set[str]:
    """Products that an earlier call wrote here and that are still there."""
    try:
        names = [product["name"] for product in json.loads((root / MANIFEST).read_bytes())["products"]]
        return {name for name in names if (root / f"{prefix(name)}.c").is_file()}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def facts(setups: list[Configured], files: list[dict[str, Any]]) -> dict[str, Any]:
    """What --json prints."""
    names = ("name", "label", "fs_hz", "channels", "block", "latency_samples", "state_bytes", "table_bytes")
    products = [{name: getattr(setup, name) for name in names} for setup in setups]
    return {"products": products, "files": files}


def report(folder: str, options: Options, setups: list[Configured], files: list[dict[str, Any]]) -> str:
    """What was written, and what to do with it."""
    kilobytes = sum(each["bytes"] for each in files) / 1024
    named = shlex.quote(f"./{folder}" if folder.startswith("-") else folder)
    lines = [f"{folder}: {counted(len(files), 'file')}, {kilobytes:.0f} kB"]
    for setup in setups:
        ram, flash = f"{setup.state_bytes} bytes of RAM", f"{setup.table_bytes} bytes of tables"
        lines.append(f"{setup.label}: {ram}, {flash}")
    for setup in setups:
        if setup.product in options.own:
            lines += setup.product.part("firmware").notes(options.own[setup.product])
    return "\n".join([*lines, f"test it: make -C {named} test"])
