"""Independent float64 references, written from the equations; they share no code with the kernels."""
