"""The commands about sweeps: sweep, report."""
