"""Arguments for the dynamics processor's kernels."""

from firmware_model.dynamics.kernel_cases import chain, rows

CASES = chain.CASES | rows.CASES
