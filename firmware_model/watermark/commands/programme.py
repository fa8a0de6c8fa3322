"""The file that is to be marked."""

from firmware_model.cli.terminal.output import STDIO
from firmware_model.pcm import Audio, read_audio
from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import AudioError


def read_programme(path: str, config: WatermarkConfig, resample: bool, mixed: bool = False) -> Audio:
    """A file that can take a mark: at the detector's rate or above, and at least one mark long.

    mixed : whether the mean of its channels is marked

    Raises
    ------
    AudioError
    """
    audio = read_audio(path, mixed=mixed)
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
