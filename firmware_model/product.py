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
report : `analyse`, how a sweep is shown, see `report.sweep_report`; without it, by its measures; in it, if it
    has them, `judged`, what happens or not in its rows, MEASURES and BETTER, see `report.verdict.quantities`
commands : `app`, its own verbs, a typer.Typer; optional
profiles and whatever else it needs

An installed package registers a `Product` as an entry point of the group "bittrue.products". The module that
holds it should import nothing else: `bittrue --help` loads it.
"""

import importlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import util
from typing import Any

from firmware_model.blame import in_a_line, place
from firmware_model.entry_points import entry_points
from fixedpoint.errors import BittrueError, ConfigError, did_you_mean

GROUP = "bittrue.products"
_CASE_NAME = "[A-Za-z][A-Za-z0-9_-]*"
_REQUIRED = ("cases", "kernel_cases")
_NEEDED = {  # of each part
    "cases": ("CASES", "STIMULI", "BOUNDS"),
    "kernel_cases": ("CASES",),
    "firmware": ("OPTIONS", "configure", "notes", "FACTS"),
    "study": ("AXES", "OUTCOME", "group_key", "evaluate"),
    "report": ("analyse",),
    "commands": ("app",),
}


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
            module = importlib.import_module(f"{self.package}.{part}")
        except Exception as error:  # whatever a plug-in's module raises
            if self in BUILT_IN:
                raise
            raise self.wrong(part, in_a_line(error, self.folder)) from error
        for name in _NEEDED.get(part, ()):
            if not hasattr(module, name):
                raise self.wrong(part, f"{name}: missing{did_you_mean(name, vars(module), '; ')}")
        return module

    def wrong(self, part: str, says: str) -> ProductError:
        """What to raise of a part that cannot be used."""
        return ProductError(f"{self.distribution}: {self.package}.{part}: {says}")

    @property
    def folder(self) -> str:
        """Of its package; "" where it has none."""
        module = sys.modules.get(self.package)  # at hand where the product stands in it
        if module is None:
            spec = util.find_spec(self.package)
            return next(iter((spec.submodule_search_locations if spec else None) or ()), "")
        return next(iter(getattr(module, "__path__", ())), "")

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
    part = product.part("cases")
    if not isinstance(part.CASES, (tuple, list)) or any("stimulus" not in dir(case) for case in part.CASES):
        raise product.wrong(
            "cases", "CASES: a tuple of cases needed, as samples_case or fields_case makes them"
        )
    if not part.CASES:
        raise product.wrong("cases", "CASES: none found, one needed")
    if product not in BUILT_IN:
        _check_names(product, part)
    return tuple(case._replace(product=product) for case in part.CASES)


def _check_names(product: Product, part: Any) -> None:
    """Refuse cases of a plug-in that commands could not tell apart, or that lack their stimulus."""
    taken = {other.name: other for other in products() if other != product}
    for case in part.CASES:
        if not re.fullmatch(_CASE_NAME, case.name):
            raise product.wrong("cases", f"case {case.name!r}: a name of letters, digits, _ and - needed")
        if case.name in taken:
            other = taken[case.name]
            raise product.wrong("cases", f"case {case.name!r}: {other.name} has this name; another needed")
        if case.stimulus not in part.STIMULI:
            names = ", ".join(map(str, part.STIMULI)) or "none"
            raise product.wrong(
                "cases", f"case {case.name!r}: stimulus {case.stimulus!r}: STIMULI has {names}"
            )
        taken[case.name] = product


@cache
def _registered() -> tuple[tuple[Product, ...], tuple[tuple[str, str], ...]]:
    """(products of installed packages, (entry point, line) of each that cannot be used)."""
    found: dict[str, Product] = {product.name: product for product in BUILT_IN}
    broken = []
    for point in entry_points(GROUP):
        try:
            product = point.load()
            name = _new_name(product, found)
            found[name] = _of_package(product, point.distribution)
        except Exception as error:  # the others go on working
            why = in_a_line(error, _folder(point.value.partition(":")[0].partition(".")[0]))
            line = f"{point.distribution}: product {point.name!r} cannot be used: {why}"
            broken.append((point.name, line))
    return tuple(product for product in found.values() if product not in BUILT_IN), tuple(broken)


def _folder(package: str) -> str:
    """Of a package; "" where there is none, or what is around it cannot be imported."""
    try:
        return Product(package, package, package).folder
    except Exception:  # whatever that raises
        return ""


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
    if not _folder(product.package):
        raise ProductError(
            f"package {product.package!r}: no such folder of modules is installed; its own needed"
        )
    return Product(product.name, product.title, product.package, distribution)


def products() -> tuple[Product, ...]:
    """All of them: built-in ones, then those of installed packages by name."""
    return (*BUILT_IN, *plugins())


def plugins() -> tuple[Product, ...]:
    """Products of installed packages; what is broken among them is left out, see `broken`."""
    return _registered()[0]


def broken() -> tuple[str, ...]:
    """A line for each registered product that cannot be used, which names its package."""
    return (*(line for _, line in _registered()[1]), *_broken_since)


def noticed() -> tuple[str, ...]:
    """The same, of what was looked at so far; nothing is loaded for it."""
    return broken() if _registered.cache_info().currsize else ()


_broken_since: list[str] = []  # plug-ins that were found to be broken when a part of theirs was needed


def blamed(error: BaseException) -> str:
    """A line for an error that an installed product's sources led to, with file and line; "" of others."""
    for product in plugins() if _registered.cache_info().currsize else ():
        if place(error, product.folder):
            return f"{product.distribution}: {in_a_line(error, product.folder)}"
    return ""


def working_plugins(
    part: str, use: Callable[[Product, Any], Any] = lambda product, module: module
) -> list[tuple[Product, Any]]:
    """(plug-in, what `use` makes of its part) of all that have it; of those that fail, `broken` tells."""
    found = []
    for product in plugins():
        try:
            if part in _REQUIRED or product.has(part):
                found.append((product, use(product, product.part(part))))
        except Exception as error:
            says = product.wrong(part, in_a_line(error, product.folder))
            broke(error if isinstance(error, ProductError) else says)
    return found


def broke(error: ProductError) -> None:
    """Tell of a part that cannot be used, where what asked for it goes on without it."""
    if str(error) not in _broken_since:
        _broken_since.append(str(error))


def find_product(name: str) -> Product:
    """The product of a name.

    Raises
    ------
    ConfigError
        There is none.
    ProductError
        There is, and it cannot be used.
    """
    for product in BUILT_IN:  # without a look at what is installed
        if product.name == name:
            return product
    names = [product.name for product in products()]
    for product in plugins():
        if product.name == name:
            return product
    for point, line in _registered()[1]:
        if point == name:
            raise ProductError(line)
    meant = did_you_mean(name, names, "; ")
    raise ConfigError(f"product {name!r}: must be one of {', '.join(names)}{meant}")
