"""All golden cases, by name: those of the built-in products, then those of installed packages."""

from collections.abc import Iterator, Mapping

from firmware_model.case import Case
from firmware_model.product import BUILT_IN, Product, products, working_plugins
from fixedpoint.errors import ConfigError, did_you_mean


class _Cases(Mapping[str, Case]):
    """Those of the built-in products are known without a look at what is installed."""

    def __init__(self) -> None:
        self._known: dict[str, Case] = {}
        self._complete = False

    def _built_in(self) -> dict[str, Case]:
        if not self._known:
            for product in sorted(BUILT_IN, key=lambda product: product.name):
                self._known |= {case.name: case for case in product.cases}
        return self._known

    def _all(self) -> dict[str, Case]:
        known = self._built_in()
        if not self._complete:
            for _, cases in working_plugins("cases", lambda product, _: _apart(product, known)):
                for case in cases:
                    known.setdefault(case.name, case)
            self._complete = True
        return known

    def __getitem__(self, name: str) -> Case:
        known = self._built_in()
        return known[name] if name in known else self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


CASES: Mapping[str, Case] = _Cases()


def own_cases(product: Product) -> tuple[Case, ...]:
    """A product's cases.

    Raises
    ------
    ProductError
        One has the name of another product's case.
    """
    return _apart(product, CASES)


def _apart(product: Product, known: Mapping[str, Case]) -> tuple[Case, ...]:
    for case in product.cases:
        other = known[case.name].product if case.name in known else product
        if other is not None and other != product:
            raise product.wrong("cases", f"case {case.name!r}: {other.name} has this name; another needed")
    return product.cases


def find_case(name: str) -> Case:
    """The case of a name.

    Raises
    ------
    ConfigError
    """
    if name not in CASES:
        names = [*CASES, *(product.name for product in products())]
        meant = did_you_mean(name, names, "; ")
        raise ConfigError(f"case {name!r}: must be one of {', '.join(CASES)}{meant}")
    return CASES[name]


def case_of(name: str) -> Case:
    """A golden case, by its name or the product's, whose first it is then.

    Raises
    ------
    ConfigError
    """
    if name not in CASES:
        for product in products():
            if product.name == name:
                return own_cases(product)[0]
    return find_case(name)
