"""Nodes that the firmware's memory shows, by golden case."""

from functools import partial

import numpy as np

from benchmarks.planted.firmware import Read, column
from firmware_model.watermark.params import LEVEL_EDGE

SPEAKER, HEADSET = "mbdp-smart-speaker", "mbdp-headset"
DETECTOR, SMALL = "watermark-detector", "watermark-small"
GATE = "dcgate"
_LEVEL, _FEATURE = 2, 3  # places of the rings' positions in state_clock


def _written(ring: str, clock: int, memory: np.ndarray) -> np.ndarray:
    """The row of a ring that each block wrote, (blocks, values)."""
    rows = memory[ring]
    latest: np.ndarray = rows[np.arange(len(rows)), memory["state_clock"][:, clock] - 1]
    return latest


_DYNAMICS: dict[str, Read] = {
    "gain": partial(column, "state_bank_gain_q27"),
    "band_attenuation": partial(column, "state_bank_limiter_attenuation_q31"),
    "limited": lambda memory: memory["state_bank_band_q27"],
    "attenuation": partial(column, "state_limiter_attenuation_q31"),
}
_WATERMARK: dict[str, Read] = {
    "band_level": lambda memory: _written("state_level_q8", _LEVEL, memory)[..., np.newaxis],
    "slot_level": lambda memory: memory["state_level_sum_q8"][:, LEVEL_EDGE:-LEVEL_EDGE, np.newaxis],
    "feature": lambda memory: _written("state_feature", _FEATURE, memory)[
        :, : memory["state_level_q8"].shape[2], np.newaxis
    ],
    "score": partial(column, "output_score_q9"),
    "integrated": partial(column, "output_integrated_q9"),
}
_EXAMPLE: dict[str, Read] = {
    "blocked": lambda memory: memory["state_blocked_q27"],
    "gain": partial(column, "state_gain_q31"),
}
READ: dict[str, dict[str, Read]] = {
    **dict.fromkeys((SPEAKER, HEADSET), _DYNAMICS),
    **dict.fromkeys((DETECTOR, SMALL), _WATERMARK),
    GATE: _EXAMPLE,
}
