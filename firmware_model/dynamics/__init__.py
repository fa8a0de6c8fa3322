"""Multiband dynamics processor in fixed point: crossover, a compressor and limiter per band, limiter."""
