"""What the dynamics processor does to a recording, measured."""
