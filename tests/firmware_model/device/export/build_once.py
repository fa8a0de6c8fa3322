"""Builds that several tests run: translated and compiled by the first of them."""

from functools import cache
from pathlib import Path
from typing import Any

from firmware_model.device.export import build, configured, harness
from firmware_model.device.export.product import CProduct, product_of_case
from firmware_model.golden.cases import find_case

_compile = build.compile_firmware
_compiled: dict[Any, bytes] = {}


@cache
def product_named(case: str) -> CProduct:
    """A golden case's product."""
    return product_of_case(find_case(case))


def product_of(setup: configured.Configured) -> CProduct:
    """The same for the harness, which has the case's label."""
    return product_named(setup.label.partition(":")[0])


def compile_firmware(
    product: CProduct, cpu: str, optimise: str, folder: Path, *, debug: bool = False
) -> Path:
    """`build.compile_firmware`, once for the same source and options."""
    key = product.header, product.source, cpu, optimise, debug
    path = folder / "firmware.elf"
    if key not in _compiled:
        _compiled[key] = _compile(product, cpu, optimise, folder, debug=debug).read_bytes()
    path.write_bytes(_compiled[key])
    return path


def use(monkeypatch: Any) -> None:
    """Let the harness build so."""
    monkeypatch.setattr(harness, "product_of", product_of)
    monkeypatch.setattr(build, "compile_firmware", compile_firmware)
