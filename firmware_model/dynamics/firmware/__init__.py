"""The dynamics processor's C: the options of `bittrue export`, and what its files say of it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from firmware_model.device.export import stimuli
from firmware_model.device.export.configured import Configured, of_run
from firmware_model.device.export.facts import OF_SAMPLES, Option
from firmware_model.dynamics.cases.configurations import dynamics_case
from firmware_model.dynamics.settings.params import SAMPLE_RATES, DynamicsConfig
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.product import find_product
from fixedpoint.errors import ConfigError

OPTIONS = (
    Option(
        "--profile",
        str,
        "NAME|FILE",
        "Of the dynamics processor: conventional, smart-speaker, headset, transparent, or a file "
        "that ends in .toml.  [default: smart-speaker]",
    ),
    Option("--rate", int, "HZ", "Of the dynamics processor: 16000, 44100, 48000 or 96000.  [default: 48000]"),
    Option("--channels", int, "N", "Of the dynamics processor: 1 or 2.  [default: 1]"),
)
_CHANNELS = (1, 2)

FACTS = OF_SAMPLES._replace(
    instance="dynamics",
    macros=lambda setup: {
        "LATENCY": (setup.latency_samples, "samples from input to output"),
        "BANDS": (setup.params.bands, "that work"),
    },
    unrolled="3 % fewer",
)


def configure(values: Mapping[str, Any]) -> Configured:
    """The processor as the options have it.

    Raises
    ------
    ConfigError
        A bad profile, rate or number of channels.
    """
    profile = values["profile"] or "smart-speaker"
    fs_hz = 48000 if values["rate"] is None else values["rate"]
    rows = 1 if values["channels"] is None else values["channels"]
    for name, value, accepted in (("--rate", fs_hz, SAMPLE_RATES), ("--channels", rows, _CHANNELS)):
        if value not in accepted:
            raise ConfigError(f"{name} {value}: must be one of {', '.join(map(str, accepted))}")
    config = load_profile(profile, fs_hz, rows)
    named = "".join(c if c.isascii() and c.isprintable() else "_" for c in Path(profile).name)
    layout = "mono" if rows == 1 else "stereo"
    return of_dynamics(config, f"dynamics processor, {named} profile, {fs_hz} Hz {layout}")


def of_dynamics(config: DynamicsConfig, label: str) -> Configured:
    """The processor in a configuration, with a label of one line."""
    case = dynamics_case("export", label, "", config)._replace(product=find_product("mbdp"))
    levels = partial(stimuli.levels, config.fs_hz, config.channels, config.control_samples)
    return of_run(case, case.start(), label, levels)


def notes(values: Mapping[str, Any]) -> list[str]:
    """Nothing that a user has to know besides."""
    return []
