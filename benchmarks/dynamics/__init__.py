"""Benchmark of the dynamics processor: `python -m benchmarks.dynamics`."""
