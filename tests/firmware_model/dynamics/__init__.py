"""Tests of the dynamics processor."""
