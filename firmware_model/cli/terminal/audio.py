"""Audio in and out of the commands."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from firmware_model.cli.terminal.output import STDIO, counted, give_up_stdout, note
from firmware_model.pcm_writer import AudioWriter, open_writer
from fixedpoint.errors import AudioError


@contextmanager
def writing(path: str, fs_hz: int, channels: int, subtype: str, frames: int) -> Iterator[AudioWriter]:
    """`open_writer`; where stdout's reader has gone, the end of the program."""
    try:
        with open_writer(path, fs_hz, channels, subtype, frames=frames) as writer:
            yield writer
    except AudioError as error:
        if path == STDIO and isinstance(error.__cause__, BrokenPipeError):
            give_up_stdout()
        raise


def write(path: str, samples: np.ndarray, fs_hz: int, subtype: str) -> int:
    """All samples, (n,) or (n, channels), at once; the number that saturated."""
    channels = samples.shape[1] if samples.ndim == 2 else 1
    with writing(path, fs_hz, channels, subtype, len(samples)) as writer:
        writer.write(samples)
    return writer.saturated


def note_clipping(source: str, clipped: int, target: str, saturated: int) -> None:
    """Say on stderr where samples were lost, in resampling or in writing."""
    if clipped:
        note(f"{source}: resampling pushed {counted(clipped, 'sample')} past full scale; clipped")
    if saturated:
        note(f"{target}: {counted(saturated, 'sample')} at full scale; saturated")
