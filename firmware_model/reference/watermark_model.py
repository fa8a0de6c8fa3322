"""Layout of a mark and the decision, as plain numbers, for the float64 watermark detector."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class WatermarkModel:
    """Layout of a mark and the detector's decision, the defaults being what ships.

    Parameters
    ----------
    fs_hz : int > 0, sample rate, hertz
    fft_size : int >= 4, even; N, samples in a frame
    hop : int in [1, fft_size]; H, samples from frame to frame
    slots : int >= 2, even; R, time slots of a mark
    slot_hops : int >= 1; h, hops in a slot
    first_bin : int >= 0, lowest bin of band 0
    bands : int >= 1; the highest bin, first_bin + bands * band_bins - 1, is at most fft_size / 2
    band_bins : int >= 1, bins in a band
    max_marks : int >= 1, consecutive marks whose scores are added, each with signs of its own
    threshold : float > 0; T, standard deviations over keys
    hold_hops : int >= 0, a candidate is reported when no higher score has come for this long
    lockout_hops : int >= 0, least distance of a candidate from the last reported peak

    Raises
    ------
    ValueError
        A value outside these ranges.
    """

    fs_hz: int = 16000
    fft_size: int = 2048
    hop: int = 512
    slots: int = 8
    slot_hops: int = 8
    first_bin: int = 20
    bands: int = 438
    band_bins: int = 2
    max_marks: int = 4
    threshold: float = 5.5
    hold_hops: int = 16
    lockout_hops: int = 32

    def __post_init__(self) -> None:
        least = {"fs_hz": 1, "fft_size": 4, "hop": 1, "slots": 2, "slot_hops": 1, "first_bin": 0, "bands": 1}
        least |= {"band_bins": 1, "max_marks": 1, "hold_hops": 0, "lockout_hops": 0}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ValueError(f"{name}={getattr(self, name)}: must be at least {low}")
        for name in ("fft_size", "slots"):
            if getattr(self, name) % 2:
                raise ValueError(f"{name}={getattr(self, name)}: must be even")
        if self.hop > self.fft_size:
            raise ValueError(f"hop={self.hop}: must be at most fft_size={self.fft_size}")
        if self.end_bin > self.fft_size // 2 + 1:
            raise ValueError(
                f"bands={self.bands}: reach bin {self.end_bin - 1}, must be <= {self.fft_size // 2}"
            )
        if not 0 < self.threshold < math.inf:
            raise ValueError(f"threshold={self.threshold}: must be positive and finite")

    @property
    def end_bin(self) -> int:
        """The bin after the highest band's."""
        return self.first_bin + self.bands * self.band_bins

    @property
    def mark_hops(self) -> int:
        """R h, length of a mark in hops."""
        return self.slots * self.slot_hops
