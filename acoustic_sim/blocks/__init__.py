"""Signals of any length in memory that does not grow: on disk, filtered block by block."""
