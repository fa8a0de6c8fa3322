"""What is left of channels whose mean is taken: in anti-phase, nothing."""

from collections.abc import Callable

import numpy as np

from acoustic_sim.sound_files.samples import SoundError

# Channels without any relation lose 3 dB, wide stereo some 6 dB.
SAID_DB, REFUSED_DB = 12.0, 60.0


class Mixing:
    """Power of the mean of channels, against that of the channels."""

    def __init__(self) -> None:
        self._channels, self._mean = 0.0, 0.0

    def add(self, x: np.ndarray) -> None:
        """Count (n, channels) float64 in."""
        channels = x.shape[1]
        if channels > 1:
            # Column by column: sums along a short axis are slow, and BLAS's threads cost more than they save.
            total = x[:, 0] + x[:, 1]
            for channel in range(2, channels):
                total += x[:, channel]
            self._mean += float(np.einsum("i,i->", total, total)) / channels**2
            self._channels += float(np.einsum("ij,ij->", x, x)) / channels

    def check(self, remark: Callable[[str], None]) -> None:
        """Say where much is lost.

        Raises
        ------
        SoundError
            Next to nothing is left.
        """
        if self._channels == 0.0:
            return
        lost_db = 10 * np.log10(self._channels / self._mean) if self._mean else np.inf
        if lost_db > REFUSED_DB:
            raise SoundError(
                "channels that cancel each other (anti-phase) found: their mean is silent; "
                "one channel, or channels in phase, needed"
            )
        if lost_db > SAID_DB:
            remark(f"the mean of the channels lies {lost_db:.1f} dB below them: they are in anti-phase")
