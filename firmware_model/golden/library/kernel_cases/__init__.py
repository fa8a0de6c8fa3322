"""Arguments for the kernels that products share."""

from firmware_model.golden.library.kernel_cases import filters, primitives

CASES = primitives.CASES | filters.CASES
