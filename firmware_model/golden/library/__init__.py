"""Kernel cases and goldens of the kernels that products share: primitives, filters, transforms."""
