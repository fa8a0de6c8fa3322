"""The file that is to be marked."""

from firmware_model.pcm_file import AudioFile
from firmware_model.pcm_stream import Converted
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import AudioError


def programme_of(path: str, file: AudioFile, config: WatermarkConfig, resample: bool) -> Converted:
    """An open file that can take a mark: at the detector's rate or above, and at least one mark long.

    Raises
    ------
    AudioError
    """
    fs_hz = file.fs_hz
    if fs_hz < config.fs_hz:
        if not resample:
            raise AudioError(f"{path}: {fs_hz} Hz found, at least {config.fs_hz} Hz needed; add --resample")
        fs_hz = config.fs_hz
    programme = Converted(path, file, fs_hz)
    seconds = programme.frames / fs_hz
    if seconds < config.mark_seconds:
        raise AudioError(f"{path}: {seconds:.3f} s found; at least one mark, {config.mark_seconds} s, needed")
    return programme
