"""Benchmark of sweeps: `python -m benchmarks.sweep`."""
