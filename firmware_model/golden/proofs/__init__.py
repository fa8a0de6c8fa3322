"""Proofs that a product's own tests may ask for: the overflow audit, and mutants of the kernels' sources."""
