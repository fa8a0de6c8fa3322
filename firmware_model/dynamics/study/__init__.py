"""What a row of a dynamics sweep computes, and the axes of its plans."""

from acoustic_sim.sweep.axes import ARITHMETIC, VOLUME, Axis, profile
from firmware_model.dynamics.study.row import CHECKS, OUTCOME, evaluate, group_key, heard

__all__ = ["AXES", "CHECKS", "OUTCOME", "evaluate", "group_key", "heard"]

AXES: tuple[Axis, ...] = (profile("profile", "smart-speaker"), VOLUME, ARITHMETIC)
