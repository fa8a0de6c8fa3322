"""Verdicts on sweeps: limits that rows must keep, and two sweeps compared row by row."""
