"""What the embedder accepts: one clear line for everything else."""

import numpy as np
from numpy.typing import NDArray

from firmware_model.watermark.params import WatermarkConfig
from fixedpoint.errors import AudioError, ConfigError

Real = NDArray[np.float64]

MODES = ("informed", "live")
MIN_STRENGTH_DB, MAX_STRENGTH_DB = -20.0, 12.0
MAX_FS_HZ = 655_350
MAX_CHANNELS = 2


def check_settings(fs_hz: int, mode: str, strength_db: float, config: WatermarkConfig) -> None:
    """Refuse what `embed` cannot do: ConfigError, or AudioError for a rate below the detector's."""
    if isinstance(fs_hz, bool) or not isinstance(fs_hz, (int, np.integer)) or fs_hz > MAX_FS_HZ:
        raise ConfigError(f"fs_hz={fs_hz!r}: must be an integer from {config.fs_hz} to {MAX_FS_HZ}")
    if fs_hz < config.fs_hz:
        raise AudioError(f"{fs_hz} Hz audio found; at least {config.fs_hz} Hz needed")
    if mode not in MODES:
        raise ConfigError(f"mode={mode!r}: must be one of {', '.join(MODES)}")
    is_number = isinstance(strength_db, (int, float, np.integer, np.floating)) and not isinstance(
        strength_db, bool
    )
    if not is_number or not MIN_STRENGTH_DB <= strength_db <= MAX_STRENGTH_DB:
        raise ConfigError(
            f"strength_db={strength_db!r}: must be from {MIN_STRENGTH_DB:g} to {MAX_STRENGTH_DB:g}"
        )


def checked_samples(x: Real, fs_hz: int, config: WatermarkConfig) -> Real:
    """x as (n, channels) float64, at least a mark long."""
    samples = np.asarray(x)
    if samples.dtype.kind != "f":
        raise AudioError(f"samples of dtype {samples.dtype}: must be floating point, full scale 1.0")
    if samples.ndim == 1:
        samples = samples[:, None]
    if samples.ndim != 2 or not samples.size or samples.shape[1] > MAX_CHANNELS:
        raise AudioError(f"samples of shape {np.shape(x)}: must be (n,) or (n, 1 or 2), n >= 1")
    samples = np.ascontiguousarray(samples, dtype=np.float64)
    peak = max(float(samples.max()), -float(samples.min()))
    if not peak <= 1.0:  # NaN as well
        bad = np.argwhere(~(np.abs(samples) <= 1.0))[0]
        raise AudioError(
            f"{samples[tuple(bad)]} found at sample {bad[0]}, channel {bad[1]}: must be in [-1, 1]"
        )
    check_length(len(samples), fs_hz, config)
    return samples


def check_length(found: int, fs_hz: int, config: WatermarkConfig) -> None:
    """Refuse a programme that is shorter than a mark."""
    if marks_that_fit(found, fs_hz, config) == 0:
        needed = -(-config.mark_samples * fs_hz // config.fs_hz)
        raise AudioError(
            f"{found / fs_hz:.3f} s of audio ({found} samples) found;"
            f" a mark needs {needed / fs_hz:.3f} s ({needed})"
        )


def marks_that_fit(n: int, fs_hz: int, config: WatermarkConfig) -> int:
    """Whole marks in n samples at fs_hz."""
    return n * config.fs_hz // (fs_hz * config.mark_samples)
