"""The products as C99 for firmware, and on the target's own instruction set."""
