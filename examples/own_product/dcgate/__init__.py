"""A DC blocker followed by a noise gate, stereo, 48 kHz: a product of its own for bittrue."""
