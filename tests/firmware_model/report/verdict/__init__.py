"""Tests of verdicts on sweeps."""
