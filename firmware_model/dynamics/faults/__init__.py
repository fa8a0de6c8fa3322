"""The dynamics processor with a fault of arithmetic, as careless firmware has it."""

import numpy as np

from firmware_model.dynamics.processor import process_frame
from firmware_model.dynamics.settings.params import DynamicsConfig
from firmware_model.dynamics.settings.tuning import quantise
from firmware_model.dynamics.state import init_state
from firmware_model.dynamics.stream import pad_for_latency
from firmware_model.golden.causes.faults.products import Fault, run_faulty


def process_faulty(x_q15: np.ndarray, config: DynamicsConfig, fault: Fault) -> np.ndarray:
    """`stream.process` with a fault: (channels, n) int16 -> the same, in step.

    Raises
    ------
    BittrueError
        See `faults.products.run_faulty`.
    """
    late = config.latency_samples
    padded = pad_for_latency(x_q15, config)
    y_q15 = run_faulty(fault, f"{__name__}:{process_blocks.__name__}", (padded, config))
    return y_q15[:, late : late + x_q15.shape[1]]


def process_blocks(x_q15: np.ndarray, config: DynamicsConfig) -> np.ndarray:
    """What the process with the altered kernels runs: (channels, n) int16 in whole blocks -> the same."""
    params, y_q15 = quantise(config), x_q15.copy()
    process_frame(params, init_state(params), x_q15, y_q15, None)
    return y_q15
