"""The float64 reference on what the Q15 detector hears."""

from dataclasses import fields
from typing import Any

import numpy as np

from firmware_model.reference import watermark as reference
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import WatermarkConfig


def float_detect(
    pcm: np.ndarray, keys: list[Key], config: WatermarkConfig
) -> tuple[list[Any], np.ndarray, np.ndarray]:
    """The float64 reference on the PCM that the Q15 detector gets.

    Returns
    -------
    detections ; (hops, keys) float64, single-mark scores ; (hops, keys) float64, integrated scores
    """
    detector = float_detector(keys, config)
    found = reference.joined([detector.push(pcm / 32768.0), detector.finish()])
    return list(found.detections), found.scores, found.integrated


def float_detector(keys: list[Key], config: WatermarkConfig) -> reference.Detector:
    """The float64 reference for PCM that comes in pieces, which it takes as full scale 1.0."""
    names = [field.name for field in fields(reference.WatermarkModel)]
    model = reference.WatermarkModel(**{name: getattr(config, name) for name in names})
    signs = np.stack([key.signs(config.max_marks, config.slots, config.bands) for key in keys])
    return reference.Detector(signs, model)
