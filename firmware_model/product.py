"""What a product is, and the register of all that there are: built in, and in installed packages.

A product is one Python package. Its parts are modules (or packages) of fixed names in it, each imported when
it is needed:

cases : CASES, its golden cases (`case.Case`): configurations, kernel, nodes, float64 twin, the first of them
    as it ships; STIMULI, name -> (in words, maker), their inputs; BOUNDS, case -> node -> largest error that
    was measured against the twin; PARTS, beginning of a kernel's name -> "case:node" that it ends in
kernel_cases : CASES, kernel -> maker of its arguments, see `golden.kernel_cases`
goldens/ : the folder of its frozen bits, which `bittrue freeze` writes
firmware : what its C says of itself and the options of `bittrue export`, see `device.export.facts`; optional
study : what a sweep's row computes, see `report.plans.Study`; optional
report : `analyse`, how a sweep is shown, see `report.sweep_report`; without it, by its measures
commands : `app`, its own verbs, a typer.Typer; optional
profiles and whatever else it needs

An installed package registers a `Product` as an entry point of the group "bittrue.products". The module that
holds it should import nothing else: `bittrue --help` loads it.
"""

import importlib
from dataclasses import dataclass, field
from functools import cache
from importlib import util
from typing import Any

from firmware_model.entry_points import entry_points
from fixedpoint.errors import BittrueError, ConfigError, did_you_mean

GROUP = "bittrue.products"


class ProductError(BittrueError):
    """A product that is registered and cannot be used."""


@dataclass(frozen=True)
class Product:
    """A product.

    Attributes
    ----------
    name : what commands and plans call it; its C is bittrue_NAME.h and .c: a C identifier
    title : in words, "dynamics processor"
    package : dotted name of the Python package that holds its parts and kernels
    distribution : the installed package that registered it
    """

    name: str
    title: str
    package: str
    distribution: str = field(default="bittrue", compare=False)

    def has(self, part: str) -> bool:
        """Whether it has an optional part: "firmware", "study", "report", "commands"."""
        return util.find_spec(f"{self.package}.{part}") is not None

    def part(self, part: str) -> Any:
        """A part's module.

        Raises
        ------
        ProductError
            It cannot be imported.
        """
        try:
            return importlib.import_module(f"{self.package}.{part}")
        except Exception as error:  # whatever a plug-in's module raises
            if self in BUILT_IN:
                raise
            raise ProductError(f"{self.distribution}: {self.package}.{part}: {_in_a_line(error)}") from error

    @property
    def cases(self) -> tuple[Any, ...]:
        """Its golden cases (`case.Case`), the one as it ships first.

        Raises
        ------
        ProductError
        """
        return _cases(self)


BUILT_IN = (
    Product("watermark", "watermark detector", "firmware_model.watermark"),
    Product("mbdp", "dynamics processor", "firmware_model.dynamics"),
)
# The kernels that products share; no product, but they have goldens as well.
LIBRARY = Product("fixedpoint", "fixed-point library", "firmware_model.golden.library")


@cache
def _cases(product: Product) -> tuple[Any, ...]:
    cases = tuple(case._replace(product=product) for case in product.part("cases").CASES)
    if not cases:
        raise ProductError(f"{product.distribution}: {product.package}.cases.CASES: none found, one needed")
    return cases


@cache
def _registered() -> tuple[tuple[Product, ...], tuple[str, ...]]:
    """(products of installed packages, a line for each that cannot be used)."""
    found: dict[str, Product] = {product.name: product for product in BUILT_IN}
    broken = []
    for point in entry_points(GROUP):
        try:
            product = point.load()
            name = _new_name(product, found)
            found[name] = _of_package(product, point.distribution)
        except Exception as error:  # the others go on working
            broken.append(f"{point.distribution}: product {point.name!r} cannot be used: {_in_a_line(error)}")
    return tuple(product for product in found.values() if product not in BUILT_IN), tuple(broken)


def _new_name(product: Any, taken: dict[str, Product]) -> str:
    if not isinstance(product, Product):
        raise ProductError(f"{type(product).__name__} found, a firmware_model.product.Product needed")
    if not product.name.isidentifier() or not product.name.isascii():
        raise ProductError(f"name {product.name!r}: must be letters, digits and _, as names in C are")
    if product.name in taken or product.name == LIBRARY.name:
        other = taken.get(product.name, LIBRARY)
        raise ProductError(f"name {product.name!r}: {other.distribution} has a product of this name")
    return product.name


def _of_package(product: Product, distribution: str) -> Product:
    return Product(product.name, product.title, product.package, distribution)


def _in_a_line(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return words if isinstance(error, BittrueError) else f"{type(error).__name__}: {words}"


def products() -> tuple[Product, ...]:
    """All of them: built-in ones, then those of installed packages by name."""
    return (*BUILT_IN, *plugins())


def plugins() -> tuple[Product, ...]:
    """Products of installed packages; what is broken among them is left out, see `broken`."""
    return _registered()[0]


def broken() -> tuple[str, ...]:
    """A line for each registered product that cannot be used, which names its package."""
    return (*_registered()[1], *_broken_since)


def noticed() -> tuple[str, ...]:
    """The same, of what was looked at so far; nothing is loaded for it."""
    return broken() if _registered.cache_info().currsize else ()


_broken_since: list[str] = []  # plug-ins that were found to be broken when a part of theirs was needed


def working_plugins(part: str) -> list[tuple[Product, Any]]:
    """(plug-in, module) of all that have a part; of those whose part cannot be imported, `broken` tells."""
    found = []
    for product in plugins():
        try:
            if product.has(part):
                found.append((product, product.part(part)))
        except Exception as error:
            line = f"{product.distribution}: product {product.name!r} cannot be used: {_in_a_line(error)}"
            if line not in _broken_since:
                _broken_since.append(line)
    return found


def find_product(name: str) -> Product:
    """The product of a name.

    Raises
    ------
    ConfigError
        There is none.
    """
    for product in BUILT_IN:  # without a look at what is installed
        if product.name == name:
            return product
    names = [product.name for product in products()]
    for product in plugins():
        if product.name == name:
            return product
    meant = did_you_mean(name, names, "; ")
    raise ConfigError(f"product {name!r}: must be one of {', '.join(names)}{meant}")
