"""Golden cases of the watermark detector, their inputs, and how far they are from the float64 reference."""

from firmware_model.watermark.cases.bounds import BOUNDS, PARTS
from firmware_model.watermark.cases.configurations import CASES
from firmware_model.watermark.cases.stimuli import STIMULI

__all__ = ["BOUNDS", "CASES", "PARTS", "STIMULI"]
