"""Audio in and out of the commands."""

import numpy as np

from firmware_model.cli_output import STDIO, counted, give_up_stdout, note
from firmware_model.pcm import Audio, read_audio, write_audio
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import AudioError


def read_programme(path: str, config: WatermarkConfig, resample: bool) -> Audio:
    """A file that can take a mark: at the detector's rate or above, and at least one mark long.

    Raises
    ------
    AudioError
    """
    audio = read_audio(path)
    if audio.fs_hz < config.fs_hz:
        if not resample:
            raise AudioError(
                f"{path}: {audio.fs_hz} Hz found, at least {config.fs_hz} Hz needed; add --resample"
            )
        if path == STDIO:
            raise AudioError(f"{path}: {audio.fs_hz} Hz found; --resample needs a file, not standard input")
        audio = read_audio(path, fs_hz=config.fs_hz, resample=True)
    seconds = len(audio.samples) / audio.fs_hz
    if seconds < config.mark_seconds:
        raise AudioError(f"{path}: {seconds:.3f} s found; at least one mark, {config.mark_seconds} s, needed")
    return audio


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
