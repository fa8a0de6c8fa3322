"""Mistakes of a port, one at a time, in the exported C of a golden case: does the case's output show them?"""
