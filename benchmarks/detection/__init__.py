"""Benchmark of detection: `python -m benchmarks.detection`."""
