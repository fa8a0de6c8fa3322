"""A device's dump: read, held against the model, and where it leaves it first."""
