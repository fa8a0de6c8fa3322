"""Filters and transforms in fixed point: biquads, FIR, block-floating FFT."""
