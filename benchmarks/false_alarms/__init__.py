"""Benchmark of false alarms: `python -m benchmarks.false_alarms`."""
