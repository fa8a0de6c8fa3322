"""Kernels to C99: types inferred from example arguments, text that gives the same bits."""
