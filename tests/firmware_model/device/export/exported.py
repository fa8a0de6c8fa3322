"""Exports in folders, and make in them, for the tests of what is exported."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from firmware_model.device.export.configured import Configured
from firmware_model.device.export.files import contents
from firmware_model.dynamics.firmware import of_dynamics
from firmware_model.dynamics.settings.params import DynamicsConfig
from firmware_model.dynamics.settings.profiles import load_profile
from firmware_model.watermark.firmware import of_watermark
from firmware_model.watermark.params import WatermarkConfig

WARNINGS = "-std=c99 -Wall -Wextra -Wconversion -Wsign-conversion -pedantic -Werror"
KEYS = ("5eed", "0123456789abcdef")
SMALL = WatermarkConfig(
    fft_size=512, hop=128, slots=4, slot_hops=8, low_hz=500, high_hz=3500, max_marks=2, threshold=4.0
)
SETUPS = {
    "headset": lambda: of_dynamics(load_profile("headset", 16000, 2), "headset, stereo"),
    "one band": lambda: of_dynamics(DynamicsConfig(fs_hz=44100), "nothing but the limiter"),
    "two keys": lambda: of_watermark(SMALL, KEYS),
}

needs_cc = pytest.mark.skipif(
    shutil.which("cc") is None or shutil.which("make") is None, reason="no make, or no C compiler named cc"
)


def written(folder: Path, *setups: Configured) -> Path:
    """The export of these products in a folder."""
    return _written(folder, contents(setups, lambda text: None))


def exported(folder: Path, *names: str) -> Path:
    """The export of `SETUPS` of these names in a folder."""
    return _written(folder, _contents(names))


@cache
def _contents(names: tuple[str, ...]) -> dict[str, bytes]:
    return contents([SETUPS[name]() for name in names], lambda text: None)


def _written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`make` in a folder."""
    command = ["make", "-C", str(folder), *arguments]
    env = {name: value for name, value in os.environ.items() if name not in ("CC", "CFLAGS")} | environment
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=env)


def replaced(path: Path, old: str, new: str) -> None:
    """Change the only place that reads so."""
    text = path.read_text()
    assert text.count(old) == 1, (path, old, text.count(old))
    path.write_text(text.replace(old, new))
