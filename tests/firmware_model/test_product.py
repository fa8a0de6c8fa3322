"""The register: what there is, what is refused, and what is said of it."""

import pytest

from firmware_model import product
from firmware_model.entry_points import EntryPoint
from firmware_model.product import BUILT_IN, LIBRARY, Product, ProductError, find_product
from fixedpoint.errors import ConfigError


@pytest.fixture
def registered(monkeypatch):
    """Put entry points in the place of what is installed."""

    def put(**points):
        found = [EntryPoint(name, value, f"pack-{name}") for name, value in sorted(points.items())]
        monkeypatch.setattr(product, "entry_points", lambda group: found)
        monkeypatch.setattr(product, "_broken_since", [])
        product._registered.cache_clear()

    yield put
    product._registered.cache_clear()


OURS = f"{__name__}:GOOD"
GOOD = Product("good", "a good one", "tests.firmware_model")
NO_NAME = Product("no-name", "x", "y")
TAKEN = Product("mbdp", "x", "y")
LIBRARYS = Product("fixedpoint", "x", "y")
NO_PACKAGE = Product("lost", "x", "tests.nowhere")


def test_built_in_products_are_found_without_a_look_at_what_is_installed(monkeypatch):
    monkeypatch.setattr(product, "_registered", None)
    assert [find_product(each.name) for each in BUILT_IN] == list(BUILT_IN)


def test_every_part_of_a_built_in_product_can_be_imported():
    for each in (*BUILT_IN, LIBRARY):
        assert each.part("kernel_cases").CASES
    for each in BUILT_IN:
        assert each.cases[0].product == each
        assert set(each.part("cases").BOUNDS) == {case.name for case in each.cases}
        assert each.part("firmware").FACTS
        assert each.part("study").AXES
        assert each.part("commands").app.registered_commands


def test_a_product_of_a_package_joins_and_knows_its_distribution(registered):
    registered(good=OURS)
    assert find_product("good") == GOOD
    assert find_product("good").distribution == "pack-good"
    assert product.broken() == ()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("nowhere:X", "ModuleNotFoundError: No module named 'nowhere'"),
        (f"{__name__}:NOTHING", f"AttributeError: module '{__name__}' has no attribute 'NOTHING'"),
        (f"{__name__}:OURS", "str found, a firmware_model.product.Product needed"),
        (f"{__name__}:NO_NAME", "name 'no-name': must be letters, digits and _, as names in C are"),
        (f"{__name__}:TAKEN", "name 'mbdp': bittrue has a product of this name"),
        (
            f"{__name__}:NO_PACKAGE",
            "package 'tests.nowhere': no such folder of modules is installed; its own needed",
        ),
        (f"{__name__}:LIBRARYS", "name 'fixedpoint': bittrue has a product of this name"),
    ],
)
def test_what_cannot_be_used_is_a_line_and_leaves_the_others(registered, value, says):
    registered(bad=value, good=OURS)
    assert [each.name for each in product.products()] == ["watermark", "mbdp", "good"]
    assert product.broken() == (f"pack-bad: product 'bad' cannot be used: {says}",)


def test_a_part_that_cannot_be_imported_names_the_package(registered):
    registered(good=OURS)
    with pytest.raises(ProductError, match=r"pack-good: tests\.firmware_model\.cases: ModuleNotFound"):
        find_product("good").part("cases")
    assert product.working_plugins("cases") == []
    (line,) = product.broken()
    missing = "ModuleNotFoundError: No module named 'tests.firmware_model.cases'"
    assert line == f"pack-good: tests.firmware_model.cases: {missing}"


def test_an_unknown_name_is_refused_with_those_there_are(registered):
    registered()
    with pytest.raises(
        ConfigError, match=r"product 'mbdb': must be one of watermark, mbdp; did you mean mbdp\?"
    ):
        find_product("mbdb")
