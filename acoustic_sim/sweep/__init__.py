"""Sweeps: a plan, its rows over many processes or a cluster, a table that survives a kill, its statistics.

What computes a row is a callable: nothing here knows a product. `plan` reads what is swept, `run` has it
computed, `results` keeps it.
"""
