"""Audio files at the border: WAV and FLAC in and out, float64 inside, Q1.15 towards the firmware.

Firmware sees int16; files hold 8 to 32 bits, integer or float, at any rate. A 16-bit file at the right rate
passes through bit for bit, in both directions.
"""

import os
from typing import NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray

from firmware_model.pcm_file import open_audio, require_finite
from fixedpoint.errors import AudioError
from fixedpoint.qformat import Q15

_BLOCK_FRAMES = 1 << 16  # frames quantised at a time: an hour needs no further float copy


class Audio(NamedTuple):
    """Decoded audio.

    samples : (n, channels) float64 in [-1, 1], n >= 1, 1 or 2 channels; b-bit PCM x is x / 2^(b-1), exactly
    fs_hz : sample rate, after resampling if there was any
    path : where it came from, for messages
    subtype : how the file held it, in libsndfile's words ("PCM_16"); `write_audio` takes it back
    clipped : samples that the resampler pushed past full scale, now at -1 or 1
    """

    samples: NDArray[np.float64]
    fs_hz: int
    path: str
    subtype: str
    clipped: int = 0


def read_audio(
    path: str | os.PathLike[str],
    *,
    fs_hz: int | None = None,
    resample: bool = False,
    gain_db: float | None = None,
    mixed: bool = False,
) -> Audio:
    """Read a WAV or FLAC file of any sample format, or standard input.

    Parameters
    ----------
    path : file, pipe, or "-" for standard input; what it holds decides, not its name
    fs_hz : wanted sample rate; None takes the file's own
    resample : allow conversion to `fs_hz` (soxr, VHQ: 28 bit); resampled overshoots are clipped and counted
    gain_db : see `open_audio`
    mixed : whether the caller takes the mean of the channels, which must not cancel each other

    Raises
    ------
    AudioError
        Unreadable, not WAV or FLAC, damaged or cut short, a length that the file contradicts (see
        `acoustic_sim.sound_files`), no samples, more than 2 channels, a rate other than `fs_hz` without
        `resample`, NaN or infinite samples, float samples beyond 1.0 (1.0 is accepted).
    ConfigError
        `fs_hz` outside [2000, 655350]; `gain_db` out of range.
    """
    name = os.fspath(path)
    with open_audio(name, fs_hz=fs_hz, resample=resample, gain_db=gain_db, mixed=mixed) as file:
        native_hz, subtype = file.fs_hz, file.subtype
        x = file.read(file.frames)
    clipped = 0
    if fs_hz is not None and fs_hz != native_hz:
        x, clipped = _resample(name, x, native_hz, fs_hz)
        native_hz = fs_hz
    return Audio(x, native_hz, name, subtype, clipped)


def _resample(name: str, x: NDArray[np.float64], from_hz: int, to_hz: int) -> tuple[NDArray[np.float64], int]:
    """Convert the rate; a band-limited step overshoots, so count and clip as a converter would."""
    y = soxr.resample(x, from_hz, to_hz, quality="VHQ")
    if len(y) == 0:
        raise AudioError(f"{name}: {len(x)} frames at {from_hz} Hz found; too short for {to_hz} Hz")
    clipped = int(np.count_nonzero(np.abs(y) > 1.0))
    return np.clip(y, -1.0, 1.0, out=y), clipped


def to_mono(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the channels: (n, channels) or (n,) -> (n,); equal channels come back as they were, exactly."""
    if samples.ndim == 1:
        return samples
    if samples.shape[1] == 2:  # the bits of mean(axis=1), which is slow along a short axis
        return (samples[:, 0] + samples[:, 1]) / 2
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)


def to_q15(samples: NDArray[np.float64]) -> NDArray[np.int16]:
    """Q1.15 of samples in [-1, 1]: RND, SAT; +1.0 becomes 32767. What came from 16 bits comes back the same.

    Parameters
    ----------
    samples : (n,) or (n, channels) float64

    Raises
    ------
    AudioError
        A sample is NaN or infinite.
    """
    y_q15 = np.empty(samples.shape, np.int16)
    for start in range(0, len(samples), _BLOCK_FRAMES):
        block = samples[start : start + _BLOCK_FRAMES]
        require_finite("samples", block, start)
        y_q15[start : start + _BLOCK_FRAMES] = Q15.quantise(block)
    return y_q15
