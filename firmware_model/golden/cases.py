"""All golden cases of the products, by name."""

from firmware_model.golden import dynamics_cases, watermark_cases
from firmware_model.golden.case import Case
from fixedpoint.errors import ConfigError

CASES: dict[str, Case] = {case.name: case for case in (*dynamics_cases.CASES, *watermark_cases.CASES)}


def find_case(name: str) -> Case:
    """The case of a name.

    Raises
    ------
    ConfigError
    """
    if name not in CASES:
        raise ConfigError(f"case {name!r}: must be one of {', '.join(CASES)}")
    return CASES[name]
