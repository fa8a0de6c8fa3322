"""Audio files for the tests of the command line, and a call of it."""

import io
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from acoustic_sim.programmes.excitation import synthesise
from firmware_model.cli import main

FS_HZ = 16000
SECONDS = 4.5  # two marks and a little
KEY = "5eed5eed5eed5eed"
ROOM = ("--distance", "1", "--rt60", "0.2")  # small and quick to simulate


class Outcome(NamedTuple):
    """Exit status, stdout and stderr of one call."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on the one line of stdout; NaN and Infinity, which are no JSON, are refused."""
        assert self.out.count("\n") == 1
        return json.loads(self.out, parse_constant=lambda name: (_ for _ in ()).throw(ValueError(name)))


def call(capsys: Any, *arguments: str | Path) -> Outcome:
    """`bittrue` in this process."""
    status = main.run([str(argument) for argument in arguments])
    return Outcome(status, *capsys.readouterr())


def wav(samples: np.ndarray, fs_hz: int = FS_HZ, subtype: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, fs_hz, subtype, format="WAV")
    return buffer.getvalue()


def programme(kind: str = "music", fs_hz: int = FS_HZ, seconds: float = SECONDS) -> np.ndarray:
    """Leaves 1 dB more of headroom than synthesise does: no sample of it saturates in 8 bits."""
    x = _synthesised(kind, fs_hz, seconds)
    return x.copy() if kind == "silence" else 0.9 * x


@cache
def _synthesised(kind: str, fs_hz: int, seconds: float) -> np.ndarray:
    return synthesise(kind, seconds, fs_hz, seed=3)


def spoilt(value: float) -> np.ndarray:
    """Music with one sample of another value, towards the end."""
    x = programme()
    x[-100] = value
    return x


# Files that no command takes: name, content, what the line must say.
UNREADABLE = {
    "text.wav": (b"this is no audio at all\n" * 100, "not audio"),
    "empty.wav": (b"", "not audio"),
    "nosamples.wav": (wav(np.zeros(0)), "no samples found"),
    "cut.wav": (wav(programme())[:50_000], "cut short"),
    "nan.wav": (wav(spoilt(np.nan), subtype="FLOAT"), "nan found at sample"),
    "inf.wav": (wav(spoilt(-np.inf), subtype="DOUBLE"), "-inf found at sample"),
    "loud.wav": (wav(spoilt(1.5), subtype="FLOAT"), "dBFS) found"),
    "threechannels.wav": (wav(np.zeros((1000, 3))), "3 channels found"),
}
