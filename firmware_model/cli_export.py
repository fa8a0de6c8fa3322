"""What `export` does: from options to configurations, and what it says of the files."""

import json
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from firmware_model import cli_vectors
from firmware_model.cli_output import Step, counted, note_compilation
from firmware_model.device import configured, product_files
from firmware_model.device.configured import MBDP, WATERMARK, Configured
from firmware_model.device.product_header import prefix
from firmware_model.dynamics.params import SAMPLE_RATES
from firmware_model.dynamics.profiles import load_profile
from firmware_model.golden.export_vectors import MANIFEST
from firmware_model.golden.stimuli import MARKED_KEY
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import ConfigError

_CHANNELS = (1, 2)
_KERNELS = {WATERMARK: "firmware_model.watermark", MBDP: "firmware_model.dynamics"}


class Options(NamedTuple):
    """What was asked for; None and no key where an option was left out.

    product : "watermark", "mbdp" or "both"
    profile, rate, channels : of the dynamics processor
    keys : hexadecimal, of the watermark detector
    """

    product: str
    profile: str | None
    rate: int | None
    channels: int | None
    keys: tuple[str, ...]


def configure(options: Options) -> list[Configured]:
    """The products in their configurations.

    Raises
    ------
    ConfigError
        An option of a product that is not exported; a bad key, profile, rate or number of channels.
    """
    of_dynamics = {"--profile": options.profile, "--rate": options.rate, "--channels": options.channels}
    if options.product == WATERMARK:
        for name, value in of_dynamics.items():
            if value is not None:
                raise ConfigError(
                    f"{name} {value}: is of the dynamics processor; --product mbdp or both needed"
                )
    if options.product == MBDP and options.keys:
        raise ConfigError("--key: is of the watermark detector; --product watermark or both needed")
    setups = []
    if options.product != WATERMARK:
        setups.append(_dynamics(options.profile or "smart-speaker", options.rate, options.channels))
    if options.product != MBDP:
        for key in options.keys:
            Key.from_hex(key)
        setups.append(configured.of_watermark(WatermarkConfig(), options.keys or (MARKED_KEY,)))
    return setups


def _dynamics(profile: str, rate: int | None, channels: int | None) -> Configured:
    fs_hz, rows = 48000 if rate is None else rate, 1 if channels is None else channels
    for name, value, accepted in (("--rate", fs_hz, SAMPLE_RATES), ("--channels", rows, _CHANNELS)):
        if value not in accepted:
            raise ConfigError(f"{name} {value}: must be one of {', '.join(map(str, accepted))}")
    config = load_profile(profile, fs_hz, rows)
    named = "".join(c if c.isascii() and c.isprintable() else "_" for c in Path(profile).name)
    layout = "mono" if rows == 1 else "stereo"
    return configured.of_dynamics(config, f"dynamics processor, {named} profile, {fs_hz} Hz {layout}")


def write(folder: str, setups: list[Configured], force: bool, step: Step) -> list[dict[str, Any]]:
    """Write all files, or none; facts of each.

    Raises
    ------
    ConfigError
        The other product is there, which the new Makefile and manifest would not know; see also
        `cli_vectors.write`.
    BittrueError
        The disk or the folder refuses.
    """
    others = _products_in(Path(folder)) - {setup.name for setup in setups}
    if others:
        raise ConfigError(f"{folder}: holds {min(others)} too; export both, or write to another folder")
    note_compilation(*(_KERNELS[setup.name] for setup in setups))
    contents = product_files.contents(setups, step)
    step("write")
    return cli_vectors.write(folder, contents, force)


def _products_in(root: Path) -> set[str]:
    """Products that an earlier call wrote here and that are still there."""
    try:
        names = [product["name"] for product in json.loads((root / MANIFEST).read_bytes())["products"]]
        return {name for name in names if (root / f"{prefix(name)}.c").is_file()}
    except (OSError, ValueError, KeyError, TypeError):
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
    if options.product != MBDP and not options.keys:
        lines.append(f"key: {MARKED_KEY}, which everybody knows; --key HEX takes yours")
    return "\n".join([*lines, f"test it: make -C {named} test"])
