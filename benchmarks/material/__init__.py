"""Real programmes and rooms below $BITTRUE_DATA."""
