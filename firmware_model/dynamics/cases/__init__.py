"""Golden cases of the dynamics processor, their inputs, and how far they are from the float64 reference."""

from firmware_model.dynamics.cases.bounds import BOUNDS, PARTS
from firmware_model.dynamics.cases.configurations import CASES
from firmware_model.dynamics.cases.stimuli import STIMULI

__all__ = ["BOUNDS", "CASES", "PARTS", "STIMULI"]
