"""Audio in and out of the commands."""

import numpy as np

from firmware_model.cli.terminal.output import STDIO, counted, give_up_stdout, note
from firmware_model.pcm import write_audio
from fixedpoint.errors import AudioError


def write(path: str, samples: np.ndarray, fs_hz: int, subtype: str) -> int:
    """`write_audio`; where stdout's reader has gone, the end of the program."""
    try:
        return write_audio(path, samples, fs_hz, subtype)
    except AudioError as error:
        if path == STDIO and isinstance(error.__cause__, BrokenPipeError):
            give_up_stdout()
        raise


def note_clipping(source: str, clipped: int, target: str, saturated: int) -> None:
    """Say on stderr where samples were lost, in resampling or in writing."""
    if clipped:
        note(f"{source}: resampling pushed {counted(clipped, 'sample')} past full scale; clipped")
    if saturated:
        note(f"{target}: {counted(saturated, 'sample')} at full scale; saturated")
