"""Audio files of any length, frame by frame: what `pcm` reads whole, in memory that does not grow."""

from collections.abc import Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

from firmware_model import pcm
from firmware_model.pcm_file import AudioFile, open_audio
from fixedpoint.errors import AudioError

_READ = 1 << 16  # samples read at a time


class Converted:
    """An open file at a wanted rate (soxr, VHQ), in blocks, from its beginning at each iteration.

    The samples are those of `pcm.read_audio`, bit for bit: overshoots of the resampler are clipped.

    Attributes
    ----------
    frames : samples of each channel at `fs_hz`
    channels : of the file
    clipped : samples at `fs_hz` that the resampler pushed past full scale, in the last iteration so far
    """

    def __init__(self, name: str, file: AudioFile, fs_hz: int) -> None:
        self._name, self._file = name, file
        self.fs_hz, self.channels = fs_hz, file.channels
        # As soxr rounds it, a half upwards.
        self.frames = (2 * file.frames * fs_hz + file.fs_hz) // (2 * file.fs_hz)
        self.clipped = 0
        if self.frames == 0:
            raise AudioError(
                f"{name}: {file.frames} frames at {file.fs_hz} Hz found; too short for {fs_hz} Hz"
            )

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        """Blocks (n, channels) float64 in [-1, 1], n >= 1."""
        file = self._file
        file.rewind()
        self.clipped = 0
        if file.fs_hz == self.fs_hz:
            yield from _decoded(file)
            return
        converter = soxr.ResampleStream(file.fs_hz, self.fs_hz, self.channels, dtype="float64", quality="VHQ")
        for x in _decoded(file):
            yield from self._clipped(converter.resample_chunk(x))
        yield from self._clipped(converter.resample_chunk(np.empty((0, self.channels)), last=True))

    def _clipped(self, x: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
        """A band-limited step overshoots: counted and clipped as a converter would."""
        if len(x):
            self.clipped += int(np.count_nonzero(np.abs(x) > 1.0))
            yield np.clip(x, -1.0, 1.0)


class AudioStream:
    """A WAV or FLAC file as the firmware's input; iterate once.

    Parameters
    ----------
    path : file, pipe, or "-" for standard input
    fs_hz : wanted sample rate
    channels : wanted, 1 or 2; two become their mean, one is given to both
    block : samples; frames are whole blocks
    resample : allow conversion to `fs_hz` (soxr, VHQ)
    gain_db : of the samples, see `pcm_file.open_audio`

    Attributes
    ----------
    samples : int, given so far; at the end all of the file but the part of a block that remains
    clipped : int, samples at `fs_hz` that the resampler pushed past full scale

    Raises
    ------
    AudioError
        While iterating: as `pcm.read_audio`, at the frame where it shows; less than one block.
    """

    def __init__(
        self,
        path: str,
        fs_hz: int,
        channels: int,
        block: int,
        resample: bool = False,
        gain_db: float | None = None,
    ) -> None:
        self.path, self.fs_hz, self.channels = path, fs_hz, channels
        self.block, self.resample, self.gain_db = block, resample, gain_db
        self.samples = 0
        self.clipped = 0

    def __iter__(self) -> Iterator[NDArray[np.int16]]:
        """Frames of (channels, n) int16, Q1.15, n a multiple of `block`; about a second each."""
        length = max(1, self.fs_hz // self.block) * self.block
        rest = np.empty((0, self.channels), np.int16)
        for samples in self._samples():
            rest = np.concatenate([rest, pcm.to_q15(self._mixed(samples))])
            while len(rest) >= length:
                self.samples += length
                yield np.ascontiguousarray(rest[:length].T)
                rest = rest[length:]
        whole = len(rest) // self.block * self.block
        if not self.samples and not whole:
            raise AudioError(
                f"{self.path}: {len(rest)} samples found; at least one block of {self.block} needed"
            )
        if whole:
            self.samples += whole
            yield np.ascontiguousarray(rest[:whole].T)

    def _samples(self) -> Iterator[NDArray[np.float64]]:
        """(n, channels of the file) float64 at `fs_hz`."""
        with open_audio(
            self.path,
            fs_hz=self.fs_hz,
            resample=self.resample,
            gain_db=self.gain_db,
            mixed=self.channels == 1,
        ) as file:
            converted = Converted(self.path, file, self.fs_hz)
            for x in converted:
                self.clipped = converted.clipped
                yield x

    def _mixed(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, channels) of the case."""
        if samples.shape[1] == self.channels:
            return samples
        mono = pcm.to_mono(samples)[:, None]
        return mono if self.channels == 1 else np.repeat(mono, self.channels, axis=1)


def _decoded(file: AudioFile) -> Iterator[NDArray[np.float64]]:
    while len(x := file.read(_READ)):
        yield x
