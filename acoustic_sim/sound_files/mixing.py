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
        if x.shape[1] > 1:
            mean = x.mean(axis=1)
            self._mean += float(mean @ mean)
            self._channels += float(np.vdot(x, x)) / x.shape[1]

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
