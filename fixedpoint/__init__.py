"""Fixed-point arithmetic for kernels that Numba, an interpreter and a C compiler must agree on."""
