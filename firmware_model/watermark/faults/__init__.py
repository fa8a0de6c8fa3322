"""The detector with a fault of arithmetic, as careless firmware has it."""

from functools import lru_cache

import numpy as np

from firmware_model.golden.causes.faults.products import Fault, run_faulty
from firmware_model.watermark.detector import Detected, detect
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig


def detect_faulty(pcm: np.ndarray, keys: list[Key], config: WatermarkConfig, fault: Fault) -> Detected:
    """`detector.detect` with a fault.

    Raises
    ------
    BittrueError
        See `faults.products.run_faulty`.
    """
    octets = [key.octets for key in keys]
    return run_faulty(fault, f"{__name__}:{detect_octets.__name__}", (pcm, octets, config))


def detect_octets(pcm: np.ndarray, octets: list[bytes], config: WatermarkConfig) -> Detected:
    """What the process with the altered kernels runs."""
    return detect(pcm, [_KnownKey(each) for each in octets], config)


class _KnownKey(Key):
    """A key whose signs are kept: deriving them takes longer than using them."""

    def signs(self, patterns: int, slots: int, bands: int) -> np.ndarray:
        return _signs(self.octets, patterns, slots, bands)


@lru_cache(maxsize=1024)
def _signs(octets: bytes, patterns: int, slots: int, bands: int) -> np.ndarray:
    return Key(octets).signs(patterns, slots, bands)
